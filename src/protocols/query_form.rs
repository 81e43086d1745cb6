//! The query as the request: IIP's commands, or one of the other protocols' addresses as the value of
//! `IIIF=`, `DeepZoom=` or `Zoomify=`, which is how iipsrv takes them.

use std::num::NonZeroU16;

use crate::model::{Depth, Fault, FaultKind, Mapped, MappedPath, Slice, TiffCompression, Want};
use crate::protocols::call::{Call, Dialect, Parsed};
use crate::protocols::change::Changes;
use crate::protocols::deepzoom;
use crate::protocols::iiif;
use crate::protocols::iip;
use crate::protocols::iip::command::Command;
use crate::protocols::iip::grammar::{Token, tokens};
use crate::protocols::image_name::viewed;
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
    let refused = |fault| Refusal::new(protocol, fault);
    let setters = Setters::read(text, address, settings).map_err(refused)?;
    let mut parsed = match protocol {
        Protocol::Iip
        | Protocol::Iiif1
        | Protocol::Iiif2
        | Protocol::Iiif3
        | Protocol::Presentation => iiif::parse_query(raw, settings, address.value),
        Protocol::DeepZoom => deepzoom::parse(raw, address.value, settings),
        Protocol::Zoomify => zoomify::parse(raw, address.value, settings),
    }?;
    if let Parsed::Call(call) = &mut parsed {
        setters.apply(call).map_err(refused)?;
    }
    Ok(parsed)
}

/// Reads a path that the settings map to a protocol; as with iipsrv, its query says nothing.
pub(crate) fn parse_mapped(
    raw: &RawRequest<'_>,
    path: MappedPath<'_>,
    settings: &Settings,
) -> Result<Parsed, Refusal> {
    let MappedPath { to, mount, rest } = path;
    match to {
        Mapped::Iip => iip::parse(raw, &format!("FIF={rest}"), settings),
        Mapped::Iiif => iiif::parse_mapped(raw, settings, mount, rest),
        Mapped::DeepZoom => deepzoom::parse(raw, rest, settings),
        Mapped::Zoomify => zoomify::parse(raw, rest, settings),
    }
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

/// What stands before the address.
#[derive(Debug, Default)]
struct Setters {
    /// `QLT`.
    encoder_quality: Option<i8>,
    /// `QLT` with a word.
    tiff_compression: Option<TiffCompression>,
    /// `BPC`.
    depth: Depth,
    /// `SDS`.
    view: Option<Slice>,
    /// `LYR`.
    layers: Option<NonZeroU16>,
    /// `CNT` and its like; for IIIF, whose address has words of its own for colours and turns, but these.
    changes: Changes,
}

impl Setters {
    /// Reads `QLT`, `BPC`, `SDS` and what changes pixels; whatever else would change the picture is refused,
    /// not ignored.
    fn read(text: &str, address: Token<'_>, settings: &Settings) -> Result<Self, Fault> {
        let mut setters = Self::default();
        for token in tokens(text).take_while(|token| *token != address) {
            match Command::parse(token, settings).map_err(|error| error.fault)? {
                Command::EncoderQuality(quality, compression) => {
                    setters.encoder_quality = Some(quality);
                    setters.tiff_compression = compression;
                }
                Command::Depth(depth) => setters.depth = depth,
                Command::View(view) => setters.view = Some(view),
                Command::Layers(layers) => setters.layers = layers,
                Command::Neutral => {}
                Command::Change(change)
                    if change.is_of_values() || !address.name.eq_ignore_ascii_case("iiif") =>
                {
                    setters.changes.add(change)?;
                }
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
        Ok(setters)
    }

    /// Sets what was read; a view only where the answer does not tell an address without it.
    fn apply(self, call: &mut Call) -> Result<(), Fault> {
        let request = &mut call.request;
        match &mut request.want {
            Want::Picture(picture) => {
                match &mut call.dialect {
                    Dialect::Iiif(words) => {
                        let changed = self.changes.valued(picture.clone());
                        // No address in the standard's form says so.
                        words.is_canonical &= changed == *picture && self.layers.is_none();
                        *picture = changed;
                    }
                    Dialect::Iip(_) | Dialect::DeepZoom(_) | Dialect::Zoomify => {
                        *picture = self.changes.applied(picture);
                    }
                }
                picture.encoder_quality = self.encoder_quality;
                picture.tiff_compression = self.tiff_compression;
                picture.depth = self.depth;
            }
            Want::Tiles(_) | Want::Samples(_) => {}
            Want::Info => {
                let tells_address = matches!(call.dialect, Dialect::Iiif(_));
                if tells_address && self.view.is_some_and(|view| !view.is_plain()) {
                    return Err(Fault::new(
                        FaultKind::NotImplemented,
                        "SDS cannot be joined with info.json, whose id would name another picture",
                    ));
                }
            }
        }
        let image = viewed(request.image.clone(), self.view).with_layers(self.layers);
        request.image = self.changes.on(image, self.view.is_some());
        Ok(())
    }
}
