//! iipsrv as well as it can be set up: a process per core of the reference machine (two), unix
//! sockets, nginx in front with the less busy one first, one OpenMP thread each, no log, no
//! memcached, and caches that together are as large as Tessera's.

use std::path::Path;
use std::process::Command;

use crate::error::LoadError;
use crate::servers::guard::Guard;
use crate::servers::{CACHE_MEBIBYTES, JPEG_QUALITY, Rig, Running, nginx};
use crate::tools::Tool;

/// Each process answers one request at a time.
const PROCESS_COUNT: u32 = 2;

/// What iipsrv reads of a request.
const PARAMETERS: &str = "fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param REQUEST_URI $request_uri;
      fastcgi_param SERVER_PROTOCOL $server_protocol;
      fastcgi_param HTTP_HOST $http_host;";

/// Starts the processes, then nginx.
pub(super) fn start(rig: &Rig) -> Result<Running, LoadError> {
    let Some(tool) = &rig.iipsrv else {
        return Err(LoadError::Missing {
            program: "iipsrv".to_owned(),
            remedy: "do not ask for it",
        });
    };
    let mut guards = Vec::new();
    let mut servers = Vec::new();
    for process in 0..PROCESS_COUNT {
        let socket = rig.scratch.join(format!("iipsrv-{process}.sock"));
        // A socket left by the process before would look as if this one were ready.
        std::fs::remove_file(&socket).ok();
        let log = rig.scratch.join(format!("iipsrv-{process}.log"));
        let mut guard = Guard::spawn("iipsrv", &command(tool, rig, &socket), &log)?;
        guard.wait_for(|_| socket.try_exists().ok().filter(|there| *there))?;
        guards.push(guard);
        servers.push(format!("server unix:{};", socket.display()));
    }
    let servers = servers.join("\n    ");
    let upstream = format!("upstream iipsrv {{\n    least_conn;\n    {servers}\n  }}");
    let location = format!(
        "location /iip {{
      fastcgi_pass iipsrv;
      fastcgi_buffers 64 64k;
      fastcgi_buffer_size 64k;
      fastcgi_max_temp_file_size 0;
      fastcgi_read_timeout 120s;
      {PARAMETERS}
    }}"
    );
    let (front, address) = nginx::start(rig, "iipsrv", &upstream, &location)?;
    // The front first, so that it does not see its upstreams go.
    guards.insert(0, front);
    Ok(Running { address, guards })
}

fn command(tool: &Tool, rig: &Rig, socket: &Path) -> Command {
    let mut command = Command::new(&tool.path);
    command
        .arg("--bind")
        .arg(socket)
        .args(["--backlog", "2048"])
        .env("FILESYSTEM_PREFIX", format!("{}/", rig.images.display()))
        .env("MAX_IMAGE_CACHE_SIZE", (CACHE_MEBIBYTES / PROCESS_COUNT).to_string())
        .env("JPEG_QUALITY", JPEG_QUALITY)
        .env("MAX_CVT", "5000")
        .env("CORS", "*")
        .env("VERBOSITY", "0")
        .env("OMP_NUM_THREADS", "1")
        .env("MEMCACHED_SERVERS", "");
    command
}
