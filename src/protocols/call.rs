//! `Call`: a request as the service takes it, and beside it what the answer's wording needs.

use crate::model::request::PictureRequest;
use crate::model::{ImageId, Request, Want};
use crate::protocols::deepzoom;
use crate::protocols::iiif;
use crate::protocols::iip;
use crate::protocols::presentation::ManifestCall;
use crate::protocols::protocol::Protocol;
use crate::protocols::wire::{RawRequest, Response};

/// What became of a request's text.
#[derive(Clone, Debug)]
pub enum Parsed {
    /// A question about an image.
    Call(Box<Call>),
    /// A question about an image, a stack or a folder.
    Manifest(Box<ManifestCall>),
    /// The answer: a redirect, the methods allowed, an IIP object that needs no image.
    Response(Response),
    /// A path of some other mount.
    NotOurs,
}

/// A question and how its answer is worded.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The question.
    pub request: Request,
    /// The wording.
    pub dialect: Dialect,
}

/// How the answer is worded.
#[derive(Clone, Debug, PartialEq)]
pub enum Dialect {
    /// As IIP does.
    Iip(iip::Words),
    /// As the IIIF Image API does.
    Iiif(iiif::Words),
    /// As Deep Zoom does.
    DeepZoom(deepzoom::Words),
    /// As Zoomify does.
    Zoomify,
}

impl Call {
    /// The protocol that was spoken.
    pub const fn protocol(&self) -> Protocol {
        match &self.dialect {
            Dialect::Iip(_) => Protocol::Iip,
            Dialect::Iiif(words) => words.protocol(),
            Dialect::DeepZoom(_) => Protocol::DeepZoom,
            Dialect::Zoomify => Protocol::Zoomify,
        }
    }

    /// The picture that was asked for, if it was one.
    pub const fn picture(&self) -> Option<&PictureRequest> {
        match &self.request.want {
            Want::Picture(picture) => Some(picture),
            Want::Tiles(range) => Some(&range.picture),
            Want::Info | Want::Samples(_) => None,
        }
    }

    /// A call with the validators that the client sent.
    pub(crate) fn new(raw: &RawRequest<'_>, image: ImageId, want: Want, dialect: Dialect) -> Self {
        let conditions = raw.conditions();
        Self { request: Request { image, want, conditions }, dialect }
    }
}

impl From<Call> for Parsed {
    fn from(call: Call) -> Self {
        Self::Call(Box::new(call))
    }
}
