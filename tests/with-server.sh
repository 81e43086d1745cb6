#!/usr/bin/env bash
# tests/with-server.sh COMMAND...: starts the server on a free port over the samples, a small terrain and the
# pictures of the validator and of the viewers' tests, runs the command with TESSERA_URL and TESSERA_IMAGES
# (the folder) set, and stops the server. Settings of the server come from the environment (TESSERA_...).
set -euo pipefail
cd "$(dirname "$0")/.."
# With a test, so that features are those of a test build: the program is there already after `cargo test`.
cargo build --locked --quiet --bin tessera --test arch
folder=$(mktemp -d)
log=$folder/log
server=
trap 'kill $server 2>/dev/null || true; wait $server 2>/dev/null || true; rm -rf "$folder"' EXIT
mkdir "$folder/images"
cp -r samples/*/ "$folder/images/"
target/venv/bin/python tests/validator/picture.py "$folder/images/67352ccc-d1b0-11e1-89ae-279075081939.tif"
target/venv/bin/python tests/browser/picture.py "$folder/images/clients.tif"
# Kept from run to run: a terrain that is there is left as it is.
terrain=target/terrain-4096.tif
target/debug/tessera terrain --side-px 4096 --out "$terrain" >/dev/null
cp "$terrain" "$folder/images/terrain.tif"
target/debug/tessera serve "$folder/images" --bind 127.0.0.1:0 --admin none --log-access off 2>"$log" &
server=$!
for _ in $(seq 200); do
    grep -q '^listening on ' "$log" && break
    kill -0 "$server" 2>/dev/null || { cat "$log" >&2; exit 1; }
    sleep 0.1
done
TESSERA_URL=$(sed -n 's/^listening on //p' "$log")
export TESSERA_URL TESSERA_IMAGES=$folder/images
"$@"
