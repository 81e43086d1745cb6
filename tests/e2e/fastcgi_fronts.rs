//! Web servers that are not here, as they speak the record layer: put together from their documents and
//! sources, since none of them could be recorded (Debian has no package of any, and IIS is no free software).
//! Each must get the answer that HTTP gives. Beside them the client of the FastCGI library itself, whose
//! code `mod_fastcgi` shares its record layer's habits with.

use std::io::Write;
use std::net::TcpStream;
use std::process::Command;

use crate::fastcgi_client as client;
use crate::harness::{RETINA, Server, folder_with, parse};

const SCRIPT: &str = "/fcgi-bin/iipsrv.fcgi";
const HOST: &str = "pictures.example";

/// Variables of a GET by their names.
fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A record whose content is filled up to a multiple of eight bytes.
fn padded(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut record = client::record(kind, 1, content);
    let padding = (8 - content.len() % 8) % 8;
    record[6] = u8::try_from(padding).unwrap();
    record.extend(vec![0xAA; padding]);
    record
}

/// Apache's `mod_fastcgi`: all that CGI has and the environment of the server beside it, in records of its
/// buffer's size, cut wherever that ends; a connection for each request.
fn mod_fastcgi(query: &str) -> Vec<u8> {
    let uri = format!("{SCRIPT}?{query}");
    let path = "/usr/bin:".repeat(900);
    let all = variables(&[
        ("PATH", &path),
        ("HTTP_HOST", HOST),
        ("HTTP_ACCEPT", "image/avif,image/webp,*/*"),
        ("HTTP_COOKIE", "a=b; c=d"),
        ("SERVER_SIGNATURE", ""),
        ("SERVER_SOFTWARE", "Apache/2.2"),
        ("SERVER_NAME", HOST),
        ("SERVER_PORT", "80"),
        ("DOCUMENT_ROOT", "/var/www"),
        ("SCRIPT_FILENAME", "/usr/lib/iipimage-server/iipsrv.fcgi"),
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("REQUEST_METHOD", "GET"),
        ("QUERY_STRING", query),
        ("REQUEST_URI", &uri),
        ("SCRIPT_NAME", SCRIPT),
    ]);
    client::request((1, false), &all, b"", 8192 - 8)
}

/// Microsoft's IIS: no `REQUEST_URI`, the script as `PATH_INFO` too, `HTTPS` off in so many letters, a
/// length of 0, records filled up, and a connection that is kept.
fn iis(query: &str) -> Vec<u8> {
    let all = variables(&[
        ("APPL_MD_PATH", "/LM/W3SVC/1/ROOT"),
        ("AUTH_TYPE", ""),
        ("CONTENT_LENGTH", "0"),
        ("CONTENT_TYPE", ""),
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("HTTPS", "off"),
        ("HTTP_HOST", HOST),
        ("PATH_INFO", SCRIPT),
        ("PATH_TRANSLATED", "C:\\inetpub\\wwwroot\\fcgi-bin\\iipsrv.fcgi"),
        ("QUERY_STRING", query),
        ("REMOTE_ADDR", "::1"),
        ("REQUEST_METHOD", "GET"),
        ("SCRIPT_NAME", SCRIPT),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("SERVER_SOFTWARE", "Microsoft-IIS/10.0"),
        ("URL", SCRIPT),
    ]);
    let params = client::pairs(&all);
    [
        client::begin(1, true),
        padded(client::PARAMS, &params),
        padded(client::PARAMS, b""),
        padded(client::STDIN, b""),
    ]
    .concat()
}

/// `MyServer`: a record for each pair, and a connection that is kept.
fn my_server(query: &str) -> Vec<u8> {
    let uri = format!("{SCRIPT}?{query}");
    let all = variables(&[
        ("SERVER_SOFTWARE", "GNU MyServer 0.11"),
        ("SERVER_NAME", HOST),
        ("QUERY_STRING", query),
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("REQUEST_METHOD", "GET"),
        ("REQUEST_URI", &uri),
        ("SCRIPT_NAME", SCRIPT),
        ("CONTENT_LENGTH", ""),
        ("HTTPS", ""),
        ("HTTP_HOST", HOST),
    ]);
    a_record_a_pair(&all, true)
}

/// `JFastCGI`, a Java servlet: a record for each pair, the path behind the servlet as `PATH_INFO`, and a
/// length of -1 where there is no body.
fn j_fastcgi(query: &str) -> Vec<u8> {
    let all = variables(&[
        ("REQUEST_METHOD", "GET"),
        ("QUERY_STRING", query),
        ("SCRIPT_NAME", SCRIPT),
        ("PATH_INFO", ""),
        ("REQUEST_URI", SCRIPT),
        ("CONTENT_LENGTH", "-1"),
        ("SERVER_NAME", HOST),
        ("SERVER_PORT", "8080"),
        ("HTTP_HOST", HOST),
        ("HTTP_CONNECTION", "keep-alive"),
    ]);
    a_record_a_pair(&all, false)
}

fn a_record_a_pair(all: &[(String, String)], keep: bool) -> Vec<u8> {
    let pairs = all.chunks(1).map(|pair| client::record(client::PARAMS, 1, &client::pairs(pair)));
    let mut bytes = client::begin(1, keep);
    bytes.extend(pairs.collect::<Vec<_>>().concat());
    bytes.extend(client::record(client::PARAMS, 1, b""));
    bytes.extend(client::record(client::STDIN, 1, b""));
    bytes
}

