"""What a flat JPEG costs: its first view beside libjpeg-turbo's own scaled decode, and a tile of a whole
viewing session.

    cargo build --release
    python3 load-tests/flat.py [--check]        (needs vips, djpeg: libvips-tools, libjpeg-turbo-progs)

Both figures are CPU time: of the server's process from /proc, of djpeg as the kernel counts its
children. With --check it ends with status 1 where the first view costs 1.3 times djpeg or more.
"""

import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SERVER = ROOT / "target/release/tessera"
PHOTOGRAPH = ROOT / "samples/science/retina.tif"
WIDTH, HEIGHT = 6000, 4000
VIEWS = 20
RATIO_MAX = 1.3


def make_photograph(path):
    """A 24-megapixel JPEG, quality 90, 4:2:0, of an enlarged photograph with a sensor's noise."""
    with tempfile.TemporaryDirectory() as folder:
        noise, large = Path(folder) / "noise.v", Path(folder) / "large.v"
        run("vips", "thumbnail", PHOTOGRAPH, large, WIDTH, "--height", HEIGHT, "--crop", "centre", "--size", "force")
        run("vips", "gaussnoise", noise, WIDTH, HEIGHT, "--sigma", 6, "--mean", 0, "--seed", 1)
        run("vips", "add", large, noise, f"{path}[Q=90,subsample-mode=on]")


def run(*command):
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


def cpu_s(pid):
    """User and system time of a process so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def djpeg_s(photograph):
    """CPU seconds of one scaled decode by libjpeg-turbo's own program."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(VIEWS):
        run("djpeg", "-scale", "1/8", "-outfile", "/dev/null", photograph)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / VIEWS


def get(address):
    with urllib.request.urlopen(address) as answer:
        return answer.read()


def session(base):
    """Every tile of every level of one image, by IIIF; how many."""
    tile, count = 256, 0
    for scale in (16, 8, 4, 2, 1):
        step = tile * scale
        for y in range(0, HEIGHT, step):
            for x in range(0, WIDTH, step):
                width, height = min(step, WIDTH - x), min(step, HEIGHT - y)
                size = f"{-(-width // scale)},{-(-height // scale)}"
                get(f"{base}/{x},{y},{width},{height}/{size}/0/default.jpg")
                count += 1
    return count


def main():
    folder = Path(tempfile.mkdtemp())
    try:
        photograph = folder / "0.jpg"
        make_photograph(photograph)
        for number in range(1, VIEWS + 2):
            shutil.copyfile(photograph, folder / f"{number}.jpg")
        reference = djpeg_s(photograph)
        command = [SERVER, "serve", folder, "--bind", "127.0.0.1:0", "--admin", "none", "--log-access", "off"]
        server = subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE, text=True)
        try:
            line = next(line for line in server.stderr if "http://" in line)
            base = re.search(r"http://127\.0\.0\.1:\d+", line).group() + "/iiif/3"
            get(f"{base}/0.jpg/full/512,/0/default.jpg")
            before = cpu_s(server.pid)
            for number in range(1, VIEWS + 1):
                get(f"{base}/{number}.jpg/full/512,/0/default.jpg")
            view = (cpu_s(server.pid) - before) / VIEWS
            before = cpu_s(server.pid)
            tiles = session(f"{base}/{VIEWS + 1}.jpg")
            tile = (cpu_s(server.pid) - before) / tiles
        finally:
            server.terminate()
            server.wait()
    finally:
        shutil.rmtree(folder)
    print(f"first view of {WIDTH}x{HEIGHT} at 512: {view * 1000:.1f} ms CPU")
    print(f"djpeg -scale 1/8:              {reference * 1000:.1f} ms CPU, ratio {view / reference:.2f}")
    print(f"a tile of a session of {tiles}:   {tile * 1000:.2f} ms CPU")
    if "--check" in sys.argv and RATIO_MAX <= view / reference:
        sys.exit(f"the first view costs {view / reference:.2f} times djpeg, {RATIO_MAX} are allowed")


main()
