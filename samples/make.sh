#!/bin/sh
# Makes the sample pyramids of this folder anew: fetches the photographs as scikit-image ships them,
# checks that they are the ones README.md credits, and converts each to a tiled JPEG pyramid.
#
# Needs pip, unzip, sha256sum and vips (apt-get install python3-pip unzip libvips-tools).
set -eu

cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m pip download --quiet --no-deps --only-binary :all: --python-version 3.10 \
    --implementation cp --platform manylinux2014_x86_64 --dest "$work" scikit-image==0.19.3
unzip -q -j "$work"/*.whl skimage/data/retina.jpg skimage/data/hubble_deep_field.jpg \
    skimage/data/chelsea.png skimage/data/coffee.png -d "$work"
(cd "$work" && sha256sum --check --quiet) <<SUMS
38a07f36f27f095e818aea7b96d34202c05176d30253c66733f2e00379e9e0e6  retina.jpg
3a19c5dd8a927a9334bb1229a6d63711b1c0c767fb27e2286e7c84a3e2c2f5f4  hubble_deep_field.jpg
596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb  chelsea.png
cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7  coffee.png
SUMS

# pyramid SOURCE TARGET
pyramid() {
    mkdir -p "$(dirname "$2")"
    vips tiffsave "$work/$1" "$2" --tile --pyramid --compression jpeg --Q 85 \
        --tile-width 256 --tile-height 256
}

pyramid retina.jpg science/retina.tif
pyramid hubble_deep_field.jpg science/hubble-deep-field.tif
pyramid coffee.png everyday/coffee.tif
pyramid chelsea.png everyday/chelsea.tif
sha256sum science/*.tif everyday/*.tif
