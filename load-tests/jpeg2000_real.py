"""What the first tile of a JPEG 2000 file costs, of small files as they are met: processor time, bytes read and
the most memory, at full size, in the middle of the pyramid and at its end, beside OpenJPEG's own program and
Debian's iipsrv.

    cargo build --release
    python3 load-tests/jpeg2000_real.py FILE...

Needs opj_decompress (Debian: libopenjp2-tools), strace and iipsrv (iipimage-server).
"""

import os
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from iipsrv import Iipsrv
from served import Tessera, own_cpu_ms, peak_mib

TILE = 256
RUNS = 5


def header(file):
    """Where the picture begins on the reference grid, columns, rows, and how often they are halved."""
    data = file.read_bytes()
    size = data.index(b"\xff\x4f\xff\x51")
    style = data.index(b"\xff\x52\0", size)
    right, bottom, left, top = struct.unpack(">4I", data[size + 8 : size + 24])
    return (left, top), right - left, bottom - top, data[style + 9]


def middle(length):
    """A tile of it, where viewers ask for one."""
    start = max(0, length - TILE) // 2 // TILE * TILE
    return start, min(length, start + TILE)


def by_openjpeg(origin, file, area, reduction):
    """Milliseconds, KiB and MiB."""
    with tempfile.TemporaryDirectory() as out:
        command = ["opj_decompress", "-quiet", "-i", file, "-o", f"{out}/tile.ppm", "-r", str(reduction)]
        command += ["-d", ",".join(str((edge << reduction) + start) for edge, start in zip(area, origin * 2))]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        assert status == 0, command
        traced = subprocess.run(["strace", "-e", "read", *command], capture_output=True, text=True)
    read = sum(int(count) for count in re.findall(r"= (\d+)$", traced.stderr, re.M))
    return (used.ru_utime + used.ru_stime) * 1000, read / 1024, used.ru_maxrss / 1024


def by_server(start, file, area, reduction):
    """The same of a server that has only opened the file."""
    left, top, right, bottom = area
    region = ",".join(str(length << reduction) for length in [left, top, right - left, bottom - top])
    server = start()
    pid = server.process.pid
    read_bytes = lambda: int(re.search(r"rchar: (\d+)", Path(f"/proc/{pid}/io").read_text()).group(1))
    try:
        server.get(f"/iiif/3/{file.name}/info.json")
        before_ms, before_bytes = own_cpu_ms(pid), read_bytes()
        picture = server.get(f"/iiif/3/{file.name}/{region}/{right - left},/0/default.jpg")
        assert picture[:2] == b"\xff\xd8", f"{file.name}: {region}"
        return own_cpu_ms(pid) - before_ms, (read_bytes() - before_bytes) / 1024, peak_mib(pid)
    finally:
        server.stop()


def main():
    print("| file | pixels | CPU ms: OpenJPEG | iipsrv | Tessera | KiB read: OpenJPEG | iipsrv | Tessera | MiB: OpenJPEG | iipsrv | Tessera |")
    print("| --- | --- |" + " ---: |" * 9)
    for file in [Path(name).resolve() for name in sys.argv[1:]]:
        origin, width, height, halvings = header(file)
        for reduction in [0, halvings // 2, halvings]:
            size = [-(-length // 2**reduction) for length in (width, height)]
            (left, right), (top, bottom) = map(middle, size)
            what = (file, (left, top, right, bottom), reduction)
            ways = [
                lambda *what: by_openjpeg(origin, *what),
                lambda *what: by_server(lambda: Iipsrv(file.parent), *what),
                lambda *what: by_server(lambda: Tessera(file.parent), *what),
            ]
            found = []
            for way in ways:
                try:
                    found.append([median(run) for run in zip(*(way(*what) for _ in range(RUNS)))])
                except (AssertionError, IndexError):
                    found.append(None)
            cells = [f"{way[at]:.{digits}f}" if way else "none" for at, digits in [(0, 1), (1, 0), (2, 0)] for way in found]
            print(f"| {file.name} | {right - left} x {bottom - top} of {size[0]} x {size[1]} | {' | '.join(cells)} |", flush=True)


main()
