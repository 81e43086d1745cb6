"""What all fixtures are made with: the folder, pictures, and the manifest that says what is expected."""

import subprocess
import sys
from pathlib import Path

import numpy

OUT = Path(sys.argv[1])
MANIFEST = []
REFUSED = []


def picture(width, height, bands=3, seed=1):
    """Gradients, shapes and some noise."""
    noise = numpy.random.default_rng(seed).integers(0, 24, (height, width, bands))
    y, x = numpy.mgrid[0:height, 0:width]
    out = numpy.zeros((height, width, bands), numpy.int64)
    for band in range(bands):
        out[:, :, band] = (x * (band + 1) + y * (3 - band % 3)) * 255 // (3 * (width + height))
    out[((x - width // 2) ** 2 + (y - height // 2) ** 2) < (min(width, height) // 3) ** 2] += 90
    out[(x // 16 + y // 16) % 5 == 0] -= 40
    return numpy.clip(out + noise, 0, 255).astype(numpy.uint8)


def halves(image, count, up=False):
    """The image and `count` more, each half the one before."""
    levels = [image]
    for _ in range(count):
        last = levels[-1]
        rows = last.shape[0] + 1 if up else last.shape[0]
        columns = last.shape[1] + 1 if up else last.shape[1]
        half = last[: max(1, rows // 2 * 2) : 2, : max(1, columns // 2 * 2) : 2]
        levels.append(half if up else half[: max(1, last.shape[0] // 2), : max(1, last.shape[1] // 2)])
    return levels


def record(name, levels, tolerance=0, *, feature, **extra):
    """Adds a file of OUT and its expected levels, largest first, to the manifest.

    Levels are arrays of height x width x bands of uint8, uint16 or float32, as our decoder is to give
    them. `feature` is the row of docs/formats.md that it proves, which several may share; `tolerance` is in
    units of a sample. Further keys: `colour` ("gray", "rgb", "cmyk", "lab"; default by the bands),
    `slice` (page number).
    """
    types = {"uint8": "u8", "uint16": "u16", "float32": "f32"}
    first = levels[0]
    entry = {"file": name, "bands": int(first.shape[2]), "samples": types[str(first.dtype)]}
    entry |= {"feature": feature, "tolerance": tolerance, "levels": []}
    for at, level in enumerate(levels):
        raw = f"{name}.{extra.get('slice', 0)}.{at}.raw"
        (OUT / raw).write_bytes(numpy.ascontiguousarray(level).tobytes())
        entry["levels"].append({"width": level.shape[1], "height": level.shape[0], "raw": raw})
    MANIFEST.append(entry | extra)


def refuse(name, words, feature):
    """Adds a file of OUT that is refused as unsupported with these words."""
    REFUSED.append({"file": name, "words": words, "feature": feature})


def run(*command):
    subprocess.run([str(part) for part in command], check=True, capture_output=True, cwd=OUT)
