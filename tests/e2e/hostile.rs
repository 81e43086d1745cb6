//! What strangers send: nothing of it reaches a file outside, shows a path, or costs much.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::Instant;

use crate::harness::{PATIENCE, RETINA, Server, folder_with};

#[test]
fn no_name_leads_out_of_the_folder() {
    let folder = folder_with(&[("images/a.tif", RETINA), ("secret.tif", RETINA)]);
    let root = folder.path().join("images");
    symlink(folder.path().join("secret.tif"), root.join("link.tif")).unwrap();
    symlink("../secret.tif", root.join("relative.tif")).unwrap();
    symlink(folder.path(), root.join("up")).unwrap();
    let server = Server::start(&root, &[]);
    let absolute = folder.path().join("secret.tif").display().to_string();
    let names = [
        "..%2Fsecret.tif".to_owned(),
        "%2e%2e%2fsecret.tif".to_owned(),
        "%2e%2e/secret.tif".to_owned(),
        "../secret.tif".to_owned(),
        "..%5Csecret.tif".to_owned(),
        "%252e%252e%252fsecret.tif".to_owned(),
        "a.tif%00.jpg".to_owned(),
        "..%c0%afsecret.tif".to_owned(),
        "%ff%fe.tif".to_owned(),
        "link.tif".to_owned(),
        "relative.tif".to_owned(),
        "up%2Fsecret.tif".to_owned(),
        absolute.replace('/', "%2F"),
        "....%2F%2Fsecret.tif".to_owned(),
    ];
    for name in &names {
        for target in [
            format!("/iiif/3/{name}/info.json"),
            format!("/iiif/2/{name}/full/max/0/default.jpg"),
            format!("/deepzoom/{name}.dzi"),
            format!("/zoomify/{name}/ImageProperties.xml"),
            format!("/iip?FIF={name}&OBJ=Max-size"),
        ] {
            let answer = server.get(&target);
            assert!(matches!(answer.status, 400 | 404), "{target}: {}", answer.status);
            let text = answer.text();
            let path = folder.path().display().to_string();
            assert!(!text.contains(&path), "{target} shows a path: {text}");
        }
    }
    assert_eq!(server.get("/iiif/3/a.tif/info.json").status, 200);
    server.finish(&[]);
}

#[test]
fn over_a_limit_is_an_error_that_names_the_limit() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &["--render-output-side-px-max", "1000"]);
    let long = "x".repeat(9000);
    for (target, status, words) in [
        ("/iiif/3/a.tif/full/^1200,/0/default.jpg", 400, "1000"),
        ("/iiif/3/a.tif/0,0,10,10/0,/0/default.jpg", 400, ""),
        ("/deepzoom/a.tif_files/11/99_0.jpg", 404, ""),
        ("/deepzoom/a.tif_files/12/0_0.jpg", 404, ""),
        ("/zoomify/a.tif/TileGroup0/9-0-0.jpg", 404, ""),
        ("/iip?FIF=a.tif&JTL=99,0", 404, ""),
        ("/iip?FIF=a.tif&JTL=0,99", 404, ""),
        (&format!("/iiif/3/{long}/info.json"), 414, "8192"),
        ("/iiif/3/a.tif/99999999999999999999,0,1,1/max/0/default.jpg", 400, ""),
        ("/iiif/3/a.tif/full/4294967296,/0/default.jpg", 400, ""),
    ] {
        let answer = server.get(target);
        assert_eq!(answer.status, status, "{target}: {}", answer.text());
        assert!(answer.text().contains(words), "{target}: {}", answer.text());
    }
    server.finish(&[]);
}

#[test]
fn broken_files_are_errors_in_short_time_and_harm_nobody_else() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let whole = fs::read(folder.path().join("a.tif")).unwrap();
    fs::write(folder.path().join("half.tif"), &whole[..whole.len() / 2]).unwrap();
    fs::write(folder.path().join("head.tif"), &whole[..8]).unwrap();
    fs::write(folder.path().join("empty.tif"), b"").unwrap();
    fs::write(folder.path().join("text.tif"), b"this is no picture at all").unwrap();
    fs::write(folder.path().join("loop.tif"), b"II*\0\x08\0\0\0\0\0\x08\0\0\0").unwrap();
    let server = Server::start(folder.path(), &[]);
    for name in ["half", "head", "empty", "text", "loop"] {
        let started = Instant::now();
        let answer = server.get(&format!("/iiif/3/{name}.tif/full/max/0/default.jpg"));
        assert!(matches!(answer.status, 404 | 422), "{name}: {} {}", answer.status, answer.text());
        assert!(started.elapsed() < PATIENCE, "{name} took {:?}", started.elapsed());
        let path = folder.path().display().to_string();
        assert!(!answer.text().contains(&path), "{}", answer.text());
    }
    assert_eq!(server.get("/iiif/3/a.tif/full/100,/0/default.jpg").status, 200);
    server.finish(&["no answer"]);
}

