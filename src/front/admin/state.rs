//! What is in force and what goes on, as JSON.

use std::time::Instant;

use serde_json::{Value, json};

use crate::config::Origin;
use crate::config::reload::is_reloaded;
use crate::front::admin::Admin;
use crate::front::rankings::Ranked;
use crate::plan::Lane;

/// Open images that are listed.
const OPEN_SHOWN_MAX: usize = 1000;

/// Each setting: its value, where that came from, and whether a change takes a restart.
pub(super) fn settings(origins: &[Origin]) -> Value {
    let setting = |origin: &Origin| {
        json!({
            "name": origin.name,
            "value": origin.shown(),
            "origin": origin.origin,
            "reloaded": is_reloaded(origin.name),
        })
    };
    origins.iter().map(setting).collect()
}

/// Images: those that are open, those that are asked for most or take most time, those that fail.
pub(super) fn images(admin: &Admin) -> Value {
    let now = Instant::now();
    let open: Vec<Value> = admin
        .service
        .open_images(OPEN_SHOWN_MAX)
        .into_iter()
        .map(|image| {
            let info = image.info();
            json!({
                "image": image.id().as_str(),
                "container": info.container,
                "size": [info.size.width(), info.size.height()],
                "unused_s": image.unused().as_secs(),
            })
        })
        .collect();
    let troubles = admin.troubles.recent(now).into_iter().map(|trouble| {
        json!({
            "image": trouble.image,
            "reason": trouble.reason,
            "failures": trouble.failures,
            "last_s": now.saturating_duration_since(trouble.last).as_secs(),
        })
    });
    let [hottest, slowest] = admin.rankings.first();
    json!({
        "open": open,
        "hottest": hottest.iter().map(|ranked| ranking(ranked, "requests")).collect::<Vec<_>>(),
        "slowest": slowest.iter().map(|ranked| ranking(ranked, "total_us")).collect::<Vec<_>>(),
        "in_trouble": troubles.collect::<Vec<_>>(),
    })
}

fn ranking(ranked: &Ranked, weight: &str) -> Value {
    json!({
        "image": ranked.image,
        weight: ranked.weight,
        "at_most_too_many": ranked.surplus,
        "slowest_us": ranked.slowest_us,
    })
}

/// Caches, queues and what waits.
pub(super) fn shards(admin: &Admin) -> Value {
    let state = admin.service.state();
    let shards: Vec<Value> = state
        .shards
        .iter()
        .map(|shard| {
            json!({ "answers": shard.answers, "bytes": shard.bytes, "in_flight": shard.in_flight })
        })
        .collect();
    let pools: Vec<Value> = state
        .pools
        .iter()
        .map(|(name, jobs)| json!({ "pool": name, "cheap": jobs.cheap, "dear": jobs.dear }))
        .collect();
    let lane = |lane| {
        json!({
            "bytes_in_decode": state.bytes_in_decode.of(lane),
            "waiting": state.waiting.of(lane),
        })
    };
    json!({
        "requests": admin.requests.count(),
        "images_open": state.images_open,
        "shards": shards,
        "decoded_tiles": { "tiles": state.decoded_tiles, "bytes": state.decoded_bytes },
        "pools": pools,
        "lanes": { "cheap": lane(Lane::Cheap), "dear": lane(Lane::Dear) },
        "bytes_in_decode_max": state.bytes_in_decode_max,
    })
}
