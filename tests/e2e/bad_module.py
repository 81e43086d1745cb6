"""A decoder module that does to the server whatever a file's first line says: `BAD! WORD`.

With an argument, it does it at its start.
"""

import ctypes
import json
import os
import resource
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../deploy/modules"))

import tessera_module  # noqa: E402

SIDE = 512
HONEST = {"format": "Bad", "levels": [[SIDE, SIDE]], "tile": [256, 256], "colour": "gray"}

# What each word says of the image, where it lies.
DESCRIPTIONS = {
    "huge": {"levels": [[4_000_000_000, 4_000_000_000]]},
    "huge-tile": {"levels": [[60_000, 60_000]], "tile": [60_000, 60_000]},
    "empty": {"levels": [[0, 7]]},
    "no-levels": {"levels": []},
    "rising": {"levels": [[100, 100], [200, 200]]},
    "many-levels": {"levels": [[SIDE, SIDE]] * 3000},
    "negative": {"levels": [[-5, 5]]},
    "text": {"levels": "large"},
    "colour": {"colour": "ultraviolet"},
    "bits": {"bits": 77},
    "profile": {"icc_bytes": 1 << 60},
    "long-name": {"format": "x" * 60_000},
}


def segfault():
    os.kill(os.getpid(), signal.SIGSEGV)


def eat():
    """Takes memory until there is none."""
    blocks = []
    while True:
        blocks.append(bytearray(16 << 20))


def say(data, descriptors=()):
    """Writes to the socket past the library."""
    import socket

    channel = socket.socket(fileno=os.dup(0))
    socket.send_fds(channel, [data], list(descriptors))


class Last:
    """The request that is under way."""

    number = 0


def answer(module, images, request, descriptors, honestly=tessera_module.answer):
    Last.number = request["number"]
    return honestly(module, images, request, descriptors)


tessera_module.answer = answer


def reply(kind, **fields):
    """A reply to the request that is under way."""
    return json.dumps({"number": Last.number, "reply": kind, **fields}).encode()


def leave_children():
    """Starts processes that hold everything open and never end."""
    for _ in range(3):
        if os.fork() == 0:
            time.sleep(3600)
            os._exit(0)


def unconfined():
    """What this process could do that it must not."""
    found = []
    if set(os.environ) - {"PATH", "LC_CTYPE"}:
        found.append("environment " + " ".join(sorted(os.environ)))
    if resource.getrlimit(resource.RLIMIT_CORE) != (0, 0):
        found.append("core files")
    if resource.getrlimit(resource.RLIMIT_AS)[1] != 256 << 20:
        found.append("memory")
    with open("/proc/self/status") as status:
        if "NoNewPrivs:\t1" not in status.read():
            found.append("new privileges")
    # Three standard ones, the library's copy of the first, a request's two, the file's copy, the listing.
    if len(os.listdir("/proc/self/fd")) > 8:
        found.append("descriptors " + " ".join(os.listdir("/proc/self/fd")))
    knows_landlock = ctypes.CDLL(None).syscall(444, None, 0, 1) > 0
    for path in ["/tmp/tessera-bad-module", "/dev/shm/tessera-bad-module"]:
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
            os.unlink(path)
            if knows_landlock:
                found.append("files")
        except OSError:
            pass
    return found


class Image:
    def __init__(self, word):
        self.word = word

    def describe(self):
        return {**HONEST, **DESCRIPTIONS.get(self.word, {})}

    def profile(self):
        return None

    def pixels(self, level, left, top, width, height):
        honest = bytes([7]) * (width * height)
        word = self.word
        if word == "crash":
            segfault()
        if word == "exit":
            os._exit(3)
        if word == "hang":
            time.sleep(3600)
        if word == "eat":
            eat()
        if word == "few":
            return honest[1:]
        if word == "many":
            return honest + b"x"
        if word == "junk":
            say(b"\0\xff junk")
        if word == "long":
            say(b"[" * 65_537)
        if word == "other":
            say(reply("image", **HONEST))
        if word == "descriptors":
            say(reply("pixels", bytes=65536), [0])
        if word == "twice":
            say(reply("pixels", bytes=65536))
        if word == "close":
            os.dup2(2, 0)
            os.closerange(3, 64)
            time.sleep(3600)
        if word == "fork-crash":
            leave_children()
            segfault()
        if word == "fork":
            leave_children()
        if word == "words":
            for _ in range(10_000):
                print("a word that nobody needs " * 20, file=sys.stderr)
        if word == "unconfined" and unconfined():
            raise tessera_module.Refused("unsupported", ", ".join(unconfined()))
        if word == "path":
            raise tessera_module.Refused("malformed", "in row 3 of /srv/secret/a.bad")
        return honest


class Bad:
    magic = ["42414421"]
    suffixes = ["bad"]

    def open(self, file, suffix):
        word = file.read(64).decode().split()[1]
        if word == "open-crash":
            segfault()
        if word == "open-hang":
            time.sleep(3600)
        if word == "open-eat":
            eat()
        return Image(word)


if __name__ == "__main__":
    start = sys.argv[1] if len(sys.argv) > 1 else ""
    if start == "exit":
        sys.exit(3)
    if start == "hang":
        time.sleep(3600)
    if start == "junk":
        say(b"good morning")
    if start == "version":
        say(reply("hello", protocol=99))
    if start == "idle":
        Bad.magic = Bad.suffixes = []
    tessera_module.serve(Bad())
