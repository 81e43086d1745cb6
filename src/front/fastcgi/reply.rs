//! A response to the records that carry it: CGI headers and body cut into STDOUT records around the
//! body's bytes, which are not copied, so that one vectored write sends all of it.
//!
//! # Source
//! RFC 3875, section 6 (the header block); FastCGI Specification 1.0, section 5.3.

use actix_web::http::StatusCode;
use bytes::Bytes;

use crate::front::fastcgi::record::{
    CONTENT_BYTES_MAX, Ending, Sent, padding_bytes, put_end, put_header,
};
use crate::front::fastcgi::responder::Answer;

/// What stands around a body beside its headers, in bytes: three records' headers and padding.
const FRAME_BYTES: usize = 64;

/// The pieces to send in order, up to and with `END_REQUEST`; none is empty.
pub(super) fn pieces(request_id: u16, answer: Answer) -> Vec<Bytes> {
    let mut head = header_block(&answer);
    let mut body = if answer.is_head { Bytes::new() } else { answer.response.body };
    if CONTENT_BYTES_MAX < head.len() {
        // Headers that fill a record are so rare that their body may well be copied.
        head.extend(&body);
        body = Bytes::from(std::mem::take(&mut head));
    }
    let mut pieces = Vec::new();
    let mut between = Vec::with_capacity(head.len() + FRAME_BYTES);
    loop {
        let chunk = body.split_to(body.len().min(CONTENT_BYTES_MAX - head.len()));
        let content_bytes = head.len() + chunk.len();
        if content_bytes == 0 {
            break;
        }
        put_header(&mut between, Sent::Stdout, request_id, content_bytes);
        between.append(&mut head);
        if !chunk.is_empty() {
            pieces.push(Bytes::from(std::mem::take(&mut between)));
            pieces.push(chunk);
        }
        between.resize(between.len() + padding_bytes(content_bytes), 0);
    }
    put_header(&mut between, Sent::Stdout, request_id, 0);
    put_end(&mut between, request_id, Ending::Complete);
    pieces.push(Bytes::from(between));
    pieces
}

/// The status and the headers, up to the empty line.
fn header_block(answer: &Answer) -> Vec<u8> {
    let response = &answer.response;
    let reason = StatusCode::from_u16(response.status).ok();
    let reason = reason.and_then(|status| status.canonical_reason()).unwrap_or("Unknown");
    let mut text = format!("Status: {} {reason}\r\n", response.status);
    let mut put = |name: &str, value: &str| {
        for part in [name, ": ", value, "\r\n"] {
            text.push_str(part);
        }
    };
    for (name, value) in &response.headers {
        // As with HTTP, a value that would break out of its line is left out.
        if !value.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t') {
            put(name, value);
        }
    }
    // 204 and 304 have no body and so no length (RFC 9110, section 8.6).
    if !matches!(response.status, 204 | 304) {
        put("Content-Length", &response.body.len().to_string());
    }
    text.push_str("\r\n");
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::front::fastcgi::record::parse;
    use crate::protocols::wire::Response;

    /// What a web server makes of the pieces: the STDOUT stream, and whether it ended as it must.
    fn received(pieces: &[Bytes]) -> Vec<u8> {
        assert!(pieces.iter().all(|piece| !piece.is_empty()));
        let bytes = pieces.concat();
        let mut rest = &bytes[..];
        let mut stdout = Vec::new();
        let mut ends = Vec::new();
        while let Some((record, taken_bytes)) = parse(rest).unwrap() {
            assert_eq!((record.request_id, taken_bytes % 8), (7, 0));
            match record.kind.number() {
                6 if !record.content.is_empty() => stdout.extend(record.content),
                kind => ends.push(kind),
            }
            rest = &rest[taken_bytes..];
        }
        assert!(rest.is_empty());
        assert_eq!(ends, [6, 3]);
        stdout
    }

    fn answer(response: Response) -> Answer {
        Answer { response, is_head: false }
    }

    #[test]
    fn headers_are_those_of_cgi() {
        let response = Response::new(404, "gone\n")
            .with("Content-Type", "text/plain")
            .with("X-Split", "a\r\nSet-Cookie: b");
        let stdout = received(&pieces(7, answer(response)));
        let expected =
            "Status: 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\ngone\n";
        assert_eq!(String::from_utf8(stdout).unwrap(), expected);
        let stdout = received(&pieces(7, answer(Response::new(304, ""))));
        assert_eq!(stdout, b"Status: 304 Not Modified\r\n\r\n");
    }

    #[test]
    fn head_has_the_length_and_not_the_body() {
        let answer = Answer { response: Response::new(200, vec![1; 900]), is_head: true };
        assert_eq!(received(&pieces(7, answer)), b"Status: 200 OK\r\nContent-Length: 900\r\n\r\n");
    }

    #[test]
    fn a_tile_goes_out_in_three_pieces_and_is_not_copied() {
        let body = Bytes::from(vec![7; 20_000]);
        let pieces = pieces(7, answer(Response::new(200, body.clone())));
        assert_eq!(pieces.len(), 3);
        assert_eq!(pieces[1].as_ptr(), body.as_ptr());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn bodies_and_headers_of_any_length_arrive_whole(
            body_bytes in 0..300_000_usize,
            header_bytes in prop_oneof![0..500_usize, 60_000..140_000_usize],
        ) {
            let body: Vec<u8> = (0..body_bytes).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let response = Response::new(200, body.clone()).with("Link", "x".repeat(header_bytes));
            let stdout = received(&pieces(7, answer(response)));
            prop_assert!(stdout.ends_with(&body));
            let head = &stdout[..stdout.len() - body.len()];
            prop_assert!(head.ends_with(b"\r\n\r\n") && header_bytes < head.len());
        }
    }
}
