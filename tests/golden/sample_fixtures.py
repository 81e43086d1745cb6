"""TIFFs of every kind of sample and of every way to store it: depths, number formats, planes, strips,
palettes, inks, L*a*b*, and the compressions beside the usual ones."""

import struct

import imagecodecs
import numpy
import tifffile
from making import OUT, halves, picture, record, refuse, run
from tiff_writer import ASCII, LONG, SHORT, Writer

SIZE = (75, 53)


def numbers(bits, bands=1, size=SIZE, seed=1):
    """A picture of unsigned numbers that use all of their bits."""
    wide = picture(*size, bands, seed).astype(numpy.uint64)
    noise = numpy.random.default_rng(seed).integers(0, 1 << 32, wide.shape).astype(numpy.uint64)
    return (wide << numpy.uint64(24) | noise & numpy.uint64(0xFFFFFF)) >> numpy.uint64(32 - bits)


def shown(stored, bits):
    """Unsigned numbers as our decoder is to give them."""
    largest = (1 << bits) - 1
    if bits <= 8:
        return ((stored * 255 + largest // 2) // largest).astype(numpy.uint8)
    if bits <= 16:
        return ((stored * 65535 + largest // 2) // largest).astype(numpy.uint16)
    return stored.astype(numpy.float32)


def packed(block, bits, order):
    """Rows of a block of height x width x samples, each row from a whole byte on."""
    rows = block.reshape(block.shape[0], -1)
    if bits in (8, 16, 32):
        return rows.astype(numpy.dtype(f"u{bits // 8}").newbyteorder(order)).tobytes()
    if bits == 24:
        whole = rows.astype(numpy.dtype("u4").newbyteorder(order)).tobytes()
        quads = numpy.frombuffer(whole, numpy.uint8).reshape(-1, 4)
        return quads[:, 1:].tobytes() if order == ">" else quads[:, :3].tobytes()
    places = numpy.arange(bits - 1, -1, -1, dtype=numpy.uint64)
    single = rows[:, :, None] >> places & numpy.uint64(1)
    return numpy.packbits(single.reshape(rows.shape[0], -1).astype(numpy.uint8), axis=1).tobytes()


def blocks_of(stored, block, bits, order, strips):
    """Cuts into tiles, padded with zeros, or into strips."""
    for y in range(0, stored.shape[0], block[1]):
        for x in range(0, stored.shape[1], block[0]):
            part = stored[y : y + block[1], x : x + block[0]]
            if not strips:
                whole = numpy.zeros((block[1], block[0], stored.shape[2]), numpy.uint64)
                whole[: part.shape[0], : part.shape[1]] = part
                part = whole
            yield packed(part, bits, order)


def put(name, stored, bits, photometric, block=(32, 32), strips=False, planar=False, order="<",
        compression=1, pack=lambda data: data, extra=None):
    """Writes numbers as they are, by hand."""
    file = Writer(order)
    height, width, samples = stored.shape
    planes = [stored[:, :, at : at + 1] for at in range(samples)] if planar else [stored]
    blocks = [
        pack(data) for plane in planes for data in blocks_of(plane, block, bits, order, strips)
    ]
    tags = {258: (SHORT, [bits] * samples), 284: (SHORT, [2 if planar else 1])} | (extra or {})
    if strips:
        offsets, lengths = file.tiles(blocks)
        file.directory({
            256: (LONG, [width]), 257: (LONG, [height]), 259: (SHORT, [compression]),
            262: (SHORT, [photometric]), 273: (LONG, offsets), 277: (SHORT, [samples]),
            278: (LONG, [block[1]]), 279: (LONG, lengths),
        } | tags)
    else:
        file.level((width, height), block, blocks, photometric, samples, compression, tags)
    file.save(OUT / name)


def depths():
    """Unsigned numbers of few and of many bits, black and white either way, in both byte orders."""
    for at, bits in enumerate([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 15, 16, 20, 24, 32]):
        order = "<>"[at % 2]
        stored = numbers(bits)
        largest = (1 << bits) - 1
        feature = f"TIFF, gray, {bits} bit"
        put(f"gray-{bits}bit.tif", stored, bits, 1, order=order)
        record(f"gray-{bits}bit.tif", [shown(stored, bits)], feature=feature)
        put(f"white-{bits}bit.tif", stored, bits, 0, (SIZE[0], 7), strips=True, order="><"[at % 2])
        turned = (largest - stored).astype(numpy.float32) if bits > 16 else shown(largest - stored, bits)
        record(f"white-{bits}bit.tif", [turned], feature=feature, tolerance=256 if bits == 32 else 0)
    for bits in [2, 4, 8, 10, 12, 14, 16, 32]:
        stored = numbers(bits, 3)
        feature = f"TIFF, RGB, {bits} bit"
        put(f"rgb-{bits}bit.tif", stored, bits, 2, order=">")
        record(f"rgb-{bits}bit.tif", [shown(stored, bits)], feature=feature)
        put(f"rgb-{bits}bit-planes.tif", stored, bits, 2, (SIZE[0], 9), strips=True, planar=True)
        record(f"rgb-{bits}bit-planes.tif", [shown(stored, bits)], feature=feature)


def float_24(values):
    """Sign, 7 bits of exponent, 16 of fraction, cut from 32-bit floats."""
    bits = values.astype(numpy.float32).view(numpy.uint32).astype(numpy.uint64)
    exponent = (bits >> numpy.uint64(23) & numpy.uint64(0xFF)) - numpy.uint64(127 - 63)
    fraction = bits >> numpy.uint64(7) & numpy.uint64(0xFFFF)
    return bits >> numpy.uint64(31) << numpy.uint64(23) | exponent << numpy.uint64(16) | fraction


def number_formats():
    """Signed numbers, floats, and long ones, with every predictor that they have."""
    wave = picture(*SIZE, 1).astype(numpy.float64) * 13.7 - 800.5
    for kind in ["int8", "int16", "int32", "int64", "uint32", "uint64", "float16", "float32", "float64"]:
        dtype = numpy.dtype(kind)
        values = wave * (1 << 20) if dtype.itemsize == 8 or kind == "uint32" else wave
        if dtype.kind == "u":
            values = numpy.abs(values)
        elif kind == "int8":
            values = wave / 32
        stored = values.astype(dtype)
        bits = 8 * dtype.itemsize
        name = {"i": "signed", "u": "unsigned", "f": "floating point"}[dtype.kind]
        feature = f"TIFF, gray, {bits} bit {name}"
        for order in "<>":
            for predictor in [None, 2, 3]:
                if predictor == 3 and dtype.kind != "f":
                    continue
                file = f"number-{kind}-{'le' if order == '<' else 'be'}-p{predictor or 1}.tif"
                # tifffile does not take differences of floats; libtiff does.
                if predictor == 2 and dtype.kind == "f":
                    continue
                tifffile.imwrite(
                    OUT / file, stored[:, :, 0], tile=(32, 48), photometric="minisblack", byteorder=order,
                    compression="zlib", predictor=predictor, metadata=None, software=False,
                )
                record(file, [stored.astype(numpy.float32)], feature=feature)
    colours = (picture(*SIZE, 3) / 255).astype(numpy.float32)
    for kind, predictor, planar in [("float16", 3, "contig"), ("float32", 3, "separate"),
                                    ("float32", 3, "contig"), ("float64", 3, "contig")]:
        stored = colours.astype(kind)
        file = f"number-rgb-{kind}-{planar}.tif"
        put_by_tifffile(file, stored, tile=(48, 32), photometric="rgb", planarconfig=planar,
                        compression="lzw", predictor=predictor)
        bits = 8 * stored.dtype.itemsize
        record(file, [stored.astype(numpy.float32)], feature=f"TIFF, RGB, {bits} bit floating point")
    short = (wave[:, :, 0].astype(numpy.int64) & 0xFFF).astype(numpy.uint64)[:, :, None]
    put("number-int12.tif", short, 12, 1, extra={339: (SHORT, [2])})
    signed = (short.astype(numpy.int64) ^ 0x800) - 0x800
    record("number-int12.tif", [signed.astype(numpy.float32)], feature="TIFF, gray, 12 bit signed")
    whole = float_24(wave)
    for order in "<>":
        name = f"number-float24-{'le' if order == '<' else 'be'}.tif"
        put(name, whole, 24, 1, order=order, extra={339: (SHORT, [3])})
        cut = (wave.astype(numpy.float32).view(numpy.uint32) & 0xFFFFFF80).view(numpy.float32)
        record(name, [cut], feature="TIFF, gray, 24 bit floating point")


def put_by_tifffile(name, stored, **options):
    if options.get("planarconfig") == "separate":
        stored = numpy.moveaxis(stored, 2, 0)
    elif stored.shape[2] == 1:
        stored = stored[:, :, 0]
    tifffile.imwrite(OUT / name, stored, metadata=None, software=False, **options)


def no_data():
    """GDAL's value for no data: no number in floats, in pixels and in tiles that are not there."""
    stored = (picture(128, 64, 1) * 0.5).astype(numpy.float32)
    holes = stored.copy()
    stored[3:9, 5:20] = -9999
    holes[3:9, 5:20] = numpy.nan
    holes[:, 64:] = numpy.nan
    file = Writer()
    block = stored[:, :64].astype("<f4").tobytes()
    extra = {258: (SHORT, [32]), 339: (SHORT, [3]), 42113: (ASCII, b"-9999\0")}
    file.level((128, 64), (64, 64), [block, None], 1, 1, extra=extra)
    file.save(OUT / "nodata-float.tif")
    record("nodata-float.tif", [holes], feature="TIFF, GDAL_NODATA")
    words = numbers(16, 1, (128, 64))
    file = Writer()
    extra = {258: (SHORT, [16]), 42113: (ASCII, b"65535\0")}
    file.level((128, 64), (64, 64), [packed(words[:, :64], 16, "<"), None], 1, 1, extra=extra)
    file.save(OUT / "nodata-word.tif")
    words[:, 64:] = 65535
    record("nodata-word.tif", [words.astype(numpy.uint16)], feature="TIFF, GDAL_NODATA")


def strips():
    """Strips of any height, images of any shape."""
    for width, height in [(1, 1), (1, 257), (257, 1), (4097, 1), (1, 4097), (257, 258), (300, 500)]:
        for rows in [1, 7, 64, 1 << 20]:
            if rows == 1 and height > 300:
                continue
            image = picture(width, height)
            name = f"strips-{width}x{height}-{rows}.tif"
            put_by_tifffile(name, image, rowsperstrip=rows, photometric="rgb", compression="zlib",
                            predictor=2 if width > 1 else None)
            record(name, [image], feature="TIFF, strips")
    for name, compression in [("none", None), ("lzw", "lzw"), ("packbits", "packbits"), ("zstd", "zstd")]:
        image = picture(700, 301)
        put_by_tifffile(f"strips-{name}.tif", image, rowsperstrip=13, photometric="rgb", compression=compression)
        record(f"strips-{name}.tif", [image], feature="TIFF, strips")
    image = numbers(16, 3, (501, 403)).astype(numpy.uint16)
    put_by_tifffile("strips-16.tif", image, rowsperstrip=100, photometric="rgb", compression="zlib", predictor=2)
    record("strips-16.tif", [image], feature="TIFF, strips")
    # One strip that is filled up with rows that the image has not.
    image = picture(50, 41)
    blocks = [image[:32].tobytes(), numpy.resize(image[32:], (32, 50, 3)).tobytes()]
    file = Writer()
    offsets, lengths = file.tiles([imagecodecs.zlib_encode(block) for block in blocks])
    file.directory({
        256: (LONG, [50]), 257: (LONG, [41]), 258: (SHORT, [8] * 3), 259: (SHORT, [8]), 262: (SHORT, [2]),
        273: (LONG, offsets), 277: (SHORT, [3]), 278: (LONG, [32]), 279: (LONG, lengths),
    })
    file.save(OUT / "strips-filled-up.tif")
    record("strips-filled-up.tif", [image], feature="TIFF, strips")
    for name, options in {"jpeg": ["-c", "jpeg:90"], "jpeg-rgb": ["-c", "jpeg:r:90"]}.items():
        put_by_tifffile("in.tif", picture(200, 150), photometric="rgb")
        run("tiffcp", "-s", "-r", "32", *options, "in.tif", f"strips-{name}.tif")
        seen = tifffile.imread(OUT / f"strips-{name}.tif")
        record(f"strips-{name}.tif", [seen], 1, feature="TIFF, strips")


def planes():
    """Separate planes in tiles and strips; of many bands the first three, or the first."""
    for name, bands, kind, options in [
        ("rgb8", 3, numpy.uint8, {"predictor": 2}),
        ("rgb16", 3, numpy.uint16, {"predictor": 2}),
        ("rgba8", 4, numpy.uint8, {"extrasamples": ["unassalpha"]}),
        ("rgb-more", 7, numpy.uint16, {"extrasamples": ["unspecified"] * 4}),
    ]:
        stored = numbers(8 * kind().itemsize, bands).astype(kind)
        expected = stored if bands == 4 else stored[:, :, :3]
        for layout in [{"tile": (32, 48)}, {"rowsperstrip": 10}]:
            file = f"planes-{name}-{'tiles' if 'tile' in layout else 'strips'}.tif"
            put_by_tifffile(file, stored, planarconfig="separate", photometric="rgb", compression="zlib",
                            **layout, **options)
            record(file, [expected], feature="TIFF, separate planes")
    cube = numbers(16, 120, (40, 30)).astype(numpy.uint16)
    for planar in ["contig", "separate"]:
        put_by_tifffile(f"bands-120-{planar}.tif", cube, planarconfig=planar, photometric="minisblack",
                        extrasamples=["unspecified"] * 119, tile=(16, 16), compression="zlib", predictor=2)
        record(f"bands-120-{planar}.tif", [cube[:, :, :3]], feature="TIFF, many bands: the first three")
    put_by_tifffile("planes-jpeg.tif", picture(96, 64), planarconfig="separate", photometric="rgb",
                    compression="jpeg", compressionargs={"level": 95}, tile=(32, 32))
    record("planes-jpeg.tif", [tifffile.imread(OUT / "planes-jpeg.tif").transpose(1, 2, 0)], 1,
           feature="TIFF, separate planes")


def alphas():
    """Associated and unassociated alpha of more than 8 bit."""
    words = numbers(16, 4).astype(numpy.uint16)
    words[:, :, 3] |= 1
    floats = (words / 65535).astype(numpy.float32)
    for name, stored in [("16", words), ("float", floats)]:
        for kind in ["unassalpha", "assocalpha"]:
            file = f"alpha-{name}-{kind}.tif"
            put_by_tifffile(file, stored, tile=(32, 32), photometric="rgb", extrasamples=[kind])
            alpha = stored[:, :, 3:].astype(numpy.float64 if name == "float" else numpy.uint64)
            expected = stored
            if kind == "assocalpha" and name == "16":
                plain = numpy.minimum((stored[:, :, :3] * numpy.uint64(65535) + alpha // 2) // alpha, 65535)
                expected = numpy.concatenate([plain, alpha], axis=2).astype(numpy.uint16)
            elif kind == "assocalpha":
                expected = numpy.concatenate([stored[:, :, :3] / alpha, alpha], axis=2).astype(numpy.float32)
            tolerance = 0.01 if name == "float" else 0
            record(file, [expected], tolerance, feature=f"TIFF, RGB with alpha, {'16 bit' if name == '16' else '32 bit floating point'}")


def palettes():
    """Indices of every depth, and maps of 16 and, against the standard, of 8 bit."""
    for bits in [1, 2, 3, 4, 8, 16]:
        stored = numbers(bits)
        count = 1 << bits
        colours = numpy.random.default_rng(bits).integers(0, 256, (count, 3))
        seen = colours[stored[:, :, 0].astype(int)].astype(numpy.uint8)
        for name, factor in [("", 257), ("-shifted", 256), ("-narrow", 1)]:
            if factor == 1 and bits == 1:
                colours[0] = 200
                seen = colours[stored[:, :, 0].astype(int)].astype(numpy.uint8)
            colour_map = (colours.T * factor).flatten().tolist()
            file = f"palette-{bits}bit{name}.tif"
            put(file, stored, bits, 3, extra={320: (SHORT, colour_map)}, order="<>"[bits % 2])
            record(file, [seen], feature=f"TIFF, palette, {bits} bit")
    stored = numbers(8)
    colours = numpy.random.default_rng(9).integers(0, 256, (256, 3))
    put("palette-lzw-strips.tif", stored, 8, 3, (SIZE[0], 5), strips=True, compression=5,
        pack=imagecodecs.lzw_encode, extra={320: (SHORT, (colours.T * 257).flatten().tolist())})
    record("palette-lzw-strips.tif", [colours[stored[:, :, 0].astype(int)].astype(numpy.uint8)],
           feature="TIFF, palette, 8 bit")


def inks():
    """CMYK, with and without alpha, apart and together."""
    for bits, kind in [(8, numpy.uint8), (16, numpy.uint16)]:
        stored = numbers(bits, 4).astype(kind)
        for planar in ["contig", "separate"]:
            file = f"cmyk-{bits}-{planar}.tif"
            put_by_tifffile(file, stored, tile=(32, 32), photometric="separated", planarconfig=planar,
                            compression="zlib", predictor=2)
            record(file, [stored], colour="cmyk", feature=f"TIFF, CMYK, {bits} bit")
    stored = numbers(8, 5).astype(numpy.uint8)
    put_by_tifffile("cmyka-8.tif", stored, tile=(32, 32), photometric="separated",
                    extrasamples=["unassalpha"], compression="lzw")
    record("cmyka-8.tif", [stored], colour="cmyk", feature="TIFF, CMYK with alpha, 8 bit")
    stored = picture(96, 64, 4)
    put_by_tifffile("cmyk-jpeg.tif", stored, tile=(32, 32), photometric="separated", compression="jpeg",
                    compressionargs={"level": 95, "colorspace": "CMYK", "outcolorspace": "CMYK"})
    record("cmyk-jpeg.tif", [tifffile.imread(OUT / "cmyk-jpeg.tif")], 1, colour="cmyk", feature="TIFF, CMYK, JPEG")
    put("refused-inks.tif", numbers(8, 4), 8, 5, extra={332: (SHORT, [2])})
    refuse("refused-inks.tif", "InkSet 2", "TIFF, inks other than CMYK")


def labs():
    """CIE L*a*b* in each of its codes, in units of L*a*b*."""
    def lab(lightness, a, b):
        return numpy.stack([lightness, a, b], axis=2).astype(numpy.float32)

    for bits, per_unit in [(8, 1), (16, 256)]:
        stored = numbers(bits, 3)
        first, second, third = (stored[:, :, at].astype(numpy.float64) for at in range(3))
        largest, codes = (1 << bits) - 1, 1 << bits

        def signed(code):
            return numpy.where(code >= codes / 2, code - codes, code) / per_unit

        for photometric, name, expected in [
            (8, "cielab", lab(first * 100 / largest, signed(second), signed(third))),
            (9, "icclab", lab(first * 100 / (255 * per_unit), second / per_unit - 128, third / per_unit - 128)),
            (10, "itulab", lab(
                first * 100 / largest,
                (second / largest * 255 - 128) * 170 / 255,
                (third / largest * 255 - 96) * 200 / 255,
            )),
        ]:
            file = f"lab-{name}-{bits}.tif"
            put(file, stored, bits, photometric, order=">")
            record(file, [expected], 0.0001, colour="lab", feature=f"TIFF, {name.upper()}, {bits} bit")
    values = picture(*SIZE).astype(numpy.float32) * [0.39, 0.5, 0.5] - [0, 64, 64]
    stored = values.astype("<f4").view("<u4").astype(numpy.uint64)
    put("lab-cielab-float.tif", stored, 32, 8, extra={339: (SHORT, [3])})
    record("lab-cielab-float.tif", [values.astype(numpy.float32)], colour="lab",
           feature="TIFF, CIELAB, 32 bit floating point")


def old_lzw(data):
    """LZW as before TIFF 5.0: codes from the lowest bit up, growing when the table is full."""
    table = {bytes([at]): at for at in range(256)}
    codes, width, held, held_bits, out = 258, 9, 0, 0, bytearray()

    def emit(code):
        nonlocal held, held_bits
        held |= code << held_bits
        held_bits += width
        while held_bits >= 8:
            out.append(held & 255)
            held >>= 8
            held_bits -= 8

    emit(256)
    current = b""
    for at in range(len(data)):
        longer = current + data[at : at + 1]
        if longer in table:
            current = longer
            continue
        emit(table[current])
        table[longer] = codes
        codes += 1
        if codes > 1 << width:
            width += 1
        if codes == 4094:
            emit(256)
            table = {bytes([at]): at for at in range(256)}
            codes, width = 258, 9
        current = data[at : at + 1]
    emit(table[current])
    emit(257)
    out.append(held & 255)
    return bytes(out)


def thunder(data, width):
    """ThunderScan: runs, differences of two and three bits, and plain values."""
    rows = numpy.frombuffer(data, numpy.uint8).reshape(-1, (width + 1) // 2)
    out = bytearray()
    for row in rows:
        pixels = numpy.stack([row >> 4, row & 15], axis=1).flatten()[:width].astype(int).tolist()
        last, at = 0, 0
        while at < width:
            run = 0
            # libtiff, which is asked below, leaves out a run that ends a row.
            while at + run < width - 1 and pixels[at + run] == last and run < 63:
                run += 1
            steps = [(b - a) & 15 for a, b in zip([last] + pixels[at:], pixels[at : at + 3])]
            if run > 3:
                out.append(run)
                at += run
            elif len(steps) == 3 and all(step in (0, 1, 15) for step in steps):
                out.append(0x40 | sum({0: 0, 1: 1, 15: 3}[s] << (4 - 2 * i) for i, s in enumerate(steps)))
                at += 3
            elif len(steps) > 1 and all(step in (0, 1, 2, 3, 13, 14, 15) for step in steps[:2]):
                out.append(0x80 | (steps[0] & 7) << 3 | steps[1] & 7)
                at += 2
            else:
                out.append(0xC0 | pixels[at])
                at += 1
            last = pixels[at - 1]
    return bytes(out)


def rle_of(group3):
    """TIFF's own fax code of a Group 3 stream in one dimension: no marks, each row from a byte on."""
    bits = "".join(f"{byte:08b}" for byte in group3)
    rows = bits.split("000000000001")
    out = b""
    for row in rows[1:]:
        # Zeros before a mark that filled up the row before it.
        if not row.strip("0"):
            continue
        padded = row.ljust(-(-len(row) // 8) * 8, "0")
        out += int(padded, 2).to_bytes(len(padded) // 8, "big")
    return out


def compressions():
    """LZMA, old LZW, ThunderScan, reversed bits, fax, JPEG 2000, JPEG XL, old-style JPEG."""
    for bits, bands, predictor in [(8, 3, None), (8, 3, 2), (16, 1, 2), (16, 3, None)]:
        stored = numbers(bits, bands).astype(f"u{bits // 8}")
        file = f"lzma-{bits}-{bands}-p{predictor or 1}.tif"
        put_by_tifffile(file, stored, tile=(32, 32), photometric="rgb" if bands == 3 else "minisblack",
                        compression="lzma", predictor=predictor)
        record(file, [stored], feature="TIFF, LZMA")
    stored = numbers(8, 3, (130, 110))
    put("lzw-old.tif", stored, 8, 2, (128, 128), compression=5, pack=old_lzw)
    record("lzw-old.tif", [stored.astype(numpy.uint8)], feature="TIFF, LZW, old bit order")
    assert (tifffile.imread(OUT / "lzw-old.tif") == stored).all()
    stored = numbers(4)
    put("thunder.tif", stored, 4, 1, (SIZE[0], 20), strips=True, compression=32809,
        pack=lambda data: thunder(data, SIZE[0]))
    record("thunder.tif", [shown(stored, 4)], feature="TIFF, ThunderScan")
    run("tiffcp", "-c", "none", "thunder.tif", "plain.tif")
    seen = tifffile.imread(OUT / "plain.tif")
    assert (seen == stored[:, :, 0]).all()
    faxes()
    for name, options in {"none": [], "lzw": ["-c", "lzw"], "packbits": ["-c", "packbits"]}.items():
        put_by_tifffile("in.tif", picture(*SIZE), photometric="rgb")
        run("tiffcp", "-f", "lsb2msb", *options, "in.tif", f"reversed-{name}.tif")
        record(f"reversed-{name}.tif", [picture(*SIZE)], feature="TIFF, FillOrder 2")
    pictures()
    old_jpegs()
    for name in ["in.tif", "plain.tif"]:
        (OUT / name).unlink()


def faxes():
    """Every fax code, as libtiff writes it; TIFF's own made of that."""
    text = picture(533, 211, 1)[:, :, 0] > 110
    text[40:60] = False
    text[60:80] = True
    for width, height in [(533, 211), (8, 3), (1, 1), (257, 258), (4097, 1)]:
        page = numpy.resize(text, (height, width)) if width > 533 or height > 211 else text[:height, :width]
        for photometric in ["miniswhite", "minisblack"]:
            tifffile.imwrite(OUT / "in.tif", page, photometric=photometric, metadata=None, software=False)
            black = 255 - page * numpy.uint8(255) if photometric == "miniswhite" else page * numpy.uint8(255)
            expected = black.astype(numpy.uint8)[:, :, None]
            for code, feature in [("g3:1d", "CCITT Group 3"), ("g3:2d", "CCITT Group 3, two dimensions"),
                                  ("g3:2d:fill", "CCITT Group 3, two dimensions"), ("g4", "CCITT Group 4")]:
                name = f"fax-{width}x{height}-{photometric}-{code.replace(':', '')}"
                options = ["-f", "lsb2msb"] if photometric == "minisblack" else []
                run("tiffcp", "-s", "-r", "70", "-c", code, *options, "in.tif", f"{name}.tif")
                record(f"{name}.tif", [expected], feature=f"TIFF, {feature}")
        run("tiffcp", "-s", "-r", str(height), "-c", "g3:1d", "in.tif", "plain.tif")
        with tifffile.TiffFile(OUT / "plain.tif") as file:
            page = file.pages[0]
            segments_read = file.filehandle.read_segments(page.dataoffsets, page.databytecounts)
            stream = next(iter(segments_read))[0]
        rle = Writer()
        offsets, lengths = rle.tiles([rle_of(stream)])
        rle.directory({
            256: (LONG, [width]), 257: (LONG, [height]), 258: (SHORT, [1]), 259: (SHORT, [2]),
            262: (SHORT, [1]), 273: (LONG, offsets), 277: (SHORT, [1]), 278: (LONG, [height]),
            279: (LONG, lengths),
        })
        rle.save(OUT / f"fax-{width}x{height}-rle.tif")
        record(f"fax-{width}x{height}-rle.tif", [expected], feature="TIFF, CCITT RLE")


def pictures():
    """JPEG 2000 and JPEG XL, without loss and with."""
    for bits, bands, photometric in [(8, 3, "rgb"), (8, 1, "minisblack"), (16, 3, "rgb"), (16, 1, "minisblack"), (8, 4, "rgb")]:
        stored = numbers(bits, bands, (150, 90)).astype(f"u{bits // 8}")
        extra = {"extrasamples": ["unassalpha"]} if bands == 4 else {}
        for compression, title in [("jpeg2000", "JPEG 2000"), ("jpegxl", "JPEG XL")]:
            file = f"{compression}-{bits}-{bands}.tif"
            args = {"level": 0} if compression == "jpeg2000" else {"lossless": True}
            put_by_tifffile(file, stored, tile=(64, 64), photometric=photometric, compression=compression,
                            compressionargs=args, **extra)
            record(file, [stored], feature=f"TIFF, {title}, {bits} bit")
    pixels = picture(128, 64)
    tiles = [numpy.ascontiguousarray(pixels[:, :64]), numpy.ascontiguousarray(pixels[:, 64:])]
    for number, photometric, title in [(33005, 2, "RGB"), (33003, 2, "YCbCr"), (34712, 6, "YCbCr")]:
        file = Writer()
        blocks = [imagecodecs.jpeg2k_encode(tile, level=0, codecformat="j2k", mct=False) for tile in tiles]
        file.level((128, 64), (64, 64), blocks, photometric, 3, number)
        name = f"jpeg2000-{number}-{title.lower()}.tif"
        file.save(OUT / name)
        expected = pixels
        if title == "YCbCr":
            y, cb, cr = (pixels[:, :, at].astype(float) for at in range(3))
            rgb = [y + 1.402 * (cr - 128), y - 0.344136 * (cb - 128) - 0.714136 * (cr - 128), y + 1.772 * (cb - 128)]
            expected = numpy.clip(numpy.stack(rgb, axis=2).round(), 0, 255).astype(numpy.uint8)
        record(name, [expected], 0 if title == "RGB" else 1, feature=f"TIFF, JPEG 2000, {title} (33003, 33005)")
    lossy = picture(96, 64)
    put_by_tifffile("jpegxl-lossy.tif", lossy, tile=(32, 32), photometric="rgb", compression="jpegxl",
                    compressionargs={"distance": 1.0})
    record("jpegxl-lossy.tif", [tifffile.imread(OUT / "jpegxl-lossy.tif")], 2, feature="TIFF, JPEG XL, 8 bit")


def segments(stream):
    """The segments of a JPEG before its scan, as (marker, body), and the data after the scan's header."""
    at = 2
    found = []
    while True:
        marker, length = stream[at + 1], struct.unpack(">H", stream[at + 2 : at + 4])[0]
        found.append((marker, stream[at + 4 : at + 2 + length]))
        at += 2 + length
        if marker == 0xDA:
            return found, stream[at:]


def old_jpegs():
    """JPEG as TIFF 6.0 had it: tables by their offsets, and one stream."""
    image = picture(64, 48)
    stream = imagecodecs.jpeg8_encode(image, level=90, subsampling="422")
    seen = imagecodecs.jpeg8_decode(stream)
    found, data = segments(stream)
    tables = {0xDB: {}, 0xC4: {}}
    for marker, body in found:
        while marker in tables and body:
            length = 64 if marker == 0xDB else 16 + sum(body[1:17])
            tables[marker][body[0]] = body[1 : 1 + length]
            body = body[1 + length :]
    common = {
        256: (LONG, [64]), 257: (LONG, [48]), 258: (SHORT, [8] * 3), 259: (SHORT, [6]), 262: (SHORT, [6]),
        277: (SHORT, [3]), 278: (LONG, [48]), 512: (SHORT, [1]), 530: (SHORT, [2, 1]),
    }
    file = Writer(">")
    offset = file.put(data[:-2])
    places = {key: [file.put(tables[kind][number]) for number in numbers]
              for key, kind, numbers in [(519, 0xDB, [0, 1, 1]), (520, 0xC4, [0, 1, 1]), (521, 0xC4, [16, 17, 17])]}
    file.directory(common | {273: (LONG, [offset]), 279: (LONG, [len(data) - 2])}
                   | {key: (LONG, value) for key, value in places.items()})
    file.save(OUT / "jpeg-old-tables.tif")
    record("jpeg-old-tables.tif", [seen], 1, feature="TIFF, old-style JPEG")
    file = Writer()
    offset = file.put(stream)
    at = offset + len(stream) - len(data)
    file.directory(common | {273: (LONG, [at]), 279: (LONG, [len(data)]), 513: (LONG, [offset]),
                             514: (LONG, [len(stream)])})
    file.save(OUT / "jpeg-old-stream.tif")
    record("jpeg-old-stream.tif", [seen], 1, feature="TIFF, old-style JPEG")


def refusals():
    """What is not read, by its name."""
    gray = picture(64, 64, 1)
    put_by_tifffile("refused-lerc.tif", gray, tile=(32, 32), photometric="minisblack", compression="lerc")
    refuse("refused-lerc.tif", "compression LERC", "TIFF, LERC")
    put("refused-565.tif", numbers(8, 3), 8, 2, extra={258: (SHORT, [5, 6, 5])})
    refuse("refused-565.tif", "samples of 5 and 6 bits", "TIFF, samples of different depths")
    tifffile.imwrite(OUT / "refused-complex.tif", gray[:, :, 0].astype(numpy.complex64), photometric="minisblack",
                     metadata=None, software=False)
    refuse("refused-complex.tif", "complex samples", "TIFF, complex numbers")
    for photometric, words, feature in [
        (4, "photometric transparency mask", "TIFF, transparency masks"),
        (32803, "photometric colour filter array", "TIFF, colour filter array"),
        (32844, "photometric LogL", "TIFF, LogL and LogLuv"),
        (32845, "photometric LogLuv", "TIFF, LogL and LogLuv"),
        (34892, "photometric linear raw", "TIFF, linear raw"),
    ]:
        put(f"refused-{photometric}.tif", numbers(8, 3), 8, photometric)
        refuse(f"refused-{photometric}.tif", words, feature)
    for compression, words, feature in [
        (34661, "compression JBIG", "TIFF, JBIG"),
        (34676, "compression SGI Log", "TIFF, LogL and LogLuv"),
        (32771, "CCITT RLE, word aligned", "TIFF, CCITT RLE, word aligned"),
        (32766, "compression NeXT", "TIFF, NeXT"),
    ]:
        put(f"refused-c{compression}.tif", numbers(8), 8, 1, compression=compression)
        refuse(f"refused-c{compression}.tif", words, feature)
    put("refused-jpeg-12.tif", numbers(12), 12, 1, compression=7)
    refuse("refused-jpeg-12.tif", "JPEG tiles of 12 bits", "TIFF, JPEG, 12 bit")
    put("refused-jpeg-two.tif", numbers(8, 2), 8, 1, compression=7)
    refuse("refused-jpeg-two.tif", "JPEG tiles with 2 samples", "TIFF, JPEG, gray with alpha")


def cut_short():
    """Tiles whose data breaks off: `damaged.rs` wants an error for each."""
    gray = picture(64, 64, 1)[:, :, 0]
    bits = gray > 110
    for name, compression, data in [
        ("lzw", 5, imagecodecs.lzw_encode(gray)),
        ("deflate", 8, imagecodecs.zlib_encode(gray)),
        ("packbits", 32773, imagecodecs.packbits_encode(gray)),
        ("lzma", 34925, imagecodecs.lzma_encode(gray)),
        ("zstd", 50000, imagecodecs.zstd_encode(gray)),
        ("jpeg", 7, imagecodecs.jpeg8_encode(gray)),
        ("webp", 50001, imagecodecs.webp_encode(picture(64, 64), lossless=True)),
        ("jpeg2000", 34712, imagecodecs.jpeg2k_encode(gray, level=0, codecformat="j2k")),
        ("jpegxl", 50002, imagecodecs.jpegxl_encode(gray, lossless=True)),
        ("thunder", 32809, thunder(packed((gray >> 4).astype(numpy.uint64)[:, :, None], 4, "<"), 64)),
        ("plain", 1, gray.tobytes()),
    ]:
        file = Writer()
        samples = 3 if name == "webp" else 1
        extra = {258: (SHORT, [4 if name == "thunder" else 8] * samples)}
        file.level((64, 64), (64, 64), [data[: len(data) * 2 // 3]], 2 if samples == 3 else 1, samples,
                   compression, extra)
        file.save(OUT / f"cut-{name}.tif")
    tifffile.imwrite(OUT / "in.tif", bits, photometric="miniswhite", metadata=None, software=False)
    for code in ["g3:1d", "g3:2d", "g4"]:
        run("tiffcp", "-s", "-r", "64", "-c", code, "in.tif", "plain.tif")
        with tifffile.TiffFile(OUT / "plain.tif") as file:
            page = file.pages[0]
            data = next(iter(file.filehandle.read_segments(page.dataoffsets, page.databytecounts)))[0]
        file = Writer()
        options = {292: (SHORT, [1 if code == "g3:2d" else 0])}
        file.level((64, 64), (64, 64), [data[: len(data) * 2 // 3]], 0, 1, 4 if code == "g4" else 3,
                   {258: (SHORT, [1])} | options)
        file.save(OUT / f"cut-{code.replace(':', '-')}.tif")
    for name in ["in.tif", "plain.tif"]:
        (OUT / name).unlink()


def deep_pyramid():
    """A pyramid of words in SubIFDs, as scanners and cameras make them."""
    levels = [level.astype(numpy.uint16) for level in halves(numbers(16, 3, (301, 203)).astype(numpy.uint16), 2)]
    with tifffile.TiffWriter(OUT / "pyramid-16.tif", bigtiff=True) as file:
        for at, level in enumerate(levels):
            file.write(level, tile=(64, 64), subifds=2 if at == 0 else None, subfiletype=1 if at else 0,
                       photometric="rgb", compression="zlib", predictor=2, metadata=None, software=False)
    record("pyramid-16.tif", levels, feature="TIFF, RGB, 16 bit")


def samples():
    depths()
    number_formats()
    no_data()
    strips()
    planes()
    alphas()
    palettes()
    inks()
    labs()
    compressions()
    refusals()
    cut_short()
    deep_pyramid()
