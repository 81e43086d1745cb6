//! Real web servers in front, each with its configuration of `deploy/` as it stands, of which only
//! addresses and folders are changed: the same answers as by HTTP itself.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use crate::fastcgi_client as client;
use crate::harness::{CHELSEA, PATIENCE, RETINA, Response, Server, folder_with, request};

const TILE: &str = "/iiif/3/a.tif/0,0,256,256/256,256/0/default.jpg";
const HOST: &str = "pictures.example";

/// The name under which iipsrv's own guides have it.
const SCRIPT: &str = "/fcgi-bin/iipsrv.fcgi";

/// A web server that is ended with the test, and the processes that it started with it.
pub struct WebServer {
    child: Child,
    /// Where it listens.
    pub address: String,
    folder: tempfile::TempDir,
}

impl Drop for WebServer {
    fn drop(&mut self) {
        let pid = self.child.id().to_string();
        let _told = Command::new("kill").args(["-TERM", &pid]).status();
        let _reaped = self.child.wait();
    }
}

impl WebServer {
    /// nginx with a site of `deploy/`, in which each text is replaced by another.
    pub fn nginx(site: &str, changes: &[(&str, &str)]) -> Self {
        let (folder, port) = (served(), free_port());
        let listen = format!("listen 127.0.0.1:{port};");
        let site = deployed(site, &[&[("listen 80;", &*listen)], changes].concat());
        fs::write(folder.path().join("site.conf"), site).unwrap();
        fs::copy("/etc/nginx/fastcgi_params", folder.path().join("fastcgi_params")).unwrap();
        let kinds = ["client_body", "fastcgi", "proxy", "scgi", "uwsgi"];
        let folders = kinds.map(|kind| format!("{kind}_temp_path {kind};")).concat();
        let main = format!(
            "daemon off; master_process off; pid nginx.pid;\nevents {{ worker_connections 1024; }}\n\
             http {{ access_log off; {folders} include site.conf; }}\n"
        );
        fs::write(folder.path().join("nginx.conf"), main).unwrap();
        let mut command = Command::new("nginx");
        command.arg("-p").arg(folder.path()).args(["-c", "nginx.conf", "-e", "error.log"]);
        Self::start(command, port, folder)
    }

    /// Apache with a configuration of `deploy/`.
    pub fn apache(site: &str, changes: &[(&str, &str)]) -> Self {
        let (folder, port) = (served(), free_port());
        let virtual_host = format!("<VirtualHost *:{port}>");
        let site = deployed(site, changes).replace("<VirtualHost *:80>", &virtual_host);
        let path = folder.path().display();
        let modules = ["mpm_event", "authz_core", "alias", "env", "proxy", "proxy_fcgi", "fcgid"];
        let load = modules.map(|name| {
            format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n")
        });
        let main = format!(
            "ServerRoot {path}\nServerName {HOST}\nListen 127.0.0.1:{port}\nPidFile {path}/pid\n\
             ErrorLog {path}/error.log\n{}{}FcgidIPCDir {path}/fcgid\n\
             FcgidProcessTableFile {path}/fcgid/table\n{site}",
            load.concat(),
            // Started by root, its children are somebody else.
            "User www-data\nGroup www-data\n"
        );
        let fcgid = folder.path().join("fcgid");
        fs::create_dir(&fcgid).unwrap();
        fs::set_permissions(&fcgid, fs::Permissions::from_mode(0o777)).unwrap();
        fs::write(folder.path().join("apache.conf"), main).unwrap();
        let mut command = Command::new("apache2");
        command.arg("-D").arg("FOREGROUND").arg("-f").arg(folder.path().join("apache.conf"));
        Self::start(command, port, folder)
    }

    /// lighttpd with a configuration of `deploy/`.
    pub fn lighttpd(site: &str, changes: &[(&str, &str)]) -> Self {
        let (folder, port) = (served(), free_port());
        let path = folder.path().display();
        let main = format!(
            "server.document-root = \"{path}\"\nserver.bind = \"127.0.0.1\"\nserver.port = {port}\n\
             server.errorlog = \"{path}/error.log\"\n{}",
            deployed(site, changes)
        );
        fs::write(folder.path().join("lighttpd.conf"), main).unwrap();
        let mut command = Command::new("lighttpd");
        command.arg("-D").arg("-f").arg(folder.path().join("lighttpd.conf"));
        Self::start(command, port, folder)
    }

