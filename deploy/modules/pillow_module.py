#!/usr/bin/env python3
"""A decoder module of Tessera for what Pillow opens and the server does not: PCX, TGA, PSD, PNM, SGI,
DDS, ICO and their kin, each as its first picture.

    tessera serve DIR --modules-programs /path/to/pillow_module.py

Needs Python 3.9 and Pillow. A picture is decoded whole at its first tile and kept while its image is
open; the server makes its smaller levels.
"""

import io

from PIL import Image, features

from tessera_module import Refused, serve

# Pixels of the largest picture: at four bytes each they fit the memory that a process has by default.
PIXELS_MAX = 100_000_000

TILE = 512

# Pillow's format, suffixes, magic where it has one.
FORMATS = [
    ("BLP", ["blp"], ["424c5031", "424c5032"]),
    ("DDS", ["dds"], ["44445320"]),
    ("ICNS", ["icns"], ["69636e73"]),
    ("ICO", ["ico"], ["00000100"]),
    ("PCX", ["pcx"], ["0a0501", "0a0301", "0a0201"]),
    ("PPM", ["ppm", "pgm", "pbm", "pnm", "pfm"], ["503120", "50310a", "503220", "50320a", "503320",
        "50330a", "503420", "50340a", "503520", "50350a", "503620", "50360a", "50460a", "50660a"]),
    ("PSD", ["psd"], ["38425053"]),
    ("QOI", ["qoi"], ["716f6966"]),
    ("SGI", ["sgi", "bw", "rgb", "rgba"], ["01da"]),
    ("SUN", ["ras"], ["59a66a95"]),
    ("TGA", ["tga", "icb", "vda", "vst"], []),
    ("XBM", ["xbm"], []),
    ("XPM", ["xpm"], ["2f2a2058504d202a2f"]),
]
if features.check("avif"):
    FORMATS.append(("AVIF", ["avif"], ["6674797061766966@4", "6674797061766973@4"]))

# Pillow's mode: what it is converted to, colour model, alpha, type of the samples, their bits.
MODES = {
    "1": ("L", "gray", False, "u8", 1),
    "L": ("L", "gray", False, "u8", 8),
    "LA": ("LA", "gray", True, "u8", 8),
    "RGB": ("RGB", "rgb", False, "u8", 8),
    "RGBA": ("RGBA", "rgb", True, "u8", 8),
    "RGBX": ("RGB", "rgb", False, "u8", 8),
    "CMYK": ("CMYK", "cmyk", False, "u8", 8),
    "YCbCr": ("RGB", "rgb", False, "u8", 8),
    "HSV": ("RGB", "rgb", False, "u8", 8),
    "I;16": ("I;16", "gray", False, "u16", 16),
    "I;16L": ("I;16", "gray", False, "u16", 16),
    "I;16B": ("F", "gray", False, "f32", 16),
    "I": ("F", "gray", False, "f32", 32),
    "F": ("F", "gray", False, "f32", 32),
}


def is_word(extrema):
    """Whether whole numbers fit 16 bits without a sign."""
    least, most = extrema
    return 0 <= least and most <= 65_535


class Picture:
    """An open picture, decoded when its first tile is asked for."""

    def __init__(self, picture):
        self.picture = picture
        self.format = picture.format
        # A palette's entries may be transparent, which only its own pixels tell.
        indexed = "RGBA" if "transparency" in picture.info else "RGB"
        mode = indexed if picture.mode in ("P", "PA") else picture.mode
        if mode not in MODES:
            raise Refused("unsupported", f"{self.format} of mode {picture.mode}")
        if mode == "I" and is_word(picture.getextrema()):
            # What Pillow makes of 16-bit PNM.
            mode = "I;16"
        self.mode, self.colour, self.alpha, self.samples, self.bits = MODES[mode]
        self.is_decoded = False

    def describe(self):
        width, height = self.picture.size
        if PIXELS_MAX < width * height:
            raise Refused("unsupported", f"{self.format} of {width}x{height} pixels")
        description = {
            "format": self.format,
            "levels": [[width, height]],
            "tile": [TILE, TILE],
            "colour": self.colour,
            "alpha": self.alpha,
            "samples": self.samples,
            "bits": self.bits,
        }
        if self.samples == "f32":
            black, white = self.decoded().getextrema()
            description["ranges"] = [[black, white]]
        return description

    def profile(self):
        return self.picture.info.get("icc_profile")

    def decoded(self):
        if not self.is_decoded:
            # A truncated file raises here.
            self.picture.load()
            if self.picture.mode != self.mode:
                self.picture = self.picture.convert(self.mode)
            self.is_decoded = True
        return self.picture

    def pixels(self, level, left, top, width, height):
        if level != 0:
            raise Refused("malformed", f"there is no level {level}")
        return self.decoded().crop((left, top, left + width, top + height)).tobytes()


class Pillow:
    """The module."""

    suffixes = [suffix for _, suffixes, _ in FORMATS for suffix in suffixes]
    magic = [mark for _, _, marks in FORMATS for mark in marks]
    formats = [name for name, _, _ in FORMATS]

    def open(self, file, _suffix):
        return Picture(Image.open(io.BufferedReader(file), formats=self.formats))


if __name__ == "__main__":
    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    serve(Pillow())
