//! Wiring: starts the cast, binds the listeners, says where they listen, and drains when told to stop.

mod activation;
mod listeners;
mod log;
mod notify;
mod sockets;
mod told;
mod upgrade;

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::rt;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use crate::actors::Service;
use crate::actors::allocator;
use crate::actors::marks::{self, MarkError};
use crate::actors::modules::{Modules, ModulesError};
use crate::actors::open_image::Opener;
use crate::actors::start;
use crate::codecs::{self, DecodeLimits, Decoders, Jpeg2000Decoders, NoneSpare};
use crate::config::{Config, LogFormat};
use crate::front::fastcgi::FastCgi;
use crate::front::request_count::RequestCount;
use crate::front::tls::{Certificates, TlsError};
use crate::live::{self, Loaded};
use crate::metrics::Exporter;
use crate::model::LayersRule;
use crate::telemetry::{self, Sink};

use notify::Supervisor;
use sockets::Sockets;
use told::Told;
use upgrade::Program;

pub(crate) use listeners::announce;

/// How often idle images are closed and histograms drained.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// What sockets are given to take the last bytes once every answer has been handed to them.
const DRAIN_FLUSH: Duration = Duration::from_millis(500);

/// Why the server did not start, or ended badly.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address is taken, or not ours.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address as configured.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// A thread, the image folder or the signals.
    #[error("cannot start")]
    Start(#[from] io::Error),
    /// A setting of watermarks.
    #[error(transparent)]
    Mark(#[from] MarkError),
    /// A decoder in processes of its own.
    #[error(transparent)]
    Module(#[from] ModulesError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The log.
    #[error("cannot write the log to {target}")]
    Log {
        /// As configured.
        target: String,
        /// Why.
        source: io::Error,
    },
    /// Metrics.
    #[error("cannot start the metrics: {0}")]
    Metrics(String),
}

/// Serves until SIGTERM or SIGINT, then drains; reads the configuration again at SIGHUP.
///
/// # Errors
/// Where it cannot start; see [`ServeError`].
pub fn serve(loaded: &Loaded) -> Result<(), ServeError> {
    let config = &loaded.config;
    allocator::keep_small_buffers();
    let sink = log::open(&config.log, config.run_as)?;
    telemetry::start_events(config.log.format == LogFormat::Json, &config.log.level, sink.clone());
    log::write_settings(config.run_as, &loaded.origins);
    raise_file_limit();
    let exporter = Exporter::install().map_err(|error| ServeError::Metrics(error.to_string()))?;
    rt::System::new().block_on(run(loaded, exporter, sink))
}

/// Reads and draws the marks of watermarks, asks modules for their files and reads certificates, as
/// [`serve`] does before anything else.
///
/// # Errors
/// Where a setting leads to none.
pub fn check(config: &Config) -> Result<(), ServeError> {
    marks::load(&config.watermark)?;
    Modules::start(config)?;
    Certificates::open(&config.server.tls)?;
    Ok(())
}

async fn run(loaded: &Loaded, exporter: Exporter, sink: Sink) -> Result<(), ServeError> {
    let config = &loaded.config;
    let drain = Arc::new(Notify::new());
    let signals = StopSignals::listen(Arc::clone(&drain))?;
    let hangup = signal(SignalKind::hangup())?;
    let program = Program::of_process()?;
    let mut sockets = Sockets::given(&config.supervisor)?;
    let modules = Modules::start(config)?;
    let opener = opener(config, &modules);
    let service = start::start(config, live::policy(config)?, opener, modules)?;
    service.hear_purges().await;
    let told = Told::new(loaded, sink)?;
    let front = told.front(service.clone(), config);
    let certificates = Certificates::open(&config.server.tls)?;
    let public = listeners::public(&front, &config.server, certificates.as_ref(), &mut sockets)?;
    let fastcgi = listeners::fastcgi(&front, &config.server, &mut sockets)?;
    let admin = told.admin(service.clone(), exporter.clone(), drain, config);
    let admin_server = listeners::admin(&admin, config, &mut sockets)?;
    rt::spawn(upkeep(service.clone(), exporter, certificates));
    rt::spawn(service.clone().follow_purges());
    told.follow_configuration(loaded, service.clone(), hangup);
    let started = Started {
        public: public.as_ref().map(Server::handle),
        admin: admin_server.as_ref().map(Server::handle),
        fastcgi,
    };
    // Answers until the process ends, also while the public listeners drain.
    if let Some(server) = admin_server {
        rt::spawn(server);
    }
    let supervisor = Supervisor::of(&config.supervisor);
    supervisor.say("READY=1");
    sockets.ready();
    rt::spawn(supervisor.clone().keep_watch());
    let drain = Drain { draining: &admin.draining, requests: &told.requests, supervisor, program };
    let drained = drain.on_signal(signals, started, sockets);
    let serving = async {
        match public {
            Some(server) => server.await,
            None => pending().await,
        }
    };
    tokio::pin!(serving, drained);
    let ended = tokio::select! {
        () = &mut drained => Ok(()),
        ended = &mut serving => {
            // Told to stop, HTTP may be done while FastCGI still answers.
            if admin.draining.load(Ordering::Relaxed) {
                drained.await;
            }
            ended
        }
    };
    service.stop();
    told.stop();
    Ok(ended?)
}

/// How images are opened: within the limits, with the rights that settings add.
fn opener(config: &Config, modules: &Modules) -> Opener {
    let layers = LayersRule::of_number(config.jpeg2000.layers_max);
    let limits = DecodeLimits { layers, ..DecodeLimits::default() };
    // Nobody is asked for threads before an image is opened.
    let jpeg2000 = modules.jpeg2000(Arc::new(NoneSpare));
    let rights = config.output.copyright.clone();
    Arc::new(move |source, selection, spare| {
        let spare = Arc::clone(spare);
        let decoders = Decoders { jpeg2000: Jpeg2000Decoders { spare, ..jpeg2000.clone() } };
        let image = codecs::open_with(source, selection, &limits, &decoders)?;
        Ok(codecs::with_rights(image, &rights))
    })
}

/// The public listeners at work, as the one who stops them holds them.
struct Started {
    public: Option<ServerHandle>,
    admin: Option<ServerHandle>,
    fastcgi: Option<FastCgi>,
}

impl Started {
    /// Has HTTP accept no more, which another process does now, and what it accepted come to its requests.
    async fn pause(&self) {
        for server in [&self.public, &self.admin].into_iter().flatten() {
            server.pause().await;
        }
        rt::time::sleep(DRAIN_FLUSH).await;
    }

    /// Takes no more connections and lets requests in flight finish, on all listeners at once.
    async fn drain(self, requests: &RequestCount) {
        let public = async {
            let Some(public) = self.public else { return };
            // Else connections may be taken in that no worker is there for any more.
            public.pause().await;
            tokio::select! {
                () = public.stop(true) => {}
                () = requests.none_left() => rt::time::sleep(DRAIN_FLUSH).await,
            }
        };
        let fastcgi = async {
            if let Some(fastcgi) = self.fastcgi {
                fastcgi.stop().await;
            }
        };
        tokio::join!(public, fastcgi);
    }
}

async fn upkeep(service: Service, exporter: Exporter, certificates: Option<Arc<Certificates>>) {
    let mut interval = rt::time::interval(UPKEEP_INTERVAL);
    loop {
        interval.tick().await;
        service.close_idle();
        exporter.run_upkeep();
        if let Some(certificates) = &certificates {
            match certificates.refresh() {
                Ok(true) => tracing::info!("the certificate was read again"),
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "the certificate in force stays"),
            }
        }
    }
}

/// The signal that asks for a new process in place of this one.
const UPGRADE: &str = "SIGUSR2";

/// The signals that ask the server to stop.
struct StopSignals {
    upgrade: Signal,
    terminate: Signal,
    interrupt: Signal,
    user: Signal,
    /// Whoever administers.
    asked: Arc<Notify>,
}

impl StopSignals {
    fn listen(asked: Arc<Notify>) -> io::Result<Self> {
        Ok(Self {
            upgrade: signal(SignalKind::user_defined2())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            user: signal(SignalKind::user_defined1())?,
            asked,
        })
    }

    /// Waits for the next one; its name.
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.user.recv() => "SIGUSR1",
            _ = self.upgrade.recv() => UPGRADE,
            () = self.asked.notified() => "PUT /drain",
        }
    }
}

