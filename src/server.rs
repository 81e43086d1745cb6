//! Wiring: starts the cast, binds the listeners, says where they listen, and drains when told to stop.

use std::fs;
use std::future::pending;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::{App, HttpServer, rt};
use arc_swap::ArcSwap;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use crate::actors::Service;
use crate::actors::allocator;
use crate::actors::marks::{self, MarkError};
use crate::actors::modules::{Modules, ModulesError};
use crate::actors::start;
use crate::codecs::{self, DecodeLimits, Decoders};
use crate::config::keys::KEYS;
use crate::config::{
    AccessLog, Bind, Config, LiveOrigins, LogConfig, LogFormat, LogTarget, Origin, RunAs,
    ServerConfig,
};
use crate::front::admin::{self, Admin, Authority};
use crate::front::exchange::Front;
use crate::front::fastcgi::FastCgi;
use crate::front::http;
use crate::front::listener::Listener;
use crate::front::manners::LiveManners;
use crate::front::rankings::Rankings;
use crate::front::request_count::RequestCount;
use crate::front::troubles::Troubles;
use crate::live::{self, Live, Loaded};
use crate::metrics::Exporter;
use crate::model::LayersRule;
use crate::telemetry::{self, Sink, Target};

/// How often idle images are closed and histograms drained.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// HTTP connections that the system may hold before they are accepted.
const BACKLOG: i32 = 2048;

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
    let sink = log_sink(&config.log, config.run_as)?;
    telemetry::start_events(config.log.format == LogFormat::Json, &config.log.level, sink.clone());
    log_settings(config.run_as, &loaded.origins);
    let exporter = Exporter::install().map_err(|error| ServeError::Metrics(error.to_string()))?;
    rt::System::new().block_on(run(loaded, exporter, sink))
}

/// Reads and draws the marks of watermarks and asks modules for their files, as [`serve`] does before
/// anything else.
///
/// # Errors
/// Where a setting leads to none.
pub fn check(config: &Config) -> Result<(), ServeError> {
    marks::load(&config.watermark)?;
    Modules::start(config)?;
    Ok(())
}

async fn run(loaded: &Loaded, exporter: Exporter, sink: Sink) -> Result<(), ServeError> {
    let config = &loaded.config;
    let drain = Arc::new(Notify::new());
    let signals = StopSignals::listen(Arc::clone(&drain))?;
    let hangup = signal(SignalKind::hangup())?;
    let modules = Modules::start(config)?;
    let layers = LayersRule::of_number(config.jpeg2000.layers_max);
    let limits = DecodeLimits { layers, ..DecodeLimits::default() };
    let decoders = Decoders { jpeg2000: modules.codestream_decoder() };
    let rights = config.output.copyright.clone();
    let opener = Arc::new(move |source, selection| {
        let image = codecs::open_with(source, selection, &limits, &decoders)?;
        Ok(codecs::with_rights(image, &rights))
    });
    let service = start::start(config, live::policy(config)?, opener, modules)?;
    let told = Told::new(loaded, sink)?;
    let requests = told.requests.clone();
    let front = told.front(service.clone(), config);
    let public = public_server(&front, &config.server)?;
    let fastcgi = fastcgi_front(&front, &config.server)?;
    let admin = told.admin(service.clone(), exporter.clone(), drain, config);
    let admin_server = admin_server(&admin, config)?;
    rt::spawn(upkeep(service.clone(), exporter));
    told.follow_configuration(loaded, service.clone(), hangup);
    // Answers until the process ends, also while the public listeners drain.
    if let Some(server) = admin_server {
        rt::spawn(server);
    }
    let started = Started { public: public.as_ref().map(Server::handle), fastcgi };
    let drained = drain_on_signal(signals, started, &admin.draining, &requests);
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
    if let Some(access) = told.access {
        access.stop();
    }
    for bind in [&config.server.bind, &config.server.fastcgi.bind, &config.server.admin] {
        remove_socket(bind);
    }
    Ok(ended?)
}

/// What all listeners tell of, or go by.
struct Told {
    requests: RequestCount,
    rankings: Rankings,
    troubles: Troubles,
    manners: LiveManners,
    origins: LiveOrigins,
    access: Option<telemetry::AccessLog>,
}

impl Told {
    fn new(loaded: &Loaded, sink: Sink) -> io::Result<Self> {
        let config = &loaded.config;
        let json = config.log.format == LogFormat::Json;
        Ok(Self {
            requests: RequestCount::new(config.server.requests_max),
            rankings: Rankings::default(),
            troubles: Troubles::default(),
            manners: Arc::new(ArcSwap::from_pointee(live::manners(config))),
            origins: Arc::new(ArcSwap::from_pointee(loaded.origins.clone())),
            access: match config.log.access {
                AccessLog::On => Some(telemetry::AccessLog::start(json, sink)?),
                AccessLog::Off => None,
            },
        })
    }

    fn front(&self, service: Service, config: &Config) -> Front {
        Front {
            service,
            manners: Arc::clone(&self.manners),
            body_bytes_max: config.server.body_bytes_max,
            requests: self.requests.clone(),
            rankings: self.rankings.clone(),
            troubles: self.troubles.clone(),
            access: self.access.clone(),
        }
    }

