"""The images that iipsrv's answers were observed on, made anew: ramps in several sample types, and a stack with
names and scales. No expected pixels lie beside them: tests/e2e/vectors.rs has the observed ones."""

import numpy
import tifffile
from making import OUT

TILE = (64, 64)


def pyramid(path, levels, **options):
    """Tiled levels, the full image first, uncompressed."""
    with tifffile.TiffWriter(path) as file:
        for at, level in enumerate(levels):
            options |= {"tile": TILE, "metadata": None, "software": False}
            file.write(level, subfiletype=1 if at else 0, **options)


def vectors():
    """Ramps of 300 x 200 pixels: value x, 200 x, 0xD00000 x and x / 100, and three bands and five."""
    folder = OUT / "iip"
    folder.mkdir(exist_ok=True)
    x, y = numpy.meshgrid(numpy.arange(300), numpy.arange(200))
    ramp = (x % 256).astype(numpy.uint8)
    halves = [ramp, ramp[::2, ::2], ramp[::4, ::4]]
    gray = {"photometric": "minisblack"}
    pyramid(folder / "g8.tif", halves, **gray)
    # Its smallest level is one tile, as iipsrv looks at one only.
    pyramid(folder / "g8one.tif", [ramp[:, :256], ramp[::2, :256:2], ramp[::4, :256:4]], **gray)
    pyramid(folder / "g16.tif", [(200 * x).astype(numpy.uint16)], **gray)
    pyramid(folder / "g32.tif", [(0xD00000 * x).astype(numpy.uint32)], **gray)
    pyramid(folder / "f32.tif", [(x / 100).astype(numpy.float32)], **gray)
    rgb = numpy.stack([ramp, y.astype(numpy.uint8), numpy.full_like(ramp, 77)], axis=2)
    pyramid(folder / "rgb.tif", [rgb], photometric="rgb")
    alpha = numpy.dstack([rgb, numpy.full_like(ramp, 128)])
    pyramid(folder / "rgba.tif", [alpha], photometric="rgb", extrasamples=["unassalpha"])
    bands = numpy.stack([ramp // (band + 1) for band in range(5)], axis=2)
    pyramid(folder / "mb5.tif", [bands], photometric="minisblack", planarconfig="contig")
    with tifffile.TiffWriter(folder / "stack.tif") as file:
        for page in range(3):
            level = numpy.full((200, 200), 50 * (page + 1), numpy.uint8)
            named = [(269, "s", 0, f"layer{page}", True), (37439, "d", 1, (page + 1) / 2, True)]
            options = {"tile": TILE, "photometric": "minisblack", "metadata": None, "software": False}
            file.write(level, subfiletype=2, subifds=1, extratags=named, **options)
            file.write(level[::2, ::2], subfiletype=1, **options)
