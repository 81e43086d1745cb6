//! Reads a JPEG's size from its frame header (ITU-T T.81, B.2.2) and sees that the file is whole:
//! enough to tell a picture from an error page without decoding it.

/// Width and height in pixels, or nothing where the bytes are no JPEG from SOI to EOI.
pub(crate) fn size_px(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut rest = bytes.strip_prefix(&[0xFF, 0xD8])?;
    if !bytes.ends_with(&[0xFF, 0xD9]) {
        return None;
    }
    loop {
        let (&[marker_start, marker, high, low], after) = rest.split_first_chunk()?;
        if marker_start != 0xFF {
            return None;
        }
        let length_bytes = usize::from(u16::from_be_bytes([high, low]));
        let segment = after.get(..length_bytes.checked_sub(2)?)?;
        if is_frame_header(marker) {
            let &[_precision, y1, y0, x1, x0] = segment.first_chunk()?;
            let side = |high, low| u32::from(u16::from_be_bytes([high, low]));
            return Some((side(x1, x0), side(y1, y0)));
        }
        rest = after.get(segment.len()..)?;
    }
}

/// SOF0 to SOF15, without the DHT, JPG and DAC markers that lie between them.
const fn is_frame_header(marker: u8) -> bool {
    matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SOI, an APP0 of 2 bytes, SOF0 of 300 x 200, EOI.
    const WHOLE: &[u8] = &[
        0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xC0, 0, 11, 8, 0, 200, 1, 44, 1, 1, 0x11, 0,
        0xFF, 0xD9,
    ];

    #[test]
    fn the_size_is_read_past_other_segments() {
        assert_eq!(size_px(WHOLE), Some((300, 200)));
    }

    #[test]
    fn a_huffman_table_is_no_frame_header() {
        let mut tables = WHOLE.to_vec();
        tables[9] = 0xC4;
        assert_eq!(size_px(&tables), None);
    }

    #[test]
    fn every_truncation_is_refused() {
        for length in 0..WHOLE.len() {
            assert_eq!(size_px(&WHOLE[..length]), None, "{length} bytes");
        }
        assert_eq!(size_px(b"\xFF\xD8\xFF\xE0\0\0\xFF\xD9"), None, "a length below 2");
        assert_eq!(size_px(b"<html>not a picture</html>"), None);
    }
}
