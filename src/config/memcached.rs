//! memcached: where its servers are and how long they may take.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::value::Allowed;

/// memcached's port where none is named.
const PORT: u16 = 11_211;

/// Servers at most: more is a list pasted by mistake.
const SERVERS_MAX: usize = 256;

/// Where one server is. Written the same by every instance, it gets the same keys from all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemcachedServer {
    /// `HOST:PORT`, looked up at each connection.
    Tcp(String),
    /// A unix socket.
    Unix(PathBuf),
}

impl fmt::Display for MemcachedServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => f.write_str(address),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// The cache that instances share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemcachedConfig {
    /// Its servers; none: it is not used.
    pub servers: Vec<MemcachedServer>,
    /// How long servers keep an answer, in seconds; 0: until they need the room.
    pub ttl_s: u32,
    /// How long one request may wait for servers that do not answer.
    pub budget: Duration,
    /// How long one request may wait for an answer that another instance is making.
    pub wait: Duration,
    /// What servers take at most, in bytes: their `-I`.
    pub item_bytes_max: u64,
}

/// Servers separated by commas: `HOST`, `HOST:PORT`, `[V6]:PORT`, or a socket's path.
pub(super) fn servers(text: &str) -> Result<Vec<MemcachedServer>, Allowed> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let servers: Option<Vec<MemcachedServer>> = parts.map(server).collect();
    let mut servers = servers.filter(|servers| servers.len() <= SERVERS_MAX).ok_or_else(|| {
        format!("HOST, HOST:PORT or unix:PATH, separated by commas, at most {SERVERS_MAX}")
    })?;
    let mut seen = Vec::new();
    servers.retain(|server| {
        let is_new = !seen.contains(server);
        seen.push(server.clone());
        is_new
    });
    Ok(servers)
}

fn server(text: &str) -> Option<MemcachedServer> {
    if let Some(path) = text.strip_prefix("unix:").or(text.starts_with('/').then_some(text)) {
        return (!path.is_empty()).then(|| MemcachedServer::Unix(PathBuf::from(path)));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            (host, port.parse::<u16>().ok().filter(|port| *port != 0)?)
        }
        // A bare IPv6 address has colons of its own.
        Some(_) if text.ends_with(']') => (text, PORT),
        Some(_) => return None,
        None => (text, PORT),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
    (!host.is_empty() && host.chars().all(is_name))
        .then(|| MemcachedServer::Tcp(format!("{host}:{port}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        servers(text).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn servers_are_hosts_with_or_without_a_port_and_sockets() {
        assert_eq!(shown("localhost"), ["localhost:11211"]);
        assert_eq!(shown("a:1, b.example:2 ,,"), ["a:1", "b.example:2"]);
        assert_eq!(shown("[::1],[::1]:5"), ["[::1]:11211", "[::1]:5"]);
        assert_eq!(shown("/run/m.sock,unix:/m"), ["unix:/run/m.sock", "unix:/m"]);
        assert_eq!(shown(""), Vec::<String>::new());
        assert_eq!(shown("a,a:11211"), ["a:11211"], "the same server twice is one");
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for text in ["a:", "a:0", "a:70000", "::1", "a b", "unix:", ":5", "a/b"] {
            servers(text).unwrap_err();
        }
    }
}
