//! FastCGI records: bytes to records and back. Knows no socket and keeps no state; what a record means
//! is [`super::intake`]'s affair.
//!
//! # Source
//! FastCGI Specification 1.0 (1996), sections 3.3, 4 and 5.

/// Bytes before a record's content.
pub(super) const HEADER_BYTES: usize = 8;

/// Content of the longest record we send: the most that is a multiple of 8 and fits 16 bits, so that
/// only the last record of a stream needs padding.
pub(super) const CONTENT_BYTES_MAX: usize = 65_528;

/// The only version there is.
const VERSION: u8 = 1;

/// What a web server may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    BeginRequest,
    AbortRequest,
    Params,
    Stdin,
    Data,
    GetValues,
    Other(u8),
}

impl Kind {
    const fn of(number: u8) -> Self {
        match number {
            1 => Self::BeginRequest,
            2 => Self::AbortRequest,
            4 => Self::Params,
            5 => Self::Stdin,
            8 => Self::Data,
            9 => Self::GetValues,
            other => Self::Other(other),
        }
    }

    /// The number on the wire.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::BeginRequest => 1,
            Self::AbortRequest => 2,
            Self::Params => 4,
            Self::Stdin => 5,
            Self::Data => 8,
            Self::GetValues => 9,
            Self::Other(other) => other,
        }
    }
}

/// A record as it came, without its padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) kind: Kind,
    /// 0 for what concerns the connection and no request.
    pub(super) request_id: u16,
    pub(super) content: &'a [u8],
}

/// Bytes that are no FastCGI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("version {0} of FastCGI is not spoken; is the other side a FastCGI client?")]
pub(super) struct RecordError(u8);

/// The first record of `bytes` and the bytes it takes with its padding; nothing where it is not whole
/// yet.
pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Record<'_>, usize)>, RecordError> {
    // Junk is told by its first byte, before a length is believed.
    match bytes.first() {
        Some(&VERSION) | None => {}
        Some(&other) => return Err(RecordError(other)),
    }
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else { return Ok(None) };
    let [_, kind, id_high, id_low, length_high, length_low, padding, _] = *header;
    let content_bytes = usize::from(u16::from_be_bytes([length_high, length_low]));
    let body_bytes = content_bytes + usize::from(padding);
    let (Some(content), Some(_)) = (rest.get(..content_bytes), rest.get(..body_bytes)) else {
        return Ok(None);
    };
    let request_id = u16::from_be_bytes([id_high, id_low]);
    Ok(Some((Record { kind: Kind::of(kind), request_id, content }, HEADER_BYTES + body_bytes)))
}

/// What we send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    EndRequest,
    Stdout,
    GetValuesResult,
    UnknownType,
}

impl Sent {
    const fn number(self) -> u8 {
        match self {
            Self::EndRequest => 3,
            Self::Stdout => 6,
            Self::GetValuesResult => 10,
            Self::UnknownType => 11,
        }
    }
}

/// How a request ended, for the web server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Answered, or aborted as asked.
    Complete,
    /// A second request on a connection that has one.
    CannotMultiplex,
    /// Neither authorizer nor filter is done here.
    UnknownRole,
}

/// Bytes that fill a record up to a multiple of 8, as the specification recommends.
pub(super) const fn padding_bytes(content_bytes: usize) -> usize {
    content_bytes.wrapping_neg() % 8
}

/// Appends a record's header; `content_bytes` is at most [`CONTENT_BYTES_MAX`], and content and padding
/// must follow.
pub(super) fn put_header(out: &mut Vec<u8>, kind: Sent, request_id: u16, content_bytes: usize) {
    debug_assert!(content_bytes <= CONTENT_BYTES_MAX, "{content_bytes} bytes in one record");
    let [id_high, id_low] = request_id.to_be_bytes();
    let length = u16::try_from(content_bytes).unwrap_or(0);
    let [length_high, length_low] = length.to_be_bytes();
    let padding = u8::try_from(padding_bytes(content_bytes)).unwrap_or(0);
    let kind = kind.number();
    out.extend([VERSION, kind, id_high, id_low, length_high, length_low, padding, 0]);
}

/// Appends a whole record.
pub(super) fn put(out: &mut Vec<u8>, kind: Sent, request_id: u16, content: &[u8]) {
    put_header(out, kind, request_id, content.len());
    out.extend(content);
    out.resize(out.len() + padding_bytes(content.len()), 0);
}

/// Appends the record that ends a request.
pub(super) fn put_end(out: &mut Vec<u8>, request_id: u16, ending: Ending) {
    let status = match ending {
        Ending::Complete => 0,
        Ending::CannotMultiplex => 1,
        Ending::UnknownRole => 3,
    };
    // Four bytes of exit status come first; it means nothing where no process exits.
    put(out, Sent::EndRequest, request_id, &[0, 0, 0, 0, status, 0, 0, 0]);
}

/// Appends the answer to a management record that is not known.
pub(super) fn put_unknown_type(out: &mut Vec<u8>, kind: Kind) {
    put(out, Sent::UnknownType, 0, &[kind.number(), 0, 0, 0, 0, 0, 0, 0]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(kind: u8, request_id: u16, content: &[u8], padding: u8) -> Vec<u8> {
        let [id_high, id_low] = request_id.to_be_bytes();
        let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
        let mut bytes = vec![VERSION, kind, id_high, id_low, high, low, padding, 0];
        bytes.extend(content);
        bytes.resize(bytes.len() + usize::from(padding), 0xAA);
        bytes
    }

    proptest! {
        #[test]
        fn a_record_is_read_as_it_was_written_and_not_before_its_last_byte(
            kind: u8, request_id: u16, padding: u8,
            content in prop::collection::vec(any::<u8>(), 0..600),
        ) {
            let bytes = written(kind, request_id, &content, padding);
            for split in 0..bytes.len() {
                prop_assert_eq!(parse(&bytes[..split]), Ok(None));
            }
            let mut more = bytes.clone();
            more.extend(&bytes);
            let (record, taken_bytes) = parse(&more).unwrap().unwrap();
            prop_assert_eq!(taken_bytes, bytes.len());
            prop_assert_eq!(record, Record { kind: Kind::of(kind), request_id, content: &content });
            prop_assert_eq!(record.kind.number(), kind);
        }

        #[test]
        fn what_we_write_is_aligned_and_reads_back(
            request_id: u16, content in prop::collection::vec(any::<u8>(), 0..600),
        ) {
            let mut bytes = Vec::new();
            put(&mut bytes, Sent::Stdout, request_id, &content);
            prop_assert_eq!(bytes.len() % 8, 0);
            let (record, taken_bytes) = parse(&bytes).unwrap().unwrap();
            prop_assert_eq!(taken_bytes, bytes.len());
            prop_assert_eq!(record.content, &content[..]);
        }

        #[test]
        fn junk_is_refused_waited_for_or_read_and_never_panics(
            bytes in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            if let Ok(Some((record, taken_bytes))) = parse(&bytes) {
                prop_assert!(taken_bytes <= bytes.len());
                prop_assert!(record.content.len() + HEADER_BYTES <= taken_bytes);
            }
        }
    }

    #[test]
    fn another_protocol_is_told_by_its_first_byte() {
        assert_eq!(parse(b"G"), Err(RecordError(b'G')));
        assert_eq!(parse(b""), Ok(None));
    }
}
