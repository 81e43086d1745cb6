//! `SocketMode`: who on this machine may connect to a unix socket, as chmod(1) writes it.

/// The rights that a unix socket's file gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SocketMode {
    /// What the umask of the process leaves.
    #[default]
    Umask,
    /// These bits, 0 to 0o777; who may write may connect.
    Bits(u32),
}

impl SocketMode {
    /// Three octal digits with or without a 0 before them; nothing leaves it to the umask.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Some(Self::Umask);
        }
        let digits = text.strip_prefix('0').filter(|digits| digits.len() == 3).unwrap_or(text);
        let is_octal =
            digits.len() == 3 && digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
        let bits = is_octal.then(|| u32::from_str_radix(digits, 8).ok()).flatten();
        bits.map(Self::Bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_written_as_chmod_has_them() {
        for (text, expected) in [
            ("", Some(SocketMode::Umask)),
            ("660", Some(SocketMode::Bits(0o660))),
            (" 0660 ", Some(SocketMode::Bits(0o660))),
            ("777", Some(SocketMode::Bits(0o777))),
            ("000", Some(SocketMode::Bits(0))),
            ("66", None),
            ("06600", None),
            ("4755", None),
            ("680", None),
            ("+66", None),
            ("rw-rw----", None),
        ] {
            assert_eq!(SocketMode::parse(text), expected, "{text}");
        }
    }
}