#[test]
fn a_corrupt_tile_is_an_error_of_that_tile_only_and_is_never_kept() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let path = folder.path().join("a.tif");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle..middle + 3000] {
        *byte = 0xFF;
    }
    fs::write(&path, bytes).unwrap();
    let server = Server::start(folder.path(), &["--render-pass-through", "false"]);
    let mut failed = 0;
    let mut served = 0;
    for row in 0..5 {
        for column in 0..5 {
            let (x, y) = (column * 256, row * 256);
            let target = format!("/iiif/3/a.tif/{x},{y},256,256/256,256/0/default.jpg");
            let first = server.get(&target).status;
            assert_eq!(server.get(&target).status, first, "{target} changed its mind");
            match first {
                200 => served += 1,
                422 => failed += 1,
                other => panic!("{target}: {other}"),
            }
        }
    }
    assert!(0 < failed && 0 < served, "{failed} failed, {served} served");
    server.finish(&["no answer"]);
}

#[test]
fn junk_on_the_wire_is_refused_and_the_server_lives_on() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &[]);
    for target in [
        "/iiif/3/a.tif/<script>/max/0/default.jpg",
        "/iiif/3/a.tif/`^`/max/0/default.jpg",
        "/iiif/3/%/info.json",
        "/iip?FIF=",
        "/iip?OBJ=Max-size",
        "/iip?FIF=a.tif&WID=99999999999&CVT=jpeg",
        "/iip?%00",
    ] {
        let status = server.get(target).status;
        assert!(matches!(status, 200 | 400 | 404), "{target}: {status}");
    }
    let hosts = server.get_with("/iiif/3/a.tif/info.json", &[("Host", "evil\"host")]);
    assert_eq!(hosts.status, 400);
    assert_eq!(server.get("/iiif/3/a.tif/info.json").status, 200);
    server.finish(&[]);
}

/// Marsaglia's xorshift: the same junk in every run.
struct Junk(u64);

impl Junk {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit).unwrap()).unwrap()
    }

    /// A character of the validator's junk, 0x30 to 0x7a, or one that paths are made of.
    fn character(&mut self) -> char {
        const OFTEN: &[u8] = b"/,:%.0123456789^!;&=-";
        if self.below(2) == 0 {
            char::from(OFTEN[self.below(OFTEN.len())])
        } else {
            char::from(b'0' + u8::try_from(self.below(75)).unwrap())
        }
    }

    /// A request that makes sense with some of its characters changed, left out, doubled or cut off.
    fn damaged(&mut self, target: &str) -> String {
        let mut characters: Vec<char> = target.chars().collect();
        for _ in 0..=self.below(4) {
            let at = 1 + self.below(characters.len() - 1);
            match self.below(4) {
                0 => characters[at] = self.character(),
                1 => characters.insert(at, self.character()),
                2 if 2 < characters.len() => drop(characters.remove(at)),
                _ if 8 < at => characters.truncate(at),
                _ => characters.push(self.character()),
            }
        }
        characters.into_iter().collect()
    }
}

#[test]
fn ten_thousand_requests_of_junk_are_each_refused_in_a_sentence_or_answered() {
    const WHOLE: [&str; 12] = [
        "/iiif/3/a.tif/full/max/0/default.jpg",
        "/iiif/3/a.tif/0,0,99,99/^120,/22.5/gray.png",
        "/iiif/2/a.tif/pct:1,2,30,40/!50,60/!90/color.webp",
        "/iiif/1/a.tif/full/50,/0/native.gif",
        "/iiif/3/a.tif/square/pct:5/0/bitonal.pdf?contrast=2&gamma=log",
        "/iiif/a.tif/info.json",
        "/presentation/3/a.tif/manifest.json",
        "/deepzoom/a.tif_files/8/0_0.jpg",
        "/zoomify/a.tif/TileGroup0/0-0-0.jpg",
        "/iip?FIF=a.tif&CNT=1.2&WID=90&RGN=0,0,1,1&CVT=jpeg",
        "/iip?IIIF=a.tif/full/60,/0/default.jpg",
        "/iip?FIF=a.tif&obj=IIP,1.0&obj=Max-size&JTL=0,0",
    ];
    let folder = folder_with(&[("a.tif", RETINA)]);
    // Small answers: this is about text.
    let server = Server::start(folder.path(), &["--render-output-side-px-max", "128"]);
    let mut junk = Junk(0x9e37_79b9_7f4a_7c15);
    let (mut refused, mut answered) = (0, 0);
    for number in 0..10_000 {
        let target = if number % 10 == 0 {
            let length = 1 + junk.below(60);
            let mount = ["/iiif/3/", "/iiif/", "/iip?", "/"][junk.below(4)];
            mount.chars().chain((0..length).map(|_| junk.character())).collect()
        } else {
            junk.damaged(WHOLE[number % WHOLE.len()])
        };
        let answer = server.get(&target);
        match answer.status {
            200 | 303 => answered += 1,
            400 | 404 | 413 | 414 | 415 | 501 => {
                refused += 1;
                let text = answer.text();
                assert!(text.lines().count() <= 2 && text.len() < 700, "{target}: {text}");
            }
            status => panic!("{target}: {status} {}", answer.text()),
        }
    }
    assert!(5000 < refused && 500 < answered, "{refused} refused, {answered} answered");
    assert!(server.metric("tessera_faults_total", &["kind=\"bug\""]) < 1.0);
    assert_eq!(server.get("/iiif/3/a.tif/info.json").status, 200);
    server.finish(&[]);
}
