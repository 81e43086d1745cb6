//! TLS on the public listener: which files.

use std::path::{Path, PathBuf};

use crate::config::{Bind, ConfigError, ServerConfig};

/// Certificate and key; both or neither.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// The chain, in PEM; empty: no TLS.
    pub certificate: PathBuf,
    /// Its key, in PEM.
    pub key: PathBuf,
}

impl TlsConfig {
    /// Certificate and key, if there is to be TLS.
    pub fn files(&self) -> Option<(&Path, &Path)> {
        let is_set = !self.certificate.as_os_str().is_empty();
        is_set.then_some((&self.certificate, &self.key))
    }
}

/// Holds the files against each other and the listener.
pub(super) fn check(server: &ServerConfig) -> Result<(), ConfigError> {
    let TlsConfig { certificate, key } = &server.tls;
    if certificate.as_os_str().is_empty() != key.as_os_str().is_empty() {
        return Err(ConfigError::HalfTls);
    }
    match (server.tls.files(), &server.bind) {
        (Some(_), Bind::Unix(_)) => Err(ConfigError::TlsOnUnix),
        _ => Ok(()),
    }
}
