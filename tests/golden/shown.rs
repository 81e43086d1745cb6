//! What an answer shows of a file: the plan's steps over the whole image, held against what Pillow and
//! Little CMS make of the same file.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use tessera::codecs::Decode;
use tessera::imaging::{Raster, Scratch, Shrink, Tools, apply};
use tessera::model::request::{
    Frame, OverLimit, PictureRequest, Region, ScaleTo, SizeForm, Upscale,
};
use tessera::model::{ColourRule, Format, ImageId, Rect, SourceVersion};
use tessera::plan::{Rules, plan};

use crate::checks::Checks;
use crate::manifest::{decode_level, open_bytes, path};

/// A press by a table, and RGB by a matrix: see profiles/README.md.
const INKS: &[u8] = include_bytes!("profiles/cmyk.icc");

/// Files, the rule, who else says what they show (see `shown_fault` in check.py), and how far from it
/// samples may be at most and in the mean.
type Row = (&'static str, ColourRule, &'static str, (f64, f64));

use ColourRule::{Convert, Embed};

/// A picture, and files that show it otherwise: how far each may be off at most and in the mean.
type Alike = (&'static str, &'static [(&'static str, (f64, f64))]);

/// Of the fixtures. Decoders of JPEG differ by 1 before any colour is converted, and tables of inks
/// between their nodes.
const FIXTURES: &[Row] = &[
    ("flat-cmyk.jpg", Embed, "pillow", (2.0, 0.5)),
    ("flat-cmyk-inks.jpg", Embed, "profile", (6.0, 0.6)),
    ("flat-ycck.jpg", Embed, "pillow", (2.0, 0.5)),
    ("flat-ycck-inks.jpg", Embed, "profile", (6.0, 0.6)),
    ("cmyk-8-contig.tif", Convert, "pillow", (0.0, 0.0)),
    ("colour-cmyk.tif", Embed, "profile", (6.0, 0.6)),
    ("colour-cmyk.tif", Convert, "profile", (6.0, 0.6)),
    ("colour-prophoto.tif", Embed, "pillow", (0.0, 0.0)),
    ("colour-prophoto.tif", Convert, "profile", (2.0, 0.5)),
    ("lab-cielab-8.tif", Embed, "lab", (2.0, 0.5)),
];

/// Of files from the world.
const FROM_THE_WORLD: &[Row] = &[
    ("flower-cmyk.jpg", Embed, "pillow", (2.0, 0.5)),
    ("flower-cmyk-inks.jpg", Embed, "profile", (6.0, 0.6)),
    ("cantaloupe/jpg-ycck.jpg", Embed, "pillow", (2.0, 0.5)),
    ("cantaloupe/jpg-ycck-inks.jpg", Embed, "profile", (6.0, 0.6)),
    ("cantaloupe/jpg-icc.jpg", Convert, "profile", (5.0, 0.5)),
    ("hopper-lab8.tif", Embed, "lab", (2.0, 0.5)),
];

/// The one picture in 8 bit, and the same of other depths. The writers cut bits off instead of rounding,
/// so that a sample may be off by a step of its depth: 85 of 2 bit, 17 of 4 bit, 1 from 10 bit on.
const DEPTHS: &[Alike] = &[
    (
        "depth/flower-minisblack-08.tif",
        &[
            ("depth/flower-minisblack-02.tif", (85.0, 44.0)),
            ("depth/flower-minisblack-04.tif", (17.0, 9.0)),
            ("depth/flower-minisblack-12.tif", (1.0, 0.5)),
            ("depth/flower-minisblack-16.tif", (1.0, 0.5)),
            ("depth/flower-minisblack-32.tif", (1.0, 0.5)),
        ],
    ),
    (
        "depth/flower-rgb-contig-08.tif",
        &[
            ("depth/flower-rgb-contig-04.tif", (17.0, 9.0)),
            ("depth/flower-rgb-contig-10.tif", (1.0, 0.5)),
            ("depth/flower-rgb-contig-12.tif", (1.0, 0.5)),
            ("depth/flower-rgb-contig-16.tif", (1.0, 0.5)),
            ("depth/flower-rgb-contig-32.tif", (1.0, 0.5)),
            ("depth/flower-rgb-planar-08.tif", (0.0, 0.0)),
            ("depth/flower-rgb-planar-12.tif", (1.0, 0.5)),
            ("depth/flower-rgb-planar-16.tif", (1.0, 0.5)),
            // As near as 4, 16, 256 and 65536 colours come.
            ("depth/flower-palette-02.tif", (105.0, 20.0)),
            ("depth/flower-palette-04.tif", (89.0, 12.0)),
            ("depth/flower-palette-08.tif", (29.0, 4.0)),
            ("depth/flower-palette-16.tif", (14.0, 2.0)),
            // Black ink on top of the three others instead of in their place: darker everywhere.
            ("depth/flower-separated-contig-08.tif", (64.0, 43.0)),
            ("depth/flower-separated-contig-16.tif", (64.0, 43.0)),
            ("depth/flower-separated-planar-08.tif", (64.0, 43.0)),
        ],
    ),
];

/// The like of the fixtures, which are cut from one picture too.
const DEPTHS_OF_FIXTURES: &[Alike] = &[
    (
        "gray-8bit.tif",
        &[
            ("gray-1bit.tif", (255.0, 128.0)),
            ("gray-2bit.tif", (85.0, 44.0)),
            ("gray-4bit.tif", (17.0, 9.0)),
            ("gray-12bit.tif", (1.0, 0.5)),
            ("gray-16bit.tif", (1.0, 0.5)),
            ("gray-24bit.tif", (1.0, 0.5)),
            ("gray-32bit.tif", (1.0, 0.5)),
        ],
    ),
    (
        "rgb-8bit.tif",
        &[
            ("rgb-2bit.tif", (85.0, 44.0)),
            ("rgb-4bit.tif", (17.0, 9.0)),
            ("rgb-10bit.tif", (1.0, 0.5)),
            ("rgb-16bit.tif", (1.0, 0.5)),
            ("rgb-32bit-planes.tif", (1.0, 0.5)),
        ],
    ),
];

#[test]
fn colours_are_shown_as_others_show_them() {
    let mut checks = Checks::new("shown");
    for row in FIXTURES {
        show(&path(""), row, &mut checks);
    }
    checks.run();
}

#[test]
fn one_picture_of_any_depth_is_shown_alike() {
    let mut checks = Checks::new("depths");
    for (reference, others) in DEPTHS_OF_FIXTURES {
        alike(&path(""), reference, others, &mut checks);
    }
    checks.run();
}

#[test]
fn files_from_the_world_are_shown_as_others_show_them() {
    let Some(folder) = env::var_os("EXTRA_IMAGES_DIR").map(PathBuf::from) else {
        println!("EXTRA_IMAGES_DIR is unset: no files from the world were shown");
        return;
    };
    let mut checks = Checks::new("shown-world");
    for row in FROM_THE_WORLD {
        show(&folder, row, &mut checks);
    }
    for (reference, others) in DEPTHS {
        alike(&folder, reference, others, &mut checks);
    }
    checks.run();
}

/// Adds what we show of a file. One that is named `-inks` is the JPEG of that name with a profile put in.
fn show(folder: &Path, &(name, rule, by, off): &Row, checks: &mut Checks) {
    let (bytes, file) = match name.strip_suffix("-inks.jpg") {
        Some(plain) => {
            let bytes = with_profile(&fs::read(folder.join(format!("{plain}.jpg"))).unwrap());
            let file = checks.file(&name.replace('/', "-"), &bytes);
            (bytes, file)
        }
        None => (fs::read(folder.join(name)).unwrap(), folder.join(name)),
    };
    let image = open_bytes(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    checks.shown(&file, by, &shown(&*image, rule), off);
}

fn alike(folder: &Path, reference: &str, others: &[(&str, (f64, f64))], checks: &mut Checks) {
    for &(name, off) in others {
        let image = open_bytes(fs::read(folder.join(name)).unwrap());
        let image = image.unwrap_or_else(|error| panic!("{name}: {error}"));
        checks.shown(&folder.join(reference), "pillow", &shown(&*image, Embed), off);
    }
}

/// The whole image through the steps of its plan.
fn shown(image: &dyn Decode, rule: ColourRule) -> Raster {
    let (upscale, over_limit) = (Upscale::Refuse, OverLimit::Refuse);
    let size = ScaleTo { form: SizeForm::Max, upscale, over_limit };
    let frame = Frame::Region { region: Region::Full, size };
    let request = PictureRequest::plain(frame, Format::Png);
    let id = ImageId::parse("shown").unwrap();
    let version = SourceVersion { len_bytes: 1, modified_ns: 1, inode: 1 };
    let rules = Rules { colour: rule, ..Rules::default() };
    let plan = plan(&request, &id, &version, image.info(), &rules).unwrap();
    let (source, whole) = (&plan.source, Rect::whole(image.info().size));
    assert!(source.stored == 0 && source.shrink == Shrink::None && source.area == whole);
    apply(
        &plan.steps,
        decode_level(image, 0).unwrap(),
        &mut Tools { scratch: &mut Scratch::new(), histogram: None },
    )
    .unwrap()
}

/// The profile of a press in the first segment of a JPEG (ICC.1:2022, annex B.4).
fn with_profile(jpeg: &[u8]) -> Vec<u8> {
    let body = [b"ICC_PROFILE\0\x01\x01", INKS].concat();
    let len = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], b"\xff\xe2", &len, &body, &jpeg[2..]].concat()
}
