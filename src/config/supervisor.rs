//! Who started us and wants to hear from us: systemd's variables, which are no settings.

use std::ffi::OsString;
use std::time::Duration;

use crate::config::Layers;

/// Where and how often the supervisor is told that we live.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SupervisorConfig {
    /// The socket that it listens on (`NOTIFY_SOCKET`); empty: nobody listens.
    pub socket: OsString,
    /// Within which time it wants to hear from us again (`WATCHDOG_USEC`); nothing: it does not.
    pub watchdog: Option<Duration>,
}

impl SupervisorConfig {
    /// What the environment says.
    pub(super) fn of(layers: &Layers) -> Self {
        let value = |name: &str| layers.environment.iter().find(|(known, _)| known == name);
        let watchdog = value("WATCHDOG_USEC").and_then(|(_, text)| text.parse().ok());
        Self {
            socket: value("NOTIFY_SOCKET").map(|(_, name)| name.into()).unwrap_or_default(),
            watchdog: watchdog.filter(|us| *us != 0).map(Duration::from_micros),
        }
    }
}
