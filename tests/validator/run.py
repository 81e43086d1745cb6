"""Runs every test of the IIIF validator that it can pass itself, for 1.1, 2.0 and 3.0, against TESSERA_URL.

The number of tests is part of the check: a validator that finds nothing to do proves nothing.
"""

import os
import sys
import traceback

from iiif_validator.validator import ImageAPI, TestSuite, ValidationInfo

IDENTIFIER = "67352ccc-d1b0-11e1-89ae-279075081939.tif"
LEVEL = 3
# Version -> path prefix, tests of level 3 and below in iiif-validator 1.0.5.
VERSIONS = {"1.1": ("iiif/1", 37), "2.0": ("iiif/2", 42), "3.0": ("iiif/3", 45)}
# What fails, and why that is right. One that passes is an error too: it is no exception any more.
NO_JP2 = "JPEG 2000 is read and not written"
OUTDATED = "the test itself calls what Python 3 and its libmagic do not have"
EXCEPTIONS = {
    ("1.1", "format_jp2"): NO_JP2,
    ("2.0", "format_jp2"): NO_JP2,
    ("3.0", "format_jp2"): NO_JP2,
    ("1.1", "format_pdf"): OUTDATED,
    ("2.0", "format_pdf"): OUTDATED,
    ("3.0", "format_pdf"): OUTDATED,
    ("2.0", "format_webp"): OUTDATED,
    ("3.0", "format_webp"): OUTDATED,
    ("3.0", "size_up"): "wants ^max to be no larger than the image, whatever maxWidth says",
}


def run_test(name, server, prefix, version):
    result = ImageAPI(IDENTIFIER, server, prefix, "http", "", version, debug=False)
    try:
        TestSuite(ValidationInfo()).run_test(name, result)
    except Exception:  # The validator's own tests raise whatever a wrong answer makes them stumble over.
        return traceback.format_exc()
    fault = result.exception
    if fault:
        return f"asked {result.urls}\n got {fault.got!r}, wanted {fault.expected!r}: {fault.message}"
    return None


def main():
    server = os.environ["TESSERA_URL"].removeprefix("http://")
    passed = failed = excepted = 0
    for version, (prefix, expected) in VERSIONS.items():
        tests = TestSuite(ValidationInfo()).list_tests(version)
        names = sorted(name for name, test in tests.items() if test["level"] <= LEVEL)
        if len(names) != expected:
            sys.exit(f"{version}: {len(names)} tests of level {LEVEL}, expected {expected}")
        for name in names:
            fault = run_test(name, server, prefix, version)
            reason = EXCEPTIONS.get((version, name))
            if reason and fault is None:
                fault = f"passes, though an exception: {reason}"
            elif reason:
                excepted += 1
                continue
            passed, failed = passed + (fault is None), failed + (fault is not None)
            if fault:
                print(f"{version} {name}: FAILED\n {fault}")
    print(f"IIIF validator: {passed} passed, {failed} failed, {excepted} exceptions")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
