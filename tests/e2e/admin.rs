//! Administration: what is told, who is told it, and that it never waits.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::process::Command;
use std::time::Instant;

use crate::harness::{CHELSEA, PATIENCE, RETINA, Response, Server, folder_with, request};

fn admin(server: &Server, method: &str, target: &str) -> Response {
    request(&server.admin, method, target, &[], b"")
}

const TILE: &str = "/iiif/3/a.tif/0,0,256,256/max/0/default.png";

#[test]
fn settings_are_told_with_their_origins_and_secrets_are_not() {
    let folder = folder_with(&[("a.tif", CHELSEA)]);
    let arguments = ["--server-admin-token", "s3cret", "--render-jpeg-quality", "60"];
    let server = Server::start(folder.path(), &arguments);
    assert_eq!(admin(&server, "GET", "/config").status, 401);
    let wrong = [("Authorization", "Bearer s3creT")];
    assert_eq!(request(&server.admin, "GET", "/config", &wrong, b"").status, 401);
    assert_eq!(admin(&server, "GET", "/metrics").status, 200, "as ever");
    let right = [("Authorization", "Bearer s3cret")];
    let answer = request(&server.admin, "GET", "/config", &right, b"");
    assert!(!answer.text().contains("s3cret"), "{}", answer.text());
    let settings = answer.json();
    let of =
        |name: &str| settings.as_array().unwrap().iter().find(|it| it["name"] == name).unwrap();
    assert_eq!(of("render.jpeg_quality")["value"], "60");
    assert_eq!(of("render.jpeg_quality")["origin"], "--render-jpeg-quality");
    assert_eq!(of("render.jpeg_quality")["reloaded"], true);
    assert_eq!(of("server.bind")["reloaded"], false);
    server.finish(&[]);
}

#[test]
fn an_address_open_to_others_without_a_token_lets_nobody_administer() {
    let folder = folder_with(&[("a.tif", CHELSEA)]);
    let server = Server::start(folder.path(), &["--admin", "0.0.0.0:0"]);
    let port = server.admin.rsplit(':').next().unwrap().to_owned();
    let local = format!("127.0.0.1:{port}");
    for (method, target) in [("GET", "/config"), ("GET", "/images"), ("DELETE", "/cache?all")] {
        assert_eq!(request(&local, method, target, &[], b"").status, 403, "{target}");
    }
    assert_eq!(request(&local, "GET", "/health/live", &[], b"").status, 200);
    server.finish(&[]);
}

#[test]
fn images_are_told_by_use_and_by_trouble_and_shards_by_what_they_hold() {
    let folder = folder_with(&[("a.tif", CHELSEA), ("b.tif", RETINA)]);
    fs::write(folder.path().join("broken.tif"), b"II*\0 and no more").unwrap();
    let server = Server::start(folder.path(), &[]);
    for _ in 0..5 {
        assert_eq!(server.get(TILE).status, 200);
    }
    assert_eq!(server.get("/iiif/3/b.tif/info.json").status, 200);
    assert_eq!(server.get("/iiif/3/broken.tif/info.json").status, 422);
    let images = admin(&server, "GET", "/images").json();
    assert_eq!(images["open"].as_array().unwrap().len(), 2, "{images}");
    assert_eq!(images["hottest"][0]["image"], "a.tif");
    assert_eq!(images["hottest"][0]["requests"], 5);
    assert_eq!(images["in_trouble"][0]["image"], "broken.tif");
    assert!(images["in_trouble"][0]["reason"].as_str().unwrap().contains("TIFF"), "{images}");
    let shards = admin(&server, "GET", "/shards").json();
    let answers = shards["shards"].as_array().unwrap().iter();
    assert_eq!(answers.map(|shard| shard["answers"].as_u64().unwrap()).sum::<u64>(), 1);
    assert_eq!(shards["lanes"]["dear"]["waiting"], 0);
    server.finish(&["broken.tif"]);
}

#[test]
fn what_is_purged_is_made_anew_and_nothing_else_is() {
    let folder = folder_with(&[("a.tif", CHELSEA), ("sub/b.tif", RETINA), ("sub/c.tif", RETINA)]);
    let server = Server::start(folder.path(), &[]);
    let names = ["a.tif", "sub%2Fb.tif", "sub%2Fc.tif"];
    let tile = |name: &str| format!("/iiif/3/{name}/0,0,256,256/max/0/default.png");
    let ask_all = || {
        for name in names {
            assert_eq!(server.get(&tile(name)).status, 200);
        }
    };
    let encoded = || server.metric("tessera_encode_seconds_count", &["format=\"png\""]);
    for (target, answers, made) in [
        ("/cache?image=a.tif", 1, 1.0),
        ("/cache?prefix=sub/", 2, 2.0),
        ("/cache?all", 3, 3.0),
        ("/cache?image=none", 0, 0.0),
    ] {
        ask_all();
        let before = encoded();
        let purged = admin(&server, "DELETE", target).json();
        assert_eq!(purged["answers"], answers, "{target}: {purged}");
        ask_all();
        assert!((encoded() - before - made).abs() < 0.5, "{target}");
    }
    for target in ["/cache", "/cache?image=a&all", "/cache?everything"] {
        assert_eq!(admin(&server, "DELETE", target).status, 400, "{target}");
    }
    assert_eq!(admin(&server, "GET", "/cache?all").status, 404);
    server.finish(&[]);
}

