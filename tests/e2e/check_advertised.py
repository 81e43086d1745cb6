"""Walks what info.json of each version says of each image: every size, tile, quality, format and feature is
asked for and looked at by Pillow, and what is not listed must be refused.

python check_advertised.py HOST:PORT
"""

import http.client
import io
import json
import sys

import imagecodecs
from PIL import Image

IMAGES = ["a.tif", "x%2Fchelsea.tif", "flat.tif", "gray.tif", "stack.tif", "stack.tif;1"]
FORMATS = {
    "jpg": ("image/jpeg", "JPEG"),
    "png": ("image/png", "PNG"),
    "webp": ("image/webp", "WEBP"),
    "avif": ("image/avif", "AVIF"),
    "tif": ("image/tiff", "TIFF"),
    "gif": ("image/gif", "GIF"),
    "pdf": ("application/pdf", None),
    "jxl": ("image/jxl", None),
}
LEVEL_2 = ["jpg", "png"]
EXTENSIONS = ["negative", "stretch", "equalization", "log"]


class Server:
    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address)
        self.asked = 0

    def get(self, target, headers=None):
        self.connection.request("GET", target, headers=headers or {})
        answer = self.connection.getresponse()
        body = answer.read()
        self.asked += 1
        assert answer.headers["Access-Control-Allow-Origin"] == "*", f"{target}: no CORS"
        return answer.status, answer.headers, body

    def picture(self, target, size, kind="jpg"):
        status, headers, body = self.get(target)
        assert status == 200, f"{target}: {status} {body[:200]}"
        media_type, name = FORMATS[kind]
        assert headers["Content-Type"] == media_type, f"{target}: {headers['Content-Type']}"
        if kind == "jxl":
            picture = Image.fromarray(imagecodecs.jpegxl_decode(body))
            assert picture.size == size, f"{target}: {picture.size}, not {size}"
            return picture, headers
        if name is None:
            assert body.startswith(b"%PDF-1.") and body.rstrip().endswith(b"%%EOF"), target
            return None, headers
        picture = Image.open(io.BytesIO(body))
        picture.load()
        assert (picture.format, picture.size) == (name, size), f"{target}: {picture.size}, not {size}"
        return picture, headers

    def refused(self, target, statuses=(400,)):
        status, _, body = self.get(target)
        assert status in statuses, f"{target}: {status}"
        assert body.decode().count("\n") == 1, f"{target}: not one sentence: {body}"


def size_word(version, width, height):
    """How clients of a version write a size that keeps the proportions."""
    return f"{width},{height}" if version == 3 else f"{width},"


