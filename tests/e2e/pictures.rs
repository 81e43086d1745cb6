//! Pictures through every protocol: right sizes, right formats, right number of components.

use crate::harness::{RETINA, Server, folder_with};

fn check(target: &str, kind: &str, size: (u32, u32)) {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &[]);
    let answer = server.get(target);
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    assert_eq!(answer.header("Content-Type"), Some(kind), "{target}");
    assert_eq!(answer.picture_size(), size, "{target}");
    server.finish(&[]);
}

/// Components of a JPEG.
fn components(jpeg: &[u8]) -> u8 {
    let at = jpeg.windows(2).position(|pair| pair[0] == 0xFF && matches!(pair[1], 0xC0..=0xC2));
    jpeg[at.unwrap() + 9]
}

#[test]
fn iiif_serves_every_form_of_level_2() {
    for (target, kind, size) in [
        ("/iiif/3/a.tif/full/max/0/default.jpg", "image/jpeg", (1411, 1411)),
        ("/iiif/3/a.tif/square/100,/0/default.jpg", "image/jpeg", (100, 100)),
        ("/iiif/3/a.tif/pct:10,10,50,25/,100/0/default.png", "image/png", (200, 100)),
        ("/iiif/3/a.tif/1300,1300,500,500/max/0/default.jpg", "image/jpeg", (111, 111)),
        ("/iiif/3/a.tif/full/!90,60/90/default.jpg", "image/jpeg", (60, 60)),
        ("/iiif/3/a.tif/0,0,1000,500/200,100/270/default.jpg", "image/jpeg", (100, 200)),
        ("/iiif/3/a.tif/0,0,100,50/^200,/!180/default.jpg", "image/jpeg", (200, 100)),
        ("/iiif/3/a.tif/full/pct:10/0/color.jpg", "image/jpeg", (141, 141)),
        ("/iiif/2/a.tif/full/full/0/default.jpg", "image/jpeg", (1411, 1411)),
        ("/iiif/2/a.tif/0,0,1024,1024/256,/0/default.jpg", "image/jpeg", (256, 256)),
        ("/iiif/a.tif/full/50,/0/default.jpg", "image/jpeg", (50, 50)),
    ] {
        check(target, kind, size);
    }
}

#[test]
fn deep_zoom_zoomify_and_iip_cut_their_tiles_as_their_clients_count() {
    for (target, kind, size) in [
        ("/deepzoom/a.tif_files/11/5_5.jpg", "image/jpeg", (131, 131)),
        ("/deepzoom/a.tif_files/10/2_2.jpg", "image/jpeg", (194, 194)),
        ("/deepzoom/a.tif_files/0/0_0.jpg", "image/jpeg", (1, 1)),
        ("/deepzoom/a.tif_files/3/0_0.png", "image/png", (6, 6)),
        ("/zoomify/a.tif/TileGroup7/3-5-5.jpg", "image/jpeg", (131, 131)),
        ("/zoomify/a.tif/TileGroup0/0-0-0.jpg", "image/jpeg", (176, 176)),
        ("/iip?FIF=a.tif&JTL=3,35", "image/jpeg", (131, 131)),
        ("/iip?FIF=a.tif&JTL=0,0", "image/jpeg", (176, 176)),
        ("/iip?FIF=a.tif&WID=300&CVT=jpeg", "image/jpeg", (300, 300)),
        ("/iip?FIF=a.tif&RGN=0.5,0.5,0.25,0.25&WID=100&HEI=50&CVT=png", "image/png", (50, 50)),
        ("/iip?FIF=a.tif&WID=9000&CVT=jpeg", "image/jpeg", (5000, 5000)),
        ("/iip?IIIF=a.tif/full/60,/0/default.jpg", "image/jpeg", (60, 60)),
        ("/iip?DeepZoom=/a.tif_files/11/0_0.jpg", "image/jpeg", (256, 256)),
        ("/iip?Zoomify=/a.tif/TileGroup0/3-0-0.jpg", "image/jpeg", (256, 256)),
    ] {
        check(target, kind, size);
    }
}

#[test]
fn gray_and_bitonal_have_one_component() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &[]);
    for (quality, count) in [("gray", 1), ("bitonal", 1), ("color", 3), ("default", 3)] {
        let answer = server.get(&format!("/iiif/3/a.tif/full/200,/0/{quality}.jpg"));
        assert_eq!((answer.status, components(&answer.body)), (200, count), "{quality}");
    }
    server.finish(&[]);
}

#[test]
fn all_that_info_json_advertises_is_served_at_its_size() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &[]);
    for version in [2, 3] {
        let info = server.get(&format!("/iiif/{version}/a.tif/info.json")).json();
        let number = |value: &serde_json::Value| u32::try_from(value.as_u64().unwrap()).unwrap();
        let (full_width, full_height) = (number(&info["width"]), number(&info["height"]));
        let mut asked = 0;
        for size in info["sizes"].as_array().unwrap() {
            let (width, height) = (number(&size["width"]), number(&size["height"]));
            let answer =
                server.get(&format!("/iiif/{version}/a.tif/full/{width},{height}/0/default.jpg"));
            assert_eq!((answer.status, answer.picture_size()), (200, (width, height)));
            asked += 1;
        }
        for tiles in info["tiles"].as_array().unwrap() {
            let width = number(&tiles["width"]);
            let height = tiles.get("height").map_or(width, number);
            for factor in tiles["scaleFactors"].as_array().unwrap().iter().map(number) {
                for y in (0..full_height).step_by((height * factor) as usize) {
                    for x in (0..full_width).step_by((width * factor) as usize) {
                        let (w, h) = (
                            (width * factor).min(full_width - x),
                            (height * factor).min(full_height - y),
                        );
                        let size = (w.div_ceil(factor), h.div_ceil(factor));
                        let target = format!(
                            "/iiif/{version}/a.tif/{x},{y},{w},{h}/{},{}/0/default.jpg",
                            size.0, size.1
                        );
                        let answer = server.get(&target);
                        assert_eq!((answer.status, answer.picture_size()), (200, size), "{target}");
                        asked += 1;
                    }
                }
            }
        }
        // Tiles of 1411 / 256 at factors 1, 2, 4, 8: 36 + 9 + 4 + 1, and the sizes.
        assert!(50 < asked, "only {asked} advertised pictures");
    }
    server.finish(&[]);
}

#[test]
fn a_base_address_leads_to_its_description() {
    let folder = folder_with(&[("b/a.tif", RETINA)]);
    let server = Server::start(folder.path(), &[]);
    let answer = server.get("/iiif/3/b%2Fa.tif");
    assert_eq!(answer.status, 303);
    let location = answer.header("Location").unwrap();
    assert!(location.ends_with("/iiif/3/b%2Fa.tif/info.json"), "{location}");
    let info = server.get("/iiif/3/b%2Fa.tif/info.json").json();
    assert_eq!(info["id"], format!("http://{}/iiif/3/b%2Fa.tif", server.address));
    server.finish(&[]);
}
