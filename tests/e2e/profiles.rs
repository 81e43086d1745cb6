//! One rule of colour an image: a tile that is passed through, one that is not, and an export carry the
//! same profile, or none of them does.

use crate::harness::{Server, make_tiff};

/// The image's profile as vips makes it, and as each format names it.
fn has_profile(body: &[u8]) -> bool {
    let names: [&[u8]; 3] = [b"ICC_PROFILE\0", b"iCCP", b"ICCP"];
    names.iter().any(|name| body.windows(name.len()).any(|window| window == *name))
}

#[test]
fn inner_tile_edge_tile_and_export_all_carry_the_profile_or_none_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let options =
        ["--pyramid", "--compression", "jpeg", "--tile-width", "256", "--tile-height", "256"];
    make_tiff("everyday/coffee.tif", &path, &[options.as_slice(), &["--profile", "srgb"]].concat());
    let requests = [
        "/iiif/3/a.tif/0,0,256,256/256,256/0/default.jpg",
        "/iiif/3/a.tif/512,256,88,144/88,144/0/default.jpg",
        "/iiif/3/a.tif/full/300,/90/default.jpg",
        "/iiif/3/a.tif/full/300,/0/color.png",
        "/iiif/3/a.tif/full/300,/0/default.webp",
        "/iip?FIF=a.tif&WID=200&CVT=jpeg",
        "/deepzoom/a.tif_files/8/0_0.jpg",
    ];
    for (arguments, expected) in [
        (vec![], true),
        (vec!["--render-icc-bytes-max", "100"], false),
        (vec!["--images-color", "convert"], false),
    ] {
        let server = Server::start(folder.path(), &arguments);
        for target in requests {
            let answer = server.get(target);
            assert_eq!(answer.status, 200, "{target}: {}", answer.text());
            assert_eq!(has_profile(&answer.body), expected, "{target}");
        }
        let passed = server.metric("tessera_requests_total", &["outcome=\"passed\""]);
        assert!((passed - 1.0).abs() < 0.1, "{passed} passed through");
        // Gray samples are not in the profile's colours.
        let gray = server.get("/iiif/3/a.tif/full/300,/0/gray.jpg");
        assert!(!has_profile(&gray.body));
        server.finish(&[]);
    }
}

#[test]
fn converted_colours_are_those_of_every_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let profile = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/profiles/prophoto.icc");
    let options = ["--compression", "jpeg", "--tile-width", "256", "--tile-height", "256"];
    let options = [options.as_slice(), &["--pyramid", "--profile", profile]].concat();
    make_tiff("everyday/coffee.tif", &path, &options);
    let whole = "/iiif/3/a.tif/0,0,256,256/256,256/0/default.png";
    let embedding = Server::start(folder.path(), &[]);
    let as_stored = embedding.get(whole);
    assert!(has_profile(&as_stored.body));
    embedding.finish(&[]);
    let server = Server::start(folder.path(), &["--images-color", "convert"]);
    for target in [
        whole,
        "/iiif/3/a.tif/0,0,256,256/256,256/0/default.jpg",
        "/iiif/3/a.tif/512,256,88,144/88,144/0/default.jpg",
        "/iiif/3/a.tif/full/300,/0/default.webp",
    ] {
        let answer = server.get(target);
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        assert!(!has_profile(&answer.body), "{target}");
    }
    assert!(server.get(whole).body != as_stored.body);
    let passed = server.metric("tessera_requests_total", &["outcome=\"passed\""]);
    assert!(passed < 0.1, "{passed} passed through");
    server.finish(&[]);
}
