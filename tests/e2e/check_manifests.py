"""Reads manifests with iiif-prezi3, which raises on whatever the standard does not allow, and asks for the
images that they paint.

python check_manifests.py HOST:PORT
"""

import json
import sys
import urllib.request

from iiif_prezi3 import Manifest


def fetched(url):
    with urllib.request.urlopen(url) as answer:
        assert answer.status == 200, url
        return answer.read()


def check(address, name, canvases):
    url = f"http://{address}/presentation/3/{name}"
    document = json.loads(fetched(url))
    assert document["id"] == url, document["id"]
    manifest = Manifest(**document)
    found = [canvas.label["none"][0] for canvas in manifest.items]
    assert found == canvases, f"{name}: {found}"
    for canvas in document["items"]:
        body = canvas["items"][0]["items"][0]["body"]
        fetched(body["id"])
        fetched(canvas["thumbnail"][0]["id"])
        info = json.loads(fetched(body["service"][0]["id"] + "/info.json"))
        assert (info["width"], info["height"]) == (canvas["width"], canvas["height"]), name
        assert info["id"] == body["service"][0]["id"], info["id"]
        part_of = info["partOf"][0]["id"]
        Manifest(**json.loads(fetched(part_of)))
    # Without a label it is no manifest: the check can fail.
    del document["label"]
    try:
        Manifest(**document)
    except ValueError:
        return
    raise AssertionError("iiif-prezi3 takes what has no label")


def main(address):
    check(address, "a.tif/manifest.json", ["a.tif"])
    check(address, "x%2Fchelsea.tif/manifest.json", ["chelsea.tif"])
    check(address, "stack.tif/manifest.json", ["1", "2"])
    check(address, "x/manifest.json", ["chelsea.tif"])
    check(address, "manifest.json", ["a.tif", "flat.tif", "gray.tif", "stack.tif"])


main(*sys.argv[1:])
