"""Makes small files of every kind that is served, and beside each the pixels of every level as independent
decoders (tifffile with imagecodecs, libtiff, Pillow, libvips) see them.

    python3 tests/golden/fixtures.py target/fixtures

Needs the packages of tests/requirements.txt, and the programs vips, tiffcp, tiffset, tiff2rgba,
opj_compress, opj_decompress and ojph_compress (Debian: libvips-tools, libtiff-tools, libopenjp2-tools,
openjph-tools). The same on every run.
"""

import json
import zlib

import imagecodecs
import numpy
import tifffile
from colour_fixtures import colours
from flat_fixtures import flat
from iip_fixtures import vectors
from jpeg2000_fixtures import jpeg_2000
from making import MANIFEST, OUT, REFUSED, halves, picture, record, run
from PIL import Image, ImageCms
from sample_fixtures import samples
from stack_fixtures import series, slides, stacks
from tiff_writer import ASCII, LONG, LONG8, RATIONAL, SHORT, Writer

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def bands(image, page):
    """What a page means: black is 0, no samples but colour and alpha, not multiplied by alpha."""
    image = image.reshape(image.shape[0], image.shape[1], -1).astype(numpy.int64)
    multispectral = page.photometric == 1 and image.shape[2] > 2
    colours = 1 if page.photometric in (0, 1) and not multispectral else 3
    kinds = [int(kind) for kind in page.extrasamples]
    alpha = next((at for at, kind in enumerate(kinds) if kind in (1, 2)), None)
    out = image[:, :, :colours]
    if page.photometric == 0:
        out = 255 - out
    if alpha is None:
        return out.astype(numpy.uint8)
    mask = image[:, :, colours + alpha : colours + alpha + 1]
    if kinds[alpha] == 1:
        divisor = numpy.maximum(mask, 1)
        out = numpy.where(mask == 0, out, numpy.minimum(255, (out * 255 + divisor // 2) // divisor))
    return numpy.concatenate([out, mask], axis=2).astype(numpy.uint8)


def pages(name, wanted=None):
    """The pages of a file that are levels: the first and its SubIFDs, or `wanted` of the chain."""
    with tifffile.TiffFile(OUT / name) as file:
        first = file.pages[0]
        found = [first, *(first.pages or [])] if wanted is None else [file.pages[i] for i in wanted]
        return [bands(page.asarray(), page) for page in found]


def write(name, levels, feature, tile=(64, 64), sub=False, order="<", big=False, tolerance=0, **options):
    """Writes a pyramid by tifffile and takes what tifffile reads as expected."""
    with tifffile.TiffWriter(OUT / name, byteorder=order, bigtiff=big) as file:
        for at, level in enumerate(levels):
            level = level[:, :, 0] if level.shape[2] == 1 else level
            file.write(
                level,
                tile=(tile[1], tile[0]),
                subifds=len(levels) - 1 if sub and at == 0 else None,
                subfiletype=1 if at else 0,
                metadata=None,
                software=False,
                **options,
            )
    expected = pages(name, None if sub else range(len(levels)))
    record(name, expected, tolerance, feature=feature)
    return expected


COLOUR = halves(picture(257, 258), 2)
GRAY = halves(picture(200, 150, 1), 1)


def compressions():
    """Every compression with and without predictor, and every shape of samples."""
    for name, compression, predictor in [
        ("none", None, None),
        ("lzw", "lzw", None),
        ("lzw-p2", "lzw", 2),
        ("deflate", "zlib", None),
        ("deflate-p2", "zlib", 2),
        ("deflate32946", "deflate", None),
        ("deflate32946-p2", "deflate", 2),
        ("packbits", "packbits", None),
        ("zstd", "zstd", None),
        ("zstd-p2", "zstd", 2),
    ]:
        options = {"compression": compression, "predictor": predictor}
        words = {"none": "uncompressed", "lzw": "LZW", "packbits": "PackBits", "zstd": "Zstandard"}
        feature = f"TIFF, 8 bit, {words.get(name.split('-')[0], 'Deflate')}{', predictor 2' if predictor else ''}"
        write(f"rgb-{name}.tif", COLOUR, feature, photometric="rgb", **options)
        order = ">" if predictor else "<"
        write(f"gray-{name}.tif", GRAY, feature, order=order, photometric="minisblack", **options)
    for name, bands_, photometric, extra, compression in [
        ("rgba", 4, "rgb", ["unassalpha"], "zlib"),
        ("rgba-associated", 4, "rgb", ["assocalpha"], "lzw"),
        ("graya", 2, "minisblack", ["unassalpha"], "zstd"),
        ("graya-associated", 2, "minisblack", ["assocalpha"], "packbits"),
        ("white", 1, "miniswhite", [], "zlib"),
        ("white-plain", 1, "miniswhite", [], None),
        ("whitea", 2, "miniswhite", ["unassalpha"], None),
        ("rgb-one-more", 4, "rgb", ["unspecified"], "zlib"),
        ("rgb-two-more", 5, "rgb", ["unspecified", "unassalpha"], "lzw"),
        ("gray-four-more", 5, "minisblack", ["unspecified"] * 4, None),
    ]:
        levels = halves(picture(130, 90, bands_), 1)
        options = {"photometric": photometric, "extrasamples": extra, "planarconfig": "contig"}
        kind = "associated alpha" if "associated" in name else "alpha" if name.endswith("a") else None
        kind = kind or ("further samples, not shown" if "more" in name else "white is zero")
        write(f"shape-{name}.tif", levels, f"TIFF, 8 bit, {kind}", compression=compression, **options)


def containers():
    """Byte orders, BigTIFF, SubIFDs and chains, rounding, tiles and sizes."""
    for order, word in [("<", "le"), (">", "be")]:
        for big in [False, True]:
            for sub in [False, True]:
                up = sub != big
                levels = halves(picture(301, 203, seed=3), 3, up=up)
                kind = f"{word}-{'big' if big else 'classic'}-{'sub' if sub else 'chain'}"
                name = f"container-{kind}-{'up' if up else 'down'}.tif"
                options = {"photometric": "rgb", "compression": "zlib", "predictor": 2}
                feature = f"{'BigTIFF' if big else 'TIFF'}, pyramid in {'SubIFDs' if sub else 'a chain'}, either byte order"
                write(name, levels, feature, sub=sub, order=order, big=big, **options)
    for width, height in [(16, 64), (80, 48), (256, 32), (512, 512)]:
        levels = halves(picture(300, 100), 1)
        options = {"photometric": "rgb", "compression": "lzw", "predictor": 2}
        feature = "TIFF, tiles of any size, square or not"
        write(f"tile-{width}x{height}.tif", levels, feature, tile=(width, height), **options)
    for width, height in [(1, 1), (1, 257), (257, 1), (15, 17), (64, 64), (128, 64), (65, 129)]:
        levels = halves(picture(width, height), 0)
        feature = "TIFF, images down to a single pixel"
        write(f"size-{width}x{height}.tif", levels, feature, photometric="rgb", compression="zlib")


def pictures():
    """JPEG and WebP tiles, with tables in every tile and with tables apart."""
    smooth = halves(picture(257, 258), 1)
    for name, options in {
        "ycbcr-420": {"photometric": "ycbcr", "subsampling": (2, 2)},
        "ycbcr-422": {"photometric": "ycbcr", "subsampling": (2, 1)},
        "ycbcr-444": {"photometric": "ycbcr", "subsampling": (1, 1)},
        "rgb": {"photometric": "rgb"},
    }.items():
        level = {"level": 90}
        feature = f"TIFF, JPEG tiles, {'RGB' if name == 'rgb' else 'YCbCr, any subsampling'}"
        options |= {"compression": "jpeg", "compressionargs": level}
        write(f"jpeg-{name}.tif", smooth, feature, tolerance=1, **options)
    options = {"compression": "jpeg", "photometric": "minisblack", "compressionargs": {"level": 85}}
    write("jpeg-gray.tif", GRAY, "TIFF, JPEG tiles, gray", tolerance=1, **options)
    options["photometric"] = "miniswhite"
    write("jpeg-white.tif", GRAY, "TIFF, JPEG tiles, gray", tolerance=1, **options)
    for name, level, levels in [
        ("rgb-lossless", -1, smooth),
        ("rgb", 80, smooth),
        ("rgba", 80, halves(picture(150, 140, 4), 1)),
        ("rgba-lossless", -1, halves(picture(150, 140, 4), 1)),
    ]:
        extra = ["unassalpha"] if levels[0].shape[2] == 4 else []
        args = {"level": None if level < 0 else level, "lossless": level < 0}
        options = {"photometric": "rgb", "extrasamples": extra, "compressionargs": args}
        feature = f"TIFF, WebP tiles, {'lossless' if level < 0 else 'lossy'}, with or without alpha"
        options["compression"] = "webp"
        write(f"webp-{name}.tif", levels, feature, tolerance=0 if level < 0 else 1, **options)
    tables_apart()


def tables_apart():
    """libtiff keeps tables in JPEGTables; vips chains its pyramids, marked as reduced, or as SubIFDs."""
    Image.fromarray(picture(300, 260)).save(OUT / "in.png", icc_profile=PROFILE)
    tifffile.imwrite(OUT / "in.tif", picture(300, 260), photometric="rgb", metadata=None, software=False)
    common = ["--tile", "--pyramid", "--tile-width", "64", "--tile-height", "64"]
    for name, options in {
        "vips-jpeg": ["--compression", "jpeg", "--Q", "75"],
        "vips-jpeg-444-sub": ["--compression", "jpeg", "--Q", "95", "--subifd", "--bigtiff"],
        "vips-deflate": ["--compression", "deflate", "--predictor", "horizontal", "--bigtiff"],
        "vips-webp": ["--compression", "webp", "--Q", "80", "--subifd"],
        "vips-zstd": ["--compression", "zstd", "--predictor", "none"],
    }.items():
        run("vips", "tiffsave", "in.png", f"{name}.tif", *common, *options)
        with tifffile.TiffFile(OUT / f"{name}.tif") as file:
            chain = None if "--subifd" in options else range(len(file.pages))
        lossy = name.startswith(("vips-jpeg", "vips-webp"))
        feature = "TIFF, pyramids as libvips writes them, with a profile"
        record(f"{name}.tif", pages(f"{name}.tif", chain), 1 if lossy else 0, feature=feature, icc=len(PROFILE))
    for name, options in {
        "libtiff-jpeg": ["-c", "jpeg:80"],
        "libtiff-jpeg-rgb": ["-c", "jpeg:r:80"],
        "libtiff-lzw-be": ["-B", "-c", "lzw:2"],
        "libtiff-packbits": ["-8", "-c", "packbits"],
    }.items():
        run("tiffcp", "-t", "-w", "64", "-l", "64", *options, "in.tif", f"{name}.tif")
        feature = "TIFF, a single level of tiles as libtiff writes it"
        record(f"{name}.tif", pages(f"{name}.tif", [0]), 1 if "jpeg" in name else 0, feature=feature)
    for name in ["in.png", "in.tif"]:
        (OUT / name).unlink()


def units(ycbcr, tile, across, down):
    """Cuts Y, Cb, Cr into tiles of data units (TIFF 6.0, section 21)."""
    height, width = ycbcr.shape[:2]
    rows, columns = -(-height // tile[1]), -(-width // tile[0])
    padding = ((0, rows * tile[1] - height), (0, columns * tile[0] - width), (0, 0))
    padded = numpy.pad(ycbcr, padding, mode="edge")
    for row in range(rows):
        for column in range(columns):
            part = padded[row * tile[1] :, column * tile[0] :][: tile[1], : tile[0]]
            block = bytearray()
            for y in range(0, tile[1], down):
                for x in range(0, tile[0], across):
                    unit = part[y : y + down, x : x + across].reshape(-1, 3)
                    block += unit[:, 0].tobytes() + bytes(unit.mean(axis=0).astype(numpy.uint8)[1:])
            yield bytes(block)


def ycbcr():
    """Luma and colour differences without JPEG; libtiff's own conversion is what is expected."""
    pack = {
        1: lambda block: block,
        5: imagecodecs.lzw_encode,
        8: zlib.compress,
        32773: lambda block: imagecodecs.packbits_encode(block),
    }
    for across, down, compression, order, narrow in [
        (1, 1, 1, "<", False),
        (2, 1, 1, "<", False),
        (2, 2, 1, ">", False),
        (4, 1, 1, "<", False),
        (4, 2, 1, "<", False),
        (4, 4, 1, "<", False),
        (1, 2, 1, "<", False),
        (2, 2, 5, ">", True),
        (2, 1, 8, "<", True),
        (4, 2, 32773, "<", False),
    ]:
        extra = {530: (SHORT, [across, down])}
        if narrow:
            extra[532] = (RATIONAL, [(v, 1) for v in (16, 235, 128, 240, 128, 240)])
            extra[529] = (RATIONAL, [(2126, 10000), (7152, 10000), (722, 10000)])
        # libtiff misplaces the rows of tiles cut by the edge at 4 by 4, so there is no edge then.
        size = (64, 64) if down == 4 else (75, 53)
        image = numpy.array(Image.fromarray(picture(*size)).convert("YCbCr"))
        file = Writer(order)
        blocks = [pack[compression](block) for block in units(image, (32, 32), across, down)]
        file.level(size, (32, 32), blocks, 6, 3, compression, extra)
        name = f"ycbcr-{across}{down}-{compression}{'-narrow' if narrow else ''}.tif"
        file.save(OUT / name)
        run("tiff2rgba", "-c", "none", name, "rgba.tif")
        seen = tifffile.imread(OUT / "rgba.tif")[:, :, :3]
        # libtiff rounds each product, and differences before they are multiplied.
        feature = "TIFF, YCbCr without JPEG, any subsampling, white and black as it says"
        record(name, [seen], 3 if narrow else 1, feature=feature)
    (OUT / "rgba.tif").unlink()


def blocks_of(image, tile):
    """Cuts an image into uncompressed tiles, padded with zeros."""
    for y in range(0, image.shape[0], tile[1]):
        for x in range(0, image.shape[1], tile[0]):
            part = image[y : y + tile[1], x : x + tile[0]]
            whole = numpy.zeros((tile[1], tile[0], image.shape[2]), numpy.uint8)
            whole[: part.shape[0], : part.shape[1]] = part
            yield whole.tobytes()


def strangers():
    """Chains with directories that are no levels, holes, and tags as odd writers set them."""
    full, half, quarter = halves(picture(200, 120), 2)
    tile = (64, 64)

    def put(file, image, **options):
        size = (image.shape[1], image.shape[0])
        return file.level(size, tile, list(blocks_of(image, tile)), 2, 3, **options)

    file = Writer()
    put(file, full)
    file.directory({  # A thumbnail in one strip.
        256: (LONG, [20]), 257: (LONG, [12]), 258: (SHORT, [8] * 3), 259: (SHORT, [1]),
        262: (SHORT, [2]), 273: (LONG, [8]), 277: (SHORT, [3]), 278: (LONG, [12]), 279: (LONG, [720]),
    })
    put(file, half, extra={254: (LONG, [1])})
    put(file, picture(90, 90))  # Another aspect.
    put(file, picture(400, 240))  # Larger.
    put(file, half)  # No smaller than the last.
    mask = picture(50, 30, 1)
    file.level((50, 30), tile, list(blocks_of(mask, tile)), 4, 1, extra={254: (LONG, [5])})
    file.level((50, 30), tile, list(blocks_of(mask, tile)), 1, 1)  # Other bands.
    put(file, quarter, extra={254: (LONG, [1])})
    file.directory({305: (ASCII, b"no image at all\0")})
    file.save(OUT / "stranger-chain.tif")
    record("stranger-chain.tif", [full, half, quarter], feature="TIFF, directories that are no levels between those that are")

    for name, big, kind in [("long8", True, LONG8), ("long", False, LONG)]:
        file = Writer(">", big)
        subs = [put(file, image, linked=False, extra={254: (LONG, [1])}) for image in (half, quarter)]
        put(file, full, extra={330: (kind, subs)})
        put(file, full)  # A further page.
        file.save(OUT / f"stranger-sub-{name}.tif")
        record(f"stranger-sub-{name}.tif", [full, half, quarter], feature="TIFF, SubIFDs of types LONG and LONG8")

    file = Writer()
    put(file, quarter, extra={254: (LONG, [1])})  # The reduced one first.
    put(file, full)
    put(file, half)
    file.save(OUT / "stranger-reduced-first.tif")
    record("stranger-reduced-first.tif", [full, half], feature="TIFF, a reduced image before the full one")

    for name, value, nodata in [("zero", 0, None), ("nodata", 255, b"255\0")]:
        file = Writer(big=True)
        blocks = list(blocks_of(full, tile))
        holes = full.copy()
        for at, (x, y) in [(1, (64, 0)), (7, (192, 64))]:
            blocks[at] = None
            holes[y : y + 64, x : x + 64] = value
        file.level((200, 120), tile, blocks, 2, 3, extra={42113: (ASCII, nodata)} if nodata else None)
        file.save(OUT / f"stranger-sparse-{name}.tif")
        record(f"stranger-sparse-{name}.tif", [holes], feature="TIFF, sparse: tiles that were never written")

    file = Writer()
    put(file, full, extra={273: (LONG, [0])})
    file.save(OUT / "stranger-strip-tags.tif")
    record("stranger-strip-tags.tif", [full], feature="TIFF, tiles under the tags of strips")

    file = Writer()
    rgba = picture(100, 60, 4)
    file.level((100, 60), tile, list(blocks_of(rgba, tile)), 2, 4)
    file.save(OUT / "stranger-alpha-undescribed.tif")
    record("stranger-alpha-undescribed.tif", [rgba], feature="TIFF, a fourth sample that nothing describes: alpha")

    file = Writer()
    jpeg_tiles = []
    for block in blocks_of(full, tile):
        # A JFIF marker, which would say YCbCr, in RGB tiles; and no end of image.
        pixels = numpy.frombuffer(block, numpy.uint8).reshape(64, 64, 3)
        plain = imagecodecs.jpeg8_encode(pixels, level=90, colorspace="RGB", outcolorspace="RGB")
        jfif = b"\xff\xe0\0\x10JFIF\0\x01\x02\0\0\x01\0\x01\0\0"
        jpeg_tiles.append(plain[:2] + jfif + plain[2:-2])
    file.level((200, 120), tile, jpeg_tiles, 2, 3, compression=7)
    file.save(OUT / "stranger-jpeg-jfif.tif")
    seen = numpy.zeros((128, 256, 3), numpy.uint8)
    for at, block in enumerate(blocks_of(full, tile)):
        pixels = numpy.frombuffer(block, numpy.uint8).reshape(64, 64, 3)
        plain = imagecodecs.jpeg8_encode(pixels, level=90, colorspace="RGB", outcolorspace="RGB")
        y, x = at // 4 * 64, at % 4 * 64
        seen[y : y + 64, x : x + 64] = imagecodecs.jpeg8_decode(plain, colorspace="RGB", outcolorspace="RGB")
    record("stranger-jpeg-jfif.tif", [seen[:120, :200]], 1, feature="TIFF, JPEG tiles, RGB")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.iterdir():
        if old.is_file():
            old.unlink()
    compressions()
    containers()
    pictures()
    ycbcr()
    strangers()
    flat()
    stacks()
    series()
    slides()
    samples()
    colours()
    jpeg_2000()
    vectors()
    (OUT / "icc.raw").write_bytes(PROFILE)
    manifest = {"served": MANIFEST, "refused": REFUSED}
    (OUT / "manifest.json").write_text(json.dumps(manifest, indent=1))
    print(f"{len(MANIFEST)} files in {OUT}")


main()
