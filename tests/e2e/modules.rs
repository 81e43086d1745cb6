//! Decoders in processes of their own: what they do wrong costs an error of that image, and nobody else
//! anything.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{
    CHELSEA, PATIENCE, RETINA, Response, Server, folder_with, request, run_python,
};

/// A file of the repository.
fn file(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    assert!(path.is_file(), "no {}", path.display());
    path
}

/// Each answer is made anew.
const UNCACHED: [&str; 4] = ["--cache-bytes-max", "0", "--cache-decoded-bytes-max", "0"];

fn python() -> PathBuf {
    file("target/venv/bin/python")
}

/// The table of a module in Python, with more lines behind.
fn table(name: &str, script: &str, argument: &str, more: &str) -> String {
    let (python, script) = (python(), file(script));
    let (python, script) = (python.display(), script.display());
    format!(
        "[[modules.decoders]]\nname = \"{name}\"\n\
         command = [\"{python}\", \"-B\", \"{script}\", \"{argument}\"]\n{more}\n"
    )
}

fn bad(more: &str) -> String {
    table("bad", "tests/e2e/bad_module.py", "", more)
}

/// A server with these settings beside the folder of its images.
fn serve(folder: &Path, settings: &str, arguments: &[&str]) -> Server {
    let settings_file = tempfile::NamedTempFile::new().unwrap();
    fs::write(settings_file.path(), settings).unwrap();
    let path = settings_file.path().to_str().unwrap();
    Server::start(folder, &[&["--config", path], arguments].concat())
}

/// A folder with a picture, and with a file for each of these words.
fn folder_of(words: &[&str]) -> tempfile::TempDir {
    let folder = folder_with(&[("a.tif", CHELSEA), ("retina.tif", RETINA)]);
    for word in words {
        fs::write(folder.path().join(format!("{word}.bad")), format!("BAD! {word}\n")).unwrap();
    }
    folder
}

fn whole(server: &Server, name: &str) -> Response {
    server.get(&format!("/iiif/3/{name}/full/max/0/default.png"))
}

fn is_good(server: &Server) {
    let good = whole(server, "good.bad");
    assert_eq!((good.status, good.picture_size()), (200, (512, 512)), "{}", good.text());
}

/// Numbers of the processes whose parent is this one, and the states that they are in.
fn children(parent: u32) -> Vec<(u32, char)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(text) = fs::read_to_string(entry.path().join("stat")) else { continue };
        let (start, rest) = text.rsplit_once(')').unwrap();
        let fields: Vec<&str> = rest.split_whitespace().collect();
        if fields[1] == parent.to_string() {
            let id = start.split(' ').next().unwrap().parse().unwrap();
            found.push((id, fields[0].chars().next().unwrap()));
        }
    }
    found
}

fn count_of(server: &Server, what: &str) -> usize {
    fs::read_dir(format!("/proc/{}/{what}", server.pid())).unwrap().count()
}

/// Waits until something holds; fails with the words where it does not come.
fn until(what: &str, holds: impl Fn() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < PATIENCE, "never: {what}");
        thread::yield_now();
    }
}

/// Processes of modules that have ended so far.
fn deaths(server: &Server) -> usize {
    let counted = server.metric("tessera_module_deaths_total", &[]);
    usize::try_from((0..10_000_u32).find(|count| counted < f64::from(*count) + 0.5).unwrap())
        .unwrap()
}

