"""What an image costs to open, and to open again where more are looked at than are kept open.

    cargo build --release
    python3 load-tests/opening.py       (needs vips and opj_compress: libvips-tools, libopenjp2-tools)

Many names of one file are asked for their info.json, more than `images.open_max` keeps, in a circle: each
is closed before its turn comes again. Bytes and calls are what the kernel counts as read; the pyramids of
20096 x 15104 pixels are those of the bench in Rust, which makes them on its first run.
"""

import os
import re
import subprocess
import tempfile
from pathlib import Path

from served import Tessera, own_cpu_ms

ROOT = Path(__file__).resolve().parent.parent
PHOTOGRAPH = ROOT / "samples/science/retina.tif"
PYRAMIDS = ROOT / "target/load/images"
NAMES = 64
OPEN_MAX = 16
ROUNDS = 4
# Opened and kept, to see what that takes of memory.
KEPT = 512
LARGE = ["6000", "--height", "4000", "--size", "force"]


def run(*command):
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


def make(folder):
    """Files of each kind by what they are called in the table."""
    large = folder / "large.v"
    run("vips", "thumbnail", PHOTOGRAPH, large, *LARGE)
    kinds = {
        "TIFF, JPEG tiles, 20096 x 15104": PYRAMIDS / "jpeg.tif",
        "TIFF, Deflate tiles, 20096 x 15104": PYRAMIDS / "deflate.tif",
        "TIFF, JPEG tiles, 1411 x 1411": PHOTOGRAPH,
    }
    for suffix, options in {"jpg": "[Q=90]", "png": "[compression=1]", "webp": "", "gif": "[effort=1]"}.items():
        kinds[f"{suffix.upper()}, 6000 x 4000"] = folder / f"flat.{suffix}"
        run("vips", "copy", large, f"{folder}/flat.{suffix}{options}")
    run("vips", "copy", large, folder / "flat.ppm")
    for name, options in {
        "tiles of 1024, PLT, TLM": ["-t", "1024,1024", "-PLT", "-TLM"],
        "one tile, precincts of 256, PLT": ["-c", "[256,256]", "-p", "RPCL", "-PLT"],
        "one tile, no precincts, no PLT": [],
    }.items():
        file = folder / f"{len(kinds)}.jp2"
        run("opj_compress", "-i", folder / "flat.ppm", "-o", file, "-r", "12", "-I", *options)
        kinds[f"JPEG 2000, 6000 x 4000, {name}"] = file
    return kinds


def read_so_far(pid):
    """Bytes and calls."""
    text = Path(f"/proc/{pid}/io").read_text()
    return [int(re.search(rf"{name}: (\d+)", text).group(1)) for name in ("rchar", "syscr")]


def resident_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def names_of(file, folder, count):
    names = [f"{number}{file.suffix}" for number in range(count)]
    for name in names:
        try:
            os.link(file, folder / name)
        except OSError:
            (folder / name).symlink_to(file)
    return [f"/iiif/3/{name}/info.json" for name in names]


def churn(file):
    """CPU ms, KiB and reading calls for each opening; CPU ms where it is open."""
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        addresses = names_of(file, Path(folder), NAMES)
        server = Tessera(folder, "--images-open-max", OPEN_MAX)
        pid = server.process.pid
        for address in addresses:
            server.get(address)
        cpu, (read, calls) = own_cpu_ms(pid), read_so_far(pid)
        for _ in range(ROUNDS):
            for address in addresses:
                server.get(address)
        opened = ROUNDS * NAMES
        cpu, now = (own_cpu_ms(pid) - cpu) / opened, read_so_far(pid)
        read, calls = (now[0] - read) / opened / 1024, (now[1] - calls) / opened
        server.get(addresses[0])
        again = own_cpu_ms(pid)
        for _ in range(opened):
            server.get(addresses[0])
        again = (own_cpu_ms(pid) - again) / opened
        server.stop()
    return cpu, read, calls, again


def kept(file):
    """KiB of memory and descriptors that an open image holds."""
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        addresses = names_of(file, Path(folder), KEPT)
        server = Tessera(folder)
        for address in addresses[: KEPT // 8]:
            server.get(address)
        before = resident_kib(server.process.pid), descriptors(server.process.pid)
        for address in addresses:
            server.get(address)
        now = resident_kib(server.process.pid), descriptors(server.process.pid)
        server.stop()
    return [(late - early) / (KEPT - KEPT // 8) for early, late in zip(before, now)]


def main():
    with tempfile.TemporaryDirectory() as name:
        print("| image | CPU ms to open | KiB read | reading calls | CPU ms where it is open | KiB of memory | descriptors |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
        for kind, file in make(Path(name)).items():
            cpu, read, calls, again = churn(file)
            kib, files = kept(file)
            figures = f"{cpu:.3f} | {read:.1f} | {calls:.0f} | {again:.3f} | {kib:.0f} | {files:.1f}"
            print(f"| {kind} | {figures} |", flush=True)


main()
