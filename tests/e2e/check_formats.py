"""Opens answers in every format, quality and rotation, and holds them against the stored half.

python check_formats.py IMAGE CASES.json
"""

import json
import sys
from pathlib import Path

import imagecodecs
import numpy
from PIL import Image, ImageOps

SIZE = (300, 200)
FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "avif": "AVIF", "tif": "TIFF", "gif": "GIF", "jxl": None}
LOSSLESS = ("png", "tif", "jxl")
# Pillow turns against the clock.
TURNS = {
    "90": Image.Transpose.ROTATE_270,
    "180": Image.Transpose.ROTATE_180,
    "270": Image.Transpose.ROTATE_90,
}
# Mean difference of a sample: losses of JPEG, WebP and AVIF, and of their 4:2:0 colours; 256 colours of GIF.
LOSSLESS_MAX, LOSSY_MAX = 2.0, 5.0
# Shades beside the threshold fall on either side of it; lossy formats ring at black beside white.
BITONAL_MAX = 12.0


def expected(reference, quality, rotation):
    """WebP has no gray: its three bands are equal, and are compared as such."""
    picture = reference
    if rotation == "!0":
        picture = ImageOps.mirror(picture)
    elif rotation in TURNS:
        picture = picture.transpose(TURNS[rotation])
    if quality in ("gray", "bitonal"):
        picture = picture.convert("L")
    if quality == "bitonal":
        picture = picture.point(lambda sample: 255 if sample >= 128 else 0)
    return picture


def opened(case):
    """Pillow reads no JPEG XL; libjxl does."""
    if case["format"] == "jxl":
        return Image.fromarray(imagecodecs.jpegxl_decode(Path(case["file"]).read_bytes()))
    return Image.open(case["file"])


def check(case, reference):
    wanted = expected(reference, case["quality"], case["rotation"])
    picture = opened(case)
    mode = "RGB" if case["format"] == "webp" else wanted.mode
    if case["format"] == "gif":
        # Grays by a palette of grays, which Pillow takes for what it is.
        mode = picture.mode
        assert mode in ("L", "P"), mode
    found = (picture.format, picture.size, picture.mode)
    assert found == (FORMATS[case["format"]], wanted.size, mode), f"{case}: {found}"
    # Pillow 13 makes black of a gray GIF where it is asked for RGB: its bytes are right.
    shown = picture if picture.mode == "L" else picture.convert("RGB")
    samples = numpy.asarray(shown, numpy.float32)
    samples = samples if samples.ndim == 3 else numpy.stack([samples] * 3, axis=2)
    difference = abs(samples - numpy.asarray(wanted.convert("RGB"), numpy.float32)).mean()
    lossless = case["format"] in LOSSLESS
    limit = LOSSLESS_MAX if lossless else LOSSY_MAX
    limit = BITONAL_MAX if case["quality"] == "bitonal" else limit
    assert difference < limit, f"{case}: differs by {difference:.2f}"
    if lossless and case["quality"] == "bitonal":
        assert set(numpy.unique(samples)) <= {0, 255}, f"{case}: shades"


def main(image, manifest):
    stored = Image.open(image)
    stored.seek(1)
    assert stored.size == SIZE, stored.size
    reference = stored.convert("RGB")
    for case in json.loads(Path(manifest).read_text()):
        check(case, reference)


main(*sys.argv[1:])