#[test]
fn each_misdeed_of_a_module_costs_an_error_of_that_image_only() {
    // Word, words of the error, and whether the process is ended for it.
    let misdeeds = [
        ("open-crash", "signal: 11", true),
        ("crash", "signal: 11", true),
        ("exit", "exit status: 3", true),
        ("open-hang", "no answer within 3 s", true),
        ("hang", "no answer within 1 s", true),
        ("close", "it ended", true),
        ("fork-crash", "signal: 11", true),
        ("junk", "no reply", true),
        ("long", "too long, or with descriptors", true),
        ("descriptors", "too long, or with descriptors", true),
        ("other", "something else came", true),
        ("few", "65535 bytes of pixels, not 65536", true),
        ("many", "65537 bytes of pixels, not 65536", true),
        ("huge", "over the limit", false),
        ("huge-tile", "over the limit", false),
        ("empty", "a size of 0x7", true),
        ("no-levels", "0 levels", true),
        ("rising", "not smaller than the one before", true),
        ("many-levels", "3000 levels", true),
        ("negative", "no reply", true),
        ("text", "no reply", true),
        ("colour", "no reply", true),
        ("bits", "77 bits", true),
        ("profile", "a profile larger than its memory", true),
        ("open-eat", "", false),
        ("eat", "", false),
        ("path", "malformed image: in row 3 of ...", false),
    ];
    let words: Vec<&str> = misdeeds.iter().map(|(word, ..)| *word).collect();
    let folder = folder_of(&[&["good", "words", "fork", "long-name"][..], &words].concat());
    let limits = "open_s = 3\ndecode_s = 1\nmemory_bytes_max = \"256MiB\"";
    let server = serve(folder.path(), &bad(limits), &UNCACHED);
    let deaths = || server.metric("tessera_module_deaths_total", &[]);
    for (word, expected, is_ended) in misdeeds {
        let before = deaths();
        let answer = whole(&server, &format!("{word}.bad"));
        assert_eq!(answer.status, 422, "{word}: {}", answer.text());
        assert!(answer.text().contains(expected), "{word}: {}", answer.text());
        assert!(!answer.text().contains('/'), "{word} shows a path: {}", answer.text());
        assert_eq!(before < deaths(), is_ended, "{word}: {}", answer.text());
        is_good(&server);
        assert_eq!(whole(&server, "a.tif").status, 200, "after {word}");
    }
    for word in ["words", "fork", "long-name"] {
        assert_eq!(whole(&server, &format!("{word}.bad")).status, 200, "{word}");
    }
    assert!(server.log().iter().any(|line| line.contains("what else it says is left out")));
    server.finish(&["no answer"]);
}

#[test]
fn an_answer_that_was_not_asked_for_is_never_taken_for_the_next_one() {
    let folder = folder_of(&["good", "twice"]);
    let server = serve(folder.path(), &bad(""), &UNCACHED);
    for _ in 0..5 {
        whole(&server, "twice.bad");
        is_good(&server);
    }
    assert!(0.5 < server.metric("tessera_module_deaths_total", &[]));
    server.finish(&["no answer"]);
}

#[test]
fn a_module_is_confined_before_it_runs_a_line() {
    let folder = folder_of(&["unconfined"]);
    let limits = bad("memory_bytes_max = \"256MiB\"");
    let server = serve(folder.path(), &limits, &[]);
    let answer = whole(&server, "unconfined.bad");
    assert_eq!(answer.status, 200, "{}", answer.text());
    server.finish(&[]);
}

#[test]
fn while_a_module_hangs_other_images_are_answered() {
    let names: Vec<String> = (0..4).map(|number| format!("hang{number}.bad")).collect();
    let folder = folder_of(&[]);
    for (number, name) in names.iter().enumerate() {
        let word = if number % 2 == 0 { "hang" } else { "open-hang" };
        fs::write(folder.path().join(name), format!("BAD! {word}\n")).unwrap();
    }
    let server = serve(folder.path(), &bad("open_s = 4\ndecode_s = 4"), &[]);
    let address = &server.address;
    thread::scope(|scope| {
        let hanging: Vec<_> = names
            .iter()
            .map(|name| {
                let target = format!("/iiif/3/{name}/full/max/0/default.jpg");
                scope.spawn(move || request(address, "GET", &target, &[], b"").status)
            })
            .collect();
        until("all threads wait", || 4.0 <= server.metric("tessera_pool_depth", &["module"]));
        for column in 0..5 {
            let region = format!("{},0,256,256", column * 256);
            let tile = format!("/iiif/3/retina.tif/{region}/256,/0/default.png");
            assert_eq!(server.get(&tile).status, 200);
        }
        assert!(hanging.iter().all(|one| !one.is_finished()), "other images waited for them");
        for one in hanging {
            assert!(matches!(one.join().unwrap(), 422 | 503));
        }
    });
    server.finish(&["no answer"]);
}

