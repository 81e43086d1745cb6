//! An address becomes one request, or the redirect of the base URI to `info.json`.

use crate::model::request::{Frame, PictureRequest};
use crate::model::{Fault, FaultKind, ImageId, Slice, Want};
use crate::protocols::call::{Call, Dialect, Parsed};
use crate::protocols::iiif::address::{Address, Tail};
use crate::protocols::iiif::extras::Extras;
use crate::protocols::iiif::words::Words;
use crate::protocols::iiif::{quality, region, rotation, size};
use crate::protocols::image_name::image_id;
use crate::protocols::percent::{decode, encode_identifier};
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
        Some(IiifVersion::V1) => "/iiif/1/",
        Some(IiifVersion::V2) => "/iiif/2/",
        Some(IiifVersion::V3) => "/iiif/3/",
    };
    let prefix = public_address(raw, settings, mount);
    let manifests = Some(public_address(raw, settings, "/presentation/3/"));
    check_length(raw, version)
        .and_then(|()| Address::split(rest, settings.allow_bare_slash))
        .and_then(|address| {
            Lowering { raw, settings, version, prefix, manifests, query: raw.query }.lower(&address)
        })
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
            Lowering { raw, settings, version, prefix, manifests: None, query: "" }.lower(&address)
        })
        .map_err(|fault| Refusal::new(Protocol::iiif(default), fault))
}

/// The address by which clients know a path.
pub(crate) fn public_address(raw: &RawRequest<'_>, settings: &Settings, path: &str) -> String {
    match &settings.base_url {
        Some(base_url) => format!("{}{path}", base_url.trim_end_matches('/')),
        None => format!("{}://{}{}{path}", raw.scheme, raw.host, raw.prefix),
    }
}

/// The longest address of version 1.1 (its section 8), in bytes.
const URI_BYTES_MAX_1: usize = 1024;

fn check_length(raw: &RawRequest<'_>, version: IiifVersion) -> Result<(), Fault> {
    let bytes = raw.path.len() + raw.query.len();
    if version != IiifVersion::V1 || bytes <= URI_BYTES_MAX_1 {
        return Ok(());
    }
    Err(Fault::new(
        FaultKind::UriTooLong,
        format!("the address is {bytes} bytes long, version 1.1 takes {URI_BYTES_MAX_1}"),
    ))
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
    /// What stands before it in that of its manifest.
    manifests: Option<String>,
    /// What follows the address behind a question mark.
    query: &'a str,
}

impl Lowering<'_> {
    fn lower(self, address: &Address<'_>) -> Result<Parsed, Fault> {
        let (name, encoded) = address.identifier()?;
        let image = image_id(&name, self.settings.delimiter.as_deref())?;
        let base_uri = match self.raw.iiif_id {
            Some(told) => told.to_owned(),
            None => self.prefix + &encoded,
        };
        let parameters = match address.tail {
            Tail::Base => {
                let location = format!("{base_uri}/info.json");
                return Ok(Parsed::Response(Response::new(303, "").with("Location", location)));
            }
            Tail::Info => None,
            Tail::Image { region, size, rotation, quality_format } => {
                Some([region, size, rotation, quality_format])
            }
        };
        let manifest = self.manifests.map(|before| {
            let whole = without_slice(&encoded, &image, self.settings);
            format!("{before}{whole}/manifest.json")
        });
        let words = Words::new(self.version, base_uri, self.raw.accept).with_manifest(manifest);
        let Some(parameters) = parameters else {
            return Ok(Call::new(self.raw, image, Want::Info, Dialect::Iiif(words)).into());
        };
        let dialect = quality::Dialect {
            version: self.version,
            extensions: self.settings.extensions,
            accept: self.raw.accept,
        };
        let extras = Extras::parse(self.query)?;
        let (picture, extension) = picture(parameters, dialect, self.settings)?;
        let chosen = image.slice() != Slice::Main;
        let image = extras.changes.on(image, chosen);
        let want = Want::Picture(extras.changes.valued(&picture));
        let words = words.with_extras(extension, extras.canonical);
        Ok(Call::new(self.raw, image, want, Dialect::Iiif(words)).into())
    }
}

/// The encoded identifier of the file whose page or picture an image is.
fn without_slice<'a>(encoded: &'a str, image: &ImageId, settings: &Settings) -> &'a str {
    let Some(delimiter) = settings.delimiter.as_deref() else { return encoded };
    if image.slice() == Slice::Main {
        return encoded;
    }
    let mut delimiter_encoded = String::new();
    encode_identifier(delimiter, &mut delimiter_encoded);
    encoded.rsplit_once(&delimiter_encoded).map_or(encoded, |(name, _)| name)
}

/// Region, size, rotation and quality.format, still percent-encoded; and the word of a quality beyond the
/// standard's.
fn picture(
    [region, size, rotation, quality_format]: [&str; 4],
    dialect: quality::Dialect<'_>,
    settings: &Settings,
) -> Result<(PictureRequest, Option<&'static str>), Fault> {
    let version = dialect.version;
    let region = region::parse(&decode(region)?, version)?;
    let size = size::parse(&decode(size)?, version, settings)?;
    let (mirror, rotation, tilt) = rotation::parse(&decode(rotation)?, version)?;
    let asked = quality::parse(&decode(quality_format)?, dialect)?;
    let frame = Frame::Region { region, size };
    let (processing, extension) = asked.extension.unzip();
    let picture = PictureRequest {
        mirror,
        rotation,
        tilt,
        quality: asked.quality,
        processing: processing.unwrap_or_default(),
        ..PictureRequest::plain(frame, asked.format)
    };
    Ok((picture, extension))
}
