"""Opens what the tests wrote with Pillow and tifffile and holds it against the samples beside it.

    python3 tests/golden/check.py FOLDER        (FOLDER/checks.json says what)
"""

import io
import json
import sys
from pathlib import Path

import numpy
import tifffile
from PIL import Image, ImageOps

FOLDER = Path(sys.argv[1])
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def picture_fault(check, expected):
    """What is wrong with a picture, or None."""
    data = (FOLDER / check["picture"]).read_bytes()
    image = Image.open(io.BytesIO(data))
    image.load()
    # WebP has no gray.
    mode = check.get("mode", MODES[check["bands"]])
    if image.mode != mode:
        return f"mode {image.mode} instead of {mode}"
    shape = (check["height"], check["width"], check["bands"])
    found = numpy.asarray(image).reshape(*shape[:2], -1)[:, :, -shape[2] :]
    profile = image.info.get("icc_profile") or b""
    if profile != ((FOLDER / check["icc"]).read_bytes() if "icc" in check else b""):
        return f"a profile of {len(profile)} bytes"
    if data.startswith(b"\xff\xd8") and data.count(b"\xff\xd9", len(data) - 2) != 1:
        return "no end of image"
    return difference(found, expected.reshape(shape), check)


def page_fault(check, expected):
    """What is wrong with the samples decoded of a page of a TIFF, or None."""
    with tifffile.TiffFile(check["tiff"]) as file:
        found = file.pages[check["page"]].asarray()
        if file.pages[check["page"]].photometric == 0:
            found = 255 - found
    return difference(found, expected.reshape(found.shape), check)


def flat_fault(check, expected):
    """What is wrong with the samples decoded of a file without tiles, or None: of its first picture, or of
    a JPEG decoded at one over a power of two."""
    with Image.open(check["tiff"]) as image:
        if check["page"]:
            image.draft(None, [side >> check["page"] for side in image.size])
        if image.mode == "P":
            image = image.convert("RGBA" if "transparency" in image.info else "RGB")
        found = numpy.asarray(ImageOps.exif_transpose(image))
    return difference(found, expected.reshape(found.shape), check)


def difference(found, expected, check):
    off = numpy.abs(found.astype(int) - expected.astype(int))
    if off.max() > check["off_max"] or off.mean() > check.get("off_mean", 255):
        return f"off by {off.max()}, {off.mean():.2f} in the mean"
    return None


def main():
    checks = json.loads((FOLDER / "checks.json").read_text())
    faults = 0
    for check in checks:
        expected = numpy.fromfile(FOLDER / check["raw"], numpy.uint8)
        if "picture" in check:
            fault = picture_fault(check, expected)
        else:
            tiled = Path(check["tiff"]).suffix in (".tif", ".tiff", ".svs")
            fault = (page_fault if tiled else flat_fault)(check, expected)
        if fault:
            print(check.get("picture", check.get("tiff")), fault)
            faults += 1
    print(f"{len(checks) - faults} right")
    sys.exit(1 if faults else 0)


main()