#[test]
fn a_hundred_crashes_leave_nothing_behind() {
    let folder = folder_of(&["good"]);
    for number in 0..100 {
        let word = ["crash", "open-crash", "fork-crash", "junk"][number % 4];
        let name = folder.path().join(format!("{number}.bad"));
        fs::write(name, format!("BAD! {word}\n")).unwrap();
    }
    let server =
        serve(folder.path(), &bad(""), &[&UNCACHED[..], &["--images-open-max", "10"]].concat());
    is_good(&server);
    assert_eq!(whole(&server, "a.tif").status, 200);
    // All of its threads are there once the last of its listeners answers.
    assert_eq!(deaths(&server), 0);
    let ours = |kind: &str| {
        let links = fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap();
        let targets = links.filter_map(|link| fs::read_link(link.unwrap().path()).ok());
        targets.filter(|target| target.to_string_lossy().contains(kind)).count()
    };
    let (threads, pipes, pids) = (count_of(&server, "task"), ours("pipe:"), ours("pidfd"));
    for number in 0..100 {
        assert_eq!(whole(&server, &format!("{number}.bad")).status, 422, "{number}");
    }
    is_good(&server);
    // The first one's process had worked for another image: it was tried again.
    assert_eq!(deaths(&server), 101);
    assert_eq!(ours("memfd"), 0, "memory that nobody needs any more");
    until("no threads and descriptors of the dead", || {
        count_of(&server, "task") <= threads && ours("pipe:") <= pipes && ours("pidfd") <= pids
    });
    let processes = children(server.pid());
    assert!(processes.iter().all(|(_, state)| *state != 'Z'), "{processes:?}");
    assert_eq!(processes.len(), 1, "{processes:?}");
    server.finish(&["no answer"]);
}

#[test]
fn an_image_that_kills_again_and_again_answers_with_its_error_for_a_while() {
    let folder = folder_of(&["good", "crash"]);
    let hold = ["--images-failure-hold-ms", "600000"];
    let server = serve(folder.path(), &bad(""), &hold);
    for _ in 0..20 {
        let answer = whole(&server, "crash.bad");
        assert_eq!(answer.status, 422);
        assert!(answer.text().contains("signal: 11"), "{}", answer.text());
    }
    assert_eq!(deaths(&server), 5);
    is_good(&server);
    server.finish(&["no answer"]);
}

#[test]
fn a_process_that_is_killed_while_it_is_idle_costs_no_answer() {
    let folder = folder_of(&["good"]);
    let server = serve(folder.path(), &bad(""), &UNCACHED);
    is_good(&server);
    for _ in 0..3 {
        let processes = children(server.pid());
        assert_eq!(processes.len(), 1, "{processes:?}");
        let id = processes[0].0.to_string();
        assert!(Command::new("kill").args(["-SEGV", &id]).status().unwrap().success());
        until("it is dead", || children(server.pid()).iter().all(|(_, state)| *state == 'Z'));
        is_good(&server);
    }
    server.finish(&[]);
}

#[test]
fn a_module_that_does_not_start_rests_and_its_images_are_busy() {
    let folder = folder_of(&["good"]);
    let table = table("exit", "tests/e2e/bad_module.py", "exit", "magic = [\"42414421\"]");
    let server = serve(folder.path(), &table, &[]);
    for _ in 0..20 {
        let answer = whole(&server, "good.bad");
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(answer.header("Retry-After").is_some());
    }
    let started = server.metric("tessera_module_starts_total", &[]);
    assert!((1.0..10.0).contains(&started), "started {started} times");
    assert_eq!(whole(&server, "a.tif").status, 200);
    server.finish(&["a decoder does not start"]);
}

#[test]
fn what_is_no_module_is_refused_before_anything_is_served() {
    let folder = folder_of(&["good"]);
    let of = |argument: &str| table("m", "tests/e2e/bad_module.py", argument, "open_s = 3");
    let cases = [
        (of("exit"), "the module `m` does not work: it ended (exit status: 3)"),
        (of("hang"), "it gave no answer within 3 s"),
        (of("junk"), "it broke the protocol: no reply"),
        (of("version"), "it speaks version 99, not 1"),
        (of("idle"), "the module `m` takes no files"),
        ("[modules]\nprograms = \"/no/such/program\"\n".to_owned(), "a program that is there"),
        ("[modules]\nprograms = \"/usr/lib/kakadu.so\"\n".to_owned(), "as shared objects"),
    ];
    let settings = tempfile::NamedTempFile::new().unwrap();
    for (text, expected) in cases {
        fs::write(settings.path(), &text).unwrap();
        for command in ["check-config", "serve"] {
            let output = Command::new(env!("CARGO_BIN_EXE_tessera"))
                .arg(command)
                .arg(folder.path())
                .args(["--config", settings.path().to_str().unwrap()])
                .args(["--bind", "127.0.0.1:0", "--admin", "none"])
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{command}, {text}: {said}");
            assert!(said.contains(expected), "{command}, {text}: {said}");
        }
    }
}

