//! Exif, both ways: what we use of a block, and a block for an answer.

mod directories;
mod read;
mod write;

use crate::model::Field;

pub(super) use directories::directories;
pub(super) use read::{Exif, PREFIX, read, text_of};
pub(super) use write::{block_of, written};

/// Fields of a first directory in words, of TIFF and of Exif (TIFF 6.0, sections 8 and 12).
pub(super) const TEXT_TAGS: [(u16, Field); 8] = [
    (0x10d, Field::Title),
    (0x10e, Field::Description),
    (0x10f, Field::Make),
    (0x110, Field::Model),
    (0x131, Field::Software),
    (0x132, Field::Date),
    (0x13b, Field::Creator),
    (0x8298, Field::Rights),
];
