//! What making answers took: stages, queues, refusals, images and their codecs.

use std::sync::LazyLock;
use std::time::Duration;

use metrics::{Counter, Histogram, counter, histogram};

use crate::metrics::labels::{
    ACTORS, CAUSES, CLOSES, CODECS, FORMATS, LANES, OPENS, QUEUES, SHEDS, STAGES, index, known,
};

static STAGE_SECONDS: LazyLock<[Histogram; STAGES.len()]> =
    LazyLock::new(|| STAGES.map(|stage| histogram!("tessera_stage_seconds", "stage" => stage)));
static QUEUE_WAITS: LazyLock<Vec<Histogram>> = LazyLock::new(|| {
    let of = |queue| {
        LANES.map(|lane| histogram!("tessera_queue_wait_seconds", "queue" => queue, "lane" => lane))
    };
    QUEUES.into_iter().flat_map(of).collect()
});
static ENCODES: LazyLock<[Histogram; FORMATS.len()]> = LazyLock::new(|| {
    FORMATS.map(|format| histogram!("tessera_encode_seconds", "format" => format))
});
static DECODES: LazyLock<[(Histogram, Counter); CODECS.len()]> = LazyLock::new(|| {
    CODECS.map(|codec| {
        let seconds = histogram!("tessera_tile_decode_seconds", "codec" => codec);
        (seconds, counter!("tessera_pixels_decoded_total", "codec" => codec))
    })
});
static BYTES_READ: LazyLock<Counter> = LazyLock::new(|| counter!("tessera_bytes_read_total"));

/// Records the time of one stage.
pub fn stage(stage: &str, took: Duration) {
    if let Some(handle) = STAGE_SECONDS.get(index(&STAGES, stage)) {
        handle.record(took);
    }
}

/// Records how long work of a lane waited for its turn.
pub fn queue_wait(queue: &str, lane: &str, took: Duration) {
    let at = index(&QUEUES, queue) * LANES.len() + index(&LANES, lane);
    if let Some(handle) = QUEUE_WAITS.get(at) {
        handle.record(took);
    }
}

/// Records the encoding of one answer.
pub fn encoded(format: &str, took: Duration) {
    stage("encode", took);
    if let Some(handle) = ENCODES.get(index(&FORMATS, format)) {
        handle.record(took);
    }
}

/// Records the decoding of one stored tile.
pub fn decoded(codec: &str, pixels: u64, took: Duration) {
    if let Some((seconds, counter)) = DECODES.get(index(&CODECS, codec)) {
        seconds.record(took);
        counter.increment(pixels);
    }
}

/// Counts bytes read from a source.
pub fn bytes_read(bytes: u64) {
    BYTES_READ.increment(bytes);
}

/// Counts a request refused for want of room.
pub fn shed(lane: &str, reason: &str) {
    let (lane, reason) = (known(&LANES, lane), known(&SHEDS, reason));
    counter!("tessera_shed_total", "lane" => lane, "reason" => reason).increment(1);
}

/// Counts a request that would have been refused.
pub fn would_shed(lane: &str, reason: &str) {
    let (lane, reason) = (known(&LANES, lane), known(&SHEDS, reason));
    counter!("tessera_would_shed_total", "lane" => lane, "reason" => reason).increment(1);
}

/// Counts a restarted or replaced actor.
pub fn restart(actor: &'static str) {
    counter!("tessera_restarts_total", "actor" => actor).increment(1);
}

/// Counts an image that was opened.
pub fn image_opened(codec: &str, opened: &'static str) {
    let codec = known(&CODECS, codec);
    counter!("tessera_image_opens_total", "codec" => codec, "opened" => opened).increment(1);
}

/// Counts images that were closed.
pub fn images_closed(closed: &'static str, images: usize) {
    let images = u64::try_from(images).unwrap_or(0);
    counter!("tessera_image_closes_total", "closed" => closed).increment(images);
}

/// Counts an image or a tile that could not be decoded.
pub fn codec_failure(codec: &str, cause: &'static str) {
    let codec = known(&CODECS, codec);
    counter!("tessera_codec_failures_total", "codec" => codec, "cause" => cause).increment(1);
}

/// Counts a process of a module that is started; modules are those of the configuration.
pub fn module_start(module: &str) {
    counter!("tessera_module_starts_total", "module" => module.to_owned()).increment(1);
}

/// Counts a process of a module that crashed or was ended.
pub fn module_death(module: &str, reason: &'static str) {
    let module = module.to_owned();
    counter!("tessera_module_deaths_total", "module" => module, "reason" => reason).increment(1);
}

/// Counts a job of a module's process, and its time.
pub fn module_job(module: &str, is_done: bool, took: Duration) {
    let outcome = if is_done { "done" } else { "failed" };
    counter!("tessera_module_jobs_total", "module" => module.to_owned(), "outcome" => outcome)
        .increment(1);
    histogram!("tessera_module_seconds", "module" => module.to_owned()).record(took);
}

/// Puts what may never happen at 0, so that the first time is an increase.
pub(super) fn register() {
    LazyLock::force(&STAGE_SECONDS);
    LazyLock::force(&QUEUE_WAITS);
    LazyLock::force(&ENCODES);
    LazyLock::force(&DECODES);
    BYTES_READ.increment(0);
    for (lane, reason) in LANES.into_iter().flat_map(|lane| SHEDS.map(|reason| (lane, reason))) {
        counter!("tessera_shed_total", "lane" => lane, "reason" => reason).increment(0);
        counter!("tessera_would_shed_total", "lane" => lane, "reason" => reason).increment(0);
    }
    for actor in ACTORS {
        counter!("tessera_restarts_total", "actor" => actor).increment(0);
    }
    for codec in CODECS {
        for opened in OPENS {
            counter!("tessera_image_opens_total", "codec" => codec, "opened" => opened)
                .increment(0);
        }
        for cause in CAUSES {
            counter!("tessera_codec_failures_total", "codec" => codec, "cause" => cause)
                .increment(0);
        }
    }
    for closed in CLOSES {
        images_closed(closed, 0);
    }
}

/// Puts the metrics of a module at 0.
pub fn register_module(module: &str) {
    let module = module.to_owned();
    counter!("tessera_module_starts_total", "module" => module.clone()).increment(0);
    for reason in ["start", "ended", "timeout", "protocol", "idle"] {
        counter!("tessera_module_deaths_total", "module" => module.clone(), "reason" => reason)
            .increment(0);
    }
    for outcome in ["done", "failed"] {
        counter!("tessera_module_jobs_total", "module" => module.clone(), "outcome" => outcome)
            .increment(0);
    }
}
