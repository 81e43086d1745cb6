//! nginx, tuned as a careful operator would: for the floor's static files, and as the front that
//! iipsrv cannot do without.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use crate::error::{LoadError, Trying as _};
use crate::servers::guard::Guard;
use crate::servers::{Rig, Running, accepts, free_port};

/// Starts the floor over the harvested files.
pub(super) fn start_floor(rig: &Rig) -> Result<Running, LoadError> {
    let floor = rig.floor();
    let locations = format!(
        "location / {{\n      root {};\n      add_header Cache-Control max-age=86400;\n    }}",
        floor.display()
    );
    let (guard, address) = start(rig, "floor", "", &locations)?;
    Ok(Running { address, guards: vec![guard] })
}

/// Starts an nginx with these `upstream` blocks and locations.
pub(super) fn start(
    rig: &Rig,
    name: &'static str,
    upstreams: &str,
    locations: &str,
) -> Result<(Guard, SocketAddr), LoadError> {
    let address = free_port()?;
    let folder = rig.scratch.join(format!("nginx-{name}"));
    fs::create_dir_all(&folder).trying("cannot make a folder for nginx")?;
    let file = folder.join("nginx.conf");
    let text = configuration(&folder.display().to_string(), address, upstreams, locations);
    fs::write(&file, text).trying("cannot write nginx's configuration")?;
    let mut command = Command::new(&rig.nginx.path);
    command.arg("-c").arg(&file).arg("-p").arg(&folder).args(["-e", "stderr"]);
    let mut guard = Guard::spawn("nginx", &command, &folder.join("nginx.log"))?;
    guard.wait_for(|_| accepts(address))?;
    Ok((guard, address))
}

/// A worker per core, descriptors kept open, `sendfile`, no access log, every folder our own.
fn configuration(folder: &str, address: SocketAddr, upstreams: &str, locations: &str) -> String {
    // Started by root, workers would give up the right to the sockets and files made by root.
    let user = if rustix::process::geteuid().is_root() { "user root root;" } else { "" };
    format!(
        "{user}
daemon off;
worker_processes auto;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_requests 10000000;
  open_file_cache max=20000 inactive=600s;
  open_file_cache_valid 600s;
  types {{ image/jpeg jpg; text/plain txt; }}
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  {upstreams}
  server {{
    listen {address} backlog=2048;
    {locations}
  }}
}}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nginx_listens_on_loopback_only() {
        let text = configuration("/x", "127.0.0.1:81".parse().unwrap(), "", "location / { }");
        let listens: Vec<&str> = text.lines().filter(|line| line.contains("listen ")).collect();
        assert_eq!(listens, ["    listen 127.0.0.1:81 backlog=2048;"]);
    }
}
