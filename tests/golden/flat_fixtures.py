"""Files without tiles: JPEG, PNG, WebP, GIF, BMP, as Pillow sees them, or as they were written."""

import struct

import imagecodecs
import numpy
from making import OUT, picture, record, refuse
from PIL import Image, ImageCms
from png_writer import png

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
TILE_PX = 256
# What is done to the stored picture so that it stands upright (Exif 2.32, section 4.6.4).
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: a[::-1].transpose(1, 0, 2),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: a[:, ::-1].transpose(1, 0, 2),
}


def exif(orientation, order):
    """An Exif block that says how a picture lies, and nothing else."""
    entry = struct.pack(order + "HHIHH", 0x112, 3, 1, orientation, 0)
    head = b"MM\0\x2a" if order == ">" else b"II\x2a\0"
    return b"Exif\0\0" + head + struct.pack(order + "IH", 8, 1) + entry + bytes(4)


def three(image):
    """Height x width x bands."""
    return image.reshape(image.shape[0], image.shape[1], -1)


def seen(name, mode=None):
    """The first picture of a file as Pillow sees it."""
    with Image.open(OUT / name) as image:
        return three(numpy.array(image.convert(mode) if mode else image))


def shrunk(name, scale):
    """What libjpeg makes of a file while it decodes: as Pillow's draft(), which refuses to shrink sides
    that are shorter than the scale."""
    with Image.open(OUT / name) as image:
        sides = [-(-side // scale) for side in image.size]
        image._size = tuple(sides)
        image.tile = [image.tile[0]._replace(extents=(0, 0, *sides))]
        image.decoderconfig = (scale, 0)
        return three(numpy.array(image))


def jpeg_levels(name, full):
    """The full level, and those that libjpeg makes while it decodes."""
    levels = [full]
    while TILE_PX < max(levels[-1].shape[:2]) and len(levels) < 4:
        levels.append(shrunk(name, 2 ** len(levels)))
    return levels


def jpeg(name, data, feature, full=None, **extra):
    (OUT / name).write_bytes(data)
    record(name, jpeg_levels(name, seen(name) if full is None else full), 1, feature=feature, **extra)


def saved(image, **options):
    """What Pillow writes of an array."""
    image = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image, options.pop("mode", None))
    image.save(OUT / "saved", **options)
    data = (OUT / "saved").read_bytes()
    (OUT / "saved").unlink()
    return data


def jpegs():
    """Every process and colour that is read, sizes, how pictures lie; then what is refused."""
    colour, gray = picture(1001, 701), picture(600, 400, 1)
    for name, image, options, words in [
        ("420", colour, {"subsampling": 2}, "YCbCr, any subsampling"),
        ("422", colour, {"subsampling": 1}, "YCbCr, any subsampling"),
        ("444", colour, {"subsampling": 0}, "YCbCr, any subsampling"),
        ("gray", gray, {}, "gray"),
        ("progressive", colour, {"progressive": True}, "progressive"),
        ("gray-progressive", gray, {"progressive": True}, "progressive"),
        ("optimised", colour, {"optimize": True, "quality": 97}, "YCbCr, any subsampling"),
        ("restarts", colour, {"restart_marker_blocks": 7}, "restart intervals"),
    ]:
        options = {"quality": 88} | options
        jpeg(f"flat-{name}.jpg", saved(image, format="JPEG", **options), f"JPEG, {words}")
    data = saved(colour, format="JPEG", quality=80, icc_profile=PROFILE, dpi=(300, 300))
    jpeg("flat-profile.jpg", data, "JPEG, with a profile", icc=len(PROFILE))
    rgb = imagecodecs.jpeg8_encode(colour, level=90, colorspace="RGB", outcolorspace="RGB")
    adobe = rgb.index(b"\xff\xee\0\x0eAdobe")
    by_name = rgb[:adobe] + rgb[adobe + 16 :]
    for name, data in [("flat-rgb.jpg", rgb), ("flat-rgb-by-name.jpg", by_name)]:
        jpeg(name, data, "JPEG, RGB, by Adobe's segment or the components' names")
    sizes = [(1, 1), (1, 300), (300, 1), (256, 256), (257, 258), (4097, 1), (2049, 515)]
    for width, height in sizes:
        data = saved(picture(width, height), format="JPEG", quality=85)
        jpeg(f"flat-{width}x{height}.jpg", data, "JPEG, pictures down to a single pixel")
    inks()
    lying(colour[:301, :403])
    refused(colour)


def inks():
    """Four components: Adobe's writers store them inverted, and so does Pillow."""
    cmyk = picture(601, 401, 4)
    data = saved(cmyk, format="JPEG", quality=90, mode="CMYK")
    jpeg("flat-cmyk.jpg", data, "JPEG, CMYK, inverted where Adobe's segment says so", colour="cmyk")
    adobe = data.index(b"\xff\xee\0\x0eAdobe")
    plain = data[:adobe] + data[adobe + 16 :]
    name = "flat-cmyk-plain.jpg"
    (OUT / name).write_bytes(plain)
    # Pillow takes files without the segment for inverted too; libvips does not.
    stored = 255 - seen("flat-cmyk.jpg")
    levels = [stored, *(255 - level for level in jpeg_levels("flat-cmyk.jpg", stored)[1:])]
    record(name, levels, 1, feature="JPEG, CMYK, inverted where Adobe's segment says so", colour="cmyk")
    ycck = imagecodecs.jpeg8_encode(cmyk, level=90, colorspace="CMYK", outcolorspace="YCCK")
    jpeg("flat-ycck.jpg", ycck, "JPEG, YCCK", colour="cmyk")


def lying(image):
    for orientation, turn in UPRIGHT.items():
        order = "<>"[orientation % 2]
        block = exif(orientation, order)
        name = f"flat-lying-{orientation}.jpg"
        (OUT / name).write_bytes(saved(image, format="JPEG", quality=90, exif=block))
        levels = jpeg_levels(name, seen(name))
        feature = "JPEG, lying or mirrored by Exif's orientation, in either byte order"
        record(name, [turn(level) for level in levels], 1, feature=feature)
    for name, options in [("webp", {"lossless": True}), ("png", {})]:
        data = saved(image, format=name.upper(), exif=exif(6, ">"), **options)
        (OUT / f"flat-lying.{name}").write_bytes(data)
        feature = {"webp": "WebP", "png": "PNG"}[name] + ", lying or mirrored by Exif's orientation"
        record(f"flat-lying.{name}", [UPRIGHT[6](image)], feature=feature)


def refused(image):
    data = saved(image, format="JPEG", quality=80)
    frame = data.index(b"\xff\xc0")
    for name, at, value, words, feature in [
        ("arithmetic", frame + 1, b"\xc9", "arithmetic coding", "JPEG, arithmetic coding"),
        ("hierarchical", frame + 1, b"\xc5", "hierarchical", "JPEG, hierarchical and differential"),
        ("lossless", frame + 1, b"\xc3", "lossless process (SOF3)", "JPEG, lossless"),
        ("12-bit", frame + 4, b"\x0c", "12 bits a sample", "JPEG, 12 bit"),
        ("dnl", frame + 5, b"\0\0", "(DNL)", "JPEG, height behind the first scan (DNL)"),
    ]:
        name = f"refused-{name}.jpg"
        (OUT / name).write_bytes(data[:at] + value + data[at + len(value) :])
        refuse(name, words, feature)
    bitmap = saved(picture(20, 10), format="BMP")
    (OUT / "refused-jpeg.bmp").write_bytes(bitmap[:30] + b"\x04" + bitmap[31:])
    refuse("refused-jpeg.bmp", "BI_JPEG", "BMP, JPEG or PNG inside")


def scaled(samples, depth):
    """Fewer bits than 8 made 0 to 255, as rounding has it."""
    return (samples * 255.0 / (2**depth - 1) + 0.5).astype(numpy.uint8)


def pngs():
    """Every colour type at every depth, interlaced and not; palettes and transparent colours."""
    for interlace in (False, True):
        kind = "-interlaced" if interlace else ""
        words = ", interlaced" if interlace else ""
        for depth in (1, 2, 4):
            few = picture(301, 203, 1) >> (8 - depth)
            name = f"flat-gray{depth}{kind}.png"
            (OUT / name).write_bytes(png(few, depth, 0, interlace))
            record(name, [scaled(few, depth)], feature=f"PNG, gray, 1, 2 and 4 bit{words}")
        for colour_type, bands in [(0, 1), (2, 3), (4, 2), (6, 4)]:
            eight = picture(301, 203, bands)
            for depth in (8, 16):
                samples = eight.astype(numpy.uint16) * 257 - 100 * (eight > 9) if depth == 16 else eight
                samples = samples.astype(numpy.uint16 if depth == 16 else numpy.uint8)
                name = f"flat-{bands}x{depth}{kind}.png"
                (OUT / name).write_bytes(png(samples, depth, colour_type, interlace))
                alpha = " with alpha" if bands in (2, 4) else ""
                feature = f"PNG, {'gray' if bands < 3 else 'RGB'}{alpha}, {depth} bit{words}"
                record(name, [samples], feature=feature)
    palettes()
    further_pngs()


def palettes():
    colours = numpy.random.default_rng(5).integers(0, 256, (256, 3)).astype(numpy.uint8)
    for depth in (1, 2, 4, 8):
        few = picture(301, 203, 1) >> (8 - depth)
        table = colours[: 2**depth]
        palette = (b"PLTE", table.tobytes())
        name = f"flat-palette{depth}.png"
        (OUT / name).write_bytes(png(few, depth, 3, before=[palette]))
        record(name, [table[few[:, :, 0]]], feature="PNG, palette, 1, 2, 4 and 8 bit")
        # Alphas of the first colours; the others are opaque.
        alphas = numpy.full(len(table), 255, numpy.uint8)
        alphas[:2] = (0, 77)
        name = f"flat-palette{depth}-alpha.png"
        (OUT / name).write_bytes(png(few, depth, 3, depth == 4, [palette, (b"tRNS", alphas[:2].tobytes())]))
        expected = numpy.concatenate([table, alphas[:, None]], axis=1)[few[:, :, 0]]
        record(name, [expected], feature="PNG, palette with alpha")


def further_pngs():
    """A transparent colour, profile, resolution, animation, sizes."""
    for bands, depth in [(1, 8), (3, 8), (1, 16), (3, 16), (1, 2)]:
        samples = picture(120, 90, bands).astype(numpy.uint16)
        samples = samples * 257 if depth == 16 else samples >> (8 - depth)
        key = samples[7, 11]
        body = b"".join(struct.pack(">H", int(value)) for value in key)
        name = f"flat-key-{bands}x{depth}.png"
        (OUT / name).write_bytes(png(samples, depth, 0 if bands == 1 else 2, before=[(b"tRNS", body)]))
        top = 65535 if depth == 16 else 255
        opaque = numpy.where((samples == key).all(axis=2, keepdims=True), 0, top)
        samples = scaled(samples, depth) if depth < 8 else samples
        expected = numpy.concatenate([samples, opaque], axis=2)
        expected = expected.astype(numpy.uint16 if depth == 16 else numpy.uint8)
        record(name, [expected], feature="PNG, a transparent colour")
    image = picture(300, 200)
    (OUT / "flat-profile.png").write_bytes(saved(image, format="PNG", icc_profile=PROFILE, dpi=(300, 300)))
    record("flat-profile.png", [image], feature="PNG, with a profile", icc=len(PROFILE))
    frames = [Image.fromarray(picture(90, 60, seed=seed)) for seed in (1, 2, 3)]
    frames[0].save(OUT / "flat-moving.png", save_all=True, append_images=frames[1:])
    record("flat-moving.png", [numpy.array(frames[0])], feature="PNG, animated: the first picture")
    for width, height in [(1, 1), (1, 300), (257, 258), (4097, 1)]:
        image = picture(width, height)
        name = f"flat-{width}x{height}.png"
        (OUT / name).write_bytes(png(image, 8, 2, interlace=True))
        record(name, [image], feature="PNG, pictures down to a single pixel")


def webps():
    colour, alpha = picture(301, 203), picture(301, 203, 4)
    for name, image, options, words in [
        ("lossy", colour, {"quality": 80}, "lossy, with or without alpha"),
        ("lossy-alpha", alpha, {"quality": 80}, "lossy, with or without alpha"),
        ("lossless", colour, {"lossless": True}, "lossless, with or without alpha"),
        ("lossless-alpha", alpha, {"lossless": True, "exact": True}, "lossless, with or without alpha"),
        ("profile", colour, {"quality": 90, "icc_profile": PROFILE}, "with a profile"),
    ]:
        name = f"flat-{name}.webp"
        (OUT / name).write_bytes(saved(image, format="WEBP", **options))
        extra = {"icc": len(PROFILE)} if "icc_profile" in options else {}
        tolerance = 0 if "lossless" in options else 1
        record(name, [seen(name)], tolerance, feature=f"WebP, {words}", **extra)
    for width, height in [(1, 1), (1, 300), (257, 258), (4097, 1)]:
        name = f"flat-{width}x{height}.webp"
        (OUT / name).write_bytes(saved(picture(width, height), format="WEBP", lossless=True))
        record(name, [picture(width, height)], feature="WebP, pictures down to a single pixel")
    frames = [Image.fromarray(picture(90, 60, seed=seed)) for seed in (1, 2, 3)]
    frames[0].save(OUT / "flat-moving.webp", save_all=True, append_images=frames[1:], lossless=True)
    record("flat-moving.webp", [seen("flat-moving.webp", "RGBA")], feature="WebP, animated: the first picture")


def gifs():
    """Palettes, a transparent colour, rows out of order, several pictures, one smaller than the screen."""
    indices = picture(301, 203, 1)
    colours = numpy.random.default_rng(6).integers(0, 256, 768).astype(numpy.uint8).tolist()

    def paletted(indices, colours=colours):
        image = Image.fromarray(indices[:, :, 0])
        image = image.convert("P") if image.mode != "P" else image
        image = Image.frombytes("P", image.size, indices[:, :, 0].tobytes())
        image.putpalette(colours)
        return image

    table = numpy.array(colours, numpy.uint8).reshape(256, 3)
    feature = "GIF, 2 to 256 colours, interlaced or not"
    for interlace in (0, 1):
        name = f"flat-interlace{interlace}.gif"
        paletted(indices).save(OUT / name, interlace=interlace, optimize=False)
        record(name, [table[indices[:, :, 0]]], feature=feature)
    two = indices >> 7
    paletted(two, colours[:6]).save(OUT / "flat-two.gif", optimize=False)
    record("flat-two.gif", [table[two[:, :, 0]]], feature=feature)
    clear = 90
    paletted(indices).save(OUT / "flat-clear.gif", transparency=clear, optimize=False)
    expected = numpy.concatenate([table[indices[:, :, 0]], numpy.where(indices == clear, 0, 255)], axis=2)
    record("flat-clear.gif", [expected.astype(numpy.uint8)], feature="GIF, a transparent colour")
    frames = [paletted(picture(90, 60, 1, seed=seed)) for seed in (1, 2, 3)]
    frames[0].save(OUT / "flat-moving.gif", save_all=True, append_images=frames[1:], optimize=False)
    record("flat-moving.gif", [seen("flat-moving.gif", "RGB")], feature="GIF, animated: the first picture")
    small = paletted(picture(20, 10, 1))
    small.save(OUT / "flat-part.gif", optimize=False)
    data = bytearray((OUT / "flat-part.gif").read_bytes())
    data[6:10] = struct.pack("<HH", 40, 30)
    at = data.index(b"\x2c" + bytes(4) + struct.pack("<HH", 20, 10))
    data[at + 1 : at + 5] = struct.pack("<HH", 7, 5)
    (OUT / "flat-part.gif").write_bytes(data)
    expected = numpy.zeros((30, 40, 4), numpy.uint8)
    expected[5:15, 7:27, :3] = table[picture(20, 10, 1)[:, :, 0]]
    expected[5:15, 7:27, 3] = 255
    record("flat-part.gif", [expected], feature="GIF, a picture smaller than the screen")


def bitmap(width, height, bits, compression, pixels, extra=b"", colours=()):
    """A Windows bitmap of these bytes of pixels."""
    palette = b"".join(struct.pack("<BBBB", *colour[::-1], 0) for colour in colours)
    offset = 14 + 40 + len(extra) + len(palette)
    size = (40, width, height, 1, bits, compression, len(pixels), 2835, 2835, len(colours), 0)
    info = struct.pack("<IiiHHIIiiII", *size)
    head = b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset)
    return head + info + extra + palette + pixels


