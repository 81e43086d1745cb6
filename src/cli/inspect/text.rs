//! The report as text for people.

use std::io::{self, Write};

use crate::cli::inspect::advice::{Weight, megapixels, pixels};
use crate::cli::inspect::report::{PageReport, Report};
use crate::model::Size;

/// Metres in an inch.
const METRES_PER_INCH: f64 = 0.0254;

/// Names of pages in the report; a series may have hundreds.
const PAGES_NAMED_MAX: usize = 12;

/// Writes the report.
pub(super) fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    write_facts(out, report)?;
    write_stored(out, report)?;
    write_offered(out, report)?;
    write_advice(out, report)
}

fn write_facts(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let size = Size::at_least_one(report.width_px, report.height_px);
    writeln!(out, "{}", report.file)?;
    writeln!(out, "  container   {}, {}", report.container, bytes(report.len_bytes))?;
    writeln!(out, "  pixels      {} ({})", pixels(size), megapixels(size))?;
    writeln!(out, "  bands       {}, {} bit", report.bands.join(", "), report.bits)?;
    let profile = report.icc_bytes.map_or("none".to_owned(), |len| format!("ICC, {len} bytes"));
    writeln!(out, "  profile     {profile}")?;
    let resolution = report.pixels_per_metre.map_or("not stated".to_owned(), |[x, y]| {
        let [x, y] = [x * METRES_PER_INCH, y * METRES_PER_INCH];
        format!("{x:.0} x {y:.0} pixels an inch")
    });
    writeln!(out, "  resolution  {resolution}")?;
    if !report.pages.is_empty() {
        writeln!(out, "  pages       {}", pages(&report.pages))?;
    }
    if !report.associated.is_empty() {
        writeln!(out, "  beside it   {}", report.associated.join(", "))?;
    }
    Ok(())
}

/// How many pages, and the names of the first of those that have one; names may hold anything.
fn pages(pages: &[PageReport]) -> String {
    let named = pages.iter().filter(|page| !page.name.is_empty());
    let names: Vec<String> = named
        .take(PAGES_NAMED_MAX)
        .map(|page| page.name.chars().map(|c| if c.is_control() { '?' } else { c }).collect())
        .collect();
    let count = pages.len();
    if names.is_empty() { count.to_string() } else { format!("{count}: {}", names.join(", ")) }
}

fn write_stored(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    writeln!(out, "\nlevels in the file")?;
    writeln!(out, "  {:<17} {:>8}  {:>10}  {:<13} encoding", "pixels", "scale", "tiles", "tile")?;
    for level in &report.stored {
        let size = Size::at_least_one(level.width_px, level.height_px);
        let tile = Size::at_least_one(level.tile_width_px, level.tile_height_px);
        // As many digits as it needs, two at most: 1/2, 1/2.67.
        let factor = format!("{:.2}", level.factor);
        let scale = format!("1/{}", factor.trim_end_matches('0').trim_end_matches('.'));
        let (size, tile) = (pixels(size), pixels(tile));
        writeln!(
            out,
            "  {size:<17} {scale:>8}  {:>10}  {tile:<13} {}",
            level.tiles, level.encoding
        )?;
    }
    Ok(())
}

fn write_offered(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let computed: Vec<String> = report
        .offered
        .iter()
        .filter(|level| level.computed)
        .map(|level| pixels(Size::at_least_one(level.width_px, level.height_px)))
        .collect();
    let count = report.offered.len();
    if computed.is_empty() {
        writeln!(out, "\nlevels offered to viewers: {count}, all of them in the file")
    } else {
        let computed = computed.join(", ");
        writeln!(out, "\nlevels offered to viewers: {count}, of which computed: {computed}")
    }
}

fn write_advice(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    if report.advice.is_empty() {
        return writeln!(out, "\nnothing here is slow to serve");
    }
    for (weight, title) in [(Weight::Slow, "slow to serve"), (Weight::Note, "good to know")] {
        let mut advice = report.advice.iter().filter(|advice| advice.weight == weight).peekable();
        if advice.peek().is_some() {
            writeln!(out, "\n{title}")?;
        }
        for advice in advice {
            writeln!(out, "  - {}", advice.text)?;
        }
    }
    // One command mends all: it makes the file that there is nothing to say about.
    match report.advice.iter().find_map(|advice| advice.remedy.as_ref()) {
        Some(remedy) => writeln!(out, "\nto mend it\n  {remedy}"),
        None => Ok(()),
    }
}

fn bytes(count: u64) -> String {
    match count {
        0..1024 => format!("{count} bytes"),
        1024..1_048_576 => format!("{count} bytes ({} KiB)", count >> 10),
        _ => format!("{count} bytes ({} MiB)", count >> 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::inspect::advice::tests::image;
    use crate::cli::inspect::report::report;
    use crate::model::{Associated, StackPage, TileEncoding};

    fn text(report: &Report) -> String {
        let mut out = Vec::new();
        write(&mut out, report).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_good_file_is_told_in_a_dozen_lines() {
        let levels = [(1000, 700), (500, 350), (250, 175)];
        let info = image((1000, 700), 256, TileEncoding::Jpeg, &levels);
        let expected = "\
a.tif
  container   TIFF, 249440 bytes (243 KiB)
  pixels      1000 x 700 (700000 pixels)
  bands       red, green, blue, 8 bit
  profile     none
  resolution  not stated

levels in the file
  pixels               scale       tiles  tile          encoding
  1000 x 700             1/1          12  256 x 256     JPEG
  500 x 350              1/2           4  256 x 256     JPEG
  250 x 175              1/4           1  256 x 256     JPEG

levels offered to viewers: 3, all of them in the file

nothing here is slow to serve
";
        assert_eq!(text(&report("a.tif", &info, 249_440)), expected);
    }

    #[test]
    fn pages_and_what_lies_beside_are_told_where_there_are_any() {
        let mut info = image((100, 100), 256, TileEncoding::Other, &[(100, 100)]);
        let page = |name: &str| StackPage { name: name.to_owned(), scale: 1.0 };
        info.views.stack = vec![page("C0 red"), page(""), page("C2\x1b")];
        info.views.associated = vec![Associated::Thumbnail, Associated::Label];
        let told = text(&report("c.tif", &info, 1));
        let expected = "  pages       3: C0 red, C2?\n  beside it   thumbnail, label\n";
        assert!(told.contains(expected), "{told}");
        info.views.stack = vec![page(""); 40];
        assert!(text(&report("c.tif", &info, 1)).contains("  pages       40\n"));
    }

    #[test]
    fn a_slow_file_is_told_with_the_remedy() {
        let info = image((2048, 2048), 256, TileEncoding::Other, &[(2048, 2048)]);
        let text = text(&report("b.tif", &info, 5_000_000));
        for part in [
            "levels offered to viewers: 4, of which computed: 1024 x 1024, 512 x 512, 256 x 256\n",
            "\nslow to serve\n  - the file has no smaller levels: a view of the whole image decodes all its 4.1 megapixels\n",
            "\ngood to know\n  - tiles are neither JPEG nor WebP",
            "\nto mend it\n  vips tiffsave b.tif b-pyramid.tif --tile --pyramid",
        ] {
            assert!(text.contains(part), "{part}\n---\n{text}");
        }
    }
}
