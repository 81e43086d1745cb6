//! A decoded name to an [`ImageId`], or the fault that says why it is none; and which picture under that
//! name is meant, by the name itself or by a command beside it.

use crate::model::image_id::ImageIdError;
use crate::model::{Associated, Fault, ImageId, Slice};
use crate::protocols::number::whole;

/// Takes a decoded name. Where there is a delimiter, what follows its last occurrence is a page number or
/// the word of an associated picture; anything else belongs to the name.
///
/// # Errors
/// Not found for a name that steps out of its folder: there is no such image; bad request otherwise.
pub(crate) fn image_id(name: &str, delimiter: Option<&str>) -> Result<ImageId, Fault> {
    let split = delimiter.and_then(|delimiter| split_slice(name, delimiter));
    let (name, slice) = split.unwrap_or((name, Slice::Main));
    let image = ImageId::parse(name).map_err(|error| match error {
        ImageIdError::Escapes => Fault::not_found(error.to_string()),
        ImageIdError::Empty | ImageIdError::TooLong | ImageIdError::Control => {
            Fault::bad_request(error.to_string())
        }
    })?;
    Ok(image.with_slice(slice))
}

/// The name by which clients ask for a picture of a file.
pub(crate) fn sliced_name(name: &str, slice: Slice, delimiter: &str) -> String {
    match slice {
        Slice::Main => name.to_owned(),
        Slice::View { horizontal, .. } => format!("{name}{delimiter}{horizontal}"),
        Slice::Associated(what) => format!("{name}{delimiter}{}", what.word()),
    }
}

fn split_slice<'a>(name: &'a str, delimiter: &str) -> Option<(&'a str, Slice)> {
    let (name, word) = name.rsplit_once(delimiter).filter(|(name, _)| !name.is_empty())?;
    let slice = match Associated::of_word(word) {
        Some(beside) => Slice::Associated(beside),
        None => Slice::page(whole(word)?),
    };
    Some((name, slice))
}

/// The image seen as a command asks for it. Viewers send the view of a plain picture along with every
/// request: that leaves what the name says.
pub(crate) fn viewed(image: ImageId, view: Option<Slice>) -> ImageId {
    match view {
        Some(view) if image.slice() == Slice::Main || !view.is_plain() => image.with_slice(view),
        _ => image,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_end_in_a_page_or_the_word_of_a_picture() {
        let label = Slice::Associated(Associated::Label);
        for (name, delimiter, expected, slice) in [
            ("a.tif;2", Some(";"), "a.tif", Slice::page(2)),
            ("a.tif;0", Some(";"), "a.tif", Slice::Main),
            ("a.tif;label", Some(";"), "a.tif", label),
            ("x/a.tif;Label", Some(";"), "x/a.tif", label),
            ("a;b;3", Some(";"), "a;b", Slice::page(3)),
            ("a;b", Some(";"), "a;b", Slice::Main),
            ("a;-1", Some(";"), "a;-1", Slice::Main),
            ("a;", Some(";"), "a;", Slice::Main),
            (";1", Some(";"), ";1", Slice::Main),
            ("a;4294967296", Some(";"), "a;4294967296", Slice::Main),
            ("a::page::7", Some("::page::"), "a", Slice::page(7)),
            ("a.tif;2", None, "a.tif;2", Slice::Main),
        ] {
            let image = image_id(name, delimiter).unwrap();
            assert_eq!((image.as_str(), image.slice()), (expected, slice), "{name}");
            if let Some(delimiter) = delimiter {
                let again = image_id(&sliced_name(expected, slice, delimiter), Some(delimiter));
                assert_eq!(again.unwrap().slice(), slice, "{name}");
            }
        }
        image_id("..;1", Some(";")).unwrap_err();
    }

    #[test]
    fn a_view_chooses_unless_it_is_the_one_that_viewers_always_send() {
        let (plain, page) = (image_id("a", None).unwrap(), image_id("a;2", Some(";")).unwrap());
        for (image, view, slice) in [
            (&plain, None, Slice::Main),
            (&plain, Some(Slice::view(0, 90)), Slice::Main),
            (&plain, Some(Slice::view(0, 0)), Slice::view(0, 0)),
            (&plain, Some(Slice::view(3, 90)), Slice::page(3)),
            (&page, None, Slice::page(2)),
            (&page, Some(Slice::view(0, 90)), Slice::page(2)),
            (&page, Some(Slice::view(0, 0)), Slice::page(2)),
            (&page, Some(Slice::view(3, 90)), Slice::page(3)),
        ] {
            assert_eq!(viewed(image.clone(), view).slice(), slice, "{image:?} {view:?}");
        }
    }
}
