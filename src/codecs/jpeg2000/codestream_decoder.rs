//! `CodestreamDecoder`: what turns a codestream into samples where we do not, wherever it runs. It is handed
//! nothing that a stranger wrote: codestreams are made anew by [`crate::codecs::jpeg2000`] of parts that were checked.

use std::fmt::Debug;

use crate::codecs::CodecError;
use crate::model::Rect;

/// Decodes entropy codes and wavelets; all else is done before.
pub trait CodestreamDecoder: Debug + Send + Sync {
    /// Decodes an area of a raw codestream (T.800, annex A) of one tile, in coordinates of its reference
    /// grid: all components, in their order, each with the samples that lie in the area.
    ///
    /// # Errors
    /// `Malformed` where the codestream is damaged; `Io` where memory is short or a process is gone.
    fn decode(&self, codestream: &[u8], area: Rect) -> Result<Vec<Plane>, CodecError>;
}

/// Samples of one component, top row first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plane {
    /// Column of the first sample, in samples of this component.
    pub left: u32,
    /// Row of the first sample.
    pub top: u32,
    /// Samples in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width * height` samples.
    pub samples: Vec<i32>,
}
