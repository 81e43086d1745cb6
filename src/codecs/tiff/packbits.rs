//! `PackBits` (TIFF 6.0, section 9): runs and literals of bytes.

/// Unpacks into `target` until it is full; how many bytes were filled, fewer than `target` where
/// `packed` ends first.
pub(super) fn unpack(packed: &[u8], target: &mut [u8]) -> usize {
    let (mut packed, mut filled) = (packed, 0);
    while let ([head, rest @ ..], Some(room)) = (packed, target.get_mut(filled..)) {
        if room.is_empty() {
            break;
        }
        let (used, written) = match head.cast_signed() {
            // A filler, by the standard.
            i8::MIN => (0, 0),
            run @ ..0 => (1, fill_run(rest, room, usize::from(run.unsigned_abs()) + 1)),
            literal => {
                let len = usize::from(literal.unsigned_abs()) + 1;
                (len, copy_literal(rest, room, len))
            }
        };
        filled += written;
        packed = rest.get(used..).unwrap_or_default();
    }
    filled
}

fn fill_run(packed: &[u8], room: &mut [u8], len: usize) -> usize {
    let Some(value) = packed.first() else { return 0 };
    let len = len.min(room.len());
    room.iter_mut().take(len).for_each(|sample| *sample = *value);
    len
}

fn copy_literal(packed: &[u8], room: &mut [u8], len: usize) -> usize {
    let len = len.min(room.len()).min(packed.len());
    if let (Some(room), Some(packed)) = (room.get_mut(..len), packed.get(..len)) {
        room.copy_from_slice(packed);
    }
    len
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_literals_fill_the_target() {
        for (packed, len, expected) in [
            (
                &b"\xfe\xaa\x02\x80\x00\x2a\xfd\xaa"[..],
                10,
                &b"\xaa\xaa\xaa\x80\x00\x2a\xaa\xaa\xaa\xaa"[..],
            ),
            (b"\x80\x80\x00a", 1, b"a"),
            (b"\x81z", 3, b"zzz"),
            (b"\x05abcdef", 3, b"abc"),
            (b"\x05ab", 6, b"ab"),
            (b"\xfe", 6, b""),
            (b"", 6, b""),
        ] {
            let mut target = vec![0; len];
            let filled = unpack(packed, &mut target);
            assert_eq!(&target[..filled], expected, "{packed:?}");
        }
    }
}
