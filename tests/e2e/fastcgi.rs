//! FastCGI: the same answers as HTTP, from our own client and through real web servers; and whatever a
//! web server may do wrong.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use crate::fastcgi_client as client;
use crate::harness::{CHELSEA, PATIENCE, RETINA, Response, Server, exchange, folder_with};

const TILE: &str = "/iiif/3/a.tif/0,0,256,256/256,256/0/default.jpg";
const HOST: &str = "pictures.example";

/// What a test asks for: method, target, headers beside Host, body.
type Question<'a> = (&'a str, &'a str, Vec<(&'a str, &'a str)>, &'a [u8]);

/// Every protocol, method and kind of answer.
fn questions(etag: &str) -> Vec<Question<'_>> {
    let objects: &[u8] = b"FIF=a.tif&OBJ=IIP,1.0&OBJ=Max-size";
    let mut questions: Vec<Question<'_>> = [
        TILE,
        "/iiif/3/a.tif/info.json",
        "/iiif/2/a.tif/info.json",
        "/iiif/3/a.tif/info.json?cache=7",
        "/iiif/3/a.tif",
        "/iiif/3/a.tif/full/300,/90/gray.png",
        "/iiif/2/b%2Fx.tif/full/full/0/default.jpg",
        "/iiif/3/none.tif/info.json",
        "/iiif/3/a.tif/junk/max/0/default.jpg",
        "/iiif/1/a.tif/info.json",
        "/iip?FIF=a.tif&OBJ=IIP,1.0&OBJ=Max-size&OBJ=Tile-size",
        "/iip?FIF=a.tif&JTL=2,1",
        "/iip?FIF=a.tif&WID=200&CVT=jpeg",
        "/fcgi-bin/iipsrv.fcgi?IIIF=a.tif/info.json",
        "/fcgi-bin/iipsrv.fcgi?DeepZoom=a.tif.dzi",
        "/fcgi-bin/iipsrv.fcgi?Zoomify=a.tif/ImageProperties.xml",
        "/iip?FIF=a.tif&OBJ=nonsense",
        "/iip?FOO=BAR",
        "/deepzoom/a.tif.dzi",
        "/deepzoom/a.tif_files/8/0_0.jpg",
        "/zoomify/a.tif/TileGroup0/1-0-0.jpg",
        "/",
        "/gallery.json?folder=b",
        "/assets/view.js",
        "/nothing",
    ]
    .into_iter()
    .map(|target| ("GET", target, Vec::new(), &b""[..]))
    .collect();
    questions.extend([
        ("HEAD", TILE, Vec::new(), &b""[..]),
        ("OPTIONS", TILE, vec![("Origin", "http://x.test")], b""),
        ("DELETE", TILE, Vec::new(), b""),
        ("POST", "/iip", Vec::new(), objects),
        ("GET", TILE, vec![("If-None-Match", etag)], b""),
    ]);
    assert_eq!(questions.len(), 30);
    questions
}

/// Headers in one order, less those of a connection and what each request is called.
fn comparable(response: &Response) -> Vec<(String, String)> {
    let of_the_hop =
        ["date", "connection", "server", "transfer-encoding", "keep-alive", "x-request-id"];
    let mut headers: Vec<_> = response
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .filter(|(name, _)| !of_the_hop.contains(&name.as_str()))
        .collect();
    headers.sort();
    headers
}

/// Asks everything by HTTP and by some other way, and compares.
fn compare(server: &Server, mut other: impl FnMut(&Question<'_>) -> Response) {
    let etag = server.get_with(TILE, &[("Host", HOST)]).header("ETag").unwrap().to_owned();
    for question in questions(&etag) {
        let (method, target, headers, body) = &question;
        let mut headers = headers.clone();
        headers.push(("Host", HOST));
        let by_http = server.send(method, target, &headers, body);
        let by_other = other(&question);
        assert_eq!(by_other.status, by_http.status, "{method} {target}: {}", by_other.text());
        assert_eq!(comparable(&by_other), comparable(&by_http), "{method} {target}");
        assert!(by_other.body == by_http.body, "{method} {target}: another body");
    }
}

fn pictures() -> tempfile::TempDir {
    folder_with(&[("a.tif", RETINA), ("b/x.tif", CHELSEA)])
}

fn start(folder: &Path, arguments: &[&str]) -> (Server, String) {
    let arguments = [&["--fastcgi", "127.0.0.1:0"], arguments].concat();
    let server = Server::start(folder, &arguments);
    let address = server.announced("fastcgi listening on ");
    (server, address)
}

/// Waits until something is so; a bound against hanging, never a measure.
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "not in time: {what}");
        thread::yield_now();
    }
}

