"""Opens what the tests wrote with Pillow and tifffile and holds it against the samples beside it.

    python3 tests/golden/check.py FOLDER        (FOLDER/checks.json says what)
"""

import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import imagecodecs
import numpy
import tifffile
from jpeg2000_fixtures import decompressed, start_of
from PIL import Image, ImageCms, ImageOps

FOLDER = Path(sys.argv[1])
# Numbers of pages from which on they are SubIFDs of the first.
SUB_IFDS = 1000
SRGB = ImageCms.createProfile("sRGB")
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def picture_fault(check, expected):
    """What is wrong with a picture, or None."""
    data = (FOLDER / check["picture"]).read_bytes()
    if check["picture"].endswith(".tif"):
        return tiff_fault(data, check, expected)
    image = Image.open(io.BytesIO(data))
    image.load()
    # WebP has no gray.
    mode = check.get("mode", MODES[check["bands"]])
    if image.mode != mode:
        return f"mode {image.mode} instead of {mode}"
    shape = (check["height"], check["width"], check["bands"])
    found = numpy.asarray(image).reshape(*shape[:2], -1)[:, :, -shape[2] :]
    profile = image.info.get("icc_profile") or b""
    if profile != ((FOLDER / check["icc"]).read_bytes() if "icc" in check else b""):
        return f"a profile of {len(profile)} bytes"
    if data.startswith(b"\xff\xd8") and data.count(b"\xff\xd9", len(data) - 2) != 1:
        return "no end of image"
    if "subsampling" in check:
        factors = "x".join(str(factor) for factor in image.layer[0][1:3])
        if factors != check["subsampling"] or [layer[1:3] for layer in image.layer[1:]] != [(1, 1)] * 2:
            return f"subsampling {image.layer}"
    return difference(found, expected.reshape(shape), check)


def tiff_fault(data, check, expected):
    """What is wrong with a TIFF that we wrote, or None."""
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        page = file.pages[0]
        found = page.asarray()
        profile = page.iccprofile or b""
        alpha = page.extrasamples
    bands = len(check["mode"]) if "mode" in check else check["bands"]
    found = found.reshape(check["height"], check["width"], bands)[:, :, -check["bands"] :]
    if profile != ((FOLDER / check["icc"]).read_bytes() if "icc" in check else b""):
        return f"a profile of {len(profile)} bytes"
    if [int(kind) for kind in alpha] != ([2] if check["bands"] in (2, 4) else []):
        return f"extra samples {alpha}"
    if found.dtype != expected.dtype:
        return f"samples of type {found.dtype}"
    return difference(found, expected.reshape(found.shape), check)


def deep_fault(check, expected):
    """What is wrong with a picture of 10, 16 or 32 bits, or None."""
    expected = expected.view({"u16": numpy.uint16, "f32": numpy.float32}[check["samples"]])
    name = check["deep"]
    data = (FOLDER / name).read_bytes()
    if name.endswith(".tif"):
        return tiff_fault(data, check, expected)
    shape = (check["height"], check["width"])
    if name.endswith(".avif"):
        # One plane is given as three.
        found = imagecodecs.avif_decode(data).reshape(*shape, -1)
        if found.dtype != numpy.uint16 or found.max() > 1023:
            return f"samples of type {found.dtype} up to {found.max()}"
        found = found[:, :, -check["bands"] :] * (65535 / 1023)
    else:
        found = imagecodecs.png_decode(data)
        if found.dtype != numpy.uint16:
            return f"samples of type {found.dtype}"
    return difference(found.reshape(expected.reshape(*shape, -1).shape), expected.reshape(*shape, -1), check)


def page_fault(check, expected):
    """What is wrong with the samples decoded of a page of a TIFF, or None."""
    expected = expected.view({"u8": numpy.uint8, "u16": numpy.uint16, "f32": numpy.float32}[check["samples"]])
    with tifffile.TiffFile(check["tiff"]) as file:
        at = check["page"]
        page = file.pages[at] if at < SUB_IFDS else file.pages[0].pages[at - SUB_IFDS]
        found = upright(as_ours(page, check["tiff"]), page.tags.valueof(274, 1))
    return difference(found, expected.reshape(found.shape), check)


def upright(image, orientation):
    """The picture as TIFF 6.0, tag 274, says that it lies."""
    if orientation >= 5:
        image = image.swapaxes(0, 1)
        orientation = {5: 1, 6: 2, 7: 3, 8: 4}[orientation]
    return {1: image, 2: image[:, ::-1], 3: image[::-1, ::-1], 4: image[::-1]}[orientation]


