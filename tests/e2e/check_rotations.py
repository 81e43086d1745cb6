"""Holds pictures turned by any angle against those that libvips turns of the stored half.

python check_rotations.py IMAGE CASES.json
"""

import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
from PIL import Image, ImageOps

BACKGROUND = (0x10, 0x20, 0x30)
# Mean and largest difference of a sample, two pixels inside the edge: rounding of two bicubic filters, and
# the losses of formats that have any.
EXACT = {"png": (0.6, 8), "tif": (0.6, 8)}
LOSSY = {"webp": 6.0, "jpg": 4.0, "pdf": 4.0, "gif": 8.0}


def opened(case):
    """The picture; of a PDF the one on its page, which must be rendered at its size too."""
    if case["format"] != "pdf":
        return Image.open(case["file"])
    with tempfile.TemporaryDirectory() as folder:
        page, picture = Path(folder) / "page", Path(folder) / "picture"
        render = ["pdftoppm", "-r", "72", "-png", "-singlefile", case["file"], page]
        subprocess.run(render, check=True)
        subprocess.run(["pdfimages", "-j", case["file"], picture], check=True)
        found = Image.open(f"{picture}-000.jpg").copy()
        rendered = Image.open(f"{page}.png").convert("RGB")
    assert rendered.size == found.size, f"{case}: a page of {rendered.size}"
    means = [numpy.asarray(it, numpy.float32).mean() for it in (rendered, found)]
    assert abs(means[0] - means[1]) < 2, f"{case}: rendered {means}"
    return found


def box(size, degrees):
    angle = math.radians(degrees)
    width, height = size
    sin, cos = abs(math.sin(angle)), abs(math.cos(angle))
    sides = width * cos + height * sin, height * cos + width * sin
    return tuple(math.ceil(side - 1e-6) for side in sides)


def expected(reference, rotation, size, folder):
    """libvips's bicubic is Catmull-Rom too; a place is that of a pixel's middle."""
    picture = ImageOps.mirror(reference) if rotation.startswith("!") else reference
    angle = math.radians(float(rotation.lstrip("!")))
    cos, sin = math.cos(angle), math.sin(angle)
    from_x, from_y = 0.5 - picture.size[0] / 2, 0.5 - picture.size[1] / 2
    left = size[0] / 2 - 0.5 + cos * from_x - sin * from_y
    top = size[1] / 2 - 0.5 + sin * from_x + cos * from_y
    source, turned = Path(folder) / "source.png", Path(folder) / "turned.png"
    picture.save(source)
    area = f"0 0 {size[0]} {size[1]}"
    matrix = f"{cos} {-sin} {sin} {cos}"
    subprocess.run(
        ["vips", "affine", source, turned, "--interpolate", "bicubic", "--extend", "copy"]
        + ["--odx", str(left), "--ody", str(top), "--oarea", area, "--", matrix],
        check=True,
    )
    return Image.open(turned).convert("RGB").copy()


def inside(size, of, degrees, margin):
    """Which pixels of the answer lie so far inside the turned picture (positive) or outside (negative)."""
    angle = math.radians(degrees)
    y, x = numpy.mgrid[0 : size[1], 0 : size[0]]
    x, y = x + 0.5 - size[0] / 2, y + 0.5 - size[1] / 2
    u = abs(x * math.cos(angle) + y * math.sin(angle))
    v = abs(y * math.cos(angle) - x * math.sin(angle))
    if margin > 0:
        return (u < of[0] / 2 - margin) & (v < of[1] / 2 - margin)
    return (u > of[0] / 2 - margin) | (v > of[1] / 2 - margin)


def check(case, reference):
    picture = opened(case)
    degrees = float(case["rotation"].lstrip("!"))
    wanted = box(reference.size, degrees)
    assert picture.size == wanted, f"{case}: {picture.size}, not {wanted}"
    with tempfile.TemporaryDirectory() as folder:
        turned = expected(reference, case["rotation"], wanted, folder)
    theirs = numpy.asarray(turned, numpy.float32)
    ours = numpy.asarray(picture.convert("RGBA"), numpy.float32)
    middle = inside(wanted, reference.size, degrees, 2)
    difference = abs(ours[..., :3] - theirs)[middle]
    kind = case["format"]
    if kind in EXACT:
        mean, largest = EXACT[kind]
        assert difference.mean() < mean, f"{case}: {difference.mean():.2f}"
        assert difference.max() <= largest, f"{case}: {difference.max()}"
    else:
        assert difference.mean() < LOSSY[kind], f"{case}: {difference.mean():.2f}"
    outside = ours[inside(wanted, reference.size, degrees, -2)]
    if degrees == 359.75:
        assert len(outside) < 100, f"{case}: not nearly upright"
        return
    if kind in ("jpg", "pdf"):
        # Rings at the edge of the picture reach into the blocks beside it.
        apart = abs(numpy.median(outside[..., :3], axis=0) - BACKGROUND).max()
        assert apart <= 3, f"{case}: background off by {apart}"
    else:
        assert (outside[..., 3] == 0).all(), f"{case}: not transparent outside"
        assert (ours[..., 3][middle] == 255).all(), f"{case}: transparent inside"


def main(image, manifest):
    stored = Image.open(image)
    stored.seek(1)
    assert stored.size == (300, 200), stored.size
    reference = stored.convert("RGB")
    for case in json.loads(Path(manifest).read_text()):
        check(case, reference)


main(*sys.argv[1:])
