//! A decoded name to an [`ImageId`], or the fault that says why it is none.

use crate::model::image_id::ImageIdError;
use crate::model::{Fault, ImageId};

/// Takes a decoded name.
///
/// # Errors
/// Not found for a name that steps out of its folder: there is no such image; bad request otherwise.
pub(crate) fn image_id(name: &str) -> Result<ImageId, Fault> {
    ImageId::parse(name).map_err(|error| match error {
        ImageIdError::Escapes => Fault::not_found(error.to_string()),
        ImageIdError::Empty | ImageIdError::TooLong | ImageIdError::Control => {
            Fault::bad_request(error.to_string())
        }
    })
}
