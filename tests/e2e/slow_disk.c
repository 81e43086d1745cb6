/*
 * A disk that is slow or hangs, for files whose path has the word "slow" in it: loaded before the C library,
 * it has each of their reads wait for as many milliseconds as the file named by SLOW_DISK says; -1 is for as
 * long as it says so.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_slow(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) {
        return 0;
    }
    path[length] = 0;
    return strstr(path, "slow") != NULL;
}

static int delay_ms(void) {
    char text[16] = "0";
    int fd = open(getenv("SLOW_DISK"), O_RDONLY | O_CLOEXEC);
    if (0 <= fd) {
        ssize_t length = read(fd, text, sizeof text - 1);
        text[length < 0 ? 0 : length] = 0;
        close(fd);
    }
    return atoi(text);
}

ssize_t pread64(int fd, void *buffer, size_t size, off64_t at) {
    if (is_slow(fd)) {
        int ms = delay_ms();
        while (ms < 0) {
            usleep(5000);
            ms = delay_ms();
        }
        usleep(1000 * ms);
    }
    return syscall(SYS_pread64, fd, buffer, size, at);
}

ssize_t pread(int fd, void *buffer, size_t size, off_t at) {
    return pread64(fd, buffer, size, at);
}
