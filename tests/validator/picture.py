"""Makes the IIIF validator's reference picture from the colour table in its own package.

python tests/validator/picture.py OUT.tif

100 squares of 100 x 100 pixels, colours[column][row], as a lossless tiled pyramid.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from iiif_validator.validator import ValidationInfo
from PIL import Image

SQUARE_PX = 100


def main(out):
    colours = ValidationInfo().colorInfo
    picture = Image.new("RGB", (SQUARE_PX * len(colours), SQUARE_PX * len(colours[0])))
    for column, rows in enumerate(colours):
        for row, colour in enumerate(rows):
            left, top = column * SQUARE_PX, row * SQUARE_PX
            picture.paste(colour, (left, top, left + SQUARE_PX, top + SQUARE_PX))
    with tempfile.TemporaryDirectory() as folder:
        flat = Path(folder) / "flat.png"
        picture.save(flat)
        pyramid = ["--tile", "--pyramid", "--tile-width", "256", "--tile-height", "256"]
        command = ["vips", "tiffsave", str(flat), out, *pyramid, "--compression", "deflate"]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main(sys.argv[1])