def walk_pyramid(server, base, version, width, height, sizes, tile, factors):
    word = "max" if version == 3 else "full"
    for size in sizes:
        w, h = size["width"], size["height"]
        server.picture(f"{base}/full/{size_word(version, w, h)}/0/{default(version)}.jpg", (w, h))
    assert factors == sorted(factors), f"{base}: factors do not rise: {factors}"
    for factor in factors:
        step_x, step_y = tile[0] * factor, tile[1] * factor
        for left in range(0, width, step_x):
            for top in range(0, height, step_y):
                w, h = min(step_x, width - left), min(step_y, height - top)
                shown = -(-w // factor), -(-h // factor)
                region = f"{left},{top},{w},{h}"
                size = f"{shown[0]},{shown[1]}"
                target = f"{base}/{region}/{size}/0/{default(version)}.jpg"
                _, headers = server.picture(target, shown)
                # Whatever its words, the same pixels are the same answer.
                if (w, h) == (width, height):
                    server_etag(server, f"{base}/full/{size}/0/{default(version)}.jpg", headers)
                if factor == 1:
                    server_etag(server, f"{base}/{region}/{word}/360/{default(version)}.jpg", headers)
                    beyond = f"{left},{top},{step_x},{step_y}"
                    server_etag(server, f"{base}/{beyond}/{word}/0/{default(version)}.jpg", headers)


def server_etag(server, target, headers):
    status, found, _ = server.get(target)
    assert (status, found["ETag"]) == (200, headers["ETag"]), f"{target}: another answer"


def default(version):
    return "native" if version == 1 else "default"


def walk_words(server, base, version, qualities, formats, shown, is_gray):
    size = f"{shown[0]},{shown[1]}"
    for quality in qualities:
        for kind in formats:
            target = f"{base}/full/{size}/0/{quality}.{kind}"
            picture, _ = server.picture(target, shown, kind)
            if quality in ("gray", "grey", "bitonal") and kind in ("jpg", "png", "tif"):
                assert picture.mode == "L", f"{target}: {picture.mode}"
            if quality == "color" and kind in ("jpg", "png"):
                assert picture.mode == "RGB", f"{target}: {picture.mode}"
    others = [word for word in EXTENSIONS + ["native", "grey", "default", "gray"] if word not in qualities]
    for quality in others:
        server.refused(f"{base}/full/{size}/0/{quality}.jpg")
    for kind in ["jp2", "bmp", "jpeg"] + [kind for kind in FORMATS if kind not in formats]:
        server.refused(f"{base}/full/{size}/0/{default(version)}.{kind}", (400, 415))
    if is_gray and version > 1:
        # Always an image, though it is not listed.
        server.picture(f"{base}/full/{size}/0/color.jpg", shown)


def half_up(value):
    return max(1, int(value + 0.5))


def walk_features(server, base, version, width, height, features, limits):
    word, quality = ("max" if version == 3 else "full"), default(version)
    # What every level 2 has.
    side = min(width, height, 100)
    for region in [f"0,0,{side},{side}", f"pct:0,0,{100 * side / width},{100 * side / height}"]:
        server.picture(f"{base}/{region}/{word}/0/{quality}.jpg", (side, side))
    if version > 1:
        server.picture(f"{base}/square/50,/0/{quality}.jpg", (50, 50))
    else:
        server.refused(f"{base}/square/50,/0/{quality}.jpg")
    server.picture(f"{base}/full/50,/0/{quality}.jpg", (50, half_up(height * 50 / width)))
    server.picture(f"{base}/full/,40/0/{quality}.jpg", (half_up(width * 40 / height), 40))
    server.picture(f"{base}/0,0,{side},{side}/pct:50/0/{quality}.jpg", (half_up(side / 2),) * 2)
    server.picture(f"{base}/full/30,60/0/{quality}.jpg", (30, 60))
    server.picture(f"{base}/0,0,{side},{side}/!20,30/0/{quality}.jpg", (20, 20))
    for turn, shown in [("90", (60, 30)), ("180", (30, 60)), ("270", (60, 30)), ("360", (30, 60))]:
        server.picture(f"{base}/full/30,60/{turn}/{quality}.jpg", shown)
    status, headers, _ = server.get(base)
    assert (status, headers["Location"].endswith("/info.json")) == (303, True), base
    # What is optional.
    server.picture(f"{base}/full/30,30/45/{quality}.jpg", (43, 43))
    if "mirroring" in features:
        server.picture(f"{base}/full/30,60/!90/{quality}.jpg", (60, 30))
    else:
        server.refused(f"{base}/full/30,60/!90/{quality}.jpg")
    _, headers = server.picture(f"{base}/full/30,60/0/{quality}.jpg", (30, 60))
    relations = headers["Link"]
    assert ('rel="profile"' in relations) and relations.count("<") == (1 if version == 1 else 2)
    assert ("canonicalLinkHeader" in features) == ('rel="canonical"' in relations)
    mark = "^" if version == 3 else ""
    larger = f"{base}/0,0,10,10/{mark}20,20/0/{quality}.jpg"
    if "sizeUpscaling" in features or "sizeAboveFull" in features:
        server.picture(larger, (20, 20))
    elif version == 3 or limits.get("fixed"):
        server.refused(larger, (400, 501))
    if version == 3:
        server.refused(f"{base}/0,0,10,10/20,20/0/{quality}.jpg")
        server.refused(f"{base}/full/full/0/{quality}.jpg")
    side_max = limits["maxWidth"]
    server.refused(f"{base}/full/{mark}{side_max + 1},1/0/{quality}.jpg", (400, 501))
    if "maxArea" in limits:
        side = int(limits["maxArea"] ** 0.5)
        server.refused(f"{base}/full/{side + 1},{side + 1}/0/{quality}.jpg", (400, 501))
        status, _, body = server.get(f"{base}/full/{word}/0/{quality}.jpg")
        picture = Image.open(io.BytesIO(body))
        assert status == 200 and picture.width * picture.height <= limits["maxArea"], base


def info(server, version, image):
    base = f"/iiif/{version}/{image}"
    status, headers, body = server.get(f"{base}/info.json")
    assert status == 200, f"{base}: {status}"
    assert headers["Vary"] == "Accept" and 'rel="profile"' in headers["Link"]
    for accept in ("application/ld+json", "application/json"):
        _, headers, _ = server.get(f"{base}/info.json", {"Accept": accept})
        assert headers["Content-Type"].startswith(accept), f"{base}: {headers['Content-Type']}"
    return base, json.loads(body)


def walk(server, image, has_pages):
    extensions = upscaling = None
    for version in (3, 2, 1):
        if ";" in image and not has_pages:
            continue
        base, told = info(server, version, image)
        width, height = told["width"], told["height"]
        if version == 3:
            qualities = ["default"] + told["extraQualities"]
            formats = LEVEL_2 + told["extraFormats"]
            features, limits = told["extraFeatures"], told
            extensions = "negative" in qualities
            upscaling = "sizeUpscaling" in features
            assert told["partOf"][0]["id"].split("/presentation/")[1].startswith("3/" + image.split(";")[0])
        elif version == 2:
            words = told["profile"][1]
            qualities, formats = words["qualities"], words["formats"]
            features, limits = words["supports"], words
            assert upscaling == ("sizeAboveFull" in features)
        else:
            qualities, formats, features = told["qualities"], told["formats"], []
            limits = {"maxWidth": 5000}
            told["tiles"] = [{
                "width": told["tile_width"], "height": told["tile_height"],
                "scaleFactors": told["scale_factors"],
            }]
        if version > 1:
            assert extensions == ("negative" in qualities)
        is_gray = "color" not in qualities
        if version == 1:
            # Upscaling is up to the server, which has no word for it there.
            limits["fixed"] = not upscaling
            features = ["sizeAboveFull"] if upscaling else []
        [tiles] = told["tiles"]
        tile = tiles["width"], tiles.get("height", tiles["width"])
        walk_pyramid(server, base, version, width, height, told.get("sizes", []), tile, tiles["scaleFactors"])
        walk_words(server, base, version, qualities, formats, (30, 20), is_gray)
        walk_features(server, base, version, width, height, features, limits)


def main(address):
    server = Server(address)
    status, _, _ = server.get("/iiif/3/stack.tif;1/info.json")
    for image in IMAGES:
        walk(server, image, status == 200)
    assert server.asked > 1500, server.asked


main(*sys.argv[1:])