    fn admin(
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
            access: self.access.clone(),
            exporter,
            origins: Arc::clone(&self.origins),
            manners: Arc::clone(&self.manners),
            authority: Authority::of(&config.server),
            draining: Arc::default(),
            drain,
        }
    }

    /// Has the configuration read anew when that is asked for.
    fn follow_configuration(&self, loaded: &Loaded, service: Service, hangup: Signal) {
        let (origins, manners) = (Arc::clone(&self.origins), Arc::clone(&self.manners));
        let live = Arc::new(Live::new(loaded.layers.clone(), origins, service.clone(), manners));
        if loaded.config.server.watch_config {
            rt::spawn(live::on_change(Arc::clone(&live)));
        }
        rt::spawn(live::on_hangup(live, service, hangup));
    }
}

/// The public listeners at work, as the one who stops them holds them.
struct Started {
    public: Option<ServerHandle>,
    fastcgi: Option<FastCgi>,
}

impl Started {
    /// Takes no more connections and lets requests in flight finish, on all listeners at once.
    async fn drain(self, requests: &RequestCount) {
        let public = async {
            let Some(public) = self.public else { return };
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

/// The public listener, bound and announced, if one is wanted.
fn public_server(front: &Front, config: &ServerConfig) -> Result<Option<Server>, ServeError> {
    let Some(listener) = open(&config.bind, BACKLOG)? else { return Ok(None) };
    let front = front.clone();
    let server = HttpServer::new(move || App::new().configure(http::configure(&front)))
        .workers(config.workers)
        .max_connections(config.connections_max)
        .keep_alive(config.keep_alive)
        .tcp_nodelay(true)
        // A client that closes its side has gone: its work is dropped, not finished for nobody.
        .h1_allow_half_closed(false)
        .shutdown_timeout(config.drain.as_secs())
        .disable_signals();
    announce(&format!("listening on {}", web_address(&listener)?));
    let server = match listener {
        Listener::Tcp(listener) => server.listen_auto_h2c(listener)?,
        Listener::Unix(listener) => server.listen_uds(listener)?,
    };
    Ok(Some(server.run()))
}

/// The FastCGI front, bound and announced, if one is wanted.
fn fastcgi_front(front: &Front, config: &ServerConfig) -> Result<Option<FastCgi>, ServeError> {
    let fastcgi = &config.fastcgi;
    let Some(listener) = open(&fastcgi.bind, fastcgi.backlog)? else { return Ok(None) };
    announce(&format!("fastcgi listening on {}", listener.address()?));
    Ok(Some(FastCgi::start(listener, front, config)?))
}

/// The admin listener, if one is wanted.
fn admin_server(admin: &Admin, config: &Config) -> Result<Option<Server>, ServeError> {
    let listener = match open(&config.server.admin, BACKLOG) {
        // Web servers start several of iipsrv with one environment: the first is watched.
        Err(error) if config.run_as == RunAs::Iipsrv => {
            tracing::warn!(%error, "no metrics from this process");
            None
        }
        opened => opened?,
    };
    let Some(listener) = listener else { return Ok(None) };
    let admin = admin.clone();
    let server = HttpServer::new(move || App::new().configure(admin::configure(&admin)))
        .workers(1)
        .shutdown_timeout(1)
        .disable_signals();
    announce(&format!("admin listening on {}", web_address(&listener)?));
    let server = match listener {
        Listener::Tcp(listener) => server.listen(listener)?,
        Listener::Unix(listener) => server.listen_uds(listener)?,
    };
    Ok(Some(server.run()))
}

/// Where lines are to go. iipsrv runs without a log that it cannot write; who takes its place says so.
fn log_sink(config: &LogConfig, run_as: RunAs) -> Result<Sink, ServeError> {
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
fn log_settings(run_as: RunAs, origins: &[Origin]) {
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

fn open(bind: &Bind, backlog: i32) -> Result<Option<Listener>, ServeError> {
    let error = |source| ServeError::Bind { address: bind.to_string(), source };
    Listener::open(bind, backlog).map_err(error)
}

/// The address that a browser takes, or the socket's path.
fn web_address(listener: &Listener) -> io::Result<String> {
    let address = listener.address()?;
    Ok(match listener {
        Listener::Tcp(_) => format!("http://{address}"),
        Listener::Unix(_) => address,
    })
}

/// Leaves no socket behind that nobody listens on.
fn remove_socket(bind: &Bind) {
    let Bind::Unix(path) = bind else { return };
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!(%error, "cannot remove the unix socket");
    }
}

/// One line on standard error, whatever the log's form: scripts wait for it.
pub(crate) fn announce(line: &str) {
    // Nobody listens to a closed standard error, and the server serves all the same.
    let _closed = writeln!(io::stderr(), "{line}");
}

async fn upkeep(service: Service, exporter: Exporter) {
    let mut interval = rt::time::interval(UPKEEP_INTERVAL);
    loop {
        interval.tick().await;
        service.close_idle();
        exporter.run_upkeep();
    }
}

/// The signals that ask the server to stop.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
    user: Signal,
    /// Whoever administers.
    asked: Arc<Notify>,
}

impl StopSignals {
    fn listen(asked: Arc<Notify>) -> io::Result<Self> {
        Ok(Self {
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
            () = self.asked.notified() => "PUT /drain",
        }
    }
}

/// Waits for a signal, then until requests in flight have their answers; a second signal waits for
/// nobody. Connections that are kept alive without a request hold up nothing.
async fn drain_on_signal(
    mut signals: StopSignals,
    started: Started,
    draining: &AtomicBool,
    requests: &RequestCount,
) {
    tracing::info!(signal = signals.next().await, "draining");
    draining.store(true, Ordering::Relaxed);
    tokio::select! {
        () = started.drain(requests) => {}
        name = signals.next() => tracing::info!(signal = name, "asked to stop again"),
    }
    tracing::info!("stopped");
}
