//! Keeps the shape of `src/`: who may import whom, which file opens which crate, how long a file
//! may be and how it must begin. A rule that cannot be checked here is only a wish.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// Layer -> the layers it may name; ARCHITECTURE.md has the same table with the reasons.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("metrics", &[]),
    ("http_client", &[]),
    ("telemetry", &["http_client"]),
    ("config", &["model"]),
    ("sources", &["model"]),
    ("imaging", &["model"]),
    ("protocols", &["model"]),
    ("plan", &["model", "imaging"]),
    ("codecs", &["model", "imaging"]),
    ("modules", &["model", "imaging", "codecs"]),
    ("actors", &["model", "metrics", "config", "sources", "imaging", "plan", "codecs", "modules"]),
    ("front", &["model", "metrics", "telemetry", "config", "protocols", "plan", "actors"]),
    ("live", &["metrics", "telemetry", "config", "protocols", "plan", "actors", "front"]),
    (
        "server",
        &[
            "live",
            "model",
            "metrics",
            "telemetry",
            "config",
            "sources",
            "imaging",
            "protocols",
            "plan",
            "codecs",
            "modules",
            "actors",
            "front",
        ],
    ),
    (
        "cli",
        &[
            "server",
            "live",
            "config",
            "http_client",
            "model",
            "sources",
            "codecs",
            "plan",
            "imaging",
            "modules",
        ],
    ),
];

/// Layers that never touch the outside world, and the words that would.
const PURE: &[&str] = &["model", "imaging", "protocols", "plan"];
const OUTSIDE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::time",
    "std::thread",
    "std::env",
    "tokio::",
    "actix",
    "tracing::",
];

/// Doors: a word, and the only places below `src/` that may say it.
const DOORS: &[(&str, &[&str])] = &[
    ("actix::", &["actors/", "server/"]),
    ("actix_web::", &["front/", "live/", "server/"]),
    ("std::env::", &["config/", "main.rs"]),
    ("tiff::", &["codecs/tiff/"]),
    ("mozjpeg", &["codecs/jpeg/"]),
    ("png::", &["codecs/png/"]),
    ("gif::", &["codecs/gif/"]),
    ("image::codecs", &["codecs/bmp/"]),
    ("libwebp_sys", &["codecs/webp/"]),
    ("memcache::", &["actors/memcached/"]),
    ("use metrics::", &["metrics/"]),
    ("metrics_exporter_prometheus", &["metrics/"]),
    ("moxcms", &["imaging/profile.rs"]),
    ("pulp::", &["imaging/science/"]),
    ("colorous::", &["imaging/science/"]),
    ("ab_glyph", &["imaging/lettering.rs"]),
    ("dejavu", &["imaging/lettering.rs"]),
    ("weezl", &["codecs/tiff/"]),
    ("roxmltree", &["codecs/tiff/"]),
    ("rav1e", &["codecs/avif/"]),
    ("libdeflater", &["codecs/png/", "codecs/tiff/"]),
    ("zstd::", &["codecs/tiff/"]),
    ("lzma_rust2", &["codecs/tiff/"]),
    ("fax::maps", &["codecs/tiff/"]),
    ("hayro_jpeg2000", &["codecs/jpeg2000/"]),
    ("openjpeg_sys", &["codecs/jpeg2000/"]),
    ("landlock::", &["modules/confinement.rs"]),
    ("seccompiler::", &["modules/confinement.rs"]),
    ("libc::", &["actors/allocator.rs", "modules/confinement.rs", "modules/descriptors.rs"]),
    ("rustls::", &["front/tls.rs"]),
    ("clap_mangen", &["cli/manual.rs"]),
    ("clap_complete", &["cli/manual.rs"]),
    ("jxl_oxide", &["codecs/jpegxl/"]),
];

const CODE_LINES_MAX: usize = 400;

#[test]
fn source_keeps_its_shape() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect_rust_files(&src, &mut files);
    assert!(files.len() > 10, "found only {} files: is the path right?", files.len());
    let mut faults = Vec::new();
    for file in &files {
        let name = file.strip_prefix(&src).unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(file).unwrap();
        check_file(&name, &text, &mut |fault| faults.push(format!("src/{name}: {fault}")));
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn check_file(name: &str, text: &str, report: &mut dyn FnMut(String)) {
    if !text.starts_with("//!") {
        report("must open with a `//!` paragraph".to_owned());
    }
    if !text.is_ascii() {
        report("must be ASCII".to_owned());
    }
    let code = code_lines(text);
    if CODE_LINES_MAX < code.len() {
        report(format!("{} code lines, at most {CODE_LINES_MAX}", code.len()));
    }
    let layer = name.split('/').next().unwrap().trim_end_matches(".rs");
    for line in code {
        check_line(name, layer, line, report);
    }
}

fn check_line(name: &str, layer: &str, line: &str, report: &mut dyn FnMut(String)) {
    if line.contains("use crate::{") || line.contains("super::super") {
        report("spell imports `use crate::layer::Item`".to_owned());
    }
    for (door, paths) in DOORS {
        if names_crate(line, door) && !paths.iter().any(|path| name.starts_with(path)) {
            report(format!("only src/{{{}}} may name `{door}`", paths.join(", ")));
        }
    }
    if PURE.contains(&layer) && OUTSIDE.iter().any(|word| line.contains(word)) {
        report(format!("a pure layer touches the outside: {}", line.trim()));
    }
    if layer == "lib" || layer == "main" {
        return;
    }
    let Some((_, allowed)) = MAY_IMPORT.iter().find(|(known, _)| *known == layer) else {
        report(format!("layer `{layer}` is not in MAY_IMPORT"));
        return;
    };
    for (other, _) in MAY_IMPORT {
        let imports = line.contains(&format!("crate::{other}"));
        if imports && *other != layer && !allowed.contains(other) {
            report(format!("`{layer}` may not import `{other}`"));
        }
    }
}

/// Whether a line names this crate itself: not our own module of that name, nor a longer word.
fn names_crate(line: &str, door: &str) -> bool {
    line.match_indices(door).any(|(at, _)| {
        let before = line.get(..at).and_then(|start| start.chars().next_back());
        !before.is_some_and(|c| c == ':' || c == '_' || c.is_alphanumeric())
    })
}

/// Lines that are code: no blanks, no comments, nothing from `mod tests` on.
fn code_lines(text: &str) -> Vec<&str> {
    let body = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    body.lines().filter(|l| !l.trim().is_empty() && !l.trim_start().starts_with("//")).collect()
}

fn collect_rust_files(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
