"""Writes PNG files of every kind, also such as no library here writes: few bits, interlaced."""

import struct
import zlib

import numpy

# W3C PNG, section 8.2: first column and row, step along columns and rows.
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def rows(samples, depth, filters):
    """Packs rows of samples (height x width x bands), each behind its filter: 0 none, 1 the left, 2 the upper."""
    height, width, bands = samples.shape
    if 0 in (height, width):
        return b""
    if depth == 16:
        packed = samples.astype(">u2").view(numpy.uint8).reshape(height, -1)
    elif depth == 8:
        packed = samples.astype(numpy.uint8).reshape(height, -1)
    else:
        bits = samples.reshape(height, -1)[:, :, None] >> numpy.arange(depth - 1, -1, -1) & 1
        packed = numpy.packbits(bits.reshape(height, -1).astype(numpy.uint8), axis=1)
    step = max(1, depth * bands // 8)
    out = bytearray()
    for y in range(height):
        line, filtered = packed[y], filters[y % len(filters)]
        if filtered == 1:
            line = line - numpy.concatenate([numpy.zeros(step, numpy.uint8), line[:-step]])[: len(line)]
        elif filtered == 2:
            line = line - (packed[y - 1] if y else 0)
        out += bytes([filtered]) + line.astype(numpy.uint8).tobytes()
    return bytes(out)


def png(samples, depth, colour_type, interlace=False, before=(), filters=(0, 1, 2)):
    """A file of samples (height x width x bands), of `before` as chunks in front of the pixels."""
    height, width = samples.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, int(interlace))
    if interlace:
        raw = b"".join(rows(samples[y::dy, x::dx], depth, filters) for x, y, dx, dy in PASSES)
    else:
        raw = rows(samples, depth, filters)
    data = zlib.compress(raw)
    halves = [data[: len(data) // 2], data[len(data) // 2 :]]
    body = [(b"IHDR", header), *before, *((b"IDAT", half) for half in halves), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in body)
