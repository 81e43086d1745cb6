//! Texts to values: each parser says what it allows when it refuses.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::config::Bind;
use crate::model::processing::ColourMap;
use crate::model::{Format, TiffCompression};

/// What is allowed instead, for people.
pub(super) type Allowed = String;

/// A whole or decimal number within a range.
pub(super) fn number<T>(text: &str, range: &RangeInclusive<T>) -> Result<T, Allowed>
where
    T: FromStr + PartialOrd + std::fmt::Display,
{
    let parsed = text.trim().parse::<T>().ok().filter(|value| range.contains(value));
    parsed.ok_or_else(|| format!("a number from {} to {}", range.start(), range.end()))
}

/// Bytes, as a whole number or with KiB, MiB or GiB behind.
pub(super) fn bytes(text: &str) -> Result<u64, Allowed> {
    let text = text.trim();
    let (digits, unit) = [("KiB", 1_u64 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)]
        .into_iter()
        .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, unit)))
        .unwrap_or((text, 1));
    let count = digits.trim().parse::<u64>().ok().and_then(|count| count.checked_mul(unit));
    count.ok_or_else(|| "bytes, such as 1048576, 512KiB, 256MiB or 2GiB".to_owned())
}

/// Bytes, as [`bytes`] reads them, of which there must be some for anything to work.
pub(super) fn bytes_from(text: &str, least: u64) -> Result<u64, Allowed> {
    let count = bytes(text)?;
    if least <= count { Ok(count) } else { Err(format!("{least} bytes or more")) }
}

/// 0, or bytes of which there must be so many for anything to work.
pub(super) fn none_or_from(text: &str, least: u64) -> Result<u64, Allowed> {
    match bytes(text)? {
        0 => Ok(0),
        count if least <= count => Ok(count),
        _ => Err(format!("0, or {least} bytes or more")),
    }
}

/// Yes or no, as words or as iipsrv's 1 and 0.
pub(super) fn flag(text: &str) -> Result<bool, Allowed> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("true or false".to_owned()),
    }
}

/// `RRGGBB`.
pub(super) fn colour(text: &str) -> Result<[u8; 3], Allowed> {
    ColourMap::stop_of_text(text).ok_or_else(|| "six hexadecimal digits, RRGGBB".to_owned())
}

/// One of a few words.
pub(super) fn word<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, Allowed> {
    let text = text.trim().to_ascii_lowercase();
    let found = words.iter().find(|(word, _)| *word == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        words.join(" or ")
    })
}

/// Milliseconds, 1 to a day.
pub(super) fn millis(text: &str) -> Result<Duration, Allowed> {
    number(text, &(1..=86_400_000)).map(Duration::from_millis)
}

/// Seconds, 1 to a day.
pub(super) fn seconds(text: &str) -> Result<Duration, Allowed> {
    number(text, &(1..=86_400)).map(Duration::from_secs)
}

/// `HOST:PORT`, `unix:PATH` or `none`.
pub(super) fn bind(text: &str) -> Result<Bind, Allowed> {
    let text = text.trim();
    if text == "none" {
        return Ok(Bind::None);
    }
    if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
        return Ok(Bind::Unix(PathBuf::from(path)));
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(Bind::Tcp(address));
    }
    let resolved = text.to_socket_addrs().ok().and_then(|mut found| found.next());
    resolved.map(Bind::Tcp).ok_or_else(|| "HOST:PORT, unix:PATH or none".to_owned())
}

/// The same, and `-` for the socket inherited as descriptor 0.
pub(super) fn bind_or_inherited(text: &str) -> Result<Bind, Allowed> {
    if text.trim() == "-" {
        return Ok(Bind::Inherited);
    }
    bind(text).map_err(|allowed| format!("-, {allowed}"))
}

/// Addresses of machines, separated by commas.
pub(super) fn addresses(text: &str) -> Result<Vec<IpAddr>, Allowed> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let parsed: Option<Vec<IpAddr>> = parts.map(|part| part.parse().ok()).collect();
    parsed.ok_or_else(|| "IP addresses separated by commas".to_owned())
}

/// Formats of answers by their suffixes, each once.
pub(super) fn formats(text: &str) -> Result<Vec<Format>, Allowed> {
    let mut formats = Vec::new();
    for suffix in text.split(',').map(str::trim).filter(|suffix| !suffix.is_empty()) {
        match Format::from_suffix(suffix) {
            Some(format) if !formats.contains(&format) => formats.push(format),
            _ => {
                let known = Format::ALL.map(Format::suffix).join(", ");
                return Err(format!("each once of {known}, separated by commas"));
            }
        }
    }
    Ok(formats)
}

