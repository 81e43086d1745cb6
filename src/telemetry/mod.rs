//! Log lines: events on standard error, exactly one access line a request on standard output; or both
//! to a file or syslog. And traces, to a collector.

mod access;
mod sink;
mod syslog;
pub mod traces;

use std::io::{self, IsTerminal as _};
use std::sync::OnceLock;

use tracing_subscriber::EnvFilter;

pub use access::{Access, AccessLog};
pub use sink::{Sink, Target};

/// Changes the least level of events, once they are started.
static SET_LEVEL: OnceLock<Box<dyn Fn(EnvFilter) + Send + Sync>> = OnceLock::new();

/// Starts event logging.
pub fn start_events(json: bool, level: &str, sink: Sink) {
    let ansi = sink.is_standard() && io::stderr().is_terminal();
    // A closed standard error must not end the task that had something to say.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(level))
        .with_ansi(ansi)
        .with_writer(sink)
        .log_internal_errors(false);
    // A second start (tests in one process) keeps the first.
    if json {
        let builder = builder.json().with_filter_reloading();
        let handle = builder.reload_handle();
        let _first_wins = SET_LEVEL.set(Box::new(move |filter| keep(handle.reload(filter))));
        let _first_wins = builder.try_init();
    } else {
        let builder = builder.with_target(false).with_filter_reloading();
        let handle = builder.reload_handle();
        let _first_wins = SET_LEVEL.set(Box::new(move |filter| keep(handle.reload(filter))));
        let _first_wins = builder.try_init();
    }
}

/// Has events from this level on written from now on.
pub fn set_level(level: &str) {
    if let Some(set) = SET_LEVEL.get() {
        set(filter(level));
    }
}

fn filter(level: &str) -> EnvFilter {
    // What a client's broken request makes the HTTP library say is that client's fault, not an event.
    match level {
        "off" => EnvFilter::new("off"),
        level => EnvFilter::new(format!("{level},actix_server=warn,actix_http=off,h2=off")),
    }
}

/// Where the filter is gone, so is whoever would write.
fn keep<E>(_result: Result<(), E>) {}
