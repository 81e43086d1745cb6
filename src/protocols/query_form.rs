//! The query as the request: IIP's commands, or one of the other protocols' addresses as the value of
//! `IIIF=`, `DeepZoom=` or `Zoomify=`, which is how iipsrv takes them.

use crate::model::{Fault, FaultKind, Want};
use crate::protocols::call::Parsed;
use crate::protocols::deepzoom;
use crate::protocols::iiif;
use crate::protocols::iip;
use crate::protocols::iip::command::Command;
use crate::protocols::iip::grammar::{Token, tokens};
use crate::protocols::protocol::Protocol;
use crate::protocols::refusal::Refusal;
use crate::protocols::settings::Settings;
use crate::protocols::wire::RawRequest;
use crate::protocols::zoomify;

/// Whether a query names an image, in any of the ways that it can.
pub fn names_an_image(query: &str) -> bool {
    let names = ["fif", "iiif", "deepzoom", "zoomify"];
    tokens(query).any(|token| names.iter().any(|name| token.name.eq_ignore_ascii_case(name)))
}

/// Reads the query, or the body where the query is empty.
pub(crate) fn parse(raw: &RawRequest<'_>, settings: &Settings) -> Result<Parsed, Refusal> {
    let text = text(raw).map_err(|fault| Refusal::new(Protocol::Iip, fault))?;
    let foreign = tokens(text).find_map(|token| Some((foreign_protocol(token, settings)?, token)));
    let Some((protocol, address)) = foreign else {
        return iip::parse(raw, text, settings);
    };
    let encoder_quality =
        encoder_quality(text, address).map_err(|fault| Refusal::new(protocol, fault))?;
    let mut parsed = match protocol {
        Protocol::Iip | Protocol::Iiif2 | Protocol::Iiif3 => {
            iiif::parse_query(raw, settings, address.value)
        }
        Protocol::DeepZoom => deepzoom::parse(raw, address.value),
        Protocol::Zoomify => zoomify::parse(raw, address.value),
    }?;
    if let Parsed::Call(call) = &mut parsed
        && let Want::Picture(picture) = &mut call.request.want
    {
        picture.encoder_quality = encoder_quality;
    }
    Ok(parsed)
}

fn text<'a>(raw: &RawRequest<'a>) -> Result<&'a str, Fault> {
    if !raw.query.is_empty() {
        return Ok(raw.query);
    }
    str::from_utf8(raw.body).map_err(|error| {
        let at = error.valid_up_to();
        Fault::bad_request(format!("the body is not UTF-8 from byte {at} on"))
    })
}

fn foreign_protocol(token: Token<'_>, settings: &Settings) -> Option<Protocol> {
    [
        ("iiif", Protocol::iiif(settings.iiif_version)),
        ("deepzoom", Protocol::DeepZoom),
        ("zoomify", Protocol::Zoomify),
    ]
    .into_iter()
    .find_map(|(name, protocol)| token.name.eq_ignore_ascii_case(name).then_some(protocol))
}

/// The `QLT` before the address; whatever else would change the picture is refused, not ignored.
fn encoder_quality(text: &str, address: Token<'_>) -> Result<Option<u8>, Fault> {
    let mut quality = None;
    for token in tokens(text).take_while(|token| *token != address) {
        match Command::parse(token).map_err(|error| error.fault)? {
            Command::EncoderQuality(value) => quality = Some(value),
            Command::Neutral => {}
            _ => {
                return Err(Fault::new(
                    FaultKind::NotImplemented,
                    format!(
                        "{} cannot be joined with {}",
                        token.shown_name(),
                        address.shown_name()
                    ),
                ));
            }
        }
    }
    Ok(quality)
}
