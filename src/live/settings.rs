//! A configuration in the words of those who go by it.

use std::borrow::Cow;

use crate::actors::by_lane::ByLane;
use crate::actors::marks::{self, MarkError};
use crate::actors::policy::Policy;
use crate::config::Config;
use crate::front::manners::Manners;
use crate::plan::{PassThrough, Rules};
use crate::protocols::{DeepZoomSettings, IiifVersion, Settings};
use crate::telemetry::traces::{Collector, TraceSettings};

/// What answers are made by.
///
/// # Errors
/// A watermark that cannot be read.
pub fn policy(config: &Config) -> Result<Policy, MarkError> {
    let deadlines = ByLane { cheap: config.pool.deadline, dear: config.pool.dear_deadline };
    Ok(Policy { rules: rules(config)?, deadlines })
}

/// How fronts speak.
pub fn manners(config: &Config) -> Manners {
    Manners {
        settings: settings(config),
        cors: cors(&config.protocol.cors),
        trusted_proxies: config.server.trusted_proxies.clone(),
    }
}

/// What is recorded of requests, and for whom.
pub fn traces(config: &Config) -> TraceSettings {
    let tracing = &config.tracing;
    let collector = tracing.endpoint.clone();
    TraceSettings {
        collector: collector.map(|to| Collector { address: to.address, path: to.path }),
        service: tracing.service_name.clone(),
        sample_ratio: tracing.sample_ratio,
        parents_per_s_max: tracing.parents_per_s_max,
        timeout: tracing.timeout,
    }
}

/// The usual origin costs nothing to copy.
fn cors(origin: &str) -> Cow<'static, str> {
    if origin == "*" { Cow::Borrowed("*") } else { Cow::Owned(origin.to_owned()) }
}

fn rules(config: &Config) -> Result<Rules, MarkError> {
    let bytes_max = Some(config.render.pass_through_bytes_max).filter(|bytes| *bytes != 0);
    Ok(Rules {
        watermarks: marks::load(&config.watermark)?,
        limits: config.render.limits.clone(),
        jpeg_quality: config.render.jpeg_quality,
        png_level: config.render.png_level,
        webp_quality: config.render.webp_quality,
        avif_quality: config.output.avif_quality,
        jpeg_subsampling: config.output.jpeg_subsampling,
        jpeg_trellis: config.output.jpeg_trellis,
        tiff_compression: config.output.tiff_compression,
        tiff_quality: config.output.tiff_quality,
        pass_through: if config.render.pass_through {
            PassThrough::On { bytes_max }
        } else {
            PassThrough::Off
        },
        filter: config.render.filter,
        background: config.render.background,
        dither: config.render.dither,
        colour: config.images.colour,
        icc_bytes_max: config.render.icc_bytes_max,
    })
}

fn settings(config: &Config) -> Settings {
    let protocol = &config.protocol;
    let set = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    Settings {
        limits: config.render.limits.clone(),
        iiif_version: match protocol.iiif_version {
            1 => IiifVersion::V1,
            2 => IiifVersion::V2,
            _ => IiifVersion::V3,
        },
        iiif_upscale_unmarked: protocol.upscale_unmarked,
        cache_control: protocol.cache_control.clone(),
        base_url: set(&protocol.base_url),
        iiif_query_base_url: set(&protocol.query_base_url),
        uri_bytes_max: config.server.uri_bytes_max,
        allow_bare_slash: protocol.allow_bare_slash,
        negotiate: config.output.negotiate,
        deep_zoom: DeepZoomSettings { cut: config.deepzoom.cut, format: config.deepzoom.format },
        delimiter: set(&protocol.delimiter),
        extensions: protocol.iiif_extensions,
        extra_info: protocol.iiif_extra_info.clone(),
        uri_map: protocol.uri_map.clone(),
        canvases_max: protocol.canvases_max,
        preferred_formats: protocol.iiif_preferred_formats.clone(),
    }
}
