"""Pictures whose profiles are not sRGB: `shown.rs` asks what an answer makes of them."""

from pathlib import Path

import tifffile
from making import OUT, picture, record

PROFILES = Path(__file__).parent / "profiles"


def colours():
    """A press's inks, and a gamut much larger than a screen's."""
    for name, bands, profile, photometric, extra in [
        ("colour-cmyk.tif", 4, "cmyk.icc", "separated", {"colour": "cmyk"}),
        ("colour-prophoto.tif", 3, "prophoto.icc", "rgb", {}),
    ]:
        image = picture(301, 203, bands)
        tifffile.imwrite(OUT / name, image, photometric=photometric, tile=(64, 64), compression="zlib",
                         iccprofile=(PROFILES / profile).read_bytes(), metadata=None, software=False)
        record(name, [image], feature="TIFF, with a profile", **extra)
