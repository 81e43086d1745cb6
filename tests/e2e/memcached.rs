//! What instances share through memcached, and that no trouble of its servers is a trouble of requests.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Instant;

use crate::harness::{PATIENCE, RETINA, Response, Server, folder_with, request};
use crate::memcached_server::Memcached;

/// Patient enough that a slow machine is not taken for a dead server.
const PATIENT: [&str; 4] = ["--memcached-budget-ms", "20000", "--memcached-wait-ms", "20000"];

/// The warning with which a server is left alone.
const LEFT_ALONE: &str = "memcached fails and is left alone";

/// An answer that has to be decoded and encoded.
fn export(side_px: u32) -> String {
    format!("/iiif/3/a.tif/100,100,1000,1000/{side_px},/0/default.jpg")
}

fn start(folder: &Path, servers: &str, more: &[&str]) -> Server {
    let arguments = [&["--memcached-servers", servers][..], more].concat();
    Server::start(folder, &arguments)
}

fn whole(number: f64) -> u64 {
    // The sum of nothing is -0.
    format!("{:.0}", number.abs()).parse().unwrap()
}

/// A number of a server's.
fn count(server: &Server, name: &str, label: &str) -> u64 {
    whole(server.metric(&format!("tessera_memcached_{name}"), &[label]))
}

fn outcomes(server: &Server, outcome: &str) -> u64 {
    let label = format!("outcome=\"{outcome}\"");
    whole(server.metric("tessera_requests_total", &[&label]))
}

fn encodes(server: &Server) -> u64 {
    whole(server.metric("tessera_stage_seconds_count", &["stage=\"encode\""]))
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "never {what}");
        thread::yield_now();
    }
}

/// Asks for exports of some widths; each must be answered.
fn ask(server: &Server, widths: std::ops::Range<u32>) -> Vec<Response> {
    let answered = widths.map(|width| {
        let answer = server.get(&export(width));
        assert_eq!(answer.status, 200, "{width}: {}", answer.text());
        assert_eq!(answer.picture_size().0, width);
        answer
    });
    answered.collect()
}

#[test]
fn an_answer_outlives_the_server_that_made_it_and_a_copy_of_the_file_shares_it() {
    let memcached = Memcached::start(&[]);
    let folder = folder_with(&[("a.tif", RETINA)]);
    let first = start(folder.path(), &memcached.address, &PATIENT);
    let made = first.get(&export(300));
    wait_until("stored", || count(&first, "stored_total", "") == 1);
    assert_eq!(count(&first, "asked_total", "miss"), 1);
    first.finish(&[]);

    // Another folder, another inode: only what is in the file, and when it was written, is the same.
    let copy = folder_with(&[("a.tif", RETINA)]);
    let time = std::fs::metadata(folder.path().join("a.tif")).unwrap().modified().unwrap();
    let file = std::fs::File::options().write(true).open(copy.path().join("a.tif")).unwrap();
    file.set_modified(time).unwrap();
    let second = start(copy.path(), &memcached.address, &PATIENT);
    let found = second.get(&export(300));
    assert_eq!(outcomes(&second, "memcached"), 1);
    assert_eq!((encodes(&second), count(&second, "asked_total", "hit")), (0, 1));
    assert_eq!(found.body, made.body);
    for name in ["ETag", "Content-Type", "Last-Modified"] {
        assert_eq!(found.header(name), made.header(name), "{name}");
    }
    // Its own cache has it now, and the client's too: memcached is not asked again.
    second.get(&export(300));
    let etag = found.header("ETag").unwrap().to_owned();
    assert_eq!(second.get_with(&export(300), &[("If-None-Match", &etag)]).status, 304);
    assert_eq!(count(&second, "asked_total", ""), 1);
    second.finish(&[]);
}

#[test]
fn what_is_sent_as_it_is_stored_is_no_business_of_memcached() {
    let memcached = Memcached::start(&[]);
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = start(folder.path(), &memcached.address, &PATIENT);
    assert_eq!(server.get("/iiif/3/a.tif/0,0,256,256/256,256/0/default.jpg").status, 200);
    assert_eq!(outcomes(&server, "passed"), 1);
    assert_eq!(count(&server, "asked_total", ""), 0);
    server.finish(&[]);
}

