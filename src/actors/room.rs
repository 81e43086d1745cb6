//! `Room`: how many bytes of the budget an answer takes, given what is decoded already.

use std::sync::Arc;

use crate::actors::admission::{Admission, AdmissionError, Applicant, Permit};
use crate::actors::decoded_tiles::DecodedTiles;
use crate::actors::heavy_tiles::HeavyTiles;
use crate::actors::order::Render;

/// What an answer needs room in.
#[derive(Clone, Debug)]
pub struct Room {
    /// The budget of bytes.
    pub admission: Admission,
    /// What is decoded already needs none.
    pub tiles: Arc<DecodedTiles>,
}

impl Room {
    /// Takes room for an answer; given back when the permit is dropped.
    ///
    /// # Errors
    /// As [`Admission::admit`].
    pub async fn admit(&self, render: &Render) -> Result<Permit, AdmissionError> {
        let cost = &render.plan.cost;
        let is_decoded = HeavyTiles::of(&render.image, &render.plan).are_there(&self.tiles);
        let bytes = if is_decoded { cost.bytes_if_decoded } else { cost.bytes_in_decode };
        let applicant = Applicant {
            lane: render.plan.lane(),
            bytes,
            deadline: render.deadline,
            interest: render.interest.clone(),
        };
        self.admission.admit(applicant).await
    }
}
