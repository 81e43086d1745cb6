//! Who started us and wants to hear from us: systemd's variables, which are no settings.

use std::ffi::OsString;
use std::process;
use std::time::Duration;

use crate::config::Layers;

/// Set by a process for the one that takes its listening sockets over, from a channel on descriptor 0.
pub const TAKES_OVER: &str = "TAKE_LISTENERS_OVER_FROM";

/// Names of listening sockets.
const SOCKETS: [&str; 3] = ["http", "fastcgi", "admin"];

/// Sockets that systemd may hand over: more than we have listeners are a mistake.
const ACTIVATED_MAX: usize = 16;

/// Where and how often the supervisor is told that we live.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SupervisorConfig {
    /// The socket that it listens on (`NOTIFY_SOCKET`); empty: nobody listens.
    pub socket: OsString,
    /// Within which time it wants to hear from us again (`WATCHDOG_USEC`); nothing: it does not.
    pub watchdog: Option<Duration>,
    /// Names of the sockets that it opened for us (`LISTEN_FDS`, `LISTEN_FDNAMES`), in order.
    pub activated: Vec<String>,
    /// Whether an older process hands its sockets over.
    pub takes_over: bool,
}

impl SupervisorConfig {
    /// What the environment says.
    pub(super) fn of(layers: &Layers) -> Self {
        let value = |name: &str| layers.environment.iter().find(|(known, _)| known == name);
        let watchdog = value("WATCHDOG_USEC").and_then(|(_, text)| text.parse().ok());
        Self {
            socket: value("NOTIFY_SOCKET").map(|(_, name)| name.into()).unwrap_or_default(),
            watchdog: watchdog.filter(|us| *us != 0).map(Duration::from_micros),
            activated: activated(layers, process::id()),
            takes_over: value(TAKES_OVER).is_some(),
        }
    }
}

/// What each of the sockets that were opened for `process` is for: as its name says, or HTTP's where it is
/// the only one.
fn activated(layers: &Layers, process: u32) -> Vec<String> {
    let value = |name: &str| {
        let mut all = layers.environment.iter();
        all.find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    };
    if value("LISTEN_PID") != process.to_string() {
        return Vec::new();
    }
    let count = value("LISTEN_FDS").parse().unwrap_or(0_usize).min(ACTIVATED_MAX);
    let mut names: Vec<String> = value("LISTEN_FDNAMES").split(':').map(str::to_owned).collect();
    names.resize(count, String::new());
    match names.as_mut_slice() {
        [only] if !SOCKETS.contains(&only.as_str()) => "http".clone_into(only),
        _ => {}
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(environment: &[(&str, &str)]) -> Vec<String> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let environment = environment.iter().map(owned).collect();
        activated(&Layers { environment, ..Layers::default() }, 7)
    }

    #[test]
    fn sockets_are_ours_where_they_were_opened_for_this_process() {
        let of = |pid, count, known| {
            names(&[("LISTEN_PID", pid), ("LISTEN_FDS", count), ("LISTEN_FDNAMES", known)])
        };
        assert_eq!(of("7", "2", "admin:http"), ["admin", "http"]);
        assert_eq!(of("7", "1", "tessera.socket"), ["http"]);
        assert_eq!(of("7", "1", "fastcgi"), ["fastcgi"]);
        assert_eq!(of("7", "2", "http"), ["http", ""]);
        assert_eq!(of("8", "1", "http"), Vec::<String>::new());
        assert_eq!(of("7", "99999999", "").len(), ACTIVATED_MAX);
        assert_eq!(names(&[("LISTEN_FDS", "1")]), Vec::<String>::new());
    }
}
