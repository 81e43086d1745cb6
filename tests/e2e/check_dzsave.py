"""Makes pictures of awkward sizes, and holds fetched tiles against those that vips dzsave wrote.

python check_dzsave.py make FOLDER WIDTHxHEIGHT...
python check_dzsave.py compare TILES.json

Each pair of tiles: ours, theirs, the picture, how many of its pixels one of theirs stands for along a side,
and where in the level they begin. Tiles have equal sizes; their shades (0 to 255) differ by ROUNDED at most:
dzsave rounds at each halving, we round each stored level and once more below.

But for a level's last column and row, where they stand for less than the others. dzsave halves again and
again with the last pixel doubled; we weigh all alike, and where the file's level was rounded down and lacks
them, show the pixel beside it again. There ours lies within the shades of what it and those around it stand
for.
"""

import json
import sys
from pathlib import Path

import numpy
from PIL import Image

ROUNDED = 2


def make(folder, sizes):
    """Waves of many lengths, the same at no two places: a tile that lies a pixel off differs by 10 or more."""
    for name in sizes:
        width, height = (int(side) for side in name.split("x"))
        y, x = numpy.mgrid[:height, :width].astype(numpy.float64)
        red = 128 + 90 * numpy.sin(x / 7.0 + y / 61.0) + 30 * numpy.cos(y / 5.0)
        green = 128 + 90 * numpy.cos(y / 9.0 - x / 83.0) + 30 * numpy.sin(x / 3.0)
        blue = 128 + 60 * numpy.sin((x + 2 * y) / 11.0) + 60 * numpy.cos(x * y / 40000.0)
        pixels = numpy.stack([red, green, blue], axis=2).clip(0, 255).astype(numpy.uint8)
        Image.fromarray(pixels).save(Path(folder) / f"{name}.png")


def pixels(file):
    return numpy.asarray(Image.open(file).convert("RGB"), numpy.int16)


def of_blocks(function, picture, factor):
    """Least or most of each block of the picture and the blocks around it."""
    out = picture
    for axis in (0, 1):
        out = function.reduceat(out, numpy.arange(0, out.shape[axis], factor), axis=axis)
        padded = numpy.pad(out, [(1, 1) if axis == at else (0, 0) for at in range(3)], "edge")
        count = out.shape[axis]
        shifted = [padded.take(range(start, start + count), axis=axis) for start in range(3)]
        out = function.reduce(shifted)
    return out


def bounds(image, factor, made):
    if (image, factor) not in made:
        picture = pixels(image)
        made[image, factor] = [of_blocks(function, picture, factor) for function in (numpy.minimum, numpy.maximum)]
    return made[image, factor]


def last(size, factor, place, tile):
    """The pixels of a tile that stand for less than `factor` along a side."""
    where = numpy.zeros(tile, bool)
    for axis in (0, 1):
        if size[axis] % factor:
            side = numpy.arange(tile[axis]) + place[axis] == size[axis] // factor
            where |= side[:, None] if axis == 0 else side[None, :]
    return where


def check(pair, made):
    ours, theirs = pixels(pair["ours"]), pixels(pair["theirs"])
    assert ours.shape == theirs.shape, f"{pair['theirs']}: {ours.shape}, not {theirs.shape}"
    factor, (left, top) = pair["factor"], pair["place"]
    width, height = Image.open(pair["image"]).size
    is_last = last((height, width), factor, (top, left), ours.shape[:2])
    shades = abs(ours - theirs)[~is_last]
    assert shades.max(initial=0) <= ROUNDED, f"{pair['theirs']}: differs by {shades.max()}"
    if is_last.any():
        rows, columns = slice(top, top + ours.shape[0]), slice(left, left + ours.shape[1])
        low, high = (bound[rows, columns] for bound in bounds(pair["image"], factor, made))
        within = (low - ROUNDED <= ours) & (ours <= high + ROUNDED)
        assert within[is_last].all(), f"{pair['theirs']}: the last column or row is of elsewhere"


def compare(manifest):
    made = {}
    for pair in json.loads(Path(manifest).read_text()):
        check(pair, made)


if sys.argv[1] == "make":
    make(sys.argv[2], sys.argv[3:])
else:
    compare(sys.argv[2])
