//! Text to [`Request`](crate::model::Request) and [`Reply`](crate::model::Reply) to text, per protocol.
//! Pure: knows no socket, no HTTP library, no file and no clock.
//!
//! [`parse`] finds the protocol by the path and hands the rest to it; [`respond`] words the
//! service's answer as that protocol does; [`respond_fault`] and [`Refusal::respond`] word a refusal.
#![deny(clippy::disallowed_types)]

mod accept;
mod answer;
mod call;
mod change;
mod deepzoom;
mod http_date;
mod iiif;
mod iip;
mod image_name;
mod mount;
mod number;
pub(crate) mod percent;
mod presentation;
mod protocol;
mod query_form;
mod refusal;
mod settings;
mod tile_name;
pub mod wire;
mod zoomify;

pub use answer::respond;
pub use call::{Call, Dialect, Parsed};
pub use deepzoom::Words as DeepZoomWords;
pub use iiif::Words as IiifWords;
pub use iip::Words as IipWords;
pub(crate) use image_name::{image_id, sliced_name};
pub use presentation::{Canvas, ManifestCall};
pub use protocol::Protocol;
pub use query_form::names_an_image;
pub use refusal::{Refusal, respond_fault};
pub use settings::{DeepZoomSettings, IiifVersion, Settings};
pub use wire::{Method, RawRequest, Response};

use crate::model::{Fault, FaultKind, UriMap};
use crate::protocols::mount::Mount;

/// Reads a request: what is asked of which image, or the answer itself where no image is needed.
///
/// # Errors
/// A [`Refusal`] in the words of the protocol whose path was asked: 400 for what makes no sense, 404
/// for what cannot exist, 405, 414, and 501 for what is valid but not done here.
pub fn parse(raw: &RawRequest<'_>, settings: &Settings) -> Result<Parsed, Refusal> {
    let mount =
        if raw.query_rules { Some(Mount::Query) } else { Mount::find(raw.path, &settings.uri_map) };
    let Some(mount) = mount else { return Ok(Parsed::NotOurs) };
    let protocol = mount.protocol(settings.iiif_version);
    if raw.method == Method::Options {
        let allow = Response::new(204, "").with("Allow", protocol.methods());
        return Ok(Parsed::Response(allow));
    }
    check_method(raw.method, protocol)
        .and_then(|()| check_length(raw, settings))
        .map_err(|fault| Refusal::new(protocol, fault))?;
    let parsed = match mount {
        Mount::Query => query_form::parse(raw, settings),
        Mount::Iiif { version, rest } => iiif::parse_path(raw, settings, version, rest),
        Mount::Presentation(rest) => {
            presentation::parse(raw, settings, rest).map(|call| Parsed::Manifest(Box::new(call)))
        }
        Mount::DeepZoom(rest) => deepzoom::parse(raw, rest, settings),
        Mount::Zoomify(rest) => zoomify::parse(raw, rest, settings),
        Mount::Mapped(path) => query_form::parse_mapped(raw, path, settings),
    };
    let mut parsed = parsed?;
    if let Parsed::Call(call) = &mut parsed {
        accept::negotiate(call, raw, settings.negotiate);
    }
    Ok(parsed)
}

/// Whether a path is one that a protocol answers at.
pub fn is_mounted(path: &str, map: &UriMap) -> bool {
    Mount::find(path, map).is_some()
}

fn check_method(method: Method, protocol: Protocol) -> Result<(), Fault> {
    match method {
        Method::Get | Method::Head => Ok(()),
        Method::Post if protocol == Protocol::Iip => Ok(()),
        Method::Post | Method::Options | Method::Other => Err(Fault::new(
            FaultKind::MethodNotAllowed,
            format!("the method is not taken here; allowed are {}", protocol.methods()),
        )),
    }
}

fn check_length(raw: &RawRequest<'_>, settings: &Settings) -> Result<(), Fault> {
    let uri_bytes = raw.path.len().saturating_add(raw.query.len());
    let limit = settings.uri_bytes_max;
    if limit < uri_bytes {
        return Err(Fault::new(
            FaultKind::UriTooLong,
            format!("the address is {uri_bytes} bytes long, at most {limit} are taken"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod slice_tests;
#[cfg(test)]
mod tests;
