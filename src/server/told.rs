//! What all listeners tell of, or go by.

use std::io;
use std::sync::Arc;

use actix_web::rt;
use arc_swap::ArcSwap;
use tokio::signal::unix::Signal;
use tokio::sync::Notify;

use crate::actors::Service;
use crate::config::{Config, LiveOrigins};
use crate::front::admin::{Admin, Authority};
use crate::front::exchange::Front;
use crate::front::manners::LiveManners;
use crate::front::rankings::Rankings;
use crate::front::request_count::RequestCount;
use crate::front::troubles::Troubles;
use crate::live::{self, Live, Loaded};
use crate::metrics::Exporter;
use crate::server::log;
use crate::telemetry::traces::Traces;
use crate::telemetry::{AccessLog, Sink};

/// Shared by the listeners; clones of its parts are the same things.
pub(super) struct Told {
    pub(super) requests: RequestCount,
    rankings: Rankings,
    troubles: Troubles,
    manners: LiveManners,
    origins: LiveOrigins,
    sink: Sink,
    access: Option<AccessLog>,
    traces: Traces,
}

impl Told {
    /// With nothing to tell yet.
    pub(super) fn new(loaded: &Loaded, sink: Sink) -> io::Result<Self> {
        let config = &loaded.config;
        Ok(Self {
            requests: RequestCount::new(config.server.requests_max),
            rankings: Rankings::default(),
            troubles: Troubles::default(),
            manners: Arc::new(ArcSwap::from_pointee(live::manners(config))),
            origins: Arc::new(ArcSwap::from_pointee(loaded.origins.clone())),
            access: log::access(&config.log, sink.clone())?,
            sink,
            traces: Traces::start(live::traces(config), config.tracing.queue_max)?,
        })
    }

    /// What public listeners answer through.
    pub(super) fn front(&self, service: Service, config: &Config) -> Front {
        Front {
            service,
            manners: Arc::clone(&self.manners),
            body_bytes_max: config.server.body_bytes_max,
            body_patience: config.server.body,
            requests: self.requests.clone(),
            rankings: self.rankings.clone(),
            troubles: self.troubles.clone(),
            access: self.access.clone(),
            traces: self.traces.clone(),
        }
    }

    /// What the admin listener answers through; `drain` is told where it is asked to stop the server.
    pub(super) fn admin(
        &self,
        service: Service,
        exporter: Exporter,
        drain: Arc<Notify>,
        config: &Config,
    ) -> Admin {
        Admin {
            service,
            requests: self.requests.clone(),
            troubles: self.troubles.clone(),
            rankings: self.rankings.clone(),
            sink: self.sink.clone(),
            access: self.access.clone(),
            traces: self.traces.clone(),
            exporter,
            origins: Arc::clone(&self.origins),
            manners: Arc::clone(&self.manners),
            authority: Authority::of(&config.server),
            draining: Arc::default(),
            drain,
        }
    }

    /// Has the configuration read anew when that is asked for.
    pub(super) fn follow_configuration(&self, loaded: &Loaded, service: Service, hangup: Signal) {
        let (origins, manners) = (Arc::clone(&self.origins), Arc::clone(&self.manners));
        let (layers, traces) = (loaded.layers.clone(), self.traces.clone());
        let live = Arc::new(Live::new(layers, origins, service.clone(), manners, traces));
        if loaded.config.server.watch_config {
            rt::spawn(live::on_change(Arc::clone(&live)));
        }
        rt::spawn(live::on_hangup(live, service, hangup));
    }

    /// Has what was written down sent on; call when all requests are answered.
    pub(super) fn stop(&self) {
        self.traces.stop();
        if let Some(access) = &self.access {
            access.stop();
        }
    }
}
