//! Stops a build that would be silently slow or could not be whole, with the remedy: without `nasm`
//! mozjpeg compiles without SIMD, decodes 2.6 times and encodes 5.8 times slower, and says so only
//! where nobody looks; without OpenSeadragon there is no viewer to embed.

use std::fs;
use std::process::Command;

const VIEWER_REMEDY: &str = "run `./dev setup`, or: `npm ci --ignore-scripts --prefix viewer`";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    require_nasm();
    require_openseadragon();
}

fn require_nasm() {
    let target = std::env::var_os("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    if target == "x86_64" && Command::new("nasm").arg("-v").output().is_err() {
        println!(
            "cargo::error=nasm is missing: JPEG would be built without SIMD. `apt-get install nasm`, or `./dev setup`"
        );
    }
}

fn require_openseadragon() {
    let wanted_file = "viewer/package.json";
    let installed_file = "viewer/node_modules/openseadragon/package.json";
    println!("cargo::rerun-if-changed={wanted_file}");
    println!("cargo::rerun-if-changed={installed_file}");
    let wanted = fs::read_to_string(wanted_file).unwrap_or_default();
    let Ok(installed) = fs::read_to_string(installed_file) else {
        println!("cargo::error=OpenSeadragon is missing: {VIEWER_REMEDY}");
        return;
    };
    let wanted = value_of("openseadragon", &wanted);
    let installed = value_of("version", &installed);
    if wanted != installed {
        println!("cargo::error=OpenSeadragon is {installed}, not {wanted}: {VIEWER_REMEDY}");
    }
}

/// The text that stands for `key` in a `package.json`; empty where there is none.
fn value_of<'a>(key: &str, json: &'a str) -> &'a str {
    let after = json.split_once(&format!("\"{key}\":")).map_or("", |(_, after)| after);
    after.split('"').nth(1).unwrap_or_default()
}