/// A header's value: printable ASCII, so that nothing can be smuggled into an answer.
pub(super) fn header(text: &str) -> Result<String, Allowed> {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        Ok(text.trim().to_owned())
    } else {
        Err("printable ASCII".to_owned())
    }
}

/// A part of a file's name, perhaps empty.
pub(super) fn file_name_part(text: &str) -> Result<String, Allowed> {
    if text.chars().any(|c| c == '/' || c.is_control()) {
        return Err("text without slashes and control characters".to_owned());
    }
    Ok(text.to_owned())
}

/// A line of text, perhaps empty.
pub(super) fn line(text: &str) -> Result<String, Allowed> {
    if text.chars().any(char::is_control) {
        return Err("text without control characters".to_owned());
    }
    Ok(text.trim().to_owned())
}

/// The word of a compression.
pub(super) fn tiff_compression(text: &str) -> Result<TiffCompression, Allowed> {
    word(text, &TiffCompression::ALL.map(|known| (known.word(), known)))
}

/// Names separated by commas.
pub(super) fn names(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Folders separated by colons.
pub(super) fn paths(text: &str) -> Vec<PathBuf> {
    text.split(':').filter(|part| !part.is_empty()).map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_take_units() {
        assert_eq!(bytes("1048576"), Ok(1 << 20));
        assert_eq!(bytes("512KiB"), Ok(512 << 10));
        assert_eq!(bytes(" 2 GiB "), Ok(2 << 30));
        bytes("2 GB").unwrap_err();
        bytes("99999999999GiB").unwrap_err();
        bytes("-1").unwrap_err();
        bytes_from("0", 1).unwrap_err();
        assert_eq!(bytes_from("1KiB", 1024), Ok(1024));
        assert_eq!(none_or_from("0", 1024), Ok(0));
        none_or_from("5", 1024).unwrap_err();
    }

    #[test]
    fn addresses_are_tcp_unix_or_none() {
        assert_eq!(bind("127.0.0.1:0"), Ok(Bind::Tcp("127.0.0.1:0".parse().unwrap())));
        assert_eq!(bind("unix:/run/t.sock"), Ok(Bind::Unix("/run/t.sock".into())));
        assert_eq!(bind("none"), Ok(Bind::None));
        bind("unix:").unwrap_err();
        bind("8182").unwrap_err();
        bind("-").unwrap_err();
        assert_eq!(bind_or_inherited("-"), Ok(Bind::Inherited));
        assert_eq!(bind_or_inherited("none"), Ok(Bind::None));
    }

    #[test]
    fn peers_are_addresses_and_not_names() {
        let both = vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
        assert_eq!(addresses("127.0.0.1, ::1"), Ok(both));
        assert_eq!(addresses(""), Ok(Vec::new()));
        addresses("localhost").unwrap_err();
        addresses("127.0.0.1 ::1").unwrap_err();
    }

    #[test]
    fn numbers_outside_their_range_say_the_range() {
        assert_eq!(number("101", &(1..=100)), Err("a number from 1 to 100".to_owned()));
        assert_eq!(number("7", &(1..=100)), Ok(7));
    }

    #[test]
    fn a_part_of_a_name_stays_within_its_folder() {
        assert_eq!(file_name_part("_pyr_"), Ok("_pyr_".to_owned()));
        assert_eq!(file_name_part(""), Ok(String::new()));
        file_name_part("../").unwrap_err();
        file_name_part("a\nb").unwrap_err();
    }

    #[test]
    fn a_compression_is_a_word() {
        assert_eq!(tiff_compression("Zstd"), Ok(TiffCompression::Zstd));
        assert_eq!(
            tiff_compression("6").unwrap_err(),
            "none or lzw or deflate or jpeg or webp or zstd"
        );
        line("a\nb").unwrap_err();
        assert_eq!(line(" \u{a9} 2026 "), Ok("\u{a9} 2026".to_owned()));
    }

    #[test]
    fn a_header_cannot_be_split() {
        header("max-age=60\r\nSet-Cookie: x").unwrap_err();
        assert_eq!(header("max-age=60"), Ok("max-age=60".to_owned()));
    }
}
