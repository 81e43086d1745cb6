"""Holds resized answers of 16 bits and floats against what Pillow makes of their sources in floats.

python check_depths.py CASES.json
"""

import json
import sys
from pathlib import Path

import numpy
import tifffile
from PIL import Image


def opened(path):
    return tifffile.imread(path) if path.endswith(".tiff") else numpy.asarray(Image.open(path))


def main(manifest):
    cases = json.loads(Path(manifest).read_text())
    assert len(cases) == 4
    for case in cases:
        stored = tifffile.imread(case["source"])
        source = stored.astype(numpy.float32)
        found = opened(case["file"])
        assert found.dtype != numpy.uint8, case
        rows, columns = found.shape
        expected = numpy.asarray(Image.fromarray(source).resize((columns, rows), Image.Resampling.BICUBIC))
        if stored.dtype == numpy.uint16:
            # Whole numbers are cut off at their ends, where filters overshoot.
            expected = expected.clip(0, 65535)
        worst = numpy.abs(expected - found).max()
        # What is less than half the size is made of means of four.
        limit = 1 if source.shape[1] < 2 * columns else numpy.ptp(source) / 500
        assert worst < limit, f"{case}: differs by {worst}"


main(sys.argv[1])
