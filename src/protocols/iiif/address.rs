//! The address split into identifier and what follows it, from the right: IIIF Image API 3.0, sections
//! 2, 3 and 9. Split first, decode each part afterwards.

use crate::model::Fault;
use crate::protocols::percent::{decode, encode_identifier};

/// An address, still percent-encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address<'a> {
    /// The identifier, perhaps with bare slashes.
    pub(crate) identifier: &'a str,
    /// What is asked of it.
    pub(crate) tail: Tail<'a>,
}

/// What follows the identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail<'a> {
    /// Nothing: the base URI.
    Base,
    /// `info.json`.
    Info,
    /// The four parameters of an image.
    Image {
        /// Which part.
        region: &'a str,
        /// How large.
        size: &'a str,
        /// How turned.
        rotation: &'a str,
        /// In which colours, as what: `default.jpg`.
        quality_format: &'a str,
    },
}

impl<'a> Address<'a> {
    /// Splits an address.
    ///
    /// # Errors
    /// Not found where the identifier is empty or, unless `bare_slash_allowed`, holds a bare slash;
    /// bad request where there are some parameters, but not four.
    pub(crate) fn split(text: &'a str, bare_slash_allowed: bool) -> Result<Self, Fault> {
        let address = Self::from_right(text)?;
        if address.identifier.is_empty() {
            return Err(Fault::not_found("the address names no image"));
        }
        if !bare_slash_allowed && address.identifier.contains('/') {
            return Err(Fault::not_found(
                "no image has this identifier; a slash within an identifier is written %2F",
            ));
        }
        Ok(address)
    }

    fn from_right(text: &'a str) -> Result<Self, Fault> {
        if let Some(identifier) = text.strip_suffix("/info.json") {
            return Ok(Self { identifier, tail: Tail::Info });
        }
        let mut parts = text.rsplitn(5, '/');
        let mut next = || parts.next();
        if let (Some(quality_format), Some(rotation), Some(size), Some(region), Some(identifier)) =
            (next(), next(), next(), next(), next())
        {
            let tail = Tail::Image { region, size, rotation, quality_format };
            return Ok(Self { identifier, tail });
        }
        let identifier = text.strip_suffix('/').unwrap_or(text);
        // A name relative to the root may begin with a slash in the query form.
        if identifier.strip_prefix('/').unwrap_or(identifier).contains('/') {
            return Err(Fault::bad_request(
                "an image is asked by IDENTIFIER/REGION/SIZE/ROTATION/QUALITY.FORMAT, its \
                 description by IDENTIFIER/info.json",
            ));
        }
        Ok(Self { identifier, tail: Tail::Base })
    }

    /// The decoded identifier, and the same as clients must write it: slashes stay as they were sent,
    /// bare or encoded.
    ///
    /// # Errors
    /// Bad request for escapes that are none or not UTF-8.
    pub(crate) fn identifier(&self) -> Result<(String, String), Fault> {
        let mut decoded = String::with_capacity(self.identifier.len());
        let mut encoded = String::with_capacity(self.identifier.len());
        for (index, segment) in self.identifier.split('/').enumerate() {
            if index != 0 {
                decoded.push('/');
                encoded.push('/');
            }
            let segment = decode(segment)?;
            encode_identifier(&segment, &mut encoded);
            decoded.push_str(&segment);
        }
        Ok((decoded, encoded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FaultKind;

    #[test]
    fn an_address_is_split_from_the_right() {
        let image = Tail::Image {
            region: "full",
            size: "max",
            rotation: "0",
            quality_format: "default.jpg",
        };
        for (text, bare, expected) in [
            ("a", false, Ok(("a", Tail::Base))),
            ("a/", false, Ok(("a", Tail::Base))),
            ("a/info.json", false, Ok(("a", Tail::Info))),
            ("a%2Fb/info.json", false, Ok(("a%2Fb", Tail::Info))),
            ("a/full/max/0/default.jpg", false, Ok(("a", image))),
            ("a/b/full/max/0/default.jpg", false, Err(FaultKind::NotFound)),
            ("a/b/full/max/0/default.jpg", true, Ok(("a/b", image))),
            ("a/b/info.json", false, Err(FaultKind::NotFound)),
            ("a/b/info.json", true, Ok(("a/b", Tail::Info))),
            ("/a", true, Ok(("/a", Tail::Base))),
            ("/a", false, Err(FaultKind::NotFound)),
            ("", false, Err(FaultKind::NotFound)),
            ("/info.json", false, Err(FaultKind::NotFound)),
            ("a/full", false, Err(FaultKind::BadRequest)),
            ("a/full/max/0", false, Err(FaultKind::BadRequest)),
            ("a/info.xml", false, Err(FaultKind::BadRequest)),
        ] {
            let got = Address::split(text, bare);
            let got = got.map(|address| (address.identifier, address.tail));
            assert_eq!(got.map_err(|fault| fault.kind), expected, "{text}");
        }
    }

    #[test]
    fn an_identifier_is_decoded_once_and_written_back_as_clients_must() {
        for (text, decoded, encoded) in [
            ("1:%253C69", "1:%3C69", "1:%253C69"),
            ("ark:%2F12025%2F654xz321", "ark:/12025/654xz321", "ark:%2F12025%2F654xz321"),
            ("a%2Db", "a-b", "a-b"),
            ("a/b%2fc", "a/b/c", "a/b%2Fc"),
            ("a+b", "a+b", "a%2Bb"),
            ("[frob]", "[frob]", "%5Bfrob%5D"),
        ] {
            let address = Address { identifier: text, tail: Tail::Base };
            assert_eq!(address.identifier(), Ok((decoded.to_owned(), encoded.to_owned())));
        }
    }
}
