//! The real binary against a real socket: what a client, an operator and a stranger see.
#![expect(unreachable_pub, reason = "the harness is for the modules of this one binary")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "tests fail by panicking"
)]

mod admin;
mod alerts;
mod cache;
mod chaos;
mod clients;
mod cluster;
mod collector;
mod dzsave;
mod fastcgi;
mod fastcgi_client;
mod fastcgi_fronts;
mod flat;
mod formats;
mod full_log;
mod grafana;
mod harness;
mod hostile;
mod http;
mod iiif;
mod inspect;
mod installed;
mod isolated;
mod layers;
mod lifecycle;
mod linted;
mod memcached;
mod memcached_server;
mod metadata;
mod metrics;
mod migration;
mod modules;
mod overload;
mod packaged;
mod pictures;
mod profiles;
mod purge;
mod reload;
mod replaced;
mod slices;
mod slow;
mod slow_disk;
mod soak;
mod supervised;
mod throwaway_root;
mod tls;
mod tracing;
mod upgrade;
mod vectors;
mod watermark;
mod web_servers;
