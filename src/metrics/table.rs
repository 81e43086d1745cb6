//! Every metric: name, kind, labels, help. `docs/metrics.md` is made from this table.

/// Name, kind, labels and help of each metric, in the order of `docs/metrics.md`.
pub const METRICS: &[(&str, &str, &str, &str)] = &[
    ("tessera_build_info", "gauge", "version", "1, with what runs here"),
    ("tessera_requests_total", "counter", "protocol, class, format, outcome", "requests answered"),
    ("tessera_requests_in_flight", "gauge", "", "requests being answered or sent"),
    (
        "tessera_request_seconds",
        "histogram",
        "protocol, class",
        "from the first byte read to the answer handed to the socket",
    ),
    (
        "tessera_faults_total",
        "counter",
        "protocol, kind",
        "requests that ended without an answer, by who is to blame",
    ),
    ("tessera_bytes_sent_total", "counter", "", "bytes of bodies sent"),
    ("tessera_pixels_served_total", "counter", "", "pixels of pictures answered"),
    (
        "tessera_stage_seconds",
        "histogram",
        "stage",
        "time of one stage: lookup, open, read, decode, process, watermark, encode, send",
    ),
    ("tessera_encode_seconds", "histogram", "format", "time of encoding one answer"),
    (
        "tessera_queue_wait_seconds",
        "histogram",
        "lane, queue",
        "time until a turn came: for room in memory, or a pool's thread",
    ),
    ("tessera_shed_total", "counter", "lane, reason", "requests refused for want of room"),
    (
        "tessera_would_shed_total",
        "counter",
        "lane, reason",
        "requests that would have been refused, but for `pool.shadow`",
    ),
    ("tessera_bytes_in_decode", "gauge", "lane", "bytes of pixels admitted and at work"),
    ("tessera_bytes_in_decode_max", "gauge", "", "bytes of pixels that may be at work"),
    ("tessera_admission_waiting", "gauge", "lane", "requests that wait for room in memory"),
    ("tessera_pool_depth", "gauge", "pool, lane", "jobs waiting or at work"),
    ("tessera_pool_jobs_max", "gauge", "", "jobs of a lane that may wait in a pool"),
    ("tessera_mailbox_depth", "gauge", "actor", "messages sent to actors and not yet taken up"),
    ("tessera_restarts_total", "counter", "actor", "actors replaced or restarted after a failure"),
    ("tessera_cache_lookups_total", "counter", "shard, found", "looks for an answer kept"),
    (
        "tessera_cache_coalesced_total",
        "counter",
        "",
        "requests that waited for an answer already being made",
    ),
    ("tessera_purges_total", "counter", "purged", "purges, by where they were asked for"),
    ("tessera_cache_evictions_total", "counter", "shard", "answers evicted for room"),
    ("tessera_cache_evicted_age_seconds", "histogram", "", "age of answers when they were evicted"),
    ("tessera_cache_bytes", "gauge", "shard", "bytes of answers kept"),
    ("tessera_cache_bytes_max", "gauge", "", "bytes of answers that may be kept in all shards"),
    ("tessera_cache_entries", "gauge", "shard", "answers kept"),
    ("tessera_cache_in_flight", "gauge", "shard", "answers being made"),
    (
        "tessera_memcached_asked_total",
        "counter",
        "outcome",
        "looks for an answer in memcached: hit, waited (another instance made it meanwhile), miss, tired (of waiting) or failed",
    ),
    ("tessera_memcached_seconds", "histogram", "", "time of one look for an answer in memcached"),
    ("tessera_memcached_stored_total", "counter", "", "answers that memcached took"),
    (
        "tessera_memcached_errors_total",
        "counter",
        "reason",
        "commands that a memcached server did not carry out, or answered with what is no answer",
    ),
    ("tessera_memcached_dropped_total", "counter", "reason", "answers not sent to memcached"),
    ("tessera_memcached_left_alone", "gauge", "server", "1 while a memcached server is not asked"),
    ("tessera_decoded_lookups_total", "counter", "found", "looks for a decoded tile kept"),
    ("tessera_decoded_evictions_total", "counter", "", "decoded tiles evicted for room"),
    ("tessera_decoded_bytes", "gauge", "", "bytes of decoded tiles kept"),
    ("tessera_decoded_bytes_max", "gauge", "", "bytes of decoded tiles that may be kept"),
    ("tessera_decoded_entries", "gauge", "", "decoded tiles kept"),
    ("tessera_images_open", "gauge", "", "images kept open"),
    ("tessera_images_open_max", "gauge", "", "images that may be kept open"),
    (
        "tessera_image_opens_total",
        "counter",
        "codec, opened",
        "images opened: because they were not, or because the file changed",
    ),
    ("tessera_image_closes_total", "counter", "closed", "images closed"),
    ("tessera_bytes_read_total", "counter", "", "bytes read from image sources"),
    ("tessera_pixels_decoded_total", "counter", "codec", "pixels decoded"),
    ("tessera_tile_decode_seconds", "histogram", "codec", "time of decoding one stored tile"),
    (
        "tessera_codec_failures_total",
        "counter",
        "codec, cause",
        "images and tiles that could not be decoded",
    ),
    ("tessera_images_in_trouble", "gauge", "", "images that failed in the last hour, up to 256"),
    ("tessera_module_processes", "gauge", "module", "processes of a module"),
    ("tessera_module_starts_total", "counter", "module", "processes of a module that were started"),
    (
        "tessera_module_deaths_total",
        "counter",
        "module, reason",
        "processes of a module that crashed or were ended for what they did",
    ),
    (
        "tessera_module_jobs_total",
        "counter",
        "module, outcome",
        "jobs that a module's processes had",
    ),
    ("tessera_module_seconds", "histogram", "module", "time of one job of a module's process"),
    (
        "tessera_memory_bytes",
        "gauge",
        "owner",
        "resident memory, by what it is for; an answer that is kept and being sent counts in both",
    ),
    (
        "tessera_config_reloads_total",
        "counter",
        "taken",
        "configurations read again: true or false",
    ),
    ("tessera_log_lines_dropped_total", "counter", "", "lines of the log that nobody could take"),
    ("tessera_traces_sent_total", "counter", "", "traces of requests that the collector took"),
    (
        "tessera_traces_lost_total",
        "counter",
        "lost",
        "traces of requests that found no room in the queue, or no collector that took them",
    ),
    ("process_cpu_seconds_total", "counter", "", "processor time of this process"),
    ("process_resident_memory_bytes", "gauge", "", "memory of this process"),
    ("process_virtual_memory_bytes", "gauge", "", "address space of this process"),
    ("process_threads", "gauge", "", "threads of this process"),
    ("process_open_fds", "gauge", "", "file descriptors open"),
    ("process_max_fds", "gauge", "", "file descriptors that may be open"),
    ("process_start_time_seconds", "gauge", "", "start of this process, in seconds since 1970"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_named_for_its_kind_and_described() {
        for (name, kind, _, help) in METRICS {
            assert!(["tessera_", "process_"].iter().any(|of| name.starts_with(of)), "{name}");
            assert_eq!(name.ends_with("_total"), *kind == "counter", "{name}");
            assert!(*kind != "histogram" || name.ends_with("_seconds"), "{name}");
            assert!(!help.is_empty(), "{name}");
        }
    }
}
