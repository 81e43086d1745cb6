"""Stacks, documents, series and slides: files with more than one picture."""

import numpy
import tifffile
from making import OUT, halves, picture, record
from tiff_writer import ASCII, LONG, SHORT, Writer

TILE = (64, 64)


def tiles_of(image):
    """Cuts an image into uncompressed tiles, padded with zeros."""
    for y in range(0, image.shape[0], TILE[1]):
        for x in range(0, image.shape[1], TILE[0]):
            part = image[y : y + TILE[1], x : x + TILE[0]]
            whole = numpy.zeros((TILE[1], TILE[0], image.shape[2]), numpy.uint8)
            whole[: part.shape[0], : part.shape[1]] = part
            yield whole.tobytes()


def stacks():
    """Pages with levels below them, between them and without; names and scales."""
    pages = [halves(picture(200, 150, seed=page), 2) for page in range(3)]
    options = {"tile": TILE, "photometric": "rgb", "metadata": None, "software": False}
    with tifffile.TiffWriter(OUT / "stack-sub.tif") as file:
        for page, levels in enumerate(pages):
            named = [(269, "s", 0, f"layer{page}", True), (37439, "d", 1, (page + 1) / 2, True)]
            file.write(levels[0], subfiletype=2, subifds=2, compression="zlib", extratags=named, **options)
            for level in levels[1:]:
                file.write(level, subfiletype=1, compression="zlib", **options)
    with tifffile.TiffWriter(OUT / "stack-between.tif", bigtiff=True) as file:
        for levels in pages:
            for at, level in enumerate(levels):
                file.write(level, subfiletype=1 if at else 0, **options)
    with tifffile.TiffWriter(OUT / "stack-flat.tif", byteorder=">") as file:
        for page, levels in enumerate(pages):
            named = [(285, "s", 0, f"page {page}", True)]
            file.write(levels[0], compression="lzw", extratags=named, **options)
    for page, levels in enumerate(pages):
        extra = {"slice": page, "feature": "TIFF, stack of pages, levels in SubIFDs"}
        record("stack-sub.tif", levels, **extra)
        extra["feature"] = "TIFF, stack of pages, levels between them"
        record("stack-between.tif", levels, **extra)
        extra["feature"] = "TIFF, stack of pages without levels"
        record("stack-flat.tif", levels[:1], **extra)

    sizes = [(130, 180), (180, 130), (90, 70)]
    with tifffile.TiffWriter(OUT / "stack-document.tif") as file:
        for page, size in enumerate(sizes):
            file.write(picture(*size, seed=page), subfiletype=2, **options)
    for page, size in enumerate(sizes):
        feature = "TIFF, document with pages of several sizes"
        record("stack-document.tif", [picture(*size, seed=page)], slice=page, feature=feature)


def series():
    """OME-TIFF: depths and channels, levels in SubIFDs."""
    planes = [halves(picture(150, 130, 1, seed=plane), 1) for plane in range(6)]
    channels = {"Channel": {"Name": ["DAPI", "a \"b\" & c"]}}
    metadata = {"axes": "ZCYX", **channels}
    with tifffile.TiffWriter(OUT / "series.ome.tif", ome=True) as file:
        whole = [numpy.stack([levels[at][:, :, 0] for levels in planes]) for at in range(2)]
        options = {"tile": TILE, "photometric": "minisblack", "compression": "zlib"}
        shaped = [level.reshape(3, 2, *level.shape[1:]) for level in whole]
        file.write(shaped[0], subifds=1, metadata=metadata, **options)
        file.write(shaped[1], subfiletype=1, metadata=None, **options)
    for plane, levels in enumerate(planes):
        feature = "OME-TIFF, planes by depth, channel and time"
        record("series.ome.tif", levels, slice=plane, feature=feature)


def slides():
    """A slide as Aperio's scanners chain it; what lies beside it in tiles as well as in strips."""
    full, half, quarter = halves(picture(300, 200), 2)
    label, macro = picture(70, 90, seed=5), picture(150, 50, seed=6)
    file = Writer()

    def put(image, words, subfile_type=0):
        blocks = list(tiles_of(image))
        extra = {254: (LONG, [subfile_type]), 270: (ASCII, words + b"\0")}
        file.level((image.shape[1], image.shape[0]), TILE, blocks, 2, 3, extra=extra)

    by = b"Aperio Image Library v11.2.1 \n"
    put(full, by + b"300x200 [0,0 300x200] (64x64)")
    thumbnail = picture(75, 50, seed=4)
    strip = file.put(thumbnail.tobytes())
    file.directory({
        256: (LONG, [75]), 257: (LONG, [50]), 258: (SHORT, [8] * 3), 259: (SHORT, [1]),
        262: (SHORT, [2]), 270: (ASCII, by + b"300x200 -> 75x50 - \0"), 273: (LONG, [strip]),
        277: (SHORT, [3]), 278: (LONG, [50]), 279: (LONG, [thumbnail.size]),
    })
    put(quarter, by + b"300x200 -> 75x50")
    put(label, by + b"label 70x90", 1)
    put(macro, by + b"macro 150x50", 9)
    file.save(OUT / "slide.svs")
    record("slide.svs", [full, quarter], feature="Aperio SVS")
    for name, image in [("label", label), ("macro", macro), ("thumbnail", thumbnail)]:
        (OUT / f"slide.svs.{name}.raw").write_bytes(image.tobytes())