#[test]
fn an_address_is_explained_and_its_time_told() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &[]);
    let told = admin(&server, "GET", &format!("/explain?url={TILE}")).json();
    assert_eq!((&told["image"], &told["container"]), (&"a.tif".into(), &"TIFF".into()), "{told}");
    let plan = &told["plan"];
    assert_eq!((&plan["class"], &plan["lane"]), (&"tile".into(), &"cheap".into()));
    assert_eq!((&plan["is_cached"], &plan["cost"]["tiles"]), (&false.into(), &1.into()), "{plan}");
    assert_eq!(plan["tiles"], serde_json::json!([[0, 0]]));
    let told = admin(&server, "GET", &format!("/explain?url={TILE}&run")).json();
    assert_eq!(told["answered"]["outcome"], "miss", "{told}");
    assert!(0.0 < told["answered"]["encode_ms"].as_f64().unwrap(), "{told}");
    let told = admin(&server, "GET", &format!("/explain?url={TILE}")).json();
    assert_eq!(told["plan"]["is_cached"], true);
    for (url, status) in [("/iiif/3/none.tif/info.json", 404), ("/view/a.tif", 400)] {
        assert_eq!(admin(&server, "GET", &format!("/explain?url={url}")).status, status, "{url}");
    }
    assert_eq!(admin(&server, "GET", "/explain").status, 400);
    server.finish(&[]);
}

#[test]
fn a_drain_that_is_asked_for_ends_the_server() {
    let folder = folder_with(&[("a.tif", CHELSEA)]);
    let mut server = Server::start(folder.path(), &[]);
    assert_eq!(admin(&server, "POST", "/drain").status, 404, "a web page can send that");
    assert_eq!(admin(&server, "PUT", "/drain").status, 202);
    assert_eq!(server.wait(), Some(0));
    server.finish(&[]);
}

#[test]
fn health_and_administration_are_answered_while_all_places_are_taken() {
    let folder = folder_with(&[("a.tif", CHELSEA)]);
    let arguments =
        ["--pool-jobs-max", "1", "--server-requests-max", "8", "--pool-decode-threads", "1"];
    let server = Server::start(folder.path(), &arguments);
    let hanging: Vec<TcpStream> = (0..8)
        .map(|_| {
            let mut stream = TcpStream::connect(&server.address).unwrap();
            let head = b"POST /iip HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nFIF=a.tif";
            stream.write_all(head).unwrap();
            stream
        })
        .collect();
    let since = Instant::now();
    while server.metric("tessera_requests_in_flight", &[]) < 8.0 {
        assert!(since.elapsed() < PATIENCE, "the requests are not in flight");
    }
    assert_eq!(server.get("/iiif/3/a.tif/info.json").status, 503);
    for target in ["/health/live", "/health/ready", "/metrics", "/shards", "/images"] {
        assert_eq!(admin(&server, "GET", target).status, 200, "{target}");
    }
    drop(hanging);
    server.finish(&[]);
}

#[test]
fn a_request_has_one_name_in_its_answer_and_in_the_log() {
    let folder = folder_with(&[("a.tif", CHELSEA)]);
    let server = Server::start(folder.path(), &[]);
    let answer = server.get_with(TILE, &[("X-Request-Id", "from-before-1")]);
    assert_eq!(answer.header("X-Request-Id"), Some("from-before-1"));
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let answer = server.get_with(TILE, &[("traceparent", parent)]);
    assert_eq!(answer.header("X-Request-Id"), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
    let [one, two] = [(); 2].map(|()| server.get(TILE).header("X-Request-Id").unwrap().to_owned());
    assert_ne!(one, two);
    server.finish(&[]);
}

#[test]
fn a_log_is_replayed_against_another_server() {
    let folder = folder_with(&[("a.tif", CHELSEA)]);
    let log = folder.path().join("access.log");
    for form in ["text", "json"] {
        let arguments = ["--log-file", log.to_str().unwrap(), "--log-format", form];
        let mut recorded = Server::start(folder.path(), &arguments);
        for number in 0..20 {
            let target = format!("/iiif/3/a.tif/{number},0,64,64/max/0/default.jpg");
            assert_eq!(recorded.get(&target).status, 200);
        }
        assert_eq!(recorded.get("/iiif/3/none.tif/info.json").status, 404);
        recorded.signal("TERM");
        assert_eq!(recorded.wait(), Some(0));

        let other = Server::start(folder.path(), &[]);
        let to = format!("http://{}", other.address);
        let output = Command::new(env!("CARGO_BIN_EXE_tessera"))
            .args(["replay", log.to_str().unwrap(), "--to", &to, "--speed", "0"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains("200 20\n") && text.contains("404 1\n"), "{form}: {text}");
        assert!((other.metric("tessera_requests_total", &[]) - 21.0).abs() < 0.5);
        other.finish(&[]);
        fs::remove_file(&log).unwrap();
    }
    let gone = ["replay", log.to_str().unwrap(), "--to", "http://127.0.0.1:1"];
    let output = Command::new(env!("CARGO_BIN_EXE_tessera")).args(gone).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn top_shows_a_server_once_where_there_is_no_terminal() {
    let folder = folder_with(&[("a.tif", CHELSEA)]);
    let server = Server::start(folder.path(), &[]);
    assert_eq!(server.get(TILE).status, 200);
    let output = Command::new(env!("CARGO_BIN_EXE_tessera")).args(["top", &server.admin]).output();
    let output = output.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("a.tif") && text.contains("cheap"), "{text}");
    assert!(!text.contains('\u{1b}'), "no escapes where there is no terminal");
    server.finish(&[]);
}