#[test]
fn fronts_that_are_not_here_are_answered_as_http_is() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &["--fastcgi", "127.0.0.1:0"]);
    let address = server.announced("fastcgi listening on ");
    let fronts: [fn(&str) -> Vec<u8>; 4] = [mod_fastcgi, iis, my_server, j_fastcgi];
    for query in [
        "FIF=a.tif&OBJ=IIP,1.0&OBJ=Max-size&OBJ=Tile-size",
        "FIF=a.tif&JTL=2,1",
        "IIIF=a.tif/info.json",
        "IIIF=a.tif/full/200,/0/default.png",
        "DeepZoom=a.tif.dzi",
        "FIF=none.tif&OBJ=Max-size",
    ] {
        let expected = server.get_with(&format!("{SCRIPT}?{query}"), &[("Host", HOST)]);
        for (number, front) in fronts.iter().enumerate() {
            let mut stream = TcpStream::connect(&address).unwrap();
            // However the network cuts it.
            for piece in front(query).chunks(100) {
                stream.write_all(piece).unwrap();
            }
            let answer = client::answer(&mut stream, 1);
            assert_eq!(answer.status, expected.status, "front {number}: {query}");
            assert!(answer.body == expected.body, "front {number}: {query}: {}", answer.text());
            assert_eq!(answer.header("ETag"), expected.header("ETag"), "front {number}: {query}");
        }
    }
    server.finish(&[]);
}

#[test]
fn names_of_sixty_four_kibibytes_and_interleaved_requests_cost_only_themselves() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &["--fastcgi", "127.0.0.1:0"]);
    let address = server.announced("fastcgi listening on ");
    let mut stream = TcpStream::connect(&address).unwrap();
    let target = ("GET", "/fcgi-bin/iipsrv.fcgi?FIF=a.tif&OBJ=Max-size");
    for (length, status) in [(60_000, 200), (65_536, 414), (1, 200)] {
        let mut all = client::variables(target, &[], b"");
        all.push(("N".repeat(length), "x".to_owned()));
        stream.write_all(&client::request((1, true), &all, b"", 9000)).unwrap();
        assert_eq!(client::answer(&mut stream, 1).status, status, "{length}");
    }
    // A second request before the first is whole: it is told that this cannot be, and the first goes on.
    let whole = client::request((1, true), &client::variables(target, &[], b""), b"", 40);
    let begun = client::begin(1, true).len();
    // Up to the end of the first record of variables: a header and forty bytes.
    let (first, rest) = whole.split_at(begun + 8 + 40);
    stream.write_all(first).unwrap();
    stream.write_all(&client::begin(2, true)).unwrap();
    let (kind, id, content) = client::next(&mut stream);
    assert_eq!((kind, id, content[4]), (client::END_REQUEST, 2, 1));
    stream.write_all(rest).unwrap();
    assert_eq!(client::answer(&mut stream, 1).status, 200);
    server.finish(&[]);
}

#[test]
fn the_client_of_the_fastcgi_library_gets_the_answers_of_http() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &["--fastcgi", "127.0.0.1:0"]);
    let address = server.announced("fastcgi listening on ");
    for query in ["FIF=a.tif&OBJ=Max-size", "FIF=a.tif&JTL=2,1", "FIF=none.tif&OBJ=Max-size"] {
        let target = format!("{SCRIPT}?{query}");
        let expected = server.get_with(&target, &[("Host", HOST)]);
        let mut program = Command::new("cgi-fcgi");
        program.args(["-bind", "-connect", &address]).env_clear();
        program.envs(client::variables(("GET", &target), &[("Host", HOST)], b""));
        let output = program.output().unwrap();
        let answer = parse(&output.stdout);
        assert_eq!(answer.status, expected.status, "{query}");
        assert!(answer.body == expected.body, "{query}: {}", answer.text());
        assert_eq!(answer.header("ETag"), expected.header("ETag"), "{query}");
    }
    server.finish(&[]);
}

#[test]
fn what_concerns_the_connection_is_answered_before_within_and_behind_a_request() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let arguments = ["--fastcgi", "127.0.0.1:0", "--server-fastcgi-connections-max", "7"];
    let server = Server::start(folder.path(), &arguments);
    let mut stream = TcpStream::connect(server.announced("fastcgi listening on ")).unwrap();
    let values = variables(&[("FCGI_MAX_CONNS", ""), ("FCGI_MAX_REQS", ""), ("FCGI_ELSE", "")]);
    let asked = client::record(client::GET_VALUES, 0, &client::pairs(&values));
    let unknown = client::record(99, 0, b"whatever");
    let ask = |stream: &mut TcpStream| {
        stream.write_all(&[&asked[..], &unknown].concat()).unwrap();
        let (kind, id, content) = client::next(stream);
        assert_eq!((kind, id), (client::GET_VALUES_RESULT, 0));
        assert_eq!(content, b"\x0E\x01FCGI_MAX_CONNS7\x0D\x01FCGI_MAX_REQS7");
        let (kind, id, content) = client::next(stream);
        assert_eq!((kind, id, content), (client::UNKNOWN_TYPE, 0, vec![99, 0, 0, 0, 0, 0, 0, 0]));
    };
    let target = ("GET", "/fcgi-bin/iipsrv.fcgi?FIF=a.tif&OBJ=Max-size");
    let whole = client::request((3, true), &client::variables(target, &[], b""), b"", 40);
    for _ in 0..2 {
        ask(&mut stream);
        let (first, rest) = whole.split_at(client::begin(3, true).len() + 8 + 40);
        stream.write_all(first).unwrap();
        ask(&mut stream);
        stream.write_all(rest).unwrap();
        assert_eq!(client::answer(&mut stream, 3).text(), "Max-size:1411 1411\r\n");
    }
    server.finish(&[]);
}
