//! `Certificates`: what the public listener shows of itself by TLS: a chain and its key, out of two files
//! that are read again when they change.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, ServerConfig};

use crate::config::TlsConfig;

/// Why there is no certificate to show.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be looked at.
    #[error("cannot read {path}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{path} is no PEM file with {what}")]
    Pem {
        /// Which.
        path: String,
        /// What was looked for.
        what: &'static str,
        /// Why.
        source: pem::Error,
    },
    /// There is no certificate in the file.
    #[error("{path} holds no certificate")]
    NoCertificate {
        /// Which.
        path: String,
    },
    /// The key is of a kind that is not taken, or another certificate's.
    #[error("the key in {path} cannot be used with the certificate")]
    Key {
        /// Which.
        path: String,
        /// Why.
        source: rustls::Error,
    },
    /// The settings of TLS itself.
    #[error("cannot set TLS up")]
    Setup(#[from] rustls::Error),
}

/// What tells one state of a file from the next.
type Mark = (SystemTime, u64);

/// The chain and key in force.
#[derive(Debug)]
pub struct Certificates {
    certificate: PathBuf,
    key: PathBuf,
    current: ArcSwap<CertifiedKey>,
    /// The files as they were last read, well or badly.
    seen: Mutex<[Mark; 2]>,
}

impl Certificates {
    /// Reads both files; nothing where none are set.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn open(config: &TlsConfig) -> Result<Option<Arc<Self>>, TlsError> {
        let Some((certificate, key)) = config.files() else { return Ok(None) };
        let seen = Mutex::new([mark(certificate)?, mark(key)?]);
        let current = ArcSwap::from_pointee(load(certificate, key)?);
        Ok(Some(Arc::new(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            current,
            seen,
        })))
    }

    /// Reads the files again if they changed; whether they did. What cannot be used is told once, and what
    /// was in force stays: a file may be half written, and the next state of it be better.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn refresh(&self) -> Result<bool, TlsError> {
        let now = [mark(&self.certificate)?, mark(&self.key)?];
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if *seen == now {
                return Ok(false);
            }
            *seen = now;
        }
        self.current.store(Arc::new(load(&self.certificate, &self.key)?));
        Ok(true)
    }

    /// What the listener needs; which protocols it speaks, it adds itself.
    ///
    /// # Errors
    /// Where the library cannot do its own defaults.
    pub fn server_config(self: &Arc<Self>) -> Result<ServerConfig, TlsError> {
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Self>::clone(self);
        Ok(builder.with_cert_resolver(resolver))
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

fn mark(path: &Path) -> Result<Mark, TlsError> {
    let metadata = fs::metadata(path).and_then(|found| Ok((found.modified()?, found.len())));
    metadata.map_err(|source| TlsError::File { path: path.display().to_string(), source })
}

fn load(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let shown = |path: &Path| path.display().to_string();
    let bad = |path, what| move |source| TlsError::Pem { path: shown(path), what, source };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(bad(certificate, "certificates"))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate { path: shown(certificate) });
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(bad(key, "a private key"))?;
    let unusable = |source| TlsError::Key { path: shown(key), source };
    let signing = ring::sign::any_supported_type(&private).map_err(unusable)?;
    let certified = CertifiedKey::new(chain, signing);
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(certified),
        Err(source) => Err(unusable(source)),
    }
}
