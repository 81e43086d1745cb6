"""JPEG 2000 files as OpenJPEG's programs write and read them, whole, and boxes around them by hand."""

import struct
import subprocess

import imagecodecs
import numpy
from making import OUT, picture, record, refuse, run
from PIL import Image, ImageCms

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
RATES = ("-r", "40,20,8")


def planes(image):
    """The samples as raw files have them: component after component, low byte first."""
    return numpy.ascontiguousarray(numpy.moveaxis(image, 2, 0)).tobytes()


def compress(name, image, *options, bits=8, signed=False, steps=None):
    """Writes a file by opj_compress of samples that are as wide as their bits need."""
    (OUT / "in.rawl").write_bytes(image if isinstance(image, bytes) else planes(image))
    height, width, count = steps[0] if steps else image.shape
    shape = f"{width},{height},{count},{bits},{'s' if signed else 'u'}{steps[1] if steps else ''}"
    run("opj_compress", "-i", "in.rawl", "-F", shape, "-o", name, *options)
    (OUT / "in.rawl").unlink()


def start_of(data):
    """Where the segment of sizes begins in a file."""
    return data.index(b"\xff\x4f\xff\x51")


def decompressed(name, reduction, dtype):
    """What opj_decompress makes of a resolution, or None where there is none."""
    command = ["opj_decompress", "-i", name, "-r", reduction, "-o", "out.rawl"]
    done = subprocess.run([str(part) for part in command], capture_output=True, cwd=OUT)
    if done.returncode:
        return None
    data = (OUT / name).read_bytes()
    at = start_of(data)
    edges = struct.unpack(">4I", data[at + 8 : at + 24])
    count = struct.unpack(">H", data[at + 40 : at + 42])[0]
    step = data[at + 43], data[at + 44]
    ends = [-(-edge // step[axis % 2]) for axis, edge in enumerate(edges)]
    right, bottom, left, top = [-(-end // 2**reduction) for end in ends]
    samples = numpy.fromfile(OUT / "out.rawl", dtype)
    (OUT / "out.rawl").unlink()
    shape = (bottom - top, right - left)
    if 0 in shape:
        return None
    return numpy.moveaxis(samples.reshape(-1, *shape), 0, 2)


def levels_of(name, dtype=numpy.uint8, convert=lambda level: level):
    """All resolutions of a file."""
    levels = []
    while (level := decompressed(name, len(levels), dtype)) is not None:
        if levels and level.shape == levels[-1].shape:
            break
        levels.append(convert(level))
    return levels


def scaled(bits):
    """Fewer bits to all of a type."""
    wide, largest = 255 if bits <= 8 else 65535, 2**bits - 1
    return lambda level: ((level.astype(numpy.int64) * wide * 2 + largest) // (2 * largest)).astype(
        numpy.uint8 if bits <= 8 else numpy.uint16
    )


def served(name, image, feature, *options, tolerance=0, dtype=numpy.uint8, convert=lambda level: level, **extra):
    """Writes a file and takes what OpenJPEG reads of it."""
    compress(name, image, *options, **extra)
    record(name, levels_of(name, dtype, convert), tolerance, feature=feature)


def codings():
    """Every way to cut, order, mark and code that opj_compress knows."""
    colour, gray = picture(700, 500), picture(301, 203, 1)
    feature = "JPEG 2000, without loss"
    served("jp2-plain.jp2", colour, feature)
    served("jp2-plain.j2k", gray, feature)
    served("jp2-no-mct.jp2", colour, "JPEG 2000, sYCC, subsampled or not", "-mct", 0, tolerance=1)
    served("jp2-lossy.jp2", colour, "JPEG 2000, with loss", "-I", *RATES, tolerance=1)
    served("jp2-lossy.j2k", gray, "JPEG 2000, with loss", "-I", "-r", 10, tolerance=1)
    feature = "JPEG 2000, tiles of any size and offset"
    for number, options in enumerate(
        [
            ("-t", "256,256"),
            ("-t", "256,256", "-TLM", "-PLT"),
            ("-t", "97,131", "-TLM"),
            ("-t", "160,160", "-d", "37,21", "-T", "11,5", "-PLT"),
            ("-t", "256,256", "-I", "-r", "12", "-PLT"),
            ("-t", "300,200", "-d", "301,203", "-T", "300,200", "-I", "-r", "12"),
            ("-d", "1001,333"),
            ("-t", "256,256", "-TP", "R", "-TLM"),
            ("-t", "256,256", "-TP", "C", "-p", "CPRL", "-PLT"),
            ("-t", "256,256", "-TP", "L", "-r", "30,9"),
        ]
    ):
        served(f"jp2-tiled-{number}.jp2", colour, feature, *options, tolerance=int("-I" in options))
    feature = "JPEG 2000, precincts, layers and every order of packets"
    for order in ["LRCP", "RLCP", "RPCL", "PCRL", "CPRL"]:
        for mark, marks in [("", ()), ("-plt", ("-PLT",)), ("-marks", ("-SOP", "-EPH"))]:
            options = ("-p", order, "-c", "[128,128],[128,64],[64,64]", "-n", "5", *RATES, *marks)
            served(f"jp2-order-{order.lower()}{mark}.jp2", colour, feature, *options)
    for name, options in [
        ("small", ("-c", "[64,64],[32,32],[16,16]", "-PLT")),
        ("one-size", ("-c", ",".join(["[128,128]"] * 7), "-n", "7", "-p", "RPCL", "-PLT", "-I", "-r", "9")),
        ("256", ("-c", ",".join(["[256,256]"] * 6), "-p", "RPCL", "-d", "130,70", "-PLT")),
        ("changed", ("-POC", "T1=0,0,1,3,3,CPRL/T1=3,0,1,6,3,RLCP")),
        ("by-colour", ("-POC", "T1=0,0,2,6,1,CPRL/T1=0,1,2,6,3,RLCP", "-r", "20,1")),
        ("none", ("-n", "1",)),
        ("deep", ("-n", "9")),
        ("blocks-16x64", ("-b", "16,64")),
        ("blocks-4", ("-b", "4,4", "-n", "3")),
        ("blocks-1024x4", ("-b", "1024,4", "-I", "-r", "5")),
    ]:
        served(f"jp2-precincts-{name}.jp2", colour, feature, *options, tolerance=int("-I" in options))
    wide = picture(2600, 420, 1)
    feature = "JPEG 2000, one tile larger than what an area needs"
    for name, options in [
        ("plain", ("-PLT",)),
        ("lossy", ("-I", "-r", "9", "-d", "3,5", "-p", "PCRL")),
        ("blocks-16", ("-b", "16,16", "-n", "4", "-d", "131,77", *RATES)),
        ("precincts", ("-c", "[256,256]", "-p", "RPCL", "-d", "1001,13", "-PLT")),
    ]:
        served(f"jp2-wide-{name}.jp2", wide, feature, *options, tolerance=int("-I" in options))
    feature = "JPEG 2000, every style of code-blocks"
    for style in [1, 2, 4, 5, 8, 16, 32, 63]:
        for loss in [(), ("-I", *RATES)]:
            name = f"jp2-style-{style}{'-lossy' if loss else ''}.jp2"
            served(name, colour[:300, :300], feature, "-M", style, *loss, tolerance=int(bool(loss)))
    served("jp2-roi.jp2", colour, "JPEG 2000, regions of interest", "-ROI", "c=0,U=7")


def apart():
    """Headers of packets that stand apart from their bodies, which no program here writes."""
    colour = picture(700, 500)
    marks = ("-SOP", "-EPH", "-n", "5", *RATES)
    for name, options in [
        ("plain", ("-c", "[64,64]", "-p", "RPCL")),
        ("parts", ("-t", "256,256", "-TP", "R")),
    ]:
        compress("marked.j2k", colour, *options, *marks)
        data = (OUT / "marked.j2k").read_bytes()
        levels = levels_of("marked.j2k")
        put_apart(f"jp2-ppm-{name}.j2k", in_main_header(*taken_apart(data, True)), levels)
        put_apart(f"jp2-ppt-{name}.j2k", in_parts(*taken_apart(data, False)), levels)
    put_apart("jp2-ppt-first.j2k", in_parts(*taken_apart(data, False), all_in_first=True), levels)
    # Of each tile the first part, then of each the second: OpenJPEG takes headers for those of other tiles.
    main, parts = taken_apart(data, True)
    parts.sort(key=lambda part: (part[0][10], part[0][4:6]))
    for name, tlm in [("", False), ("-tlm", True)]:
        put_apart(f"jp2-ppm-in-turn{name}.j2k", in_main_header(main, parts, tlm), levels, by_openjpeg=False)
    (OUT / "marked.j2k").unlink()


def put_apart(file, data, levels, by_openjpeg=True):
    """Writes a file that has the resolutions of another."""
    (OUT / file).write_bytes(data)
    if by_openjpeg:
        alike = [(one == other).all() for one, other in zip(levels_of(file), levels, strict=True)]
        assert all(alike), f"OpenJPEG reads other samples of {file}"
    record(file, levels, feature="JPEG 2000, packed packet headers (PPM, PPT)")


def taken_apart(data, marked):
    """The main header of a codestream whose packets are marked; of each tile-part its own marker segment, the
    headers of its packets and their bodies, with or without the marks."""
    first = data.index(b"\xff\x90\0\x0a")
    main, at, parts = bytearray(data[:first]), first, []
    if not marked:
        main[main.index(b"\xff\x52") + 4] &= ~6
    while data[at : at + 2] == b"\xff\x90":
        end = at + struct.unpack(">I", data[at + 6 : at + 10])[0]
        packets = data[data.index(b"\xff\x93", at) + 2 : end].split(b"\xff\x91\0\4")[1:]
        headers, bodies = b"", b""
        for packet in packets:
            ends = packet.index(b"\xff\x92")
            headers += packet[2:ends] + (b"\xff\x92" if marked else b"")
            bodies += (b"\xff\x91\0\4" + packet[:2] if marked else b"") + packet[ends + 2 :]
        parts.append((data[at : at + 12], headers, bodies))
        at = end
    return bytes(main), parts


def in_main_header(main, parts, tlm=False):
    held = b"".join(struct.pack(">I", len(headers)) + headers for _, headers, _ in parts)
    # Cut within headers, and not in order.
    middle = len(held) // 2
    pieces = [held[:99], held[99:middle], held[middle:]]
    main += b"".join(segment(0x60, bytes([number]) + pieces[number]) for number in [1, 0, 2])
    written = [part_of(start, bodies) for start, _, bodies in parts]
    if tlm:
        lengths = (part[4:6] + struct.pack(">I", len(part)) for part in written)
        main += segment(0x55, b"\0\x60" + b"".join(lengths))
    return main + b"".join(written) + b"\xff\xd9"


def in_parts(main, parts, all_in_first=False):
    """Two segments in each tile-part; or in the first one of each tile, for all of its parts."""
    out, counts = main, {}
    for start, headers, bodies in parts:
        tile = start[4:6]
        number = counts[tile] = counts.get(tile, -2) + 2
        if all_in_first:
            headers = b"".join(other for begin, other, _ in parts if begin[4:6] == tile and number == 0)
        middle = len(headers) // 2
        halves = enumerate([headers[:middle], headers[middle:]], number)
        own = b"".join(segment(0x61, bytes([at]) + half) for at, half in halves if headers)
        out += part_of(start, bodies, own)
    return out + b"\xff\xd9"


def part_of(start, bodies, segments=b""):
    """A tile-part that begins as one did whose packets had their headers."""
    body = segments + b"\xff\x93" + bodies
    return start[:6] + struct.pack(">I", len(start) + len(body)) + start[10:] + body


def segment(marker, body):
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def depths():
    """Bits, signs, subsampling."""
    gray, colour = picture(301, 203, 1), picture(301, 203)
    feature = "JPEG 2000, 1 to 16 bit"
    for bits in [1, 2, 4, 5, 7]:
        name, few = f"jp2-{bits}-bit.jp2", gray[:, :, 0] >> (8 - bits)
        data = imagecodecs.jpeg2k_encode(few, level=0, bitspersample=bits, codecformat="jp2")
        (OUT / name).write_bytes(data)
        record(name, levels_of(name, convert=scaled(bits)), feature=feature)
    noise = numpy.random.default_rng(5).integers(0, 256, colour.shape)
    wide = colour.astype(numpy.uint16) * 256 + noise.astype(numpy.uint16)
    for bits in [10, 12, 16]:
        image, convert = wide >> (16 - bits), scaled(bits)
        served(f"jp2-{bits}-bit.jp2", image, feature, bits=bits, dtype=numpy.uint16, convert=convert)
    served("jp2-16-bit-lossy.jp2", wide, feature, "-I", "-r", 4, bits=16, dtype=numpy.uint16, tolerance=1)
    as_float = lambda level: level.astype(numpy.float32)
    feature = "JPEG 2000, signed, in units of the file"
    signed = (gray.astype(numpy.int16) - 128).astype(numpy.int8)
    served("jp2-signed-8.jp2", signed, feature, dtype=numpy.int8, convert=as_float, signed=True)
    signed = (wide[:, :, :1].astype(numpy.int32) - 32768).astype(numpy.int16)
    served("jp2-signed-16.jp2", signed, feature, bits=16, dtype=numpy.int16, convert=as_float, signed=True)


def box(kind, body):
    return struct.pack(">I", 8 + len(body)) + kind + body


def boxed(name, codestream, bits, colour, *more):
    """A JP2 file of a codestream and the boxes of its header."""
    at = start_of(codestream)
    right, bottom, left, top = struct.unpack(">4I", codestream[at + 8 : at + 24])
    count = struct.unpack(">H", codestream[at + 40 : at + 42])[0]
    ihdr = box(b"ihdr", struct.pack(">IIHBBBB", bottom - top, right - left, count, bits - 1, 7, 0, 0))
    header = box(b"jp2h", ihdr + colour + b"".join(more))
    kind = box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
    (OUT / name).write_bytes(kind + header + box(b"jp2c", codestream))


def enumerated(number, about=b""):
    return box(b"colr", struct.pack(">BBBI", 1, 0, 0, number) + about)


def codestream(image, *options, **more):
    compress("plain.j2k", image, *options, **more)
    data = (OUT / "plain.j2k").read_bytes()
    (OUT / "plain.j2k").unlink()
    return data


def halvings(image, *options, **more):
    """A codestream and its resolutions."""
    compress("plain.j2k", image, *options, **more)
    return levels_of("plain.j2k"), (OUT / "plain.j2k").read_bytes()


def definitions(*channels):
    return box(b"cdef", struct.pack(">H", len(channels)) + b"".join(struct.pack(">HHH", *c) for c in channels))


def unassociated(level):
    colours, alpha = level[:, :, :-1].astype(float), level[:, :, -1:].astype(float)
    divided = numpy.minimum(255, numpy.floor(colours * 255 / numpy.maximum(alpha, 1) + 0.5))
    out = numpy.where(alpha == 0, colours, divided)
    return numpy.concatenate([out, alpha], axis=2).astype(numpy.uint8)


def colours():
    """What boxes make of components."""
    rgba, gray = picture(301, 203, 4), picture(301, 203, 1)
    levels, data = halvings(rgba)
    srgb = enumerated(16)
    feature = "JPEG 2000, alpha"
    boxed("jp2-alpha.jp2", data, 8, srgb, definitions((0, 0, 1), (1, 0, 2), (2, 0, 3), (3, 1, 0)))
    record("jp2-alpha.jp2", levels, feature=feature)
    boxed("jp2-alpha-undescribed.jp2", data, 8, srgb)
    record("jp2-alpha-undescribed.jp2", levels, feature=feature)
    boxed("jp2-alpha-associated.jp2", data, 8, srgb, definitions((0, 0, 1), (1, 0, 2), (2, 0, 3), (3, 2, 0)))
    record("jp2-alpha-associated.jp2", [unassociated(level) for level in levels], 1, feature=feature)
    boxed("jp2-alpha-none.jp2", data, 8, srgb, definitions((0, 0, 1), (1, 0, 2), (2, 0, 3), (3, 65535, 65535)))
    record("jp2-alpha-none.jp2", [level[:, :, :3] for level in levels], feature="JPEG 2000, channels in any order")
    boxed("jp2-alpha-first.jp2", data, 8, srgb, definitions((3, 0, 1), (2, 0, 2), (1, 0, 3), (0, 1, 0)))
    record("jp2-alpha-first.jp2", [level[:, :, ::-1] for level in levels], feature="JPEG 2000, channels in any order")
    boxed("jp2-cmyk.jp2", data, 8, enumerated(12))
    record("jp2-cmyk.jp2", levels, colour="cmyk", feature="JPEG 2000, CMYK")
    levels, data = halvings(rgba[:, :, :2])
    boxed("jp2-gray-alpha.jp2", data, 8, enumerated(17), definitions((0, 0, 1), (1, 1, 0)))
    record("jp2-gray-alpha.jp2", levels, feature=feature)
    levels, data = halvings(rgba[:, :, :3])
    boxed("jp2-profile.jp2", data, 8, box(b"colr", b"\2\0\0" + PROFILE))
    record("jp2-profile.jp2", levels, feature="JPEG 2000, with a profile", icc=len(PROFILE))
    boxed("jp2-lab.jp2", data, 8, enumerated(14))
    record("jp2-lab.jp2", [lab(level) for level in levels], 0.001, colour="lab", feature="JPEG 2000, CIELAB")
    ranges = enumerated(14, struct.pack(">7I", 100, 0, 255, 128, 255, 128, 0x00443530))
    boxed("jp2-lab-ranges.jp2", data, 8, ranges)
    expected = [lab(level, (100, 0, 255, 128, 255, 128)) for level in levels]
    record("jp2-lab-ranges.jp2", expected, 0.001, colour="lab", feature="JPEG 2000, CIELAB")
    palettes(gray)
    differences()


def lab(level, codes=(100, 0, 170, 128, 200, 96)):
    codes = numpy.array(codes, float)
    return ((level - codes[1::2]) * codes[::2] / 255).astype(numpy.float32)


def palettes(gray):
    feature = "JPEG 2000, palette"
    table = numpy.random.default_rng(3).integers(0, 256, (256, 3)).astype(numpy.uint8)
    levels, data = halvings(gray)
    pclr = box(b"pclr", struct.pack(">HB3B", 256, 3, 7, 7, 7) + table.tobytes())
    cmap = box(b"cmap", bytes([0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 1, 2]))
    boxed("jp2-palette.jp2", data, 8, enumerated(16), pclr, cmap)
    record("jp2-palette.jp2", [table[level[:, :, 0]] for level in levels], feature=feature)
    # Four colours of two bits, and sixteen bits in the table.
    few = imagecodecs.jpeg2k_encode(gray[:, :, 0] >> 6, level=0, bitspersample=2, codecformat="j2k")
    (OUT / "few.j2k").write_bytes(few)
    levels, data = levels_of("few.j2k"), few
    table = numpy.array([[0, 65535, 300], [65535, 0, 0], [1000, 2000, 3000], [9, 9, 40000]])
    pclr = box(b"pclr", struct.pack(">HB3B", 4, 3, 15, 15, 15) + table.astype(">u2").tobytes())
    boxed("jp2-palette-16.jp2", data, 2, enumerated(16), pclr, cmap)
    table = ((table * 510 + 65535) // 131070).astype(numpy.uint8)
    record("jp2-palette-16.jp2", [table[level[:, :, 0]] for level in levels], feature=feature)


def differences():
    """Luma and differences of colour, also subsampled, as opj_decompress makes them RGB."""
    feature = "JPEG 2000, sYCC, subsampled or not"
    luma, other = picture(302, 204, 1), picture(302, 204, 2, seed=4)
    for name, x, y in [("444", 1, 1), ("422", 2, 1), ("420", 2, 2)]:
        parts = [luma, other[::y, ::x, :1], other[::y, ::x, 1:]]
        samples = b"".join(part.tobytes() for part in parts)
        steps = ((204, 302, 3), f"@1x1:{x}x{y}:{x}x{y}")
        for tile in [None, 128]:
            tiles = ("-t", f"{tile},{tile}") if tile else ()
            data = codestream(samples, "-mct", 0, *tiles, steps=steps)
            file = f"jp2-sycc-{name}{'-tiled' if tile else ''}.jp2"
            boxed(file, data, 8, enumerated(18))
            record(file, sycc_levels(parts, (x, y), tile), 1, feature=feature)
    data = codestream(samples, "-mct", 0, steps=steps)
    (OUT / "jp2-sycc-bare.j2k").write_bytes(data)
    record("jp2-sycc-bare.j2k", sycc_levels(parts, (2, 2), None), 1, feature=feature)


def sycc_levels(parts, steps, tile):
    """Each component is halved alone, then brought to the size of the first one."""
    alone = []
    for part, (x, y) in zip(parts, [(1, 1), steps, steps]):
        tiles = ("-t", f"{tile // x},{tile // y}") if tile else ()
        levels = halvings(part, *tiles)[0]
        alone.append([level.repeat(y, 0).repeat(x, 1) for level in levels])
    levels = []
    for luma, *others in zip(*alone):
        height, width = luma.shape[:2]
        full = [luma, *(other[:height, :width] for other in others)]
        levels.append(to_rgb(numpy.concatenate(full, axis=2)))
    return levels


def to_rgb(image):
    y, cb, cr = (image[:, :, at].astype(float) - (128 if at else 0) for at in range(3))
    rgb = numpy.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], axis=2)
    return numpy.floor(numpy.clip(rgb, 0, 255) + 0.5).astype(numpy.uint8)


def high_throughput():
    """Part 15, as OpenJPH writes it."""
    colour = picture(700, 500)
    feature = "JPEG 2000, part 15 (HTJ2K)"
    for name, options in [
        ("plain", {"reversible": True}),
        ("tiled", {"reversible": True, "tile": (256, 256), "tlm": True}),
        ("lossy", {"reversible": False, "level": 0.005}),
    ]:
        file = f"jp2-ht-{name}.jph"
        data = imagecodecs.htj2k_encode(colour, **options)
        boxed(file, data, 8, enumerated(16))
        record(file, levels_of(file), int(name == "lossy"), feature=feature)
    data = imagecodecs.htj2k_encode(picture(2600, 420, 1)[:, :, 0], reversible=True)
    (OUT / "jp2-ht-wide.jhc").write_bytes(data)
    record("jp2-ht-wide.jhc", levels_of("jp2-ht-wide.jhc"), feature=feature)
    gray = picture(301, 203, 1)[:, :, 0].astype(numpy.uint16) * 257
    (OUT / "jp2-ht-16.jhc").write_bytes(imagecodecs.htj2k_encode(gray, reversible=True))
    record("jp2-ht-16.jhc", levels_of("jp2-ht-16.jhc", numpy.uint16), feature=feature)


def by_openjph(name, image, *options, bits=8, signed=False):
    """Writes a codestream of part 15 by ojph_compress."""
    height, width, count = image.shape
    if signed:
        source = "in.raw"
        (OUT / source).write_bytes(planes(image))
        options += ("-dims", f"{{{width},{height}}}", "-num_comps", count, "-downsamp", "{1,1}")
        options += ("-signed", "true", "-bit_depth", bits)
    else:
        source = "in.ppm" if count == 3 else "in.pgm"
        head = b"P%d\n%d %d\n%d\n" % (6 if count == 3 else 5, width, height, 2**bits - 1)
        (OUT / source).write_bytes(head + image.astype(">u2" if bits > 8 else "u1").tobytes())
    run("ojph_compress", "-i", source, "-o", "plain.j2c", *options)
    (OUT / source).unlink()
    (OUT / "plain.j2c").rename(OUT / name)


LOSSLESS = ("-reversible", "true")
LOSSY = ("-qstep", "0.01")


def high_throughput_codings():
    """Every way to cut and order code-blocks that ojph_compress knows, without and with loss."""
    colour, gray = picture(700, 500), picture(301, 203, 1)
    of_all = "JPEG 2000, part 15 (HTJ2K), "
    small = [(1, 1), (1, 67), (131, 1), (2, 3), (5, 2), (3, 7), (66, 65)]
    for feature, files in [
        (
            "code-blocks of any size",
            [
                (f"blocks-{across}x{down}", gray, ("-block_size", f"{{{across},{down}}}"))
                for across, down in [(4, 1024), (1024, 4), (32, 32), (64, 64), (16, 128), (128, 32), (4, 4)]
            ],
        ),
        (
            "precincts and every order of packets",
            [
                (f"order-{order.lower()}", colour, ("-prog_order", order, "-precincts", "{128,128},{64,128},{256,256}"))
                for order in ["LRCP", "RLCP", "RPCL", "PCRL", "CPRL"]
            ],
        ),
        (
            "tiles of any size and offset",
            [
                ("tiles-256", colour, ("-tile_size", "{256,256}")),
                ("tiles-odd", colour, ("-tile_size", "{97,131}", "-image_offset", "{37,21}", "-tile_offset", "{11,5}")),
                ("tiles-none", colour, ("-image_offset", "{1001,333}", "-tile_size", "{1800,900}")),
                ("tiles-flat", gray, ("-num_decomps", "0")),
                ("tiles-deep", gray, ("-num_decomps", "8")),
            ],
        ),
        (
            "down to a single pixel",
            [(f"small-{width}x{height}", picture(width, height, 1), ()) for width, height in small],
        ),
    ]:
        for file, image, options in files:
            for kind, loss in [("", LOSSLESS), ("-lossy", LOSSY)]:
                name = f"jp2-ht-{file}{kind}.j2c"
                by_openjph(name, image, *options, *loss)
                record(name, levels_of(name), int(bool(kind)), feature=of_all + feature)


def high_throughput_depths():
    """Bits and signs."""
    gray, colour = picture(301, 203, 1), picture(301, 203)
    feature = "JPEG 2000, part 15 (HTJ2K), 8 to 16 bit"
    noise = numpy.random.default_rng(6).integers(0, 256, colour.shape)
    wide = colour.astype(numpy.uint16) * 256 + noise.astype(numpy.uint16)
    for bits in [10, 12, 16]:
        name = f"jp2-ht-{bits}-bit.j2c"
        by_openjph(name, wide >> (16 - bits), *LOSSLESS, bits=bits)
        record(name, levels_of(name, numpy.uint16, scaled(bits)), feature=feature)
    by_openjph("jp2-ht-16-bit-lossy.j2c", wide, "-qstep", "0.0001", bits=16)
    record("jp2-ht-16-bit-lossy.j2c", levels_of("jp2-ht-16-bit-lossy.j2c", numpy.uint16), 1, feature=feature)
    as_float = lambda level: level.astype(numpy.float32)
    feature = "JPEG 2000, part 15 (HTJ2K), signed, in units of the file"
    signed = (wide[:, :, :1].astype(numpy.int32) - 32768).astype(numpy.int16)
    for name, image, bits in [("8", (gray.astype(numpy.int16) - 128).astype(numpy.int8), 8), ("16", signed, 16)]:
        name = f"jp2-ht-signed-{name}.j2c"
        by_openjph(name, image, *LOSSLESS, bits=bits, signed=True)
        dtype = numpy.int8 if bits == 8 else numpy.int16
        record(name, levels_of(name, dtype, as_float), feature=feature)


class HeaderBits:
    """Bits of a packet's header, read from bytes or put together to them."""

    def __init__(self, data=b""):
        self.data, self.at, self.left, self.byte = data, 0, 0, 0
        self.written = []

    def read(self, count=1):
        number = 0
        for _ in range(count):
            if not self.left:
                self.left = 7 if self.byte == 255 else 8
                self.byte = self.data[self.at]
                self.at += 1
            self.left -= 1
            number = number * 2 + (self.byte >> self.left & 1)
        return number

    def end(self):
        """Where the header ends: after a byte of ones comes one more."""
        return self.at + (self.byte == 255)

    def write(self, number, count):
        self.written += [number >> (count - 1 - at) & 1 for at in range(count)]

    def bytes(self):
        out, bits = bytearray(), list(self.written)
        while bits or (out and out[-1] == 255):
            count = 7 if out and out[-1] == 255 else 8
            taken, bits = bits[:count], bits[count:]
            out.append(int("".join(map(str, taken + [0] * (count - len(taken)))), 2))
        return bytes(out)


def refined_packet(data, bands, random, passes):
    """A packet with a code-block in each band, whose cleanup passes are followed by others of random bytes: the
    packet, and the bytes that it was made of."""
    old, new, blocks, bodies = HeaderBits(data), HeaderBits(), [], []
    if not old.read():
        return b"\0", 1
    new.write(1, 1)
    for _ in range(bands):
        included = old.read()
        new.write(included, 1)
        if not included:
            continue
        while not old.read():
            new.write(0, 1)
        new.write(1, 1)
        assert old.read() == 0, "more than a cleanup pass"
        count = 3
        while old.read():
            count += 1
        more = random.integers(0, 256, random.integers(1, 900)).astype(numpy.uint8)
        # Any bytes will do, but for high ones behind one of ones, and one of ones at the end.
        more[1:][more[:-1] == 255] &= 127
        more[-1] &= 127
        more = more.tobytes()
        length = old.read(count)
        needed = max(length.bit_length(), len(more).bit_length())
        new.write(0b10 if passes == 2 else 0b1100, 2 if passes == 2 else 4)
        new.write(2 ** (needed - 3 + 1) - 2, needed - 3 + 1)
        new.write(length, needed)
        new.write(len(more), needed + (passes == 3))
        blocks.append(length)
        bodies.append(more)
    at, body = old.end(), b""
    for length, more in zip(blocks, bodies):
        body += data[at : at + length] + more
        at += length
    return new.bytes() + body, at


def refined(name, image, passes, levels, *, guard=1, style=0, depth=None):
    """Adds passes of random bytes to the code-blocks of a file that has one for each sub-band of a tile, and
    planes of bits below the cleanup pass: ojph_compress writes none of either."""
    data = bytearray((OUT / name).read_bytes())
    random = numpy.random.default_rng(len(data))
    if depth:
        data[data.index(b"\xff\x51") + 40] = depth
    data[data.index(b"\xff\x52") + 12] |= style
    data[data.index(b"\xff\x5c") + 4] += guard << 5
    at = data.index(b"\xff\x90")
    out = bytes(data[:at])
    while data[at : at + 2] == b"\xff\x90":
        length = struct.unpack(">I", data[at + 6 : at + 10])[0]
        start = data.index(b"\xff\x93", at) + 2
        body, from_ = b"", start
        for resolution in range(levels + 1):
            packet, used = refined_packet(bytes(data[from_ : at + length]), 3 if resolution else 1, random, passes)
            body += packet
            from_ += used
        assert from_ == at + length
        head = bytes(data[at : at + 6]) + struct.pack(">I", start - at + len(body)) + bytes(data[at + 10 : start])
        out += head + body
        at += length
    (OUT / name).write_bytes(out + bytes(data[at:]))


def high_throughput_refinement():
    """SigProp and MagRef passes of random bytes, which always say something."""
    gray = picture(301, 203, 1)
    faint = (gray // 16 + 120).astype(numpy.uint8)
    as_float = lambda level: level.astype(numpy.float32)
    feature = "JPEG 2000, part 15 (HTJ2K), passes that refine"
    for number, (tile, block, levels, passes, more) in enumerate(
        [
            ((64, 64), (64, 64), 0, 3, {}),
            ((64, 64), (64, 64), 0, 2, {"guard": 2}),
            ((64, 64), (64, 64), 0, 3, {"style": 8}),
            ((64, 64), (32, 32), 1, 3, {"guard": 2}),
            ((1024, 4), (1024, 4), 0, 3, {}),
            ((16, 256), (16, 256), 0, 3, {"style": 8, "guard": 2}),
            ((32, 128), (16, 64), 1, 2, {"style": 8}),
        ]
    ):
        for kind, loss, image, depth in [("", LOSSLESS, gray, 0x8F), ("-lossy", ("-qstep", "0.002"), faint, 0x87)]:
            name = f"jp2-ht-refined-{number}{kind}.j2c"
            cut = ("-tile_size", "{%d,%d}" % tile, "-block_size", "{%d,%d}" % block, "-num_decomps", levels)
            by_openjph(name, image[number:, 3 * number :], *cut, *loss)
            refined(name, image, passes, levels, depth=depth, **more)
            dtype = numpy.int8 if kind else numpy.int16
            record(name, levels_of(name, dtype, as_float), int(bool(kind)), feature=feature)


def refused():
    data = codestream(picture(64, 64))
    boxed("jp2-refused-space.jp2", data, 8, enumerated(21))
    refuse("jp2-refused-space.jp2", "enumerated colour space 21", "JPEG 2000, other colour spaces")
    at = data.index(b"\xff\x52")
    for name, offset, value, words, feature in [
        ("mct", 8, 2, "multiple component transformation 2", "JPEG 2000, transformations over components of part 2"),
        ("wavelet", 13, 2, "wavelet transformation 2", "JPEG 2000, wavelets of part 2"),
        ("mixed", 12, 192, "code-blocks of parts 1 and 15", "JPEG 2000, code-blocks of parts 1 and 15 in one component"),
    ]:
        changed = bytearray(data)
        changed[at + offset] = value
        (OUT / f"jp2-refused-{name}.j2k").write_bytes(changed)
        refuse(f"jp2-refused-{name}.j2k", words, feature)


def jpeg_2000():
    codings()
    apart()
    depths()
    colours()
    high_throughput()
    high_throughput_codings()
    high_throughput_depths()
    high_throughput_refinement()
    refused()
    for left in ["plain.j2k", "few.j2k"]:
        (OUT / left).unlink(missing_ok=True)
