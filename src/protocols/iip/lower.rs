//! A list of commands becomes one request. As with iipsrv, setters count for the outputs after them.

use std::num::NonZeroU16;

use crate::model::request::{
    Frame, OverLimit, PictureRequest, Region, Rotation, ScaleTo, SizeForm, TileRange, Upscale,
};
use crate::model::{Bands, Depth, Fault, Format, ImageId, Slice, TiffCompression, Want};
use crate::protocols::call::{Call, Dialect, Parsed};
use crate::protocols::change::Changes;
use crate::protocols::iip::command::Command;
use crate::protocols::iip::error::IipError;
use crate::protocols::iip::grammar::{Token, tokens};
use crate::protocols::iip::objects::Object;
use crate::protocols::iip::words::{Form, MEDIA_TYPE, Words, add_version_header};
use crate::protocols::image_name::viewed;
use crate::protocols::refusal::Refusal;
use crate::protocols::settings::Settings;
use crate::protocols::wire::{Method, RawRequest, Response};

/// Reads a query: `text` is the query or, where that is empty, the body.
pub(crate) fn parse(
    raw: &RawRequest<'_>,
    text: &str,
    settings: &Settings,
) -> Result<Parsed, Refusal> {
    let mut asked = Asked::default();
    for token in tokens(text) {
        asked.take(token, raw.method, settings)?;
    }
    Ok(asked.finish(raw, text)?)
}

/// What the commands so far have set and asked.
#[derive(Debug, Default)]
struct Asked {
    image: Option<ImageId>,
    view: Option<Slice>,
    layers: Option<NonZeroU16>,
    /// What the objects are asked of.
    described: Option<ImageId>,
    objects: Vec<Object>,
    encoder_quality: Option<i8>,
    tiff_compression: Option<TiffCompression>,
    depth: Depth,
    width_px: Option<u32>,
    height_px: Option<u32>,
    region: Option<Region>,
    changes: Changes,
    output: Option<Output>,
}

/// The picture that was asked for, with what was set before it.
#[derive(Debug)]
struct Output {
    image: ImageId,
    want: Want,
    form: Form,
}

impl Asked {
    fn take(
        &mut self,
        token: Token<'_>,
        method: Method,
        settings: &Settings,
    ) -> Result<(), IipError> {
        match Command::parse(token, settings)? {
            Command::Image(image) => self.image = Some(image),
            Command::View(view) => self.view = Some(view),
            Command::EncoderQuality(quality, compression) => {
                self.encoder_quality = Some(quality);
                self.tiff_compression = compression;
            }
            Command::Depth(depth) => self.depth = depth,
            Command::Width(width_px) => self.width_px = width_px,
            Command::Height(height_px) => self.height_px = height_px,
            Command::Region(region) => self.region = Some(region),
            Command::Layers(layers) => self.layers = layers,
            Command::Neutral => {}
            Command::Change(change) => {
                let malformed = |fault| IipError::malformed_command(token, fault);
                self.changes.add(change).map_err(malformed)?;
            }
            Command::Object(object) => {
                if self.image.is_none() && object.constant().is_none() {
                    return Err(IipError::image_not_set(&token.value.to_ascii_lowercase()));
                }
                self.objects.push(if self.is_turned() { object.turned() } else { object });
                self.described = self.viewed(self.view);
            }
            Command::Tile(frame, format) => {
                let want = self.picture_of(frame, format);
                self.output(token, self.view, want, Form::Tile)?;
            }
            Command::TileOfView(view, frame) => {
                let want = self.picture_of(frame, Format::Jpeg);
                self.output(token, Some(view), want, Form::Tile)?;
            }
            Command::RawTiles { resolution, start, end } => {
                let frame = Frame::IipTile { resolution, index: start };
                let picture = PictureRequest::plain(frame, Format::Jpeg);
                let range = |picture| Want::Tiles(TileRange { resolution, start, end, picture });
                let want = range(self.picture(&picture));
                self.output(token, self.view, want, Form::RawTiles { resolution })?;
            }
            Command::Profile(samples) => {
                self.output(token, self.view, Want::Samples(samples), Form::Profile)?;
            }
            Command::Spectra(samples) => {
                self.output(token, self.view, Want::Samples(samples), Form::Spectra)?;
            }
            Command::Export(format) => {
                let attachment = method == Method::Post;
                let picture = PictureRequest {
                    is_export: true,
                    ..PictureRequest::plain(self.export_frame(settings), format)
                };
                let want = Want::Picture(self.picture(&picture));
                self.output(token, self.view, want, Form::Export { attachment })?;
            }
        }
        Ok(())
    }

