//! `Render`: the order for one answer, and what comes of it.

use std::sync::Arc;
use std::time::Instant;

use actix::Message;
use bytes::Bytes;

use crate::actors::interest::Interest;
use crate::actors::open_image::OpenImage;
use crate::actors::pool::PoolError;
use crate::actors::stopwatch::Spent;
use crate::actors::timeline::Timeline;
use crate::codecs::CodecError;
use crate::imaging::ImagingError;
use crate::model::Format;
use crate::plan::Plan;

/// Asks for one answer of the image.
#[derive(Debug, Message)]
#[rtype(result = "Result<Rendered, RenderError>")]
pub struct Render {
    /// The image that the plan was made for.
    pub image: Arc<OpenImage>,
    /// What to do.
    pub plan: Arc<Plan>,
    /// Who waits for it.
    pub interest: Interest,
    /// When it is of no use any more.
    pub deadline: Instant,
    /// A stored tile of more bytes is not passed through.
    pub pass_through_bytes_max: Option<u64>,
    /// Where its stages are noted.
    pub timeline: Timeline,
}

/// An encoded answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The file.
    pub bytes: Bytes,
    /// Its format.
    pub format: Format,
    /// Whether it is a stored tile, undecoded.
    pub passed: bool,
    /// Where the time of its making went.
    pub spent: Spent,
}

/// Why an answer could not be made. Cloned to everybody who waited for it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RenderError {
    /// A tile could not be read, or the answer not encoded.
    #[error(transparent)]
    Codec(#[from] Arc<CodecError>),
    /// The plan does not fit the pixels.
    #[error(transparent)]
    Imaging(#[from] Arc<ImagingError>),
    /// The pool did not do it.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// As many jobs of this image as may are under way.
    #[error("as many answers of this image as may are being made")]
    ImageBusy,
    /// The file was written over while it was read.
    #[error("the file changed while it was read")]
    Changed,
}

impl From<CodecError> for RenderError {
    fn from(error: CodecError) -> Self {
        Self::Codec(Arc::new(error))
    }
}

impl From<ImagingError> for RenderError {
    fn from(error: ImagingError) -> Self {
        Self::Imaging(Arc::new(error))
    }
}
