//! Puts the report of a run into the readme, between two marker lines.

use std::fs;
use std::path::Path;

use crate::error::{LoadError, Trying as _};

const BEGIN: &str = "<!-- results: begin -->";
const END: &str = "<!-- results: end -->";

/// Rewrites what stands between the markers of a readme.
///
/// # Errors
/// Where the file cannot be read or written, or lacks a marker.
pub(crate) fn update(file: &Path, report: &str) -> Result<(), LoadError> {
    let text = fs::read_to_string(file).trying("cannot read the readme")?;
    let updated = replace(&text, report)
        .map_err(|marker| LoadError::NoMarker { file: file.to_owned(), marker })?;
    fs::write(file, updated).trying("cannot write the readme")
}

/// The text with the report between its markers, or the marker that is missing.
fn replace(text: &str, report: &str) -> Result<String, &'static str> {
    let (before, rest) = text.split_once(BEGIN).ok_or(BEGIN)?;
    let (_, after) = rest.split_once(END).ok_or(END)?;
    Ok(format!("{before}{BEGIN}\n\n{}\n\n{END}{after}", report.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_markers_changes() {
        let text = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        let once = replace(&text, "new\n").unwrap();
        assert_eq!(once, format!("a\n{BEGIN}\n\nnew\n\n{END}\nb\n"));
        assert_eq!(replace(&once, "new\n").unwrap(), once);
        assert_eq!(replace("a", "new"), Err(BEGIN));
        assert_eq!(replace(BEGIN, "new"), Err(END));
    }
}