    fn output(
        &mut self,
        token: Token<'_>,
        view: Option<Slice>,
        want: Want,
        form: Form,
    ) -> Result<(), IipError> {
        if self.output.is_some() {
            let fault = Fault::bad_request("a request may ask for one picture only");
            return Err(IipError::malformed_command(token, fault));
        }
        let Some(image) = self.viewed(view) else {
            return Err(IipError::image_not_set(token.name));
        };
        let image = match want {
            // Values are those of all that is stored.
            Want::Samples(_) => image.with_bands(Bands::All),
            _ => self.changes.on(image, view.is_some()),
        };
        let image = image.with_layers(self.layers);
        self.output = Some(Output { image, want, form });
        Ok(())
    }

    /// A picture with all that was set so far.
    fn picture(&self, picture: &PictureRequest) -> PictureRequest {
        PictureRequest {
            encoder_quality: self.encoder_quality,
            tiff_compression: self.tiff_compression,
            depth: self.depth,
            ..self.changes.applied(picture)
        }
    }

    /// The same as the answer to a request.
    fn picture_of(&self, frame: Frame, format: Format) -> Want {
        Want::Picture(self.picture(&PictureRequest::plain(frame, format)))
    }

    /// Whether width and height have changed places.
    const fn is_turned(&self) -> bool {
        matches!(self.changes.rotation, Rotation::Quarter | Rotation::ThreeQuarters)
    }

    /// The image that was named, in this view.
    fn viewed(&self, view: Option<Slice>) -> Option<ImageId> {
        self.image.clone().map(|image| viewed(image, view))
    }

    /// `RGN` fitted inside `WID` and `HEI`; the region at its own size where neither is given. Above
    /// the limits IIP makes it smaller and does not complain.
    fn export_frame(&self, settings: &Settings) -> Frame {
        let form = match (self.width_px, self.height_px) {
            (Some(width_px), Some(height_px)) => SizeForm::Within(width_px, height_px),
            (Some(width_px), None) => SizeForm::Width(width_px),
            (None, Some(height_px)) => SizeForm::Height(height_px),
            (None, None) => SizeForm::Max,
        };
        let upscale = if form != SizeForm::Max && settings.limits.upscaling_allowed {
            Upscale::Allow
        } else {
            Upscale::Clip
        };
        Frame::Region {
            region: self.region.unwrap_or(Region::Full),
            size: ScaleTo { form, upscale, over_limit: OverLimit::Clamp },
        }
    }

    /// A picture outranks objects: older clients ask both at once and look at the picture only.
    fn finish(self, raw: &RawRequest<'_>, text: &str) -> Result<Parsed, IipError> {
        if let Some(Output { image, want, form }) = self.output {
            let dialect = Dialect::Iip(Words(form));
            return Ok(Call::new(raw, image, want, dialect).into());
        }
        if self.objects.is_empty() {
            let fault = Fault::bad_request(
                "nothing was asked: a request is FIF=NAME and one of OBJ=, JTL=, PTL=, WTL=, ATL=, \
                 TTL=, TIL=, CVT=, joined by &",
            );
            return Err(IipError::malformed(text, fault));
        }
        let Some(image) = self.described.or(self.image) else {
            return Ok(Parsed::Response(without_image(&self.objects)));
        };
        let dialect = Dialect::Iip(Words(Form::Objects(self.objects)));
        Ok(Call::new(raw, image, Want::Info, dialect).into())
    }
}

/// The answer where no object needs an image.
fn without_image(objects: &[Object]) -> Response {
    let body: String = objects.iter().filter_map(|object| object.constant()).collect();
    add_version_header(objects, Response::new(200, body).with("Content-Type", MEDIA_TYPE))
}
