//! `docs/formats.md` says what is read and what is refused, row by row as the fixtures prove it.
//! `BLESS=1 cargo test --test golden formats` makes the tables anew; on CI it is refused.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::manifest::{Fixture, fixtures, refused};

const DOCUMENT: &str = "docs/formats.md";

#[test]
fn the_formats_page_has_a_row_for_whatever_a_fixture_proves() {
    let mut rows: BTreeMap<String, Vec<Fixture>> = BTreeMap::new();
    for fixture in fixtures() {
        rows.entry(fixture.feature.clone()).or_default().push(fixture);
    }
    let mut out =
        "\n| what | read as | off by at most | files |\n| --- | --- | --- | --- |\n".to_owned();
    for (feature, files) in &rows {
        let off = files.iter().map(|file| file.tolerance).fold(0.0, f64::max);
        let off = if off > 0.0 { format!("{off}") } else { "exact".to_owned() };
        writeln!(out, "| {feature} | {} | {off} | {} |", read_as(files), files.len()).unwrap();
    }
    out.push('\n');
    check_block("served", &out);

    let mut out = "\n| what | the error says |\n| --- | --- |\n".to_owned();
    for row in refused() {
        writeln!(out, "| {} | `unsupported ... {}` |", row.feature, row.words).unwrap();
    }
    out.push('\n');
    check_block("refused", &out);
}

/// Colour model and sample type, each that occurs.
fn read_as(files: &[Fixture]) -> String {
    let kind = |file: &Fixture| {
        let colour = file.colour.clone().unwrap_or_else(|| {
            let by_bands = if file.bands < 3 { "gray" } else { "rgb" };
            by_bands.to_owned()
        });
        format!("{colour} {}", file.samples)
    };
    let mut kinds: Vec<String> = files.iter().map(kind).collect();
    kinds.sort();
    kinds.dedup();
    kinds.join(", ")
}

fn check_block(block: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    let text = fs::read_to_string(&path).unwrap();
    let begin = format!("<!-- made by tests/golden/formats.rs: {block} -->\n");
    let (before, rest) = text.split_once(&begin).unwrap();
    let (found, after) = rest.split_once("<!-- end -->").unwrap();
    if found == expected {
        return;
    }
    let blessed = env::var_os("BLESS").is_some() && env::var_os("CI").is_none();
    assert!(blessed, "{DOCUMENT}, {block}: run `BLESS=1 cargo test --test golden formats`");
    fs::write(&path, format!("{before}{begin}{expected}<!-- end -->{after}")).unwrap();
}
