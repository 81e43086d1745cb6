"""Reads answers with ExifTool and holds what they say against what tests/e2e/describe.args has written.

python check_metadata.py CASES.json
"""

import json
import subprocess
import sys
from pathlib import Path

TEXTS = {
    "ImageDescription": "What it shows",
    "Make": "Maker",
    "Model": "Model 1",
    "Software": "Scanner 3",
    "ModifyDate": "2026:11:22 10:11:12",
    "Artist": "Zo\u00eb Ada",
    "Copyright": "Rights of the file",
}


def read(files):
    command = ["exiftool", "-json", "-G1", "-n", "-struct", *files]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def check(case, tags):
    source, kind, format = case["source"], case["kind"], case["format"]
    if format == "gif":
        is_plain = source == "plain.tif"
        assert tags.get("File:Comment") == ("House rights" if is_plain else TEXTS["Copyright"]), f"{case}: {tags}"
        assert tags.get("XMP-dc:Title") == (None if is_plain else "Title in XMP"), case
        return
    told = [tag for tag in tags if tag.split(":")[0] in ("IFD0", "IPTC") or tag.startswith("XMP-")]
    if kind == "tile":
        assert told == [], f"{case}: {told}"
        return
    if source == "plain.tif":
        assert tags.get("IFD0:Copyright") == "House rights", case
        return
    for name, text in TEXTS.items():
        assert tags.get(f"IFD0:{name}") == text, f"{case}: {name} {tags.get('IFD0:' + name)}"
    assert tags.get("XMP-dc:Title") == "Title in XMP", case
    # The picture was turned: whatever says how it lies says upright.
    for tag in ("IFD0:Orientation", "XMP-tiff:Orientation"):
        assert tags.get(tag, 1) == 1, f"{case}: {tag} {tags[tag]}"
    assert tags.get("ExifIFD:FNumber") == 5.6, case
    if source in ("a.tif", "b.jpg") and format in ("jpeg", "tiff"):
        assert tags.get("IPTC:Keywords") == ["first", "second"], f"{case}: {tags.get('IPTC:Keywords')}"
    check_density(case, tags)
    if format == "png":
        assert tags["PNG:Author"] == "Zo\u00eb Ada" and tags["PNG:Copyright"] == "Rights of the file", case


def check_density(case, tags):
    """300 to the inch of the source, less what the answer is smaller."""
    widths = {"a.tif": 1411, "b.jpg": 600, "c.png": 600, "d.webp": 600}
    shown = 300 if case["kind"] == "export" else widths[case["source"]]
    expected = 300 * shown / widths[case["source"]]
    x, unit = tags["IFD0:XResolution"], tags["IFD0:ResolutionUnit"]
    assert unit == 2 and abs(x - expected) < 0.5, f"{case}: {x} to the unit {unit}, not {expected}"
    if case["format"] == "jpeg":
        assert abs(tags["JFIF:XResolution"] - expected) <= 0.5 and tags["JFIF:ResolutionUnit"] == 1, case
    if case["format"] == "png":
        assert abs(tags["PNG-pHYs:PixelsPerUnitX"] * 0.0254 - expected) < 0.5, case


def main(manifest):
    cases = json.loads(Path(manifest).read_text())
    for case, tags in zip(cases, read([case["file"] for case in cases]), strict=True):
        check(case, tags)


main(sys.argv[1])
