//! A JPEG as a PDF of one page (ISO 32000-1): the picture fills the page, whose size follows from its
//! resolution. Profile, XMP, title and creator go with it.

use std::fmt::Write as _;

use crate::codecs::CodecError;
use crate::codecs::encoding::{About, Encoding};
use crate::codecs::fields::INCH_M;
use crate::codecs::jpeg::encode as encode_jpeg;
use crate::codecs::number::reserved;
use crate::imaging::Raster;
use crate::model::{ColourModel, Field};

/// Points of an inch, the unit of pages (section 8.3.2.3).
const POINTS_AN_INCH: f64 = 72.0;

/// The longest side of a page in points that readers promise to show (annex C).
const SIDE_POINTS_MAX: f64 = 14_400.0;

/// Encodes a raster; the quality is that of JPEG.
///
/// # Errors
/// As JPEG's encoder.
pub(crate) fn encode(raster: &Raster, encoding: &Encoding) -> Result<Vec<u8>, CodecError> {
    let about = &encoding.about;
    // What the picture's source says is the document's; a reader of PDF looks at none of it in the JPEG.
    let plain = Encoding { about: About::default(), ..encoding.clone() };
    let jpeg = encode_jpeg(raster, &plain)?;
    let blocks = about.icc.as_ref().map_or(0, |icc| icc.len()) + about.len();
    let mut file = File { bytes: reserved(jpeg.len() + blocks + 4096)?, starts: Vec::new() };
    // The second line tells programs that the file is binary (section 7.5.2).
    file.bytes.extend_from_slice(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n");
    let (width, height) = page_points(raster, about);
    let xmp = about.xmp();
    // Numbers of objects: those that may be missing come last.
    let icc_number = 7;
    let xmp_number = icc_number + usize::from(about.icc.is_some());
    let metadata =
        if xmp.is_some() { format!(" /Metadata {xmp_number} 0 R") } else { String::new() };
    file.object(&format!("<< /Type /Catalog /Pages 2 0 R{metadata} >>"));
    file.object("<< /Type /Pages /Kids [3 0 R] /Count 1 >>");
    file.object(&format!(
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width:.3} {height:.3}] \
         /Resources << /XObject << /Picture 4 0 R >> >> /Contents 5 0 R >>"
    ));
    let (bands, device) = match raster.colour() {
        ColourModel::Gray => (1, "/DeviceGray"),
        _ => (3, "/DeviceRGB"),
    };
    let by_profile = format!("[/ICCBased {icc_number} 0 R]");
    let space = if about.icc.is_some() { by_profile.as_str() } else { device };
    let (columns, rows) = (raster.size().width(), raster.size().height());
    file.stream(
        &format!(
            "/Type /XObject /Subtype /Image /Width {columns} /Height {rows} /ColorSpace {space} \
             /BitsPerComponent 8 /Filter /DCTDecode"
        ),
        &jpeg,
    );
    let drawing = format!("q {width:.3} 0 0 {height:.3} 0 0 cm /Picture Do Q");
    file.stream("", drawing.as_bytes());
    file.object(&information(about));
    if let Some(icc) = &about.icc {
        file.stream(&format!("/N {bands} /Alternate {device}"), icc);
    }
    if let Some(xmp) = &xmp {
        file.stream("/Type /Metadata /Subtype /XML", xmp);
    }
    Ok(file.finish())
}

/// Width and height of the page: a pixel is a point where no resolution is told.
fn page_points(raster: &Raster, about: &About) -> (f64, f64) {
    let points = |pixels: u32, per_metre: Option<f64>| {
        let per_inch = per_metre.map_or(POINTS_AN_INCH, |per_metre| per_metre * INCH_M);
        f64::from(pixels) * POINTS_AN_INCH / per_inch
    };
    let resolution = about.resolution;
    let width = points(raster.size().width(), resolution.map(|it| it.x_per_metre));
    let height = points(raster.size().height(), resolution.map(|it| it.y_per_metre));
    let scale = (SIDE_POINTS_MAX / width.max(height)).min(1.0);
    (width * scale, height * scale)
}

