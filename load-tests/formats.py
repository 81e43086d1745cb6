"""What a tile of 256 x 256 pixels costs in each format: decoding Deflate, encoding and HTTP, in processor time.

    cargo build --release
    python3 load-tests/formats.py       (needs vips: libvips-tools)
"""

import subprocess
import tempfile
from pathlib import Path

from served import Tessera, cpu_ms

PHOTOGRAPH = Path(__file__).resolve().parent.parent / "samples/science/retina.tif"
TILES = ["--tile", "--tile-width", "256", "--tile-height", "256", "--compression", "deflate", "--pyramid"]
# Whole tiles of the full size, and not the dark ones of its corners.
INNER = [7, 8, 9, 10, 13, 14, 15, 16, 19, 20, 21, 22]
RUNS = 10
FORMATS = {
    "JPEG": "FIF=bytes.tif&JTL={}",
    "PNG": "FIF=bytes.tif&PTL={}",
    "PNG, 16 bit": "FIF=words.tif&BPC=16&PTL={}",
    "WebP": "FIF=bytes.tif&WTL={}",
    "WebP without losses": "FIF=bytes.tif&QLT=-1&WTL={}",
    "AVIF": "FIF=bytes.tif&ATL={}",
    "AVIF, 10 bit": "FIF=words.tif&BPC=16&ATL={}",
    "AVIF with the least losses": "FIF=bytes.tif&QLT=-1&ATL={}",
    "TIFF, Deflate": "FIF=bytes.tif&TTL={}",
    "TIFF, Zstandard, 16 bit": "FIF=words.tif&BPC=16&QLT=zstd:1&TTL={}",
}


def run(*command):
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run("vips", "linear", PHOTOGRAPH, folder / "wide.v", 257, 0)
        run("vips", "cast", folder / "wide.v", folder / "words.v", "ushort")
        run("vips", "tiffsave", folder / "words.v", folder / "words.tif", *TILES)
        run("vips", "tiffsave", PHOTOGRAPH, folder / "bytes.tif", *TILES)
        server = Tessera(folder, "--cache-bytes-max", "0", "--cache-decoded-bytes-max", "0")
        try:
            numbers = server.get("/iip?FIF=bytes.tif&OBJ=Resolution-number").decode()
            largest = int(numbers.split(":")[1]) - 1
            print("| format | CPU ms a tile | bytes |")
            print("| --- | ---: | ---: |")
            for format, query in FORMATS.items():
                addresses = ["/iip?" + query.format(f"{largest},{tile}") for tile in INNER]
                size = sum(len(server.get(address)) for address in addresses) // len(addresses)
                before = cpu_ms(server.process.pid)
                for _ in range(RUNS):
                    for address in addresses:
                        server.get(address)
                each = (cpu_ms(server.process.pid) - before) / len(addresses) / RUNS
                print(f"| {format} | {each:.1f} | {size} |", flush=True)
        finally:
            server.stop()


main()
