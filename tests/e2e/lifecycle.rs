//! Start, stop, and what a wrong start says.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::Instant;

use crate::harness::{CHELSEA, PATIENCE, RETINA, Server, folder_with, request, sample};

#[test]
fn each_signal_to_stop_lets_requests_in_flight_finish_and_refuses_new_ones() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let export = "/iiif/3/a.tif/full/^4000,/0/default.png";
    for signal in ["TERM", "INT", "USR1"] {
        let mut server = Server::start(folder.path(), &[]);
        let address = server.address.clone();
        let answer = thread::scope(|scope| {
            let asker = scope.spawn(|| request(&address, "GET", export, &[], b""));
            let since = Instant::now();
            while server.metric("tessera_bytes_in_decode", &[]) == 0.0 {
                let is_over = PATIENCE < since.elapsed() || asker.is_finished();
                assert!(!is_over, "the export was too quick");
            }
            server.signal(signal);
            asker.join().unwrap()
        });
        assert_eq!((answer.status, answer.picture_size()), (200, (4000, 4000)), "{signal}");
        assert_eq!(server.wait(), Some(0), "{signal}");
        assert!(TcpStream::connect(&server.address).is_err(), "the port still answers");
        server.finish(&[]);
    }
}

#[test]
fn connections_that_wait_for_nothing_do_not_hold_up_a_stop() {
    let folder = folder_with(&[("a.tif", CHELSEA)]);
    let mut server = Server::start(folder.path(), &["--server-drain-s", "86400"]);
    let mut kept = TcpStream::connect(&server.address).unwrap();
    kept.write_all(b"GET /iiif/3/a.tif/info.json HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    assert_ne!(kept.read(&mut [0; 1024]).unwrap(), 0);
    let _silent = TcpStream::connect(&server.address).unwrap();
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    server.finish(&[]);
}

#[test]
fn a_second_signal_waits_for_nobody() {
    let folder = folder_with(&[("a.tif", CHELSEA)]);
    let mut server = Server::start(folder.path(), &["--server-drain-s", "86400"]);
    // A request whose body never comes.
    let mut hanging = TcpStream::connect(&server.address).unwrap();
    hanging.write_all(b"POST /iip HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nF").unwrap();
    let since = Instant::now();
    while server.metric("tessera_requests_in_flight", &[]) == 0.0 {
        assert!(since.elapsed() < PATIENCE, "the request is not in flight");
    }
    server.signal("TERM");
    while request(&server.admin, "GET", "/health/ready", &[], b"").status != 503 {
        assert!(since.elapsed() < PATIENCE, "never draining");
    }
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    server.finish(&[]);
}

#[test]
fn a_folder_of_a_hundred_thousand_files_is_not_scanned_before_the_first_answer() {
    let folder = folder_with(&[("deep/er/a.tif", RETINA)]);
    let many = folder.path().join("many");
    fs::create_dir(&many).unwrap();
    for number in 0..100_000 {
        fs::File::create(many.join(format!("{number}.tif"))).unwrap();
    }
    let server = Server::start(folder.path(), &[]);
    let first = Instant::now();
    assert_eq!(server.get("/iiif/3/deep%2Fer%2Fa.tif/info.json").status, 200);
    let (answered, scanned) = (first.elapsed(), Instant::now());
    assert_eq!(
        fs::read_dir(&many)
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .sum::<u64>(),
        0
    );
    let scan = scanned.elapsed();
    assert!(answered < scan, "the first answer took {answered:?}, a scan of the folder {scan:?}");
    let page = server.get("/gallery.json?folder=many").json();
    assert_eq!(page["images"].as_array().unwrap().len(), 100);
    assert_eq!(page["images"][2]["name"], "2.tif");
    let next = page["next"].as_str().unwrap().to_owned();
    let page = server.get(&format!("/gallery.json?folder=many&after={next}")).json();
    assert_eq!(page["images"][0]["name"], "100.tif");
    server.finish(&[]);
}

#[test]
fn a_wrong_start_says_key_value_and_what_is_allowed() {
    let folder = folder_with(&[("a.tif", CHELSEA)]);
    let dir = folder.path().to_str().unwrap();
    let file = folder.path().join("t.toml");
    fs::write(&file, "[cache]\nbyte_max = 5\n").unwrap();
    let file = file.to_str().unwrap();
    for (arguments, environment, words) in [
        (vec!["serve"], None, "no image folder"),
        (vec!["serve", "/no/such/folder"], None, "`/no/such/folder`"),
        (vec!["serve", dir, "--render-jpeg-quality", "200"], None, "a number from 1 to 100"),
        (vec!["serve", dir, "--config", file], None, "did you mean cache.bytes_max?"),
        (vec!["serve", dir], Some(("TESSERA_NONSENSE", "1")), "TESSERA_NONSENSE"),
        (vec!["serve", dir, "--cache-byte-max", "1"], None, "--cache-bytes-max"),
        (vec!["serve", dir, "--bind", "nonsense"], None, "HOST:PORT, unix:PATH or none"),
        (vec!["check-config", dir, "--cache-shards", "3"], None, "a power of two"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_tessera"))
            .args(&arguments)
            .envs(environment)
            .env_remove("FILESYSTEM_PREFIX")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(words), "{arguments:?}: {text}");
    }
}

#[test]
fn an_address_that_is_taken_is_said_and_not_waited_for() {
    let folder = folder_with(&[("a.tif", CHELSEA)]);
    let server = Server::start(folder.path(), &[]);
    let output = Command::new(env!("CARGO_BIN_EXE_tessera"))
        .args(["serve", folder.path().to_str().unwrap(), "--bind", &server.address])
        .args(["--admin", "none"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains(&server.address), "{text}");
    server.finish(&[]);
}

#[test]
fn settings_come_from_iipsrvs_names_the_file_ours_and_flags() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let prefix = format!("{}/", folder.path().display());
    let output = Command::new(env!("CARGO_BIN_EXE_tessera"))
        .args(["check-config", "--render-png-level", "2", "--backlog", "7"])
        .env("FILESYSTEM_PREFIX", &prefix)
        .env("MAX_CVT", "700")
        .env("JPEG_QUALTY", "1")
        .env("TESSERA_LOG_FORMAT", "json")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let has = |key: &str, value: &str, origin: &str| {
        let line = text.lines().find(|line| line.starts_with(key)).unwrap();
        assert!(line.contains(value) && line.ends_with(origin), "{line}");
    };
    has("render.output_side_px_max", "\"700\"", "MAX_CVT");
    has("render.png_level", "\"2\"", "--render-png-level");
    has("server.fastcgi_backlog", "\"7\"", "--server-fastcgi-backlog");
    has("log.format", "\"json\"", "TESSERA_LOG_FORMAT");
    has("images.root", folder.path().to_str().unwrap(), "FILESYSTEM_PREFIX");
    assert!(text.contains("did you mean JPEG_QUALITY?"), "{text}");
}

#[test]
fn an_unused_image_is_closed_and_opens_again() {
    let folder = folder_with(&[("a.tif", RETINA), ("b.tif", CHELSEA)]);
    let server = Server::start(folder.path(), &["--images-idle-s", "1"]);
    let handles = || {
        let links = fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap();
        links
            .filter_map(|link| fs::read_link(link.unwrap().path()).ok())
            .filter(|target| target.starts_with(folder.path()) && target.is_file())
            .count()
    };
    assert_eq!(server.get("/iiif/3/a.tif/info.json").status, 200);
    assert_eq!(handles(), 1);
    let since = Instant::now();
    while handles() != 0 {
        assert!(since.elapsed() < PATIENCE, "still open");
        thread::yield_now();
    }
    assert_eq!(server.get("/iiif/3/a.tif/info.json").status, 200);
    server.finish(&[]);
}

#[test]
fn only_so_many_images_are_open_at_once() {
    let names: Vec<String> = (0..40).map(|number| format!("{number}.tif")).collect();
    let folder = tempfile::tempdir().unwrap();
    for name in &names {
        fs::copy(sample(CHELSEA), folder.path().join(name)).unwrap();
    }
    let server = Server::start(folder.path(), &["--images-open-max", "8"]);
    for name in &names {
        assert_eq!(server.get(&format!("/iiif/3/{name}/info.json")).status, 200);
        assert!(server.metric("tessera_images_open", &[]) <= 9.0);
    }
    server.finish(&[]);
}

#[test]
fn an_access_line_is_written_for_each_request() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_tessera"))
        .args(["serve", folder.path().to_str().unwrap(), "--bind", "127.0.0.1:0"])
        .args(["--admin", "none", "--log-format", "json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let said = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut said = std::io::BufRead::lines(said).map(Result::unwrap);
    let address = said.find_map(|line| Some(line.strip_prefix("listening on http://")?.to_owned()));
    let address = address.unwrap();
    let mut stream = TcpStream::connect(&address).unwrap();
    stream
        .write_all(b"GET /iiif/3/a.tif/info.json HTTP/1.1\r\nHost: x\r\n\r\nGET /iiif/3/none/info.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut both = Vec::new();
    stream.read_to_end(&mut both).unwrap();
    Command::new("kill").arg(child.id().to_string()).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let lines: Vec<serde_json::Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["status"], &lines[0]["class"]), (&200.into(), &"info".into()));
    assert_eq!(lines[1]["status"], 404);
    assert_eq!(lines[1]["target"], "/iiif/3/none/info.json");
}
