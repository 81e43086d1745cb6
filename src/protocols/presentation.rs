//! IIIF Presentation 3.0: a manifest of an image, of the pages of a stack, or of the images of a folder.
//! What it holds the front finds out; here is how it is asked for and worded.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::model::request::Conditions;
use crate::model::{Fault, Field, ImageId, ImageInfo};
use crate::protocols::answer::{Document, with_validators};
use crate::protocols::iiif::{public_address, rights};
use crate::protocols::image_name::image_id;
use crate::protocols::percent::{decode, encode_identifier};
use crate::protocols::protocol::Protocol;
use crate::protocols::refusal::Refusal;
use crate::protocols::settings::Settings;
use crate::protocols::wire::{RawRequest, Response};

const MEDIA_TYPE: &str =
    "application/ld+json;profile=\"http://iiif.io/api/presentation/3/context.json\"";

/// Longer side of a canvas's thumbnail in pixels.
const THUMBNAIL_PX: u32 = 200;

/// A manifest that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestCall {
    /// The decoded name of an image or folder; empty: the root.
    pub name: String,
    /// What stands before the name in the addresses of manifests and of images.
    manifests: String,
    images: String,
    conditions: Conditions,
}

/// One picture of a manifest.
#[derive(Clone, Debug)]
pub struct Canvas {
    /// The name by which clients ask for the image.
    pub name: String,
    /// What it is called.
    pub label: String,
    /// Its size and what it says of itself.
    pub info: Arc<ImageInfo>,
}

/// Reads what follows `/presentation/3/`.
pub(crate) fn parse(
    raw: &RawRequest<'_>,
    settings: &Settings,
    rest: &str,
) -> Result<ManifestCall, Refusal> {
    let refused = |fault| Refusal::new(Protocol::Presentation, fault);
    let name = match rest {
        "manifest.json" => Some(""),
        _ => rest.strip_suffix("/manifest.json"),
    };
    let name = name.ok_or_else(|| {
        refused(Fault::bad_request("a manifest is asked for by NAME/manifest.json"))
    })?;
    Ok(ManifestCall {
        name: decode(name).map_err(refused)?.into_owned(),
        manifests: public_address(raw, settings, "/presentation/3/"),
        images: public_address(raw, settings, "/iiif/3/"),
        conditions: raw.conditions(),
    })
}

impl ManifestCall {
    /// The image of this name.
    ///
    /// # Errors
    /// A name that no image can have.
    pub fn image(&self, settings: &Settings) -> Result<ImageId, Fault> {
        image_id(&self.name, settings.delimiter.as_deref())
    }

    /// The manifest of these canvases, of which there is at least one; `modified_s` is when the latest was
    /// changed.
    pub fn respond(&self, canvases: &[Canvas], modified_s: i64, settings: &Settings) -> Response {
        let body = self.manifest(canvases).to_string();
        let document = Document { content_type: MEDIA_TYPE, body };
        with_validators(&self.conditions, document, modified_s, settings)
    }

    fn manifest(&self, canvases: &[Canvas]) -> Value {
        let id = self.address("manifest.json");
        let name = self.name.rsplit('/').find(|part| !part.is_empty()).unwrap_or("images");
        let alone = match canvases {
            [alone] => Some(alone),
            _ => None,
        };
        let title = alone.and_then(|canvas| canvas.info.metadata.text(Field::Title));
        let mut manifest = Map::new();
        let mut put = |name: &str, value: Value| manifest.insert(name.to_owned(), value);
        put("@context", json!("http://iiif.io/api/presentation/3/context.json"));
        put("id", json!(id));
        put("type", json!("Manifest"));
        put("label", in_no_language(title.unwrap_or(name)));
        // What all of them say alike, the manifest says.
        if let Some(metadata) = shared(canvases, metadata) {
            put("metadata", metadata);
        }
        let told = |canvas: &Canvas| canvas.info.metadata.text(Field::Rights).map(str::to_owned);
        if let Some(told) = shared(canvases, told) {
            match rights::address(&told) {
                Some(address) => put("rights", json!(address)),
                None => put(
                    "requiredStatement",
                    json!({"label": in_english("Rights"), "value": in_no_language(&told)}),
                ),
            };
        }
        let items =
            canvases.iter().enumerate().map(|(index, canvas)| self.canvas(index + 1, canvas));
        put("items", items.collect());
        Value::Object(manifest)
    }

    fn canvas(&self, number: usize, canvas: &Canvas) -> Value {
        let (width, height) = (canvas.info.size.width(), canvas.info.size.height());
        let mut image = self.images.clone();
        encode_identifier(&canvas.name, &mut image);
        let service = json!([{"id": image, "type": "ImageService3", "profile": "level2"}]);
        let id = self.address(&format!("canvas/{number}"));
        json!({
            "id": id, "type": "Canvas", "label": in_no_language(&canvas.label),
            "height": height, "width": width,
            "thumbnail": [{
                "id": format!("{image}/full/!{THUMBNAIL_PX},{THUMBNAIL_PX}/0/default.jpg"),
                "type": "Image", "format": "image/jpeg", "service": service,
            }],
            "items": [{
                "id": self.address(&format!("page/{number}")), "type": "AnnotationPage",
                "items": [{
                    "id": self.address(&format!("annotation/{number}")), "type": "Annotation",
                    "motivation": "painting", "target": id,
                    "body": {
                        "id": format!("{image}/full/max/0/default.jpg"),
                        "type": "Image", "format": "image/jpeg",
                        "height": height, "width": width, "service": service,
                    },
                }],
            }],
        })
    }

