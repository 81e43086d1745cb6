//! The listeners: bound as the settings say, and announced.

use std::io::{self, Write as _};
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::{App, HttpServer};

use crate::config::{Bind, Config, RunAs, ServerConfig, SocketMode};
use crate::front::admin::{self as front_admin, Admin};
use crate::front::exchange::Front;
use crate::front::fastcgi::FastCgi;
use crate::front::http;
use crate::front::listener::Listener;
use crate::front::tls::Certificates;
use crate::server::ServeError;
use crate::server::sockets::Sockets;

/// HTTP connections that the system may hold before they are accepted.
const BACKLOG: i32 = 2048;

/// The public listener, bound and announced, if one is wanted.
pub(super) fn public(
    front: &Front,
    config: &ServerConfig,
    certificates: Option<&Arc<Certificates>>,
    sockets: &mut Sockets,
) -> Result<Option<Server>, ServeError> {
    let Some(listener) = open(sockets, "http", (&config.bind, BACKLOG), config.socket_mode)? else {
        return Ok(None);
    };
    let front = front.clone();
    let server = HttpServer::new(move || App::new().configure(http::configure(&front)))
        .workers(config.workers)
        .max_connections(config.connections_max)
        .keep_alive(config.keep_alive)
        .client_request_timeout(config.header)
        .tls_handshake_timeout(config.header)
        .tcp_nodelay(true)
        // A client that closes its side has gone: its work is dropped, not finished for nobody.
        .h1_allow_half_closed(false)
        .shutdown_timeout(config.drain.as_secs())
        .disable_signals();
    listener.limit_writes(config.write)?;
    let scheme = if certificates.is_some() { "https" } else { "http" };
    announce(&format!("listening on {}", web_address(&listener, scheme)?));
    let server = match (listener, certificates) {
        (Listener::Tcp(listener), Some(certificates)) => {
            server.listen_rustls_0_23(listener, certificates.server_config()?)?
        }
        (Listener::Tcp(listener), None) => server.listen_auto_h2c(listener)?,
        (Listener::Unix(listener), _) => server.listen_uds(listener)?,
    };
    Ok(Some(server.run()))
}

/// The FastCGI front, bound and announced, if one is wanted.
pub(super) fn fastcgi(
    front: &Front,
    config: &ServerConfig,
    sockets: &mut Sockets,
) -> Result<Option<FastCgi>, ServeError> {
    let fastcgi = &config.fastcgi;
    let Some(listener) =
        open(sockets, "fastcgi", (&fastcgi.bind, fastcgi.backlog), config.socket_mode)?
    else {
        return Ok(None);
    };
    announce(&format!("fastcgi listening on {}", listener.address()?));
    Ok(Some(FastCgi::start(listener, front, config)?))
}

/// The admin listener, if one is wanted.
pub(super) fn admin(
    admin: &Admin,
    config: &Config,
    sockets: &mut Sockets,
) -> Result<Option<Server>, ServeError> {
    let server = &config.server;
    let listener = match open(sockets, "admin", (&server.admin, BACKLOG), server.socket_mode) {
        // Web servers start several of iipsrv with one environment: the first is watched.
        Err(error) if config.run_as == RunAs::Iipsrv => {
            tracing::warn!(%error, "no metrics from this process");
            None
        }
        opened => opened?,
    };
    let Some(listener) = listener else { return Ok(None) };
    let admin = admin.clone();
    let server = HttpServer::new(move || App::new().configure(front_admin::configure(&admin)))
        .workers(1)
        .shutdown_timeout(1)
        .disable_signals();
    announce(&format!("admin listening on {}", web_address(&listener, "http")?));
    let server = match listener {
        Listener::Tcp(listener) => server.listen(listener)?,
        Listener::Unix(listener) => server.listen_uds(listener)?,
    };
    Ok(Some(server.run()))
}

fn open(
    sockets: &mut Sockets,
    name: &'static str,
    (bind, backlog): (&Bind, i32),
    mode: SocketMode,
) -> Result<Option<Listener>, ServeError> {
    let error = |source| ServeError::Bind { address: bind.to_string(), source };
    sockets.open(name, bind, backlog, mode).map_err(error)
}

/// The address that a browser takes, or the socket's path.
fn web_address(listener: &Listener, scheme: &str) -> io::Result<String> {
    let address = listener.address()?;
    Ok(match listener {
        Listener::Tcp(_) => format!("{scheme}://{address}"),
        Listener::Unix(_) => address,
    })
}

/// One line on standard error, whatever the log's form: scripts wait for it.
pub(crate) fn announce(line: &str) {
    // Nobody listens to a closed standard error, and the server serves all the same.
    let _closed = writeln!(io::stderr(), "{line}");
}