/// The document information (section 14.3.3).
fn information(about: &About) -> String {
    let mut entries = format!("<< /Producer {}", text("Tessera"));
    let fields = [
        (Field::Title, "Title"),
        (Field::Creator, "Author"),
        (Field::Description, "Subject"),
        (Field::Keywords, "Keywords"),
        (Field::Software, "Creator"),
    ];
    for (field, name) in fields {
        if let Some(said) = about.text(field) {
            entries.extend([" /", name, " ", &text(said)]);
        }
    }
    entries + " >>"
}

/// A text string in UTF-16 (section 7.9.2.2), as hexadecimal digits, in which nothing needs escaping.
fn text(said: &str) -> String {
    let mut digits = String::from("<FEFF");
    for unit in said.encode_utf16() {
        // Writing to a String cannot fail.
        write!(digits, "{unit:04X}").unwrap_or_default();
    }
    digits + ">"
}

/// A file under construction: what was written, and where each object starts.
struct File {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl File {
    fn push(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn begin(&mut self) {
        self.starts.push(self.bytes.len());
        let number = self.starts.len();
        self.push(&format!("{number} 0 obj\n"));
    }

    fn object(&mut self, body: &str) {
        self.begin();
        self.push(body);
        self.push("\nendobj\n");
    }

    fn stream(&mut self, entries: &str, body: &[u8]) {
        self.begin();
        self.push(&format!("<< {entries} /Length {} >>\nstream\n", body.len()));
        self.bytes.extend_from_slice(body);
        self.push("\nendstream\nendobj\n");
    }

    /// The table of objects and the trailer (section 7.5.4); the sixth object is the information.
    fn finish(mut self) -> Vec<u8> {
        let table = self.bytes.len();
        let count = self.starts.len() + 1;
        self.push(&format!("xref\n0 {count}\n0000000000 65535 f \n"));
        for start in std::mem::take(&mut self.starts) {
            self.push(&format!("{start:010} 00000 n \n"));
        }
        self.push(&format!(
            "trailer\n<< /Size {count} /Root 1 0 R /Info 6 0 R >>\nstartxref\n{table}\n%%EOF\n"
        ));
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::image_info::Resolution;
    use crate::model::{Format, Metadata, Size};

    fn pdf(about: About) -> Vec<u8> {
        let size = Size::new(300, 200).unwrap();
        let raster = Raster::zeroed(size, ColourModel::Rgb, false);
        encode(&raster, &Encoding { about, ..Encoding::plain(Format::Pdf, 80) }).unwrap()
    }

    #[test]
    fn every_object_starts_where_the_table_says() {
        let icc = Some(Arc::from([1_u8; 40].as_slice()));
        for (about, objects) in [(About::default(), 6), (About { icc, ..About::default() }, 7)] {
            let file = pdf(about);
            let text = String::from_utf8_lossy(&file).into_owned();
            let table = text.rsplit_once("startxref\n").unwrap().1;
            let table: usize = table.lines().next().unwrap().parse().unwrap();
            assert!(file[table..].starts_with(b"xref\n"));
            let rows = String::from_utf8(file[table..].to_vec()).unwrap();
            let starts: Vec<usize> = rows
                .lines()
                .skip(3)
                .map_while(|row| row.strip_suffix(" 00000 n ")?.parse().ok())
                .collect();
            assert_eq!(starts.len(), objects);
            for (index, start) in starts.into_iter().enumerate() {
                let head = format!("{} 0 obj\n", index + 1);
                assert!(file[start..].starts_with(head.as_bytes()), "{head}");
            }
        }
    }

    #[test]
    fn a_page_is_as_large_as_the_picture_is_on_paper() {
        let said = |about| String::from_utf8_lossy(&pdf(about)).into_owned();
        assert!(said(About::default()).contains("/MediaBox [0 0 300.000 200.000]"));
        let per_inch = 300.0 / INCH_M;
        let resolution = Some(Resolution { x_per_metre: per_inch, y_per_metre: per_inch });
        let mut metadata = Metadata::default();
        metadata.add(Field::Title, "K\u{fc}ste");
        let about = About { resolution, metadata: Some(metadata.into()), icc: None };
        let file = said(about);
        assert!(file.contains("/MediaBox [0 0 72.000 48.000]"));
        assert!(file.contains("/Title <FEFF004B00FC007300740065>"));
    }
}