#[test]
fn processes_end_when_they_have_nothing_to_do_and_with_the_server() {
    let folder = folder_of(&["good"]);
    let mut server = serve(folder.path(), &bad("idle_s = 1"), &UNCACHED);
    is_good(&server);
    until("they end", || children(server.pid()).is_empty());
    is_good(&server);
    let processes = children(server.pid());
    server.signal("KILL");
    assert_eq!(server.wait(), None);
    let is_gone = |id: u32| {
        fs::read_to_string(format!("/proc/{id}/stat")).map_or(true, |stat| stat.contains(") Z "))
    };
    until("they go with it", || processes.iter().all(|(id, _)| is_gone(*id)));

    let mut server = serve(folder.path(), &bad(""), &[]);
    is_good(&server);
    let processes = children(server.pid());
    assert_eq!(processes.len(), 1);
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    until("they go with it", || processes.iter().all(|(id, _)| is_gone(*id)));
    server.finish(&[]);
}

#[test]
fn iipsrvs_variable_names_programs_and_they_say_which_files_they_take() {
    let folder = folder_of(&["good"]);
    let program = folder.path().join("bad");
    let (python, script) = (python(), file("tests/e2e/bad_module.py"));
    let text = format!("#!/bin/sh\nexec {} -B {}\n", python.display(), script.display());
    fs::write(&program, text).unwrap();
    let executable = PermissionsExt::from_mode(0o755);
    fs::set_permissions(&program, executable).unwrap();
    let environment = [("DECODER_MODULES", program.to_str().unwrap())];
    let server = Server::start_with(folder.path(), &[], &environment);
    is_good(&server);
    let listed = server.get("/gallery.json").json().to_string();
    assert!(listed.contains("good.bad"), "{listed}");
    server.finish(&[]);
}

#[test]
fn a_module_may_come_before_our_own_codecs() {
    let folder = folder_of(&[]);
    let broken = table("m", "tests/e2e/bad_module.py", "", "suffixes = [\"tif\"]");
    let server = serve(folder.path(), &broken, &[]);
    assert_eq!(whole(&server, "a.tif").status, 200, "our own come first");
    let server = serve(folder.path(), &format!("{broken}first = true\n"), &[]);
    assert_eq!(whole(&server, "a.tif").status, 422);
    server.finish(&["no answer"]);
}

#[test]
fn what_pillow_opens_is_served_with_its_pixels_and_its_profile() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    run_python("check_pillow.py", &["make".as_ref(), path.as_os_str()]);
    let pillow = table("pillow", "deploy/modules/pillow_module.py", "", "");
    let server = serve(path, &pillow, &[]);
    let mut checked = 0;
    for expected in fs::read_dir(path).unwrap() {
        let expected = expected.unwrap().path();
        let Some(name) = expected.to_str().unwrap().strip_suffix(".npy") else { continue };
        let name = Path::new(name).file_name().unwrap().to_str().unwrap();
        let depth = if name.starts_with("sixteen") { "&BPC=16" } else { "" };
        let answer = server.get(&format!("/iip?FIF={name}&WID=700{depth}&CVT=png"));
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        let png = path.join("answer.png");
        fs::write(&png, &answer.body).unwrap();
        // AVIF's colours are not RGB.
        let tolerance = if name.ends_with("avif") { "6" } else { "0" };
        let arguments =
            ["check".as_ref(), expected.as_os_str(), png.as_os_str(), tolerance.as_ref()];
        run_python("check_pillow.py", &arguments);
        let has_profile = answer.body.windows(4).any(|chunk| chunk == b"iCCP");
        assert_eq!(has_profile, name.ends_with("avif"), "{name}");
        checked += 1;
    }
    assert_eq!(checked, 9);
    let tile = server.get("/deepzoom/rgb.pcx_files/9/0_0.jpg");
    assert_eq!(tile.status, 200, "a level that is made: {}", tile.text());
    let page = server.get("/iip?FIF=rgb.pcx&SDS=3,90&OBJ=Max-size");
    assert_eq!(page.status, 404, "{}", page.text());
    let broken = path.join("broken.pcx");
    fs::write(&broken, &fs::read(path.join("rgb.pcx")).unwrap()[..5000]).unwrap();
    assert_eq!(whole(&server, "broken.pcx").status, 422);
    server.finish(&["no answer"]);
}

#[test]
fn a_crash_costs_one_answer_and_the_next_one_is_there_at_once() {
    let folder = folder_of(&["good", "crash"]);
    let server = serve(folder.path(), &bad(""), &UNCACHED);
    is_good(&server);
    assert_eq!(whole(&server, "crash.bad").status, 422);
    let since = Instant::now();
    is_good(&server);
    // A Python starts meanwhile; what our own binary takes, `isolated.rs` measures.
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    server.finish(&["no answer"]);
}
