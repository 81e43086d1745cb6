//! Text to a picture: white letters with a dark outline, which can be read on any ground. The font is
//! `DejaVu Sans Bold`; characters are set from left to right, one glyph each.

use ab_glyph::{Font as _, FontRef, OutlinedGlyph, Point, PxScaleFont, ScaleFont as _, point};

use crate::imaging::raster::Raster;
use crate::model::{ColourModel, Size};

/// Why a text cannot be drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LetteringError {
    /// The font that is linked in cannot be read.
    #[error("the font cannot be read")]
    Font,
    /// Nothing but blanks.
    #[error("the text has no letter that can be seen")]
    Blank,
    /// A character that the font lacks.
    #[error("the font has no `{character}`")]
    NoGlyph {
        /// The first such.
        character: char,
    },
    /// A character of a script that is written from right to left, or whose letters join.
    #[error("`{character}` is of a script that cannot be set letter by letter")]
    Script {
        /// The first such.
        character: char,
    },
    /// More pixels than allowed.
    #[error("the text takes more than {px_max} pixels")]
    OverLimit {
        /// What is allowed.
        px_max: u64,
    },
}

/// The outline's width for letters of this height: a sixteenth, and never so wide that it closes them.
fn outline_px(text_px: u16) -> u32 {
    u32::from(text_px / 16).clamp(1, 4)
}

/// The text as gray with alpha, a quarter of a line free on each side, so that it keeps off the edges of
/// what it is put on; a line feed begins a line, and a line takes `text_px` pixels.
///
/// # Errors
/// See [`LetteringError`]. The limit is looked at before anything is allocated.
pub fn lettering(text: &str, text_px: u16, px_max: u64) -> Result<Raster, LetteringError> {
    let glyphs = outlined(text, text_px)?;
    let bounds = glyphs.iter().map(OutlinedGlyph::px_bounds);
    let bounds = bounds.reduce(|all, one| ab_glyph::Rect {
        min: point(all.min.x.min(one.min.x), all.min.y.min(one.min.y)),
        max: point(all.max.x.max(one.max.x), all.max.y.max(one.max.y)),
    });
    let bounds = bounds.ok_or(LetteringError::Blank)?;
    let margin = outline_px(text_px) + u32::from(text_px / 4);
    let side = |length: f32| whole(length).saturating_add(2 * margin);
    let size = Size::at_least_one(side(bounds.width()), side(bounds.height()));
    if px_max < size.area() {
        return Err(LetteringError::OverLimit { px_max });
    }
    let mut letters = Raster::zeroed(size, ColourModel::Gray, false);
    for glyph in &glyphs {
        let from = glyph.px_bounds().min - bounds.min;
        draw(glyph, (whole(from.x) + margin, whole(from.y) + margin), &mut letters);
    }
    let ground = widened(letters.samples(), outline_px(text_px), letters.row_len());
    let mut raster = Raster::zeroed(size, ColourModel::Gray, true);
    let (pixels, _) = raster.samples_mut().as_chunks_mut::<2>();
    for (pixel, (letter, ground)) in pixels.iter_mut().zip(letters.samples().iter().zip(ground)) {
        *pixel = over(*letter, ground);
    }
    Ok(raster)
}

/// All glyphs that have an outline, each in its place.
fn outlined(text: &str, text_px: u16) -> Result<Vec<OutlinedGlyph>, LetteringError> {
    let font = FontRef::try_from_slice(dejavu::sans::bold());
    let font = font.map_err(|_invalid| LetteringError::Font)?.into_scaled(f32::from(text_px));
    let mut glyphs = Vec::new();
    let mut baseline = Point::default();
    for line in text.lines() {
        set_line(line, &font, baseline, &mut glyphs)?;
        baseline.y += font.height() + font.line_gap();
    }
    Ok(glyphs)
}

fn set_line(
    line: &str,
    font: &PxScaleFont<FontRef<'_>>,
    mut caret: Point,
    glyphs: &mut Vec<OutlinedGlyph>,
) -> Result<(), LetteringError> {
    let mut last = None;
    for character in line.chars() {
        let id = font.glyph_id(character);
        if !is_set_alone(character) {
            return Err(LetteringError::Script { character });
        }
        if id.0 == 0 {
            return Err(LetteringError::NoGlyph { character });
        }
        if let Some(last) = last {
            caret.x += font.kern(last, id);
        }
        let glyph = id.with_scale_and_position(font.scale(), caret);
        glyphs.extend(font.outline_glyph(glyph));
        caret.x += font.h_advance(id);
        last = Some(id);
    }
    Ok(())
}

/// Whether a character is of a script that is set from left to right, a glyph for each.
///
/// # Source
/// Unicode 16.0, Blocks.txt: Hebrew to Arabic Extended-A and their presentation forms, the scripts of India
/// to Tibet, and formatting characters that turn the direction.
fn is_set_alone(character: char) -> bool {
    !matches!(
        u32::from(character),
        0x0590..=0x08ff | 0x0900..=0x0fff | 0x200e..=0x200f | 0x202a..=0x202e
            | 0x2066..=0x2069 | 0xfb1d..=0xfdff | 0xfe70..=0xfeff
    )
}