    /// Caddy with a configuration of `deploy/`.
    pub fn caddy(site: &str, changes: &[(&str, &str)]) -> Self {
        let (folder, port) = (served(), free_port());
        let listen = format!("\n:{port} {{");
        // It would listen for administration, and take a lock beside its certificates.
        let main = "{\n\tadmin off\n\tdefault_bind 127.0.0.1\n}\n";
        let site = deployed(site, &[&[("\n:80 {", &*listen)], changes].concat());
        let file = folder.path().join("Caddyfile");
        fs::write(&file, format!("{main}{site}")).unwrap();
        let mut command = Command::new("caddy");
        command.arg("run").arg("--config").arg(file).args(["--adapter", "caddyfile"]);
        command
            .env("HOME", folder.path())
            .env_remove("XDG_DATA_HOME")
            .env_remove("XDG_CONFIG_HOME");
        command.stderr(Stdio::null());
        Self::start(command, port, folder)
    }

    /// H2O with a configuration of `deploy/`.
    pub fn h2o(site: &str, changes: &[(&str, &str)]) -> Self {
        let (folder, port) = (served(), free_port());
        let listen = format!("listen:\n  host: 127.0.0.1\n  port: {port}\n");
        let site = deployed(site, &[&[("listen: 80\n", &*listen)], changes].concat());
        let file = folder.path().join("h2o.conf");
        let log = folder.path().join("error.log");
        fs::write(&file, format!("error-log: {}\nnum-threads: 1\n{site}", log.display())).unwrap();
        let mut command = Command::new("h2o");
        command.arg("-c").arg(file).stderr(Stdio::null());
        Self::start(command, port, folder)
    }

    fn start(mut command: Command, port: u16, folder: tempfile::TempDir) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let address = format!("127.0.0.1:{port}");
        let mut server = Self { child, address, folder };
        let since = Instant::now();
        while std::net::TcpStream::connect(&server.address).is_err() {
            let ended = server.child.try_wait().unwrap();
            assert!(ended.is_none(), "{command:?} ended:\n{}", server.log());
            assert!(since.elapsed() < PATIENCE, "{command:?} does not listen:\n{}", server.log());
            thread::yield_now();
        }
        server
    }

    /// What it wrote down of errors.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default()
    }

    fn ask(
        &self,
        (method, target): (&str, &str),
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response {
        let headers = [&[("Host", HOST)], headers].concat();
        request(&self.address, method, target, &headers, body)
    }
}

/// A folder that servers may look into which have given up their rights.
fn served() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A file of `deploy/` with other addresses; all of them must have been there.
fn deployed(name: &str, changes: &[(&str, &str)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name);
    let mut text = fs::read_to_string(&path).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{name} holds no `{from}`");
        text = text.replace(from, to);
    }
    text
}

fn pictures() -> tempfile::TempDir {
    let folder = folder_with(&[("a.tif", RETINA), ("b/x.tif", CHELSEA)]);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// What a web server hands over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Handed {
    /// Every path.
    All,
    /// iipsrv's script alone.
    Script,
}