/// Reads to the end, which must come; what a reset took is not missed.
fn ends(stream: &mut impl Read) {
    let mut rest = Vec::new();
    let _reset = stream.read_to_end(&mut rest);
}

#[test]
fn fastcgi_answers_as_http_does() {
    let folder = pictures();
    let (server, address) = start(folder.path(), &[]);
    let mut stream = TcpStream::connect(&address).unwrap();
    compare(&server, |(method, target, headers, body)| {
        let mut headers = headers.clone();
        headers.push(("Host", HOST));
        client::ask(&mut stream, (method, target), &headers, body)
    });
    server.finish(&[]);
}

#[test]
fn a_script_of_any_name_answers_its_query() {
    let folder = pictures();
    let (server, address) = start(folder.path(), &[]);
    let mut stream = TcpStream::connect(&address).unwrap();
    let asked = client::ask(&mut stream, ("GET", "/cgi/pics?FIF=a.tif&OBJ=Max-size"), &[], b"");
    assert_eq!(asked.text(), "Max-size:1411 1411\r\n");
    let https = [("HTTPS".to_owned(), "on".to_owned())];
    let of = ("GET", "/cgi/pics?IIIF=a.tif/info.json");
    let all = [&client::variables(of, &[("Host", HOST)], b"")[..], &https].concat();
    stream.write_all(&client::request((1, true), &all, b"", 7)).unwrap();
    let info = client::answer(&mut stream, 1).json();
    assert_eq!(info["id"], "https://pictures.example/cgi/pics?IIIF=a.tif");
    server.finish(&[]);
}

#[test]
fn a_connection_takes_one_request_after_the_other_and_tells_what_it_can() {
    let folder = pictures();
    let (server, address) = start(folder.path(), &[]);
    let mut stream = TcpStream::connect(&address).unwrap();
    let asked = client::pairs(&[("FCGI_MPXS_CONNS".to_owned(), String::new())]);
    stream.write_all(&client::record(client::GET_VALUES, 0, &asked)).unwrap();
    let (kind, id, content) = client::next(&mut stream);
    assert_eq!((kind, id), (client::GET_VALUES_RESULT, 0));
    assert_eq!(content, b"\x0F\x01FCGI_MPXS_CONNS0");
    for _ in 0..20 {
        assert_eq!(client::ask(&mut stream, ("GET", TILE), &[], b"").status, 200);
    }
    let last = client::request((5, false), &client::variables(("GET", TILE), &[], b""), b"", 64);
    // Byte by byte: a record may arrive in as many pieces as it has bytes.
    for byte in last.chunks(1) {
        stream.write_all(byte).unwrap();
    }
    assert_eq!(client::answer(&mut stream, 5).picture_size(), (256, 256));
    assert_eq!(stream.read(&mut [0]).unwrap(), 0, "the connection was not to be kept");
    server.finish(&[]);
}

#[test]
fn what_a_web_server_leaves_out_or_overdoes_is_an_error_and_no_crash() {
    let folder = pictures();
    let (server, address) = start(folder.path(), &[]);
    let mut stream = TcpStream::connect(&address).unwrap();
    let mut send = |variables: &[(String, String)], body: &[u8]| {
        stream.write_all(&client::request((1, true), variables, body, 60_000)).unwrap();
        client::answer(&mut stream, 1).status
    };
    let usual = |method: &str, body: &[u8]| client::variables((method, "/iip"), &[], body);
    assert_eq!(send(&[], b""), 400);
    assert_eq!(send(&usual("GET", b"")[1..], b""), 400);
    assert_eq!(send(&usual("POST", b"longer"), b"long"), 400);
    assert_eq!(send(&usual("POST", b""), &vec![b'x'; 1 << 20]), 413);
    let cookie = "x".repeat(64 << 10);
    let long = client::variables(("GET", TILE), &[("Cookie", &cookie)], b"");
    assert_eq!(send(&long, b""), 414);
    let host = client::variables(("GET", TILE), &[("Host", "evil\"host")], b"");
    assert_eq!(send(&host, b""), 400);
    assert_eq!(send(&client::variables(("GET", TILE), &[], b""), b""), 200);
    server.finish(&[]);
}

