//! An address becomes one request, or the redirect of the base URI to `info.json`.

use crate::model::request::{Frame, PictureRequest};
use crate::model::{Fault, Want};
use crate::protocols::call::{Call, Dialect, Parsed};
use crate::protocols::iiif::address::{Address, Tail};
use crate::protocols::iiif::words::Words;
use crate::protocols::iiif::{quality, region, rotation, size};
use crate::protocols::image_name::image_id;
use crate::protocols::percent::decode;
use crate::protocols::protocol::Protocol;
use crate::protocols::refusal::Refusal;
use crate::protocols::settings::{IiifVersion, Settings};
use crate::protocols::wire::{RawRequest, Response};

/// Reads what follows `/iiif/3/`, `/iiif/2/` or, where no version was named, `/iiif/`.
pub(crate) fn parse_path(
    raw: &RawRequest<'_>,
    settings: &Settings,
    named: Option<IiifVersion>,
    rest: &str,
) -> Result<Parsed, Refusal> {
    let version = named.unwrap_or(settings.iiif_version);
    let mount = match named {
        None => "/iiif/",
        Some(IiifVersion::V2) => "/iiif/2/",
        Some(IiifVersion::V3) => "/iiif/3/",
    };
    let prefix = public_address(raw, settings, mount);
    Address::split(rest, settings.allow_bare_slash)
        .and_then(|address| Lowering { raw, settings, version, prefix }.lower(&address))
        .map_err(|fault| Refusal::new(Protocol::iiif(version), fault))
}

/// Reads the value of `IIIF=`. As with iipsrv, an identifier may hold slashes, `Accept` may choose the
/// version of the description, and version 3 takes the size `full` for `max`.
pub(crate) fn parse_query(
    raw: &RawRequest<'_>,
    settings: &Settings,
    value: &str,
) -> Result<Parsed, Refusal> {
    let prefix = match &settings.iiif_query_base_url {
        Some(base_url) => format!("{}/", base_url.trim_end_matches('/')),
        None => public_address(raw, settings, raw.path) + "?IIIF=",
    };
    let default = settings.iiif_version;
    Address::split(value, true)
        .and_then(|mut address| {
            let version = match &mut address.tail {
                Tail::Info => version_accepted(raw.accept).unwrap_or(default),
                Tail::Image { size, .. } if *size == "full" => {
                    *size = "max";
                    default
                }
                Tail::Image { .. } | Tail::Base => default,
            };
            Lowering { raw, settings, version, prefix }.lower(&address)
        })
        .map_err(|fault| Refusal::new(Protocol::iiif(default), fault))
}

/// The address by which clients know a path.
fn public_address(raw: &RawRequest<'_>, settings: &Settings, path: &str) -> String {
    match &settings.base_url {
        Some(base_url) => format!("{}{path}", base_url.trim_end_matches('/')),
        None => format!("{}://{}{path}", raw.scheme, raw.host),
    }
}

/// The version whose context `Accept` names.
fn version_accepted(accept: &str) -> Option<IiifVersion> {
    let (_, named) = accept.split_once("http://iiif.io/api/image/")?;
    match named.split_once("/context.json")? {
        ("2", _) => Some(IiifVersion::V2),
        ("3", _) => Some(IiifVersion::V3),
        _ => None,
    }
}

/// What an address is read against.
#[derive(Debug)]
struct Lowering<'a> {
    raw: &'a RawRequest<'a>,
    settings: &'a Settings,
    version: IiifVersion,
    /// What stands before the identifier in the public address.
    prefix: String,
}

impl Lowering<'_> {
    fn lower(self, address: &Address<'_>) -> Result<Parsed, Fault> {
        let (name, encoded) = address.identifier()?;
        let image = image_id(&name, self.settings.delimiter.as_deref())?;
        let mut base_uri = self.prefix;
        base_uri.push_str(&encoded);
        let want = match address.tail {
            Tail::Base => {
                let location = format!("{base_uri}/info.json");
                return Ok(Parsed::Response(Response::new(303, "").with("Location", location)));
            }
            Tail::Info => Want::Info,
            Tail::Image { region, size, rotation, quality_format } => {
                let parts = [region, size, rotation, quality_format];
                Want::Picture(picture(parts, self.version, self.settings)?)
            }
        };
        let words = Words::new(self.version, base_uri, self.raw.accept);
        Ok(Call::new(self.raw, image, want, Dialect::Iiif(words)).into())
    }
}

/// Region, size, rotation and quality.format, still percent-encoded.
fn picture(
    [region, size, rotation, quality_format]: [&str; 4],
    version: IiifVersion,
    settings: &Settings,
) -> Result<PictureRequest, Fault> {
    let region = region::parse(&decode(region)?)?;
    let size = size::parse(&decode(size)?, version, settings)?;
    let (mirror, rotation) = rotation::parse(&decode(rotation)?)?;
    let (quality, format) = quality::parse(&decode(quality_format)?)?;
    let frame = Frame::Region { region, size };
    Ok(PictureRequest { mirror, rotation, quality, ..PictureRequest::plain(frame, format) })
}