    fn address(&self, rest: &str) -> String {
        let mut address = self.manifests.clone();
        encode_identifier(&self.name, &mut address);
        if !self.name.is_empty() {
            address.push('/');
        }
        address + rest
    }
}

/// What every canvas has alike; nothing where one differs.
fn shared<T: PartialEq>(canvases: &[Canvas], of: impl Fn(&Canvas) -> Option<T>) -> Option<T> {
    let (first, rest) = canvases.split_first()?;
    let first = of(first)?;
    rest.iter().all(|canvas| of(canvas).as_ref() == Some(&first)).then_some(first)
}

/// What the image says in words, but for its title and rights, which have places of their own.
fn metadata(canvas: &Canvas) -> Option<Value> {
    let own = [Field::Title, Field::Rights];
    let told = Field::ALL.into_iter().filter(|field| !own.contains(field)).filter_map(|field| {
        let value = canvas.info.metadata.text(field)?;
        let mut name = field.name().to_owned();
        name.get_mut(..1)?.make_ascii_uppercase();
        Some(json!({"label": in_english(&name), "value": in_no_language(value)}))
    });
    let told: Vec<Value> = told.collect();
    (!told.is_empty()).then_some(Value::Array(told))
}

fn in_no_language(text: &str) -> Value {
    json!({"none": [text]})
}

fn in_english(text: &str) -> Value {
    json!({"en": [text]})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Metadata;
    use crate::protocols::fixture::{get, rgb};

    fn call(address: &str) -> Result<ManifestCall, Refusal> {
        parse(
            &get(address),
            &Settings::default(),
            address.strip_prefix("/presentation/3/").unwrap(),
        )
    }

    fn canvas(name: &str, rights: &str, creator: &str) -> Canvas {
        let mut metadata = Metadata::default();
        metadata.add(Field::Rights, rights);
        metadata.add(Field::Creator, creator);
        let info = Arc::new(ImageInfo { metadata: Arc::new(metadata), ..rgb() });
        Canvas { name: name.to_owned(), label: name.to_owned(), info }
    }

    #[test]
    fn a_manifest_is_asked_for_by_a_name_with_its_slashes_bare_or_encoded() {
        for (address, name) in [
            ("/presentation/3/a.tif/manifest.json", "a.tif"),
            ("/presentation/3/x%2Fa.tif/manifest.json", "x/a.tif"),
            ("/presentation/3/x/a.tif/manifest.json", "x/a.tif"),
            ("/presentation/3/manifest.json", ""),
        ] {
            assert_eq!(call(address).unwrap().name, name, "{address}");
        }
        for address in [
            "/presentation/3/a.tif",
            "/presentation/3/amanifest.json",
            "/presentation/3/%zz/manifest.json",
        ] {
            assert_eq!(call(address).unwrap_err().fault.kind.status(), 400, "{address}");
        }
    }

    #[test]
    fn each_canvas_paints_its_image_by_an_address_that_clients_may_ask() {
        let asked = call("/presentation/3/x%2Fa.tif/manifest.json").unwrap();
        let manifest = asked.manifest(&[canvas("x/a.tif", "(c) Ada", "Ada")]);
        assert_eq!(manifest["id"], "http://ex.org/presentation/3/x%2Fa.tif/manifest.json");
        assert_eq!(manifest["label"], json!({"none": ["a.tif"]}));
        assert_eq!(manifest["requiredStatement"]["value"], json!({"none": ["(c) Ada"]}));
        assert_eq!(manifest["metadata"][0]["label"], json!({"en": ["Creator"]}));
        let canvas = &manifest["items"][0];
        assert_eq!((&canvas["width"], &canvas["height"]), (&json!(1001), &json!(701)));
        let annotation = &canvas["items"][0]["items"][0];
        assert_eq!(annotation["target"], canvas["id"]);
        let image = "http://ex.org/iiif/3/x%2Fa.tif";
        assert_eq!(annotation["body"]["id"], format!("{image}/full/max/0/default.jpg"));
        assert_eq!(annotation["body"]["service"][0]["id"], image);
    }

    #[test]
    fn what_all_images_say_alike_the_manifest_says() {
        let asked = call("/presentation/3/x/manifest.json").unwrap();
        let licence = "https://creativecommons.org/licenses/by/4.0/";
        let (first, second) = (canvas("x/a", licence, "Ada"), canvas("x/b", licence, "Bob"));
        let manifest = asked.manifest(&[first, second]);
        assert_eq!(manifest["rights"], "http://creativecommons.org/licenses/by/4.0/");
        assert_eq!(manifest.get("metadata"), None);
        assert_eq!(manifest["items"][1]["id"], "http://ex.org/presentation/3/x/canvas/2");
    }
}
