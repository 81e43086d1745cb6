"""Makes the picture that viewers are tested on, as a lossless tiled pyramid.

python tests/browser/picture.py OUT.tif

Its sides are odd at every level, so that each level has tiles of other sizes at its edges. Red tells the
column and green the row, so that `check_screen.py` finds the way from a screenshot back to the picture; waves
of blue, of two lengths, show tiles that lie a pixel off.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
from PIL import Image

WIDTH, HEIGHT = 2743, 1839
# Shades at the far ends, so that no pixel is of the pages' magenta background.
DARKEST, BRIGHTEST = 20, 235


def main(out):
    y, x = numpy.mgrid[:HEIGHT, :WIDTH].astype(numpy.float64)
    red = DARKEST + (BRIGHTEST - DARKEST) * x / (WIDTH - 1)
    green = DARKEST + (BRIGHTEST - DARKEST) * y / (HEIGHT - 1)
    blue = 128 + 60 * numpy.sin(x / 11.0) * numpy.cos(y / 13.0) + 40 * numpy.sin((x - y) / 97.0)
    pixels = numpy.stack([red, green, blue], axis=2).round().astype(numpy.uint8)
    with tempfile.TemporaryDirectory() as folder:
        flat = Path(folder) / "flat.png"
        Image.fromarray(pixels).save(flat)
        pyramid = ["--tile", "--pyramid", "--tile-width", "256", "--tile-height", "256"]
        command = ["vips", "tiffsave", str(flat), out, *pyramid, "--compression", "deflate"]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main(sys.argv[1])