/// Adds one glyph's coverage, its upper left corner at `left`, `top`.
fn draw(glyph: &OutlinedGlyph, (left, top): (u32, u32), letters: &mut Raster) {
    let row_len = letters.row_len();
    let samples = letters.samples_mut();
    glyph.draw(|x, y, coverage| {
        let at = usize::try_from(top + y).ok().and_then(|row| {
            let column = usize::try_from(left + x).ok()?;
            row.checked_mul(row_len)?.checked_add(column)
        });
        if let Some(sample) = at.and_then(|at| samples.get_mut(at)) {
            *sample = (*sample).max(u8::try_from(whole(coverage * 255.0)).unwrap_or(u8::MAX));
        }
    });
}

/// Each sample becomes the largest within `radius` pixels. Rows follow each other without a break: the
/// letters keep more distance from every edge, so that nothing comes in from the next row.
fn widened(samples: &[u8], radius: u32, row_len: usize) -> Vec<u8> {
    let mut wide = samples.to_vec();
    for y in 0..=radius {
        for x in 0..=radius {
            if radius * radius < x * x + y * y {
                continue;
            }
            let rows = usize::try_from(y).unwrap_or_default() * row_len;
            let columns = usize::try_from(x).unwrap_or_default();
            for distance in [rows + columns, rows.saturating_sub(columns)] {
                let raise = |(wide, sample): (&mut u8, &u8)| *wide = (*wide).max(*sample);
                wide.iter_mut().skip(distance).zip(samples).for_each(raise);
                wide.iter_mut().zip(samples.iter().skip(distance)).for_each(raise);
            }
        }
    }
    wide
}

/// White of this coverage over black of that one, as gray and alpha.
fn over(letter: u8, ground: u8) -> [u8; 2] {
    let (letter, ground) = (u32::from(letter), u32::from(ground));
    let alpha = letter + (ground * (255 - letter) + 127) / 255;
    let gray = (letter * 255 + alpha / 2).checked_div(alpha).unwrap_or(0);
    [gray, alpha].map(|value| u8::try_from(value).unwrap_or(u8::MAX))
}

/// The nearest whole number.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from float saturates"
)]
fn whole(value: f32) -> u32 {
    value.round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const PX_MAX: u64 = 1 << 20;

    fn drawn(text: &str, text_px: u16) -> Raster {
        lettering(text, text_px, PX_MAX).unwrap()
    }

    #[test]
    fn letters_are_white_within_a_black_outline_on_nothing() {
        let raster = drawn("I", 64);
        let (pixels, _) = raster.samples().as_chunks::<2>();
        let count = |wanted: [u8; 2]| pixels.iter().filter(|pixel| **pixel == wanted).count();
        assert!(300 < count([255, 255]), "white");
        assert!(200 < count([0, 255]), "black");
        assert!(0 < count([0, 0]), "nothing in the corners");
        assert_eq!(pixels[0], [0, 0]);
        // Half way down, a bold I is a bar between its outlines.
        let row_len = usize::try_from(raster.size().width()).unwrap();
        let row = pixels.chunks_exact(row_len).nth(pixels.len() / row_len / 2).unwrap();
        let mut grays: Vec<u8> =
            row.iter().filter(|[_, alpha]| *alpha == 255).map(|[gray, _]| *gray).collect();
        grays.retain(|gray| [0, 255].contains(gray));
        grays.dedup();
        assert_eq!(grays, [0, 255, 0]);
    }

    #[test]
    fn size_follows_text_lines_and_height() {
        let one = drawn("Museum", 20).size();
        assert!(one.height() <= 30 && 4 * one.height() < 2 * one.width(), "{one:?}");
        let twice = drawn("MuseumMuseum", 20).size();
        assert!(twice.width().abs_diff(2 * one.width()) < 16, "{twice:?}");
        let lines = drawn("Museum\nMuseum", 20).size();
        assert_eq!(
            (lines.width(), lines.height().abs_diff(one.height() + 20) <= 1),
            (one.width(), true)
        );
        let larger = drawn("Museum", 60).size();
        assert!(larger.width().abs_diff(3 * one.width()) < 12, "{larger:?}");
    }

    #[test]
    fn latin_greek_and_cyrillic_have_letters() {
        for text in [
            "\u{a9} Museum",
            "M\u{fc}nchen",
            "\u{39c}\u{3bf}\u{3c5}",
            "\u{41c}\u{443}\u{437}\u{435}\u{439}",
        ] {
            drawn(text, 20);
        }
    }

    #[test]
    fn what_cannot_be_drawn_says_why() {
        for (text, expected) in [
            ("", LetteringError::Blank),
            (" \n ", LetteringError::Blank),
            ("a\u{4e2d}", LetteringError::NoGlyph { character: '\u{4e2d}' }),
            ("\u{5d0}", LetteringError::Script { character: '\u{5d0}' }),
            ("\u{202e}a", LetteringError::Script { character: '\u{202e}' }),
        ] {
            assert_eq!(lettering(text, 20, PX_MAX).unwrap_err(), expected, "{text:?}");
        }
        let error = lettering("Museum", 512, 1000).unwrap_err();
        assert_eq!(error, LetteringError::OverLimit { px_max: 1000 });
    }
}
