"""What tiles of JPEG 2000 files of 100 megapixels cost: processor time and bytes read, beside OpenJPEG's own
program for the same area.

    python3 load-tests/jpeg2000.py FOLDER        (files are made there once, 1 GiB and some minutes)

Needs numpy, opj_compress and opj_decompress (Debian: libopenjp2-tools), ojph_compress (openjph-tools), strace
and cargo.
"""

import re
import resource
import struct
import subprocess
import sys
from pathlib import Path

import numpy

SIDE = 10240
LOSSY = ("-I", "-r", "12")
PRECINCTS = ("-c", ",".join(["[256,256]"] * 6), "-p", "RPCL")
SMALL_PRECINCTS = ("-c", ",".join(["[128,128]"] * 6), "-p", "RPCL")
# By name: options, and what the file is made of.
FILES = {
    "tiled": (("-t", "1024,1024", "-TLM", "-PLT", "-p", "RPCL", *LOSSY), "in.ppm"),
    "tiled-256": (("-t", "256,256", "-p", "LRCP", *LOSSY), "in.ppm"),
    "precincts": ((*PRECINCTS, "-PLT", "-TLM", *LOSSY), "in.ppm"),
    "precincts-bare": ((*PRECINCTS[:2], "-p", "LRCP", "-r", "40,12", "-I"), "in.ppm"),
    "precincts-128-lossless": ((*SMALL_PRECINCTS, "-PLT"), "in.ppm"),
    "gray-16": ((*PRECINCTS, "-PLT", "-I", "-r", "6"), "deep.pgm"),
    "plain": (LOSSY, "in.ppm"),
}
# Of part 15, by ojph_compress: a step that makes it as long as those of 12 : 1.
HIGH_THROUGHPUT = ("-qstep", "0.0115", "-precincts", "{256,256}")
RUNS = 5


def waves(random, cells):
    """Smooth noise."""
    grid = random.random((cells + 1, cells + 1), numpy.float32)
    at = numpy.linspace(0, cells, SIDE, endpoint=False, dtype=numpy.float32)
    cell = at.astype(int)
    part = (at - cell) ** 2 * (3 - 2 * (at - cell))
    rows = grid[cell] * (1 - part[:, None]) + grid[cell + 1] * part[:, None]
    return rows[:, cell] * (1 - part) + rows[:, cell + 1] * part


def make(folder):
    random = numpy.random.default_rng(7)
    ground = sum(waves(random, cells) * share for cells, share in [(5, 0.4), (40, 0.25), (320, 0.2), (2560, 0.15)])
    grain = random.integers(0, 14, (SIDE, SIDE), numpy.uint8)
    bands = [(ground * (200 - 30 * band) + 20 * band).astype(numpy.uint8) + (grain >> band) for band in range(3)]
    with open(folder / "in.ppm", "wb") as out:
        out.write(b"P6\n%d %d\n255\n" % (SIDE, SIDE))
        for top in range(0, SIDE, 512):
            out.write(numpy.stack([band[top : top + 512] for band in bands], axis=2).tobytes())
    deep = (ground * 60000).astype(numpy.uint16) + grain * numpy.uint16(150)
    (folder / "deep.pgm").write_bytes(b"P5\n%d %d\n65535\n" % (SIDE, SIDE) + deep.astype(">u2").tobytes())
    for name, (options, source) in FILES.items():
        subprocess.run(["opj_compress", "-i", source, "-o", f"{name}.jp2", *options], cwd=folder, check=True)
    command = ["ojph_compress", "-i", "in.ppm", "-o", "high-throughput.j2c", *HIGH_THROUGHPUT]
    subprocess.run(command, cwd=folder, check=True)
    codestream = folder / "high-throughput.j2c"
    (folder / "high-throughput.jp2").write_bytes(boxed(codestream.read_bytes()))
    codestream.unlink()


def boxed(codestream):
    """An sRGB picture in boxes, without which iipsrv does not take it."""
    box = lambda kind, body: struct.pack(">I", 8 + len(body)) + kind + body
    header = box(b"ihdr", struct.pack(">IIHBBBB", SIDE, SIDE, 3, 7, 7, 0, 0)) + box(b"colr", b"\1\0\0\0\0\0\x10")
    start = box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jph \0\0\0\0jph jp2 ") + box(b"jp2h", header)
    return start + box(b"jp2c", codestream)


def alone(file, area):
    """Milliseconds and KiB of opj_decompress."""
    command = ["opj_decompress", "-quiet", "-i", file, "-o", file.with_suffix(".ppm")]
    command += ["-d", ",".join(str(edge) for edge in area)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for _ in range(RUNS):
        subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    traced = subprocess.run(["strace", "-e", "read", *command], capture_output=True, text=True)
    return seconds * 1000 / RUNS, sum(int(count) for count in re.findall(r"= (\d+)$", traced.stderr, re.M)) // 1024


def main():
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{name}.jp2" for name in [*FILES, "high-throughput"]]
    if not all(file.is_file() for file in files):
        make(folder)
    for file in files:
        middle = SIDE // 2
        for side in [256, 512, 1024]:
            ms, kib = alone(file, (middle, middle, middle + side, middle + side))
            print(f"{file}: OpenJPEG alone, {side}x{side} pixels: {ms:.1f} ms, {kib} KiB", flush=True)
    subprocess.run(["cargo", "bench", "--bench", "jpeg2000", "--", *files], check=True)


main()
