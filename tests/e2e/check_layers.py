"""Holds answers against what opj_decompress makes of as many quality layers.

python check_layers.py SOURCE.jp2 PAIRS.json
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
from PIL import Image


def decoded(source, layers, folder):
    out = Path(folder) / f"{layers}.png"
    subprocess.run(["opj_decompress", "-quiet", "-i", source, "-l", layers, "-o", out], check=True, capture_output=True)
    return numpy.asarray(Image.open(out))


def main(source, pairs):
    pairs = json.loads(Path(pairs).read_text())
    assert len(pairs) == 10
    with tempfile.TemporaryDirectory() as folder:
        expected = {layers: decoded(source, layers, folder) for _, layers in pairs}
        for file, layers in pairs:
            assert numpy.array_equal(numpy.asarray(Image.open(file)), expected[layers]), f"{file}: not {layers} layers"
        coarse = [numpy.abs(expected[layers].astype(int) - expected["0"]).mean() for layers in "1230"]
        assert coarse == sorted(coarse, reverse=True) and coarse[0] > 1, coarse


main(*sys.argv[1:])
