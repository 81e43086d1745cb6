"""Puts fetched tiles together and holds every level against the full image as vips decodes it.

python check_tiles.py IMAGE LEVELS.json

Each level: its size, how many pixels of the full image one of its pixels stands for, and its tiles with
their places. A level is right where each tile has its size, the tiles cover it, it differs little from
the means of the full image's blocks, and not more where tiles meet than elsewhere.
"""

import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
from PIL import Image

# Mean difference of a sample: this, or where the stored tiles are JPEG and the picture is busy, a little
# more than JPEG alone loses of it (3.7 of the cup of coffee; a shift by one pixel makes it 9).
MEAN_DIFFERENCE_MAX = 3.0
LOSS_RATIO_MAX, LOSS_SLACK, STORED_QUALITY = 1.3, 1.5, 85
# In a smaller level the one pixel that rounding may cut is too much of the picture.
COMPARED_SIDE_MIN = 64
# Of the mean and the largest difference beside the tiles' borders over those elsewhere.
SEAM_RATIO_MAX, SEAM_SLACK = 1.3, 8.0
# Smaller levels have too few pixels beside borders, or elsewhere, for a ratio to mean anything.
SEAM_PX_MIN = 64


def decode(image):
    with tempfile.TemporaryDirectory() as folder:
        flat = Path(folder) / "flat.ppm"
        subprocess.run(["vips", "copy", f"{image}[page=0]", flat], check=True)
        return numpy.asarray(Image.open(flat).convert("RGB"), dtype=numpy.float32)


def block_means(full, factor, size):
    """Blocks at the far edges are of what there is; cut to `size`, which may be rounded down."""
    width, height = size
    out = full
    for axis, count in ((0, height), (1, width)):
        starts = numpy.arange(0, out.shape[axis], factor)
        lengths = numpy.minimum(factor, out.shape[axis] - starts)
        shape = [1, 1, 1]
        shape[axis] = len(starts)
        out = numpy.add.reduceat(out, starts, axis=axis) / lengths.reshape(shape)
        out = out.take(range(count), axis=axis)
    return out


def jpeg_loss(pixels):
    file = io.BytesIO()
    picture = pixels.round().astype(numpy.uint8)
    Image.fromarray(picture).save(file, "JPEG", quality=STORED_QUALITY)
    return abs(numpy.asarray(Image.open(file), numpy.float32) - pixels).mean()


def assemble(level):
    width, height = level["size"]
    pixels = numpy.full((height, width, 3), -1000, numpy.float32)
    for tile in level["tiles"]:
        left, top, tile_width, tile_height = tile["place"]
        picture = Image.open(tile["file"])
        assert picture.size == (tile_width, tile_height), f"{tile['target']}: {picture.size}"
        pixels[top : top + tile_height, left : left + tile_width] = picture.convert("RGB")
    assert pixels.min() >= 0, "the tiles leave a gap"
    return pixels


def borders(level):
    """Where pixels lie beside a border between two tiles."""
    width, height = level["size"]
    beside = numpy.zeros((height, width), bool)
    for tile in level["tiles"]:
        left, top = tile["place"][:2]
        if left:
            beside[:, left - 1 : left + 1] = True
        if top:
            beside[top - 1 : top + 1] = True
    return beside


def reference(full, level, made):
    """What a level looks like; levels of several clients are alike, and are made once."""
    key = (level["factor"], *level["size"])
    if key not in made:
        made[key] = block_means(full, key[0], key[1:])
    return made[key]


def check(level, full, made):
    pixels = assemble(level)
    if min(level["size"]) < COMPARED_SIDE_MIN:
        return
    means = reference(full, level, made)
    difference = abs(pixels - means).mean(axis=2)
    name = level["tiles"][0]["target"]
    limit = max(MEAN_DIFFERENCE_MAX, jpeg_loss(means) * LOSS_RATIO_MAX + LOSS_SLACK)
    assert difference.mean() < limit, f"{name}: differs by {difference.mean():.2f}, not {limit:.2f}"
    beside = borders(level)
    if min(beside.sum(), (~beside).sum()) < SEAM_PX_MIN:
        return
    for measure in (numpy.mean, numpy.max):
        seam, inside = measure(difference[beside]), measure(difference[~beside])
        limit = inside * SEAM_RATIO_MAX + (SEAM_SLACK if measure is numpy.max else 0.5)
        assert seam < limit, f"{name}: {measure.__name__} {seam:.2f} at borders, {inside:.2f} elsewhere"


def main(image, manifest):
    full, made = decode(image), {}
    for level in json.loads(Path(manifest).read_text()):
        check(level, full, made)


main(*sys.argv[1:])
