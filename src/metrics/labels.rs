//! The values that labels have. What is not listed counts as the first, so that no client and no file can
//! make new series.

/// Protocols.
pub(super) const PROTOCOLS: [&str; 9] =
    ["other", "iip", "iiif1", "iiif2", "iiif3", "presentation", "deepzoom", "zoomify", "viewer"];
/// Request classes.
pub(super) const CLASSES: [&str; 6] = ["other", "info", "tile", "thumbnail", "region", "full"];
/// Formats of answers.
pub(super) const FORMATS: [&str; 10] =
    ["none", "jpg", "png", "webp", "avif", "jxl", "tif", "gif", "pdf", "text"];
/// What the cache did, or why there was no answer.
pub(super) const OUTCOMES: [&str; 8] =
    ["none", "hit", "miss", "coalesced", "memcached", "passed", "not_modified", "fault"];
/// Who is to blame, as `docs/errors.md` has it.
pub(super) const FAULTS: [&str; 11] = [
    "other",
    "bad_request",
    "not_found",
    "method",
    "too_large",
    "uri_too_long",
    "format",
    "image",
    "not_implemented",
    "busy",
    "bug",
];
/// Stages of an answer's making.
pub(super) const STAGES: [&str; 9] =
    ["other", "lookup", "open", "read", "decode", "process", "watermark", "encode", "send"];
/// Lanes; the first is for what is not in any yet.
pub(super) const LANES: [&str; 3] = ["none", "cheap", "dear"];
/// What is waited for: room in memory, or a pool's thread.
pub(super) const QUEUES: [&str; 7] =
    ["other", "room", "check", "decode", "watermark", "encode", "module"];
/// What was full when a request was refused.
pub(super) const SHEDS: [&str; 9] = [
    "other",
    "requests",
    "pool_full",
    "deadline",
    "image_jobs",
    "shard_jobs",
    "too_large",
    "admission_waiters",
    "admission_deadline",
];
/// Actors.
pub(super) const ACTORS: [&str; 2] = ["decoder", "cache_shard"];
/// Containers of images.
pub(super) const CODECS: [&str; 10] = [
    "other",
    "TIFF",
    "BigTIFF",
    "JPEG 2000",
    "JPEG 2000 codestream",
    "JPEG",
    "PNG",
    "WebP",
    "GIF",
    "BMP",
];
/// Why an image or a tile could not be decoded.
pub(super) const CAUSES: [&str; 7] =
    ["malformed", "unsupported", "absent", "over_limit", "process", "unready", "io"];
/// Why an image was opened: it was not open, or its file changed.
pub(super) const OPENS: [&str; 2] = ["first", "changed"];
/// Why an image was closed.
pub(super) const CLOSES: [&str; 3] = ["idle", "bound", "purge"];
/// Who holds memory: encoded answers, decoded tiles, code-blocks of JPEG 2000, pixels in work, answers that
/// clients are taking, and all the rest.
pub(super) const OWNERS: [&str; 6] =
    ["cache", "decoded", "code_blocks", "in_decode", "sending", "other"];
/// Who asked for a purge: whoever administers this instance, or another's.
pub(super) const PURGES: [&str; 2] = ["here", "elsewhere"];
/// Why a trace was lost: no room in the queue, or what its collector did.
pub(super) const LOST: [&str; 4] = ["queue", "unreachable", "timeout", "refused"];
/// Whether a look into a cache found what it looked for.
pub(super) const FOUND: [&str; 2] = ["miss", "hit"];

/// Labels whose values are fixed here, in the order of `docs/metrics.md`.
pub const LABELS: &[(&str, &[&str])] = &[
    ("protocol", &PROTOCOLS),
    ("class", &CLASSES),
    ("format", &FORMATS),
    ("outcome", &OUTCOMES),
    ("kind", &FAULTS),
    ("stage", &STAGES),
    ("lane", &LANES),
    ("queue", &QUEUES),
    ("reason", &SHEDS),
    ("actor", &ACTORS),
    ("codec", &CODECS),
    ("cause", &CAUSES),
    ("opened", &OPENS),
    ("closed", &CLOSES),
    ("owner", &OWNERS),
    ("found", &FOUND),
    ("lost", &LOST),
    ("purged", &PURGES),
];

/// Where a label stands in its list.
pub(super) fn index(labels: &[&'static str], label: &str) -> usize {
    labels.iter().position(|known| *known == label).unwrap_or(0)
}

/// The label at a place of its list.
pub(super) fn label(labels: &[&'static str], index: usize) -> &'static str {
    labels.get(index).copied().unwrap_or("other")
}

/// The label as it is listed.
pub(super) fn known(labels: &[&'static str], name: &str) -> &'static str {
    label(labels, index(labels, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_are_not_listed_become_the_first() {
        assert_eq!(label(&PROTOCOLS, index(&PROTOCOLS, "iiif3")), "iiif3");
        assert_eq!(label(&PROTOCOLS, index(&PROTOCOLS, "<script>")), "other");
    }
}