/// What any viewer asks, and what must not go wrong.
fn targets(handed: Handed) -> Vec<String> {
    let queries = [
        "FIF=a.tif&OBJ=IIP,1.0&OBJ=Max-size&OBJ=Tile-size&OBJ=Resolution-number",
        "FIF=a.tif&JTL=2,1",
        "FIF=b/x.tif&JTL=0,0",
        "FIF=a.tif&WID=200&CVT=jpeg",
        "FIF=a.tif&CNT=1.3&GAM=0.8&WID=100&CVT=png",
        "IIIF=a.tif/full/300,/90/gray.png",
        "IIIF=b%2Fx.tif/full/max/0/default.jpg",
        "DeepZoom=a.tif.dzi",
        "DeepZoom=a.tif_files/8/0_0.jpg",
        "Zoomify=a.tif/ImageProperties.xml",
        "Zoomify=a.tif/TileGroup0/1-0-0.jpg",
        "FIF=none.tif&OBJ=Max-size",
        "FIF=a.tif&OBJ=nonsense",
        "IIIF=none.tif/info.json",
    ];
    let paths = [
        TILE,
        "/iiif/3/a.tif/info.json",
        "/iiif/2/b%2Fx.tif/info.json",
        "/iiif/2/b%2Fx.tif/full/full/0/default.jpg",
        "/iiif/3/a.tif/full/300,/90/gray.png",
        "/iiif/3/none.tif/info.json",
        "/iiif/3/a.tif/junk/max/0/default.jpg",
        "/deepzoom/a.tif.dzi",
        "/deepzoom/b/x.tif_files/8/0_0.jpg",
        "/zoomify/a.tif/TileGroup0/1-0-0.jpg",
        "/",
        "/nothing",
    ];
    let by_query = queries.iter().map(|query| format!("{SCRIPT}?{query}"));
    let by_path = paths.iter().filter(|_| handed == Handed::All).map(|path| (*path).to_owned());
    by_query.chain(by_path).collect()
}

/// Headers that are the answer's own, and not of the way it came.
fn told(response: &Response) -> Vec<Option<&str>> {
    let names = ["ETag", "Last-Modified", "Content-Type", "Cache-Control", "Location", "Link"];
    names.map(|name| response.header(name)).into()
}