#[test]
fn junk_ends_its_connection_and_not_the_server() {
    let folder = pictures();
    let (server, address) = start(folder.path(), &[]);
    let whole = client::request((1, true), &client::variables(("GET", TILE), &[], b""), b"", 50);
    let begun = client::begin(1, true);
    let lies: [&[u8]; 4] = [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        &[0xFF; 4000],
        &[&begun[..], &begun].concat(),
        &[&begun[..], &client::record(client::STDOUT, 1, b"x")].concat(),
    ];
    for bytes in lies {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(bytes).unwrap();
        ends(&mut stream);
    }
    for cut in 1..whole.len() {
        let mut stream = TcpStream::connect(&address).unwrap();
        stream.write_all(&whole[..cut]).unwrap();
    }
    let mut stream = TcpStream::connect(&address).unwrap();
    assert_eq!(client::ask(&mut stream, ("GET", TILE), &[], b"").status, 200);
    server.finish(&["a FastCGI connection was ended"]);
}

#[test]
fn who_is_slow_loses_its_connection() {
    let folder = pictures();
    let sockets = tempfile::tempdir().unwrap();
    let path = sockets.path().join("fcgi.sock");
    let bind = format!("unix:{}", path.display());
    let arguments = ["--fastcgi", &bind, "--server-fastcgi-read-s", "1"];
    let arguments = [&arguments[..], &["--server-fastcgi-write-s", "1"]].concat();
    let server = Server::start(folder.path(), &arguments);
    let mut half = UnixStream::connect(&path).unwrap();
    half.write_all(&client::begin(1, true)).unwrap();
    assert_eq!(half.read(&mut [0]).unwrap(), 0);

    let export = "/iiif/3/a.tif/full/^3000,/0/default.png";
    let mut reader = UnixStream::connect(&path).unwrap();
    let variables = client::variables(("GET", export), &[], b"");
    reader.write_all(&client::request((1, true), &variables, b"", 9000)).unwrap();
    let sent = || server.metric("tessera_bytes_sent_total", &[]);
    wait_until("the answer is on its way", || sent() != 0.0);
    // A write fails once the other side has closed; until then the record is read or left.
    let ignored = client::record(client::STDIN, 9, b"");
    wait_until("the connection ends", || reader.write_all(&ignored).is_err());
    server.finish(&[]);
}

#[test]
fn an_abort_or_a_web_server_that_goes_leaves_no_work_behind() {
    let folder = pictures();
    let (server, address) = start(folder.path(), &[]);
    let count: u16 = 40;
    let mut streams: Vec<TcpStream> = (0..count)
        .map(|number| {
            let target = format!("/iiif/3/a.tif/{number},0,1300,1300/^3000,/0/default.png");
            let variables = client::variables(("GET", &target), &[], b"");
            let mut stream = TcpStream::connect(&address).unwrap();
            stream.write_all(&client::request((1, true), &variables, b"", 9000)).unwrap();
            stream
        })
        .collect();
    let in_flight = || server.metric("tessera_cache_in_flight", &[]);
    wait_until("the exports arrive", || f64::from(count / 2) <= in_flight());
    let gone = streams.split_off(usize::from(count / 2));
    drop(gone);
    let mut aborted = 0;
    for stream in &mut streams {
        stream.write_all(&client::record(client::ABORT_REQUEST, 1, b"")).unwrap();
        // An export that was ready before has its answer on the way.
        loop {
            let (kind, _, content) = client::next(stream);
            if kind == client::END_REQUEST {
                assert_eq!(content, [0; 8]);
                break;
            }
            aborted += usize::from(content.is_empty());
        }
    }
    assert!(aborted < streams.len() / 2, "{aborted} exports were made all the same");
    wait_until("abandoned work ends", || in_flight() == 0.0);
    let encoded = server.metric("tessera_stage_seconds_count", &["stage=\"encode\""]);
    assert!(encoded < 20.0, "{encoded} of {count} abandoned exports were made all the same");
    let stream = streams.last_mut().unwrap();
    assert_eq!(client::ask(stream, ("GET", TILE), &[], b"").status, 200);
    server.finish(&["no answer"]);
}

#[test]
fn sigterm_lets_fastcgi_requests_finish() {
    let folder = pictures();
    let (mut server, address) = start(folder.path(), &[]);
    let mut idle = TcpStream::connect(&address).unwrap();
    assert_eq!(client::ask(&mut idle, ("GET", TILE), &[], b"").status, 200);
    let export = "/iiif/3/a.tif/full/^4000,/0/default.png";
    let variables = client::variables(("GET", export), &[], b"");
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.write_all(&client::request((1, true), &variables, b"", 9000)).unwrap();
    wait_until("the export is at work", || server.metric("tessera_bytes_in_decode", &[]) != 0.0);
    server.signal("TERM");
    assert_eq!(idle.read(&mut [0]).unwrap(), 0);
    assert_eq!(client::answer(&mut stream, 1).picture_size(), (4000, 4000));
    assert_eq!(server.wait(), Some(0));
    assert!(TcpStream::connect(&address).is_err(), "the port still answers");
    server.finish(&[]);
}

