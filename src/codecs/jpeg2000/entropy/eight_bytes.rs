//! Eight bytes looked at as one number.

/// A one in each byte.
pub(super) const EACH: u64 = u64::MAX / 0xff;

/// Whether a byte is zero: what is borrowed for it reaches its highest bit.
pub(super) const fn has_zero(bytes: u64) -> bool {
    bytes.wrapping_sub(EACH) & !bytes & (EACH << 7) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_of_zero_is_found_wherever_it_is() {
        for bytes in [EACH, u64::MAX, EACH * 0x80, 0x0180_017f_ff80_017f] {
            assert!(!has_zero(bytes), "{bytes:#x}");
            for at in 0..8 {
                assert!(has_zero(bytes & !(0xff << (8 * at))), "{bytes:#x}, byte {at}");
            }
        }
    }
}
