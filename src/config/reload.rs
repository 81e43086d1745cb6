//! Which settings take effect while the server runs, and what changed between two configurations.

use crate::config::Origin;

/// Settings, or whole sections with a dot behind, that a reload puts in force.
const RELOADED: &[&str] = &[
    "render.",
    "watermark.",
    "protocol.",
    "deepzoom.",
    "output.avif_quality",
    "output.tiff_compression",
    "output.tiff_quality",
    "output.jpeg_subsampling",
    "output.jpeg_trellis",
    "output.negotiate",
    "images.color",
    "images.open_max",
    "images.idle_s",
    "images.recheck_ms",
    "pool.deadline_ms",
    "pool.dear_deadline_ms",
    "pool.waiting_max",
    "pool.bytes_in_decode_max",
    "pool.shadow",
    "server.trusted_proxies",
    "server.uri_bytes_max",
    "log.level",
    "tracing.otlp_endpoint",
    "tracing.service_name",
    "tracing.sample_ratio",
    "tracing.parents_per_s_max",
    "tracing.timeout_ms",
];

/// Whether a reload puts a setting in force; all others wait for a restart.
pub fn is_reloaded(name: &str) -> bool {
    RELOADED.iter().any(|known| match known.strip_suffix('.') {
        Some(section) => name.split_once('.').is_some_and(|(of, _)| of == section),
        None => *known == name,
    })
}

/// What is different, as `name: old -> new`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// What is in force now.
    pub taken: Vec<String>,
    /// What waits for a restart.
    pub waiting: Vec<String>,
}

impl Changes {
    /// From one configuration to the next. What is listed as a secret is named without its value.
    pub fn between(old: &[Origin], new: &[Origin]) -> Self {
        let mut changes = Self::default();
        let value = |origins: &[Origin], name: &str| {
            let found = origins.iter().find(|origin| origin.name == name);
            found.map_or_else(|| "none".to_owned(), Origin::shown)
        };
        let raw = |origins: &[Origin], name: &str| {
            origins.iter().find(|origin| origin.name == name).map(|origin| origin.value.clone())
        };
        let gone = old.iter().filter(|origin| raw(new, origin.name).is_none());
        for name in new.iter().chain(gone).map(|origin| origin.name) {
            if raw(old, name) == raw(new, name) {
                continue;
            }
            let change = format!("{name}: {} -> {}", value(old, name), value(new, name));
            let list = if is_reloaded(name) { &mut changes.taken } else { &mut changes.waiting };
            list.push(change);
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys::KEYS;

    #[test]
    fn every_entry_is_a_setting_or_a_section() {
        for known in RELOADED {
            let is_known = KEYS.iter().any(|key| key.name == *known || key.name.starts_with(known));
            assert!(is_known, "{known}");
        }
        assert!(is_reloaded("render.jpeg_quality") && !is_reloaded("server.bind"));
        assert!(!is_reloaded("rendered.jpeg_quality"));
    }

    #[test]
    fn changes_are_told_apart_by_what_they_need() {
        let origin = |name, value: &str| Origin {
            name,
            value: value.to_owned(),
            origin: "a file".to_owned(),
        };
        let old =
            [origin("render.jpeg_quality", "75"), origin("server.bind", "a"), origin("x.y", "1")];
        let new =
            [origin("render.jpeg_quality", "90"), origin("server.bind", "b"), origin("x.y", "1")];
        let changes = Changes::between(&old, &new);
        assert_eq!(changes.taken, ["render.jpeg_quality: 75 -> 90"]);
        assert_eq!(changes.waiting, ["server.bind: a -> b"]);
    }
}
