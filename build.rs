//! Stops a build that would be silently slow: without `nasm`, mozjpeg compiles without SIMD and
//! decodes 2.6 times, encodes 5.8 times slower, and says so only where nobody looks.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = std::env::var_os("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    if target == "x86_64" && Command::new("nasm").arg("-v").output().is_err() {
        println!(
            "cargo::error=nasm is missing: JPEG would be built without SIMD. `apt-get install nasm`, or `./dev setup`"
        );
    }
}
