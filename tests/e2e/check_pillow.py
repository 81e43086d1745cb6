"""Files that Pillow reads and the server does not, and the pixels that are to come of them.

    check_pillow.py make FOLDER       writes the files, and NAME.npy beside each
    check_pillow.py check NAME.npy PNG [TOLERANCE]
"""

import sys
from pathlib import Path

import numpy
from PIL import Image, ImageCms

WIDTH, HEIGHT = 700, 500


def make(folder):
    rows, columns = numpy.mgrid[0:HEIGHT, 0:WIDTH]
    bands = [columns * 255 // (WIDTH - 1), rows * 255 // (HEIGHT - 1), (columns ^ rows) & 255]
    rgb = numpy.stack(bands, -1).astype("uint8")
    alpha = numpy.dstack([rgb, 255 - rgb[..., 0]])
    sixteen = (columns * 90 + rows).astype("uint16")
    palette = Image.fromarray(rgb).quantize(64)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    files = [
        ("rgb.pcx", Image.fromarray(rgb), rgb, {}),
        ("palette.pcx", palette, numpy.asarray(palette.convert("RGB")), {}),
        ("rgb.tga", Image.fromarray(rgb), rgb, {}),
        ("alpha.tga", Image.fromarray(alpha), alpha, {}),
        ("gray.pgm", Image.fromarray(rgb[..., 2]), rgb[..., 2], {}),
        ("sixteen.pgm", Image.fromarray(sixteen), sixteen, {}),
        ("rgb.sgi", Image.fromarray(rgb), rgb, {}),
        ("rgb.ppm", Image.fromarray(rgb), rgb, {}),
        ("rgb.avif", Image.fromarray(rgb), rgb, {"quality": 100, "subsampling": "4:4:4", "icc_profile": profile}),
    ]
    for name, image, pixels, options in files:
        image.save(folder / name, **options)
        numpy.save(folder / f"{name}.npy", pixels)
    print(len(files))


def check(expected, answer, tolerance):
    expected = numpy.load(expected).astype("int64")
    with Image.open(answer) as image:
        found = numpy.asarray(image).astype("int64")
    assert found.shape == expected.shape, f"{found.shape}, not {expected.shape}"
    worst = abs(found - expected).max()
    assert worst <= tolerance, f"off by {worst}"


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]))
    else:
        check(sys.argv[2], sys.argv[3], int(sys.argv[4]))