#[test]
fn only_web_servers_that_are_listed_may_connect() {
    let folder = pictures();
    for (listed, is_served) in [("192.0.2.1", false), ("192.0.2.1,127.0.0.1", true)] {
        let arguments = ["--fastcgi", "127.0.0.1:0"];
        let environment = [("FCGI_WEB_SERVER_ADDRS", listed)];
        let server = Server::start_with(folder.path(), &arguments, &environment);
        let address = server.announced("fastcgi listening on ");
        let mut stream = TcpStream::connect(&address).unwrap();
        if is_served {
            assert_eq!(client::ask(&mut stream, ("GET", TILE), &[], b"").status, 200);
        } else {
            ends(&mut stream);
        }
        server.finish(&[]);
    }
}

/// A process that is killed with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn connect(path: &Path) -> UnixStream {
    wait_until("somebody listens", || UnixStream::connect(path).is_ok());
    UnixStream::connect(path).unwrap()
}

/// Starts nginx with the configuration of `deploy/`, of which only the addresses are changed.
fn nginx(dir: &Path, fastcgi: &str) -> Running {
    let deployed = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/nginx/fastcgi.conf");
    let site = fs::read_to_string(deployed).unwrap();
    let listen = format!("listen unix:{};", dir.join("web.sock").display());
    let substituted = site
        .replace("server 127.0.0.1:9000;", &format!("server {fastcgi};"))
        .replace("listen 80;", &listen);
    assert!(substituted.contains(fastcgi) && substituted.contains(&listen), "{substituted}");
    fs::write(dir.join("site.conf"), substituted).unwrap();
    fs::copy("/etc/nginx/fastcgi_params", dir.join("fastcgi_params")).unwrap();
    let kinds = ["client_body", "fastcgi", "proxy", "scgi", "uwsgi"];
    let folders = kinds.map(|kind| format!("{kind}_temp_path {kind};")).concat();
    let main = format!(
        "daemon off; master_process off; pid nginx.pid;\nevents {{}}\n\
         http {{ access_log off; {folders} include site.conf; }}\n"
    );
    fs::write(dir.join("nginx.conf"), main).unwrap();
    let dir = dir.to_str().unwrap();
    let mut command = Command::new("nginx");
    command.args(["-p", dir, "-c", "nginx.conf", "-e", "error.log"]);
    Running(command.spawn().unwrap())
}

#[test]
fn nginx_passes_everything_on_by_tcp_and_by_a_unix_socket() {
    let folder = pictures();
    let sockets = tempfile::tempdir().unwrap();
    let unix = format!("unix:{}", sockets.path().join("fcgi.sock").display());
    for bind in ["127.0.0.1:0", &unix] {
        let server = Server::start(folder.path(), &["--fastcgi", bind]);
        let address = server.announced("fastcgi listening on ");
        let dir = tempfile::tempdir().unwrap();
        let _nginx = nginx(dir.path(), &address);
        let web = dir.path().join("web.sock");
        drop(connect(&web));
        compare(&server, |(method, target, headers, body)| {
            let mut stream = UnixStream::connect(&web).unwrap();
            exchange(&mut stream, HOST, (method, target), headers, body)
        });
        let log = fs::read_to_string(dir.path().join("error.log")).unwrap();
        assert!(!log.contains("[error]"), "{log}");
        server.finish(&[]);
    }
}

#[test]
fn a_socket_inherited_as_descriptor_0_is_served() {
    let folder = pictures();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spawned.sock");
    let serve = ["--fastcgi", "-", "--bind", "none", "--admin", "none"];
    let spawned = Command::new("spawn-fcgi")
        .args(["-n", "-s", path.to_str().unwrap(), "--", env!("CARGO_BIN_EXE_tessera"), "serve"])
        .arg(folder.path())
        .args(serve)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _spawned = Running(spawned);
    let answer = client::ask(&mut connect(&path), ("GET", TILE), &[], b"");
    assert_eq!((answer.status, answer.picture_size()), (200, (256, 256)));

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let inherits = |stdin: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tessera"));
        command.arg("serve").arg(folder.path()).args(serve).stdin(stdin);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let _by_tcp = Running(inherits(OwnedFd::from(listener).into()));
    let mut stream = TcpStream::connect(address).unwrap();
    assert_eq!(client::ask(&mut stream, ("GET", TILE), &[], b"").status, 200);

    let output = inherits(Stdio::null()).wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("descriptor 0") && text.contains("spawn-fcgi"), "{text}");
}
