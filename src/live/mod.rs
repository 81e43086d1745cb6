//! `Live`: what of the configuration a running server goes by, at the start and again at each reload. A
//! new configuration is read and checked as a whole first; then it is in force for the next request, or
//! the old one stays.

mod settings;
mod watch;

use std::sync::Arc;

use crate::actors::Service;
use crate::actors::marks::MarkError;
use crate::config::reload::Changes;
use crate::config::{self, Config, ConfigError, Layers, LiveOrigins, Origin};
use crate::front::manners::LiveManners;
use crate::metrics;
use crate::telemetry;
use crate::telemetry::traces::Traces;

pub use settings::{manners, policy, traces};
pub use watch::{on_change, on_hangup};

/// Why a new configuration was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// It cannot be read, or holds what cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A watermark.
    #[error(transparent)]
    Mark(#[from] MarkError),
}

/// A configuration, and where each value came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What the settings are.
    pub config: Config,
    /// As they were written.
    pub origins: Vec<Origin>,
    /// Where they are read from.
    pub layers: Layers,
}

impl Loaded {
    /// Reads the layers and checks the whole.
    ///
    /// # Errors
    /// The first setting that is unknown or impossible.
    pub fn read(layers: &Layers) -> Result<Self, ConfigError> {
        let (config, origins) = config::load(layers)?;
        Ok(Self { config, origins, layers: layers.clone() })
    }
}

/// What goes by the configuration.
#[derive(Debug)]
pub struct Live {
    layers: Layers,
    origins: LiveOrigins,
    service: Service,
    manners: LiveManners,
    traces: Traces,
}

impl Live {
    /// Over what was started by `layers`; `origins` tells everybody what was read last.
    pub const fn new(
        layers: Layers,
        origins: LiveOrigins,
        service: Service,
        manners: LiveManners,
        traces: Traces,
    ) -> Self {
        Self { layers, origins, service, manners, traces }
    }

    /// Reads the configuration anew and puts it in force, or says why not. Blocks: it reads files.
    pub fn reload(&self) {
        match self.try_reload() {
            Ok(changes) => {
                metrics::config_reload(true);
                let (taken, waiting) = (changes.taken.join("; "), changes.waiting.join("; "));
                tracing::info!(taken, needs_restart = waiting, "configuration read again");
            }
            Err(error) => {
                metrics::config_reload(false);
                tracing::error!(%error, "the new configuration is not taken, the old one stays");
            }
        }
    }

    fn try_reload(&self) -> Result<Changes, ReloadError> {
        let (config, origins) = config::load(&self.layers)?;
        let policy = policy(&config)?;
        let manners = manners(&config);
        // Nothing below can fail: all of it is in force, or nothing was.
        self.service.go_by(policy, &config);
        self.manners.store(Arc::new(manners));
        self.traces.go_by(traces(&config));
        telemetry::set_level(&config.log.level);
        let before = self.origins.swap(Arc::new(origins));
        Ok(Changes::between(&before, &self.origins.load()))
    }
}