/// Holds every answer of a web server against the one that Tessera gives by HTTP.
fn compare(direct: &Server, web: &WebServer, handed: Handed) {
    let mut compared = 0;
    for target in targets(handed) {
        let expected = direct.get_with(&target, &[("Host", HOST)]);
        let answer = web.ask(("GET", &target), &[], b"");
        assert_eq!(answer.status, expected.status, "{target}: {}\n{}", answer.text(), web.log());
        assert!(answer.body == expected.body, "{target}: another body: {}", answer.text());
        assert_eq!(told(&answer), told(&expected), "{target}");
        compared += 1;
        let Some(etag) = expected.header("ETag") else { continue };
        let known = web.ask(("GET", &target), &[("If-None-Match", etag)], b"");
        assert_eq!((known.status, known.body.len()), (304, 0), "{target}");
        assert_eq!(known.header("ETag"), Some(etag), "{target}");
    }
    assert!(14 <= compared);
    let body = b"FIF=a.tif&OBJ=Max-size";
    assert_eq!(web.ask(("POST", SCRIPT), &[], body).text(), "Max-size:1411 1411\r\n");
    let head = web.ask(("HEAD", &format!("{SCRIPT}?FIF=a.tif&JTL=2,1")), &[], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
}

fn start(folder: &Path, fastcgi: &str) -> (Server, String) {
    let server = Server::start(folder, &["--fastcgi", fastcgi]);
    let address = server.announced("fastcgi listening on ");
    (server, address)
}

#[test]
fn apache_passes_everything_on_by_mod_proxy_fcgi() {
    let folder = pictures();
    let (server, address) = start(folder.path(), "127.0.0.1:0");
    let web = WebServer::apache("apache/proxy_fcgi.conf", &[("127.0.0.1:9000", &address)]);
    compare(&server, &web, Handed::All);
    server.finish(&[]);
}

#[test]
fn caddy_and_h2o_pass_everything_on() {
    let folder = pictures();
    let (server, address) = start(folder.path(), "127.0.0.1:0");
    let (_, port) = address.split_once(':').unwrap();
    let port = format!("port: {port}\n");
    let caddy = WebServer::caddy(
        "caddy/Caddyfile",
        &[("proxy 127.0.0.1:9000", &format!("proxy {address}"))],
    );
    let h2o = WebServer::h2o("h2o/h2o.conf", &[("port: 9000\n", &port)]);
    for web in [caddy, h2o] {
        compare(&server, &web, Handed::All);
    }
    server.finish(&[]);
}

#[test]
fn lighttpd_passes_everything_on() {
    let folder = pictures();
    let (server, address) = start(folder.path(), "127.0.0.1:0");
    let (_, port) = address.split_once(':').unwrap();
    let port = format!("=> {port},");
    let web = WebServer::lighttpd("lighttpd/external.conf", &[("=> 9000,", &port)]);
    compare(&server, &web, Handed::All);
    server.finish(&[]);
}

#[test]
fn nginx_spreads_requests_over_several_and_does_without_one_that_is_gone() {
    let folder = pictures();
    let sockets = tempfile::tempdir().unwrap();
    let paths = ["1", "2"].map(|name| format!("unix:{}/{name}", sockets.path().display()));
    let mut both = paths.each_ref().map(|path| start(folder.path(), path).0);
    let changes =
        [("unix:/run/tessera/1.sock", &*paths[0]), ("unix:/run/tessera/2.sock", &*paths[1])];
    let web = WebServer::nginx("nginx/fastcgi-several.conf", &changes);
    compare(&both[0], &web, Handed::All);
    for server in &both {
        let answered = server.metric("tessera_requests_total", &["protocol=\"iip\""]);
        assert!(answered != 0.0, "one of them was never asked");
    }
    both[1].signal("KILL");
    both[1].wait();
    compare(&both[0], &web, Handed::All);
    let [first, _] = both;
    first.finish(&[]);
}

#[test]
fn nginx_passes_http_on_with_public_addresses() {
    let folder = pictures();
    let sockets = tempfile::tempdir().unwrap();
    let unix = format!("unix:{}/http", sockets.path().display());
    let direct = Server::start(folder.path(), &[]);
    let by_tcp = Server::start(folder.path(), &["--server-trusted-proxies", "127.0.0.1"]);
    let by_unix =
        Server::start(folder.path(), &["--bind", &unix, "--server-trusted-proxies", "unix"]);
    for server in [by_tcp, by_unix] {
        let upstream = format!("server {};", server.address);
        let web = WebServer::nginx("nginx/http.conf", &[("server 127.0.0.1:8182;", &upstream)]);
        compare(&direct, &web, Handed::All);
        // A stranger's headers do not get as far as to ids.
        let lies = [("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Prefix", "/evil")];
        let info = web.ask(("GET", "/iiif/3/a.tif/info.json"), &lies, b"").json();
        assert_eq!(info["id"], "http://pictures.example/iiif/3/a.tif");
        server.finish(&[]);
    }
    direct.finish(&[]);
}

/// Tessera under iipsrv's name, where those may start it who have given up their rights.
fn installed(folder: &Path) -> PathBuf {
    let program = folder.join("iipsrv.fcgi");
    let ours = env!("CARGO_BIN_EXE_tessera");
    if fs::hard_link(ours, &program).is_err() {
        fs::copy(ours, &program).unwrap();
    }
    program
}

#[test]
fn apache_starts_it_by_mod_fcgid_in_iipsrvs_place() {
    let folder = pictures();
    let direct = Server::start(folder.path(), &["--protocol-cors", ""]);
    let scripts = served();
    installed(scripts.path());
    let web = WebServer::apache(
        "apache/fcgid.conf",
        &[
            ("ScriptAlias /iipsrv/", "ScriptAlias /fcgi-bin/"),
            ("/usr/lib/iipimage-server/", &format!("{}/", scripts.path().display())),
            ("/srv/images/", &format!("{}/", folder.path().display())),
        ],
    );
    compare(&direct, &web, Handed::Script);
    direct.finish(&[]);
}

#[test]
fn lighttpd_starts_it_in_iipsrvs_place() {
    let folder = pictures();
    let direct = Server::start(folder.path(), &["--protocol-cors", ""]);
    let scripts = served();
    let program = installed(scripts.path());
    let web = WebServer::lighttpd(
        "lighttpd/spawned.conf",
        &[
            ("/usr/lib/iipimage-server/iipsrv.fcgi", program.to_str().unwrap()),
            ("/run/lighttpd/iipsrv.sock", &format!("{}/socket", scripts.path().display())),
            ("/srv/images/", &format!("{}/", folder.path().display())),
        ],
    );
    compare(&direct, &web, Handed::Script);
    direct.finish(&[]);
}

/// A process of iipsrv's name that was started by hand.
struct Iipsrv(Child);

impl Drop for Iipsrv {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "not in time: {what}");
        thread::yield_now();
    }
}

