//! What a file with several pictures says of them, and the pictures beside a slide.

use std::fs;
use std::sync::Arc;

use tessera::codecs::{CodecError, Decode};
use tessera::model::{Associated, Slice, Views};

use crate::manifest::{decode_bytes, levels_in_file, open_slice, path};

fn open(name: &str, slice: Slice) -> Result<Arc<dyn Decode>, CodecError> {
    open_slice(fs::read(path(name)).unwrap(), slice)
}

fn views(name: &str, slice: Slice) -> Views {
    open(name, slice).unwrap().info().views.clone()
}

/// Names and scales of a stack's pages.
fn pages(name: &str) -> Vec<(String, f32)> {
    let views = views(name, Slice::page(1));
    assert_eq!(views, self::views(name, Slice::Main), "{name}");
    assert_eq!(views.horizontal.len(), views.stack.len(), "{name}");
    assert!(views.horizontal.iter().zip(0..).all(|(found, page)| *found == page), "{name}");
    assert_eq!(views.vertical, [90], "{name}");
    views.stack.into_iter().map(|page| (page.name, page.scale)).collect()
}

#[test]
fn pages_are_told_by_name_and_scale() {
    let named = |names: &[&str]| -> Vec<(String, f32)> {
        names.iter().map(|name| ((*name).to_owned(), 1.0)).collect()
    };
    let told = pages("stack-sub.tif");
    let scales = [0.5_f32, 1.0, 1.5];
    assert_eq!(told.len(), 3);
    for ((page, (name, scale)), expected) in told.iter().enumerate().zip(scales) {
        assert_eq!(*name, format!("layer{page}"));
        assert!((scale - expected).abs() < 1e-6, "{scale}");
    }
    assert_eq!(pages("stack-flat.tif"), named(&["page 0", "page 1", "page 2"]));
    assert_eq!(pages("stack-between.tif"), named(&["", "", ""]));
    assert_eq!(pages("stack-document.tif"), named(&["", "", ""]));
    assert_eq!(
        pages("series.ome.tif"),
        named(&[
            "C0 DAPI Z0",
            "C1 a \"b\" & c Z0",
            "C0 DAPI Z1",
            "C1 a \"b\" & c Z1",
            "C0 DAPI Z2",
            "C1 a \"b\" & c Z2",
        ])
    );
    assert_eq!(pages("stranger-sub-long.tif"), named(&["", ""]));
    assert_eq!(views("vips-jpeg.tif", Slice::Main), Views::default());
}

#[test]
fn pages_that_are_not_there_are_absent_and_the_refusal_says_how_many_are() {
    for (name, slice, words) in [
        ("stack-sub.tif", Slice::page(3), "there is no page 3: the file has 3"),
        ("stack-sub.tif", Slice::page(u32::MAX), "there is no page 4294967295: the file has 3"),
        ("gray-none.tif", Slice::page(1), "there is no page 1: the file has 1"),
        ("stack-sub.tif", Slice::view(0, 45), "there is no vertical view 45: only 90 is"),
        (
            "gray-none.tif",
            Slice::Associated(Associated::Label),
            "there is no label: of such pictures the file has none",
        ),
    ] {
        let error = open(name, slice).unwrap_err();
        assert!(matches!(error, CodecError::Absent { .. }), "{name}: {error}");
        assert_eq!(error.to_string(), words);
    }
    // Viewers of sequences say so of every picture.
    assert_eq!(open("gray-none.tif", Slice::view(0, 0)).unwrap().info().size.width(), 200);
}

#[test]
fn what_lies_beside_a_slide_is_neither_level_nor_page() {
    let all = views("slide.svs", Slice::Main);
    assert_eq!(all.associated, [Associated::Thumbnail, Associated::Label, Associated::Macro]);
    assert_eq!((all.horizontal.len(), all.stack.len()), (1, 0));
    for what in [Associated::Label, Associated::Macro] {
        let image = open("slide.svs", Slice::Associated(what)).unwrap();
        assert_eq!(image.info().views, all);
        assert_eq!(levels_in_file(&*image), 1);
        let raw = format!("slide.svs.{}.raw", what.word());
        let expected = fs::read(path(&raw)).unwrap();
        assert_eq!(decode_bytes(&*image, 0).unwrap().samples(), expected, "{raw}");
    }
}
