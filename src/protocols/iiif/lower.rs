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
    check_length(raw, version)
        .and_then(|()| Address::split(rest, settings.allow_bare_slash))
        .and_then(|address| {
            Lowering { raw, settings, version, prefix, is_path: true }.lower(&address)
        })
        .map_err(|fault| Refusal::new(Protocol::iiif(version), fault))
}

/// Reads the value of `IIIF=`, by iipsrv's rules.
pub(crate) fn parse_query(
    raw: &RawRequest<'_>,
    settings: &Settings,
    value: &str,
) -> Result<Parsed, Refusal> {
    let prefix = query_base_url(settings)
        .unwrap_or_else(|| public_address(raw, settings, raw.path) + "?IIIF=");
    parse_as_iipsrv(raw, settings, prefix, value)
}

/// Reads what follows a path of the settings' own, by iipsrv's rules.
pub(crate) fn parse_mapped(
    raw: &RawRequest<'_>,
    settings: &Settings,
    mount: &str,
    rest: &str,
) -> Result<Parsed, Refusal> {
    let prefix = query_base_url(settings).unwrap_or_else(|| public_address(raw, settings, mount));
    parse_as_iipsrv(raw, settings, prefix, rest)
}

fn query_base_url(settings: &Settings) -> Option<String> {
    let base_url = settings.iiif_query_base_url.as_ref()?;
    Some(format!("{}/", base_url.trim_end_matches('/')))
}

/// As with iipsrv, an identifier may hold slashes, `Accept` may choose the version of the description,
/// and version 3 takes the size `full` for `max`.
fn parse_as_iipsrv(
    raw: &RawRequest<'_>,
    settings: &Settings,
    prefix: String,
    value: &str,
) -> Result<Parsed, Refusal> {
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
            Lowering { raw, settings, version, prefix, is_path: false }.lower(&address)
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
    /// Whether the address is a path, which may have a query of its own, and its manifest beside it.
    is_path: bool,
}

impl Lowering<'_> {
    fn lower(&self, address: &Address<'_>) -> Result<Parsed, Fault> {
        let (name, encoded) = address.identifier()?;
        let image = image_id(&name, self.settings.delimiter.as_deref())?;
        let base_uri = match self.raw.iiif_id {
            Some(told) => told.to_owned(),
            None => format!("{}{encoded}", self.prefix),
        };
        let words = |base_uri| Words::new(self.version, base_uri, self.raw.accept);
        let (want, words, image) = match address.tail {
            Tail::Base => {
                let location = format!("{base_uri}/info.json");
                return Ok(Parsed::Response(Response::new(303, "").with("Location", location)));
            }
            Tail::Info => {
                let manifest = self.is_path.then(|| self.manifest(&encoded, &image));
                (Want::Info, words(base_uri).with_manifest(manifest), image)
            }
            Tail::Image { region, size, rotation, quality_format } => {
                let parameters = [region, size, rotation, quality_format];
                let (picture, extension) = self.picture(parameters)?;
                let extras = Extras::parse(if self.is_path { self.raw.query } else { "" })?;
                let words = words(base_uri).with_extras(extension, extras.canonical);
                let chosen = image.slice() != Slice::Main;
                let want = Want::Picture(extras.changes.valued(picture));
                (want, words, extras.changes.on(image, chosen))
            }
        };
        Ok(Call::new(self.raw, image, want, Dialect::Iiif(words)).into())
    }

    /// The public address of the manifest that an image stands in.
    fn manifest(&self, encoded: &str, image: &ImageId) -> String {
        let before = public_address(self.raw, self.settings, "/presentation/3/");
        let whole = without_slice(encoded, image, self.settings);
        format!("{before}{whole}/manifest.json")
    }

    /// Region, size, rotation and quality.format, still percent-encoded; and the word of a quality beyond
    /// the standard's.
    fn picture(
        &self,
        [region, size, rotation, quality_format]: [&str; 4],
    ) -> Result<(PictureRequest, Option<&'static str>), Fault> {
        let version = self.version;
        let (extensions, accept) = (self.settings.extensions, self.raw.accept);
        let region = region::parse(&decode(region)?, version)?;
        let size = size::parse(&decode(size)?, version, self.settings)?;
        let (mirror, rotation, tilt) = rotation::parse(&decode(rotation)?, version)?;
        let spoken = quality::Spoken { version, extensions, accept };
        let asked = quality::parse(&decode(quality_format)?, spoken)?;
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