#[test]
fn spawn_fcgi_and_nginx_find_in_it_the_iipsrv_that_they_know() {
    let folder = pictures();
    let direct = Server::start(folder.path(), &["--protocol-cors", ""]);
    let scripts = served();
    let link = scripts.path().join("iipsrv.fcgi");
    symlink(env!("CARGO_BIN_EXE_tessera"), &link).unwrap();
    let log = scripts.path().join("iipsrv.log");
    let port = free_port().to_string();
    let spawned = Command::new("spawn-fcgi")
        .args(["-n", "-a", "127.0.0.1", "-p", &port, "--"])
        .arg(&link)
        .env("FILESYSTEM_PREFIX", format!("{}/", folder.path().display()))
        .envs([("LOGFILE", log.as_os_str()), ("VERBOSITY", OsStr::new("2"))])
        .envs([("URI_MAP", "pictures=>IIIF,dz=>DeepZoom")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _spawned = Iipsrv(spawned);
    let address = format!("127.0.0.1:{port}");
    let web = WebServer::nginx("nginx/iipsrv.conf", &[("127.0.0.1:9000;", &format!("{address};"))]);
    compare(&direct, &web, Handed::Script);

    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    let mut mapped =
        |target: &str| client::ask(&mut stream, ("GET", target), &[("Host", HOST)], b"");
    let info = mapped("/pictures/b/x.tif/info.json").json();
    assert_eq!(info["id"], "http://pictures.example/pictures/b/x.tif");
    assert_eq!(mapped("/pictures/b/x.tif/full/full/0/default.jpg").status, 200);
    assert_eq!(mapped("/dz/a.tif.dzi").status, 200);

    let written = || fs::read_to_string(&log).unwrap_or_default();
    wait_until("requests are written down", || written().contains("/dz/a.tif.dzi"));
    assert!(written().contains("log.level") && written().contains("VERBOSITY"), "{}", written());
    direct.finish(&[]);
}

#[test]
fn it_takes_iipsrvs_command_line_and_stops_as_iipsrv_does() {
    let folder = pictures();
    let scripts = served();
    let link = scripts.path().join("iipsrv");
    symlink(env!("CARGO_BIN_EXE_tessera"), &link).unwrap();
    let socket = scripts.path().join("iip.sock");
    for signal in ["TERM", "INT", "USR1"] {
        let mut child = Command::new(&link)
            .arg("--bind")
            .arg(&socket)
            .args(["--backlog", "16", "--verbose"])
            .env("FILESYSTEM_PREFIX", folder.path().join(""))
            .env("LOGFILE", "/no/such/folder/iipsrv.log")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_until("it listens", || UnixStream::connect(&socket).is_ok());
        let mut stream = UnixStream::connect(&socket).unwrap();
        let target = format!("{SCRIPT}?FIF=/a.tif&OBJ=Max-size");
        let answer = client::ask(&mut stream, ("GET", &target), &[], b"");
        assert_eq!(answer.text(), "Max-size:1411 1411\r\n");
        assert_eq!(answer.header("Access-Control-Allow-Origin"), None);
        drop(stream);
        let pid = child.id().to_string();
        assert!(
            Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap().success()
        );
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal}");
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(said.contains("cannot write the log to /no/such/folder/iipsrv.log"), "{said}");
        assert!(said.contains("`--verbose`; ignored"), "{said}");
    }
    let refused = Command::new(&link).arg("--bind").output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("--bind needs HOST:PORT"), "{said}");
}

#[test]
fn a_front_that_dies_in_the_middle_of_an_answer_harms_nobody() {
    let folder = pictures();
    let (server, address) = start(folder.path(), "127.0.0.1:0");
    for _ in 0..20 {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        let variables =
            client::variables(("GET", "/iiif/3/a.tif/full/^2000,/0/default.png"), &[], b"");
        stream.write_all(&client::request((1, true), &variables, b"", 9000)).unwrap();
        let mut some = [0; 8];
        stream.read_exact(&mut some).unwrap();
    }
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    assert_eq!(client::ask(&mut stream, ("GET", TILE), &[], b"").status, 200);
    server.finish(&[]);
}