def as_ours(page, path):
    """The pixels of a page as our decoder is to give them."""
    subsampled = page.photometric == 6 and page.compression != 7
    if subsampled:
        # Which tifffile leaves to others.
        with tempfile.TemporaryDirectory() as folder:
            plain = Path(folder) / "plain.tif"
            subprocess.run(["tiff2rgba", "-c", "none", path, plain], check=True, capture_output=True)
            return tifffile.imread(plain)[:, :, :3]
    image = page.asarray()
    if page.planarconfig == 2 and page.samplesperpixel > 1:
        image = numpy.moveaxis(image, 0, 2)
    image = image.reshape(*image.shape[:2], -1)
    bits, kind = page.bitspersample, page.sampleformat
    largest = (1 << bits) - 1 if bits < 64 else 0
    photometric = int(page.photometric)
    if photometric == 3:
        colours = page.colormap if page.colormap.max() < 256 else page.colormap >> 8
        return numpy.moveaxis(colours.astype(numpy.uint8)[:, image[:, :, 0]], 0, 2)
    if photometric == 8:
        lightness, differences = image[:, :, :1] * (100 / largest), image[:, :, 1:3].astype(numpy.int8)
        return numpy.concatenate([lightness, differences], axis=2).astype(numpy.float32)
    if kind != 1 or bits > 16:
        image = image.astype(numpy.float32)
    elif bits not in (8, 16):
        wide = 255 if bits < 8 else 65535
        image = (image.astype(numpy.uint64) * wide + largest // 2) // largest
        image = image.astype(numpy.uint8 if bits < 8 else numpy.uint16)
    if photometric == 0:
        image = numpy.iinfo(image.dtype).max - image
    colours = {0: 1, 1: 1, 5: 4}.get(photometric, 3)
    if page.extrasamples and int(page.extrasamples[0]) == 1 and image.dtype == numpy.uint8:
        plain, alpha = image[:, :, :colours].astype(int), image[:, :, colours : colours + 1].astype(int)
        divided = numpy.minimum(255, (plain * 255 + alpha // 2) // numpy.maximum(alpha, 1))
        return numpy.concatenate([numpy.where(alpha == 0, plain, divided), alpha], axis=2)
    return image


def flat_fault(check, expected):
    """What is wrong with the samples decoded of a file without tiles, or None: of its first picture, or of
    a JPEG decoded at one over a power of two."""
    if check["samples"] == "u16":
        # Pillow has the high bytes.
        expected = expected.view(numpy.uint16) >> 8
    with Image.open(check["tiff"]) as image:
        if check["page"]:
            image.draft(None, [side >> check["page"] for side in image.size])
        if image.mode == "P":
            image = image.convert("RGBA" if "transparency" in image.info else "RGB")
        found = numpy.asarray(ImageOps.exif_transpose(image))
    return difference(found, expected.reshape(found.shape), check)


def jpeg_2000_fault(check, expected):
    """What is wrong with the samples decoded of a resolution of a JPEG 2000 file, or None."""
    kind = {"u8": numpy.uint8, "u16": numpy.uint16}[check["samples"]]
    data = Path(check["tiff"]).read_bytes()
    # Of the codestream alone: profiles would be applied.
    (FOLDER / "alone.j2k").write_bytes(data[start_of(data) :])
    exif = Image.Exif()
    if b"JpgTiffExif->JP2" in data:
        exif.load(b"Exif\0\0" + data[data.index(b"JpgTiffExif->JP2") + 16 :])
    found = upright(decompressed("alone.j2k", check["page"], kind), exif.get(274, 1))
    return difference(found, expected.view(kind).reshape(found.shape), check)


def shown_fault(check, expected):
    """What is wrong with what an answer shows of a file, or None: by Pillow's own conversion, by the
    file's profile, or as L*a*b*."""
    with Image.open(check["shown"]) as image:
        if check["by"] == "pillow":
            found = image.convert(MODES[check["bands"]])
        else:
            embedded = io.BytesIO(image.info.get("icc_profile", b""))
            lab = check["by"] == "lab"
            profile = ImageCms.createProfile("LAB") if lab else ImageCms.ImageCmsProfile(embedded)
            # Of inks by the table that Little CMS makes of a profile unless told otherwise, as we do.
            flags = ImageCms.Flags.NONE if image.mode == "CMYK" else ImageCms.Flags.NOOPTIMIZE
            intent = ImageCms.Intent.PERCEPTUAL
            to_srgb = ImageCms.buildTransform(profile, SRGB, image.mode, "RGB", intent, flags)
            found = ImageCms.applyTransform(image, to_srgb)
    found = numpy.asarray(found)
    return difference(found, expected.reshape(found.shape), check)


def difference(found, expected, check):
    off = numpy.abs(found.astype(float) - expected.astype(float))
    if off.max() > check["off_max"] or off.mean() > check.get("off_mean", 255):
        return f"off by {off.max()}, {off.mean():.2f} in the mean"
    return None


def main():
    checks = json.loads((FOLDER / "checks.json").read_text())
    faults = 0
    for check in checks:
        expected = numpy.fromfile(FOLDER / check["raw"], numpy.uint8)
        if "picture" in check:
            fault = picture_fault(check, expected)
        elif "deep" in check:
            fault = deep_fault(check, expected)
        elif "shown" in check:
            fault = shown_fault(check, expected)
        else:
            kinds = {".tif": page_fault, ".tiff": page_fault, ".svs": page_fault}
            kinds |= {".jp2": jpeg_2000_fault, ".jph": jpeg_2000_fault}
            fault = kinds.get(Path(check["tiff"]).suffix, flat_fault)(check, expected)
        if fault:
            print(check.get("picture") or check.get("deep") or check.get("tiff") or check["shown"], check["raw"], fault)
            faults += 1
    print(f"{len(checks) - faults} right")
    sys.exit(1 if faults else 0)


main()