#[test]
fn two_instances_that_are_asked_at_once_render_each_answer_once() {
    let memcached = Memcached::start(&[]);
    let folder = folder_with(&[("a.tif", RETINA)]);
    let both = [(); 2].map(|()| start(folder.path(), &memcached.address, &PATIENT));
    let widths = 600..620;
    let bodies = thread::scope(|scope| {
        let asking = both.each_ref().map(|server| scope.spawn(|| ask(server, widths.clone())));
        asking.map(|asked| asked.join().unwrap())
    });
    for (one, other) in bodies[0].iter().zip(&bodies[1]) {
        assert_eq!(one.body, other.body);
    }
    assert_eq!(encodes(&both[0]) + encodes(&both[1]), 20);
    let shared = outcomes(&both[0], "memcached") + outcomes(&both[1], "memcached");
    assert_eq!(shared, 20);
    for server in both {
        server.finish(&[]);
    }
}

#[test]
fn nobody_waits_longer_than_allowed_for_an_instance_that_died_with_a_lease() {
    let memcached = Memcached::start(&[]);
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = start(folder.path(), &memcached.address, &PATIENT);
    ask(&server, 300..301);
    wait_until("stored", || count(&server, "stored_total", "") == 1);
    server.finish(&[]);
    let name = &memcached.names()[0];
    // As a placeholder whose owner never comes back: empty, won by somebody.
    let mut stream = TcpStream::connect(&memcached.address).unwrap();
    stream.write_all(format!("md {name}\r\nmg {name} N3600 v\r\n").as_bytes()).unwrap();
    let mut said = [0; 4 + 8];
    stream.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"HD\r\nVA 0 W\r\n");
    let patience = ["--memcached-budget-ms", "20000", "--memcached-wait-ms", "50"];
    let server = start(folder.path(), &memcached.address, &patience);
    ask(&server, 300..301);
    assert_eq!(count(&server, "asked_total", "tired"), 1);
    wait_until("stored", || count(&server, "stored_total", "") == 1);
    server.finish(&[]);
}

#[test]
fn a_corrupt_entry_is_a_miss_that_is_counted_and_mended() {
    let memcached = Memcached::start(&[]);
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = start(folder.path(), &memcached.address, &PATIENT);
    let made = ask(&server, 300..306);
    wait_until("stored", || count(&server, "stored_total", "") == 6);
    server.finish(&[]);
    let names = memcached.names();
    assert_eq!(names.len(), 6);
    let good = memcached.value(&names[0]);
    let mut flipped = memcached.value(&names[1]);
    *flipped.last_mut().unwrap() ^= 1;
    let others = memcached.value(&names[2]);
    let junk: [&[u8]; 6] = [b"junk", &flipped, b"", &good[..good.len() - 1], &others, &[0; 5000]];
    for (name, junk) in names.iter().zip(junk) {
        memcached.set(name, junk);
    }
    let server = start(folder.path(), &memcached.address, &PATIENT);
    for (mended, made) in ask(&server, 300..306).iter().zip(&made) {
        assert_eq!(mended.body, made.body);
    }
    assert_eq!(count(&server, "errors_total", "corrupt"), 6);
    wait_until("stored", || count(&server, "stored_total", "") == 6);
    server.finish(&[]);
    let server = start(folder.path(), &memcached.address, &PATIENT);
    ask(&server, 300..306);
    assert_eq!(count(&server, "asked_total", "hit"), 6);
    server.finish(&[]);
}

#[test]
fn a_stopped_server_costs_some_requests_the_budget_and_then_none() {
    let memcached = Memcached::start(&[]);
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = start(folder.path(), &memcached.address, &["--memcached-budget-ms", "500"]);
    ask(&server, 300..302);
    memcached.signal("STOP");
    ask(&server, 310..350);
    let timeouts = count(&server, "errors_total", "timeout");
    // Three open the breaker; of what the background sends, one more may be under way.
    assert!((3..=4).contains(&timeouts), "{timeouts} of 40 waited in vain");
    assert_eq!(count(&server, "left_alone", ""), 1);
    memcached.signal("CONT");
    wait_until("asked again", || count(&server, "left_alone", "") == 0);
    ask(&server, 360..362);
    server.finish(&[LEFT_ALONE]);
}

#[test]
fn a_killed_server_fails_no_request_and_is_used_again_once_it_is_back() {
    let mut memcached = Memcached::start(&[]);
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = start(folder.path(), &memcached.address, &PATIENT);
    ask(&server, 300..302);
    memcached.kill();
    ask(&server, 310..330);
    assert_eq!(count(&server, "left_alone", ""), 1);
    let errors = count(&server, "errors_total", "reason=\"io\"");
    assert!((3..=4).contains(&errors), "{errors}");
    memcached.restart();
    wait_until("asked again", || count(&server, "left_alone", "") == 0);
    let stored = count(&server, "stored_total", "");
    ask(&server, 340..342);
    wait_until("stored", || count(&server, "stored_total", "") == stored + 2);
    // Connections that the restart closed are no failure.
    memcached.restart();
    ask(&server, 350..360);
    assert_eq!(count(&server, "left_alone", ""), 0);
    server.finish(&[LEFT_ALONE]);
}

