//! Where the log goes, and what stands in it first: the settings in force.

use std::io;

use crate::config::keys::KEYS;
use crate::config::{self, LogConfig, LogFormat, LogTarget, Origin, RunAs};
use crate::server::{ServeError, announce};
use crate::telemetry::{AccessLog, Sink, Target};

/// Where lines are to go. iipsrv runs without a log that it cannot write; who takes its place says so.
pub(super) fn open(config: &LogConfig, run_as: RunAs) -> Result<Sink, ServeError> {
    let target = match &config.target {
        LogTarget::Standard => Target::Standard,
        LogTarget::Syslog => Target::Syslog,
        LogTarget::File(path) => Target::File(path.clone()),
    };
    match (Sink::open(&target), run_as) {
        (Ok(sink), _) => Ok(sink),
        (Err(error), RunAs::Iipsrv) => {
            announce(&format!("warning: cannot write the log to {}: {error}", config.target));
            Ok(Sink::open(&Target::Standard)?)
        }
        (Err(source), RunAs::Tessera) => {
            Err(ServeError::Log { target: config.target.to_string(), source })
        }
    }
}

/// Writes down what is in force and where it came from: whatever somebody set, and in iipsrv's place all
/// that iipsrv has a name for, as it does itself.
pub(super) fn write_settings(run_as: RunAs, origins: &[Origin]) {
    let is_of_iipsrv = |name: &str| {
        let mut named = KEYS.iter().filter(|key| key.iipsrv.is_some());
        run_as == RunAs::Iipsrv && named.any(|key| key.name == name)
    };
    for Origin { name, value, origin } in origins {
        if origin != "default" || is_of_iipsrv(name) {
            tracing::info!(%name, ?value, from = %origin, "setting");
        }
    }
}

/// One line a request, where that is wanted.
pub(super) fn access(config: &LogConfig, sink: Sink) -> io::Result<Option<AccessLog>> {
    match config.access {
        config::AccessLog::On => AccessLog::start(config.format == LogFormat::Json, sink).map(Some),
        config::AccessLog::Off => Ok(None),
    }
}
