//! `Accept` (RFC 9110, section 12.5.1): what a client prefers, and the tiles that it is given because of it.

use crate::model::{Format, Negotiate, Want};
use crate::protocols::call::{Call, Dialect};
use crate::protocols::wire::{RawRequest, Response};

/// The weight (`q`, 0 to 1) that `Accept` gives a media type by name.
pub(crate) fn weight(accept: &str, media_type: &str) -> Option<f32> {
    accept.split(',').find_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        parts.next().filter(|name| name.eq_ignore_ascii_case(media_type))?;
        let weight = parts.find_map(|part| part.strip_prefix("q="));
        Some(weight.and_then(|weight| weight.parse().ok()).unwrap_or(1.0))
    })
}

/// Gives a tile that is asked for as JPEG, as all viewers do unless told otherwise, in a format that the
/// client reads and the rule prefers.
pub(crate) fn negotiate(call: &mut Call, raw: &RawRequest<'_>, rule: Negotiate) {
    if !is_negotiable(call, rule) {
        return;
    }
    let preferred = match rule {
        Negotiate::Off => &[][..],
        Negotiate::Webp => &[Format::Webp],
        Negotiate::Avif => &[Format::Avif, Format::Webp],
    };
    let is_read = |format: &&Format| {
        weight(raw.accept, format.media_type()).is_some_and(|weight| 0.0 < weight)
    };
    if let (Want::Picture(picture), Some(format)) =
        (&mut call.request.want, preferred.iter().find(is_read))
        && picture.format == Format::Jpeg
    {
        picture.format = *format;
    }
}

/// The answer with `Vary` where its format may hang on `Accept`.
pub(crate) fn varied(call: &Call, rule: Negotiate, response: Response) -> Response {
    if is_negotiable(call, rule) { response.with("Vary", "Accept") } else { response }
}

/// Whether a call is for a tile whose format is not the protocol's word: IIIF's address names it, and an
/// export's file is kept under its name.
fn is_negotiable(call: &Call, rule: Negotiate) -> bool {
    let is_tile = match &call.dialect {
        Dialect::Iip(words) => words.is_tile(),
        Dialect::Iiif(_) => false,
        Dialect::DeepZoom(_) | Dialect::Zoomify => call.picture().is_some(),
    };
    is_tile && rule != Negotiate::Off
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::fixture::{get, picture_reply};
    use crate::protocols::{Parsed, Settings, parse, respond};

    #[test]
    fn tiles_come_in_what_the_rule_prefers_and_the_client_reads() {
        use Format::{Avif, Jpeg, Png, Webp};
        let browser = "image/avif,image/webp,image/apng,image/*,*/*;q=0.8";
        let tile = "/deepzoom/a_files/1/0_0.jpg";
        for (rule, address, accept, expected) in [
            (Negotiate::Off, tile, browser, (Jpeg, false)),
            (Negotiate::Webp, tile, browser, (Webp, true)),
            (Negotiate::Avif, tile, browser, (Avif, true)),
            (Negotiate::Avif, tile, "image/webp", (Webp, true)),
            (Negotiate::Avif, tile, "image/avif;q=0,image/webp;q=0.1", (Webp, true)),
            (Negotiate::Avif, tile, "*/*", (Jpeg, true)),
            (Negotiate::Avif, "/deepzoom/a_files/1/0_0.png", browser, (Png, true)),
            (Negotiate::Avif, "/zoomify/a/TileGroup0/0-0-0.jpg", browser, (Avif, true)),
            (Negotiate::Avif, "/iip?FIF=a&JTL=0,0", browser, (Avif, true)),
            (Negotiate::Avif, "/iip?FIF=a&TIL=0,0", browser, (Jpeg, false)),
            (Negotiate::Avif, "/iip?FIF=a&CVT=jpeg", browser, (Jpeg, false)),
            (Negotiate::Avif, "/iiif/3/a/full/max/0/default.jpg", browser, (Jpeg, false)),
        ] {
            let settings = Settings { negotiate: rule, ..Settings::default() };
            let raw = RawRequest { accept, ..get(address) };
            let Ok(Parsed::Call(call)) = parse(&raw, &settings) else { panic!("{address}") };
            let format = call.picture().unwrap().format;
            let response = respond(&call, &picture_reply(1, 1, format), &settings);
            let varies = response.header("Vary") == Some("Accept");
            assert_eq!((format, varies), expected, "{rule:?} {address} {accept}");
        }
    }
}
