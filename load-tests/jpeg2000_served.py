"""What the server takes to answer tiles of 256 x 256 pixels of JPEG 2000 files, beside Debian's iipsrv and
OpenJPEG's own program: processor time of all its processes, and the most memory that they held.

    cargo build --release
    python3 load-tests/jpeg2000_served.py FOLDER FILE...     (files of FOLDER, as jpeg2000.py makes them)

Needs opj_decompress (Debian: libopenjp2-tools) and iipsrv (iipimage-server).
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from iipsrv import Iipsrv
from served import Tessera, cpu_ms, peak_mib

SIDE, TILE = 10240, 256


def tiles(left, top, columns, rows, step, reduction):
    """Addresses of tiles of a level, so many pixels apart."""
    side = TILE * reduction
    for row in range(rows):
        for column in range(columns):
            yield f"{left + column * step},{top + row * step},{side},{side}/{TILE},{TILE}/0/default.jpg"


WORK = {
    "one here, one there": list(tiles(512, 512, 4, 4, 2304, 1)),
    "an area of 2048 x 2048": list(tiles(4096, 4096, 8, 8, TILE, 1)),
    "the same at half size": list(tiles(4096, 4096, 4, 4, 2 * TILE, 2)),
    "thumbnail of 320 x 320": ["full/320,/0/default.jpg"],
}


def alone_ms(file):
    """opj_decompress for the tiles that lie here and there."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    addresses = WORK["one here, one there"]
    with tempfile.TemporaryDirectory() as out:
        for address in addresses:
            x, y, _, _ = map(int, address.split("/")[0].split(","))
            command = ["opj_decompress", "-quiet", "-i", file, "-o", f"{out}/tile.ppm", "-d", f"{x},{y},{x + TILE},{y + TILE}"]
            subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000 / len(addresses)


def measure(name, start, file):
    for what, addresses in WORK.items():
        server = start()
        try:
            server.get(f"/iiif/3/{file.name}/info.json")
            before = cpu_ms(server.process.pid)
            for address in addresses:
                assert server.get(f"/iiif/3/{file.name}/{address}")[:2] == b"\xff\xd8", f"{name}: {address}"
            each = (cpu_ms(server.process.pid) - before) / len(addresses)
            print(f"| {file.stem} | {what} | {name} | {each:.1f} | {peak_mib(server.process.pid):.0f} |", flush=True)
        finally:
            server.stop()


def main():
    folder = Path(sys.argv[1]).resolve()
    print("| file | tiles | server | CPU ms a tile | peak memory, MiB |")
    print("| --- | --- | --- | ---: | ---: |")
    for file in [folder / name for name in sys.argv[2:]]:
        print(f"| {file.stem} | one here, one there | opj_decompress -d | {alone_ms(file):.1f} | |", flush=True)
        measure("Tessera", lambda: Tessera(folder), file)
        measure("Tessera by OpenJPEG", lambda: Tessera(folder, "--jpeg2000-decoder", "openjpeg"), file)
        measure("iipsrv", lambda: Iipsrv(folder), file)


main()