def bmps():
    image = picture(201, 103)
    gray = picture(201, 103, 1)
    for name, data, expected, words in [
        ("24", saved(image, format="BMP"), image, "24 bit"),
        ("8", saved(gray, format="BMP"), gray.repeat(3, axis=2), "palette of 1, 4 or 8 bit"),
    ]:
        name = f"flat-{name}.bmp"
        (OUT / name).write_bytes(data)
        record(name, [expected], feature=f"BMP, {words}")
    Image.fromarray(gray[:, :, 0] > 99).save(OUT / "flat-1.bmp")
    record("flat-1.bmp", [seen("flat-1.bmp", "RGB")], feature="BMP, palette of 1, 4 or 8 bit")
    rows = numpy.pad(image[:, :, ::-1].reshape(103, -1), ((0, 0), (0, 1)))
    (OUT / "flat-down.bmp").write_bytes(bitmap(201, -103, 24, 0, rows.tobytes()))
    record("flat-down.bmp", [image], feature="BMP, rows from the top down")
    # 5, 6 and 5 bits, the lowest row first.
    few = image >> numpy.array([3, 2, 3], numpy.uint8)
    words = few[:, :, 0].astype(numpy.uint16) << 11 | few[:, :, 1].astype(numpy.uint16) << 5 | few[:, :, 2]
    rows = numpy.pad(words[::-1].astype("<u2"), ((0, 0), (0, 1)))
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    (OUT / "flat-16.bmp").write_bytes(bitmap(201, 103, 16, 3, rows.tobytes(), masks))
    expected = numpy.dstack([scaled(few[:, :, band], bits) for band, bits in enumerate((5, 6, 5))])
    record("flat-16.bmp", [expected], 1, feature="BMP, 16 bit, bit fields")
    colours = numpy.random.default_rng(7).integers(0, 256, (256, 3)).astype(numpy.uint8)
    runs = gray >> 5
    packed = bytearray()
    for row in runs[::-1, :, 0]:
        edges = [0, *(numpy.flatnonzero(numpy.diff(row)) + 1).tolist(), len(row)]
        for start, end in zip(edges, edges[1:]):
            packed += bytes([end - start, row[start]])
        packed += b"\0\0"
    packed[-2:] = b"\0\1"
    data = bitmap(201, 103, 8, 1, bytes(packed), colours=colours.tolist())
    (OUT / "flat-runs.bmp").write_bytes(data)
    record("flat-runs.bmp", [colours[runs[:, :, 0]]], feature="BMP, run lengths")
    rgba = picture(201, 103, 4)
    (OUT / "flat-32.bmp").write_bytes(saved(rgba, format="BMP"))
    record("flat-32.bmp", [seen("flat-32.bmp")], feature="BMP, 32 bit, with alpha")


def flat():
    """All of them."""
    jpegs()
    pngs()
    webps()
    gifs()
    bmps()