#[test]
fn a_server_that_was_never_there_keeps_nobody_from_starting() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let servers = format!("{nobody},no.such.host.invalid,unix:/nowhere/memcached.sock");
    let server = start(folder.path(), &servers, &PATIENT);
    ask(&server, 300..330);
    assert_eq!(encodes(&server), 30);
    server.finish(&[LEFT_ALONE]);
}

#[test]
fn a_full_server_fails_no_request() {
    for refuses in [&[][..], &["-M"]] {
        let memcached = Memcached::start(&[&["-m", "1", "-I", "512k"], refuses].concat());
        let folder = folder_with(&[("a.tif", RETINA)]);
        let server = start(folder.path(), &memcached.address, &PATIENT);
        ask(&server, 600..660);
        let settled = || {
            let refused = count(&server, "errors_total", "reason=\"refused\"");
            (count(&server, "stored_total", ""), refused)
        };
        wait_until("stored or refused", || settled().0 + settled().1 >= 60);
        assert_eq!(settled().1 != 0, !refuses.is_empty(), "{:?}", settled());
        assert_eq!(count(&server, "left_alone", ""), 0, "a full server still answers");
        server.finish(&[]);
    }
}

#[test]
fn an_answer_larger_than_an_item_is_not_sent_and_nobody_waits_for_it() {
    let memcached = Memcached::start(&[]);
    let folder = folder_with(&[("a.tif", RETINA)]);
    let small = [&PATIENT[..], &["--memcached-item-bytes-max", "4KiB"]].concat();
    let server = start(folder.path(), &memcached.address, &small);
    ask(&server, 900..902);
    assert_eq!(count(&server, "dropped_total", "size"), 2);
    wait_until("released", || memcached.names().is_empty());
    server.finish(&[]);
}

#[test]
fn a_server_that_lies_is_left_alone() {
    let lies: [&[u8]; 4] = [
        b"VA 1073741824 c1\r\n",
        b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
        b"VA 3 c1\r\nabcdef",
        &[b'x'; 10_000],
    ];
    for lie in lies {
        let address = liar(lie);
        let folder = folder_with(&[("a.tif", RETINA)]);
        let server = start(folder.path(), &address, &["--memcached-budget-ms", "1000"]);
        ask(&server, 300..310);
        assert_eq!(count(&server, "left_alone", ""), 1);
        // Three open the breaker; of what the background sends, one more may be under way.
        let errors = count(&server, "errors_total", "protocol");
        assert!((3..=4).contains(&errors), "{errors}");
        server.finish(&[LEFT_ALONE]);
    }
}

/// Somebody who answers whatever he is asked with `lie`.
fn liar(lie: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let mut asked = [0; 4096];
                while stream.read(&mut asked).is_ok_and(|read| read != 0) {
                    if stream.write_all(lie).is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

#[test]
fn several_servers_share_the_answers_and_one_less_loses_only_its_own() {
    let mut memcached = [(); 4].map(|()| Memcached::start(&[]));
    let addresses = memcached.each_ref().map(|one| one.address.clone()).join(",");
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = start(folder.path(), &addresses, &PATIENT);
    ask(&server, 300..340);
    wait_until("stored", || count(&server, "stored_total", "") == 40);
    server.finish(&[]);
    let held = memcached.each_ref().map(|one| one.names().len() as u64);
    assert_eq!(held.iter().sum::<u64>(), 40);
    assert!(held.iter().all(|held| *held != 0), "{held:?}");
    memcached[2].kill();
    let server = start(folder.path(), &addresses, &PATIENT);
    ask(&server, 300..340);
    assert_eq!(count(&server, "asked_total", "hit"), 40 - held[2]);
    server.finish(&[LEFT_ALONE]);
    let three = [0, 1, 3].map(|at: usize| memcached[at].address.clone()).join(",");
    let server = start(folder.path(), &three, &PATIENT);
    let answer = request(&server.address, "GET", &export(300), &[], b"");
    assert_eq!(answer.status, 200);
    ask(&server, 301..340);
    assert_eq!(count(&server, "asked_total", "hit"), 40 - held[2]);
    server.finish(&[]);
}