/// What a stop is told to.
struct Drain<'a> {
    draining: &'a AtomicBool,
    requests: &'a RequestCount,
    supervisor: Supervisor,
    program: Program,
}

impl Drain<'_> {
    /// Waits for a signal, then until requests in flight have their answers; a second signal waits for
    /// nobody. Connections that are kept alive without a request hold up nothing.
    async fn on_signal(self, mut signals: StopSignals, started: Started, mut sockets: Sockets) {
        let mut handed_over = false;
        let name = loop {
            let name = signals.next().await;
            if name != UPGRADE {
                self.supervisor.say("STOPPING=1");
                break name;
            }
            (sockets, handed_over) = self.hand_over(sockets).await;
            if handed_over {
                // What was accepted before sends its requests now; what comes, the new process accepts.
                started.pause().await;
                break name;
            }
        };
        tracing::info!(signal = name, "draining");
        self.draining.store(true, Ordering::Relaxed);
        sockets.close_copies();
        tokio::select! {
            () = started.drain(self.requests) => {}
            name = signals.next() => tracing::info!(signal = name, "asked to stop again"),
        }
        if !handed_over {
            sockets.remove();
        }
        tracing::info!("stopped");
    }

    /// Starts the program anew and hands the sockets over; whether that went well.
    async fn hand_over(&self, sockets: Sockets) -> (Sockets, bool) {
        let (pid, channel) = match self.program.start_again() {
            Ok(started) => started,
            Err(error) => {
                tracing::error!(%error, "the new process cannot be started");
                return (sockets, false);
            }
        };
        let waiting = tokio::task::spawn_blocking(move || {
            let handed = sockets.hand_over(channel);
            (sockets, handed)
        });
        match waiting.await {
            Ok((sockets, Ok(()))) => {
                tracing::info!(pid, "a new process has taken over");
                self.supervisor.say(&format!("MAINPID={pid}"));
                (sockets, true)
            }
            Ok((sockets, Err(error))) => {
                tracing::error!(%error, pid, "the new process has not taken over; this one goes on");
                (sockets, false)
            }
            Err(error) => {
                tracing::error!(%error, pid, "the sockets were lost");
                (Sockets::default(), false)
            }
        }
    }
}

/// Takes as many open files as the system lets this process have: connections and images need one each,
/// and the usual limit is from the days of `select`.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files stays");
    }
}
