//! iipsrv's settings: what its texts mean here, what of them means nothing here, and what holds where this
//! program was started in its place. Numbers outside of a range are held to it, as iipsrv does; what is
//! no number stays as it is, to be refused as ours would be.

use crate::config::Layers;
use crate::config::keys::{KEYS, SIDE_PX_MAX, TTL_S_MAX};
use crate::config::load::distance;
use crate::model::TiffCompression;

/// Turns the text of an iipsrv variable into the text of ours.
pub type Translate = fn(&str) -> String;

/// Names that iipsrv's documents have, and the one that its code reads.
pub(super) const ALIASES: [(&str, &str); 1] =
    [("MAX_IMAGE_METADATA_CACHE_SIZE", "MAX_METADATA_CACHE_SIZE")];

/// iipsrv's names that set nothing here, and why.
const MEANINGLESS: [(&str, &str); 4] = [
    ("AVIF_CODEC", "there is one encoder of AVIF"),
    ("EMBED_ICC", "iipsrv has dropped it; MAX_ICC=0 leaves profiles out"),
    ("KAKADU_READMODE", "JPEG 2000 is not decoded by Kakadu"),
    ("OMP_NUM_THREADS", "one process uses all cores; see pool.decode_threads"),
];

/// What the process was started as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunAs {
    /// `tessera`.
    #[default]
    Tessera,
    /// `iipsrv` or `iipsrv.fcgi`: it takes that one's place, with its environment, and nobody reads what it
    /// says.
    Iipsrv,
}

impl RunAs {
    /// Settings that differ from the keys' own defaults.
    pub(super) const fn defaults(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Tessera => &[],
            Self::Iipsrv => &[
                ("server.bind", "none"),
                ("server.admin", "none"),
                ("server.fastcgi", "-"),
                ("protocol.cors", ""),
                ("log.access", "off"),
            ],
        }
    }
}

/// What an operator should know of the environment: names that look like one of iipsrv's and are none,
/// and names of iipsrv's that set nothing here.
pub fn warnings(layers: &Layers) -> Vec<String> {
    let known: Vec<&str> =
        KEYS.iter().filter_map(|key| key.iipsrv.as_ref().map(|(name, _)| *name)).collect();
    let is_known =
        |name: &str| known.contains(&name) || ALIASES.iter().any(|(alias, _)| *alias == name);
    let names = layers.environment.iter().map(|(name, _)| name.as_str());
    let of = |name: &str| {
        if let Some((_, why)) = MEANINGLESS.iter().find(|(known, _)| *known == name) {
            return Some(format!("{name} sets nothing: {why}"));
        }
        let nearest = known.iter().find(|known| distance(name, known) <= 2)?;
        Some(format!("{name} is not read; did you mean {nearest}?"))
    };
    names.filter(|name| !is_known(name)).filter_map(of).collect()
}

/// iipsrv's text is ours.
pub(super) fn same(text: &str) -> String {
    text.to_owned()
}

/// A whole number, held to a range.
pub(super) fn clamped<const LEAST: i64, const MOST: i64>(text: &str) -> String {
    of_number(text, |number| number.clamp(LEAST, MOST).to_string())
}

/// Any number but 0 is yes; our words are taken too.
pub(super) fn yes_or_no(text: &str) -> String {
    of_number(text, |number| (number != 0).to_string())
}

fn of_number(text: &str, meaning: impl Fn(i64) -> String) -> String {
    text.trim().parse().map_or_else(|_| text.to_owned(), meaning)
}

/// `FILESYSTEM_PREFIX` up to its last slash: the folder.
pub(super) fn prefix_folder(text: &str) -> String {
    match text.rsplit_once('/') {
        // Set to nothing is not set: nobody means to serve whatever folder he stands in.
        None if text.is_empty() => String::new(),
        Some(("", _)) => "/".to_owned(),
        Some((folder, _)) => folder.to_owned(),
        None => ".".to_owned(),
    }
}

/// `FILESYSTEM_PREFIX` behind its last slash: what stands before each name.
pub(super) fn prefix_stem(text: &str) -> String {
    text.rsplit_once('/').map_or(text, |(_, stem)| stem).to_owned()
}

/// `MAX_CVT`: -1 is no bound, 0 the default, less than -1 one pixel.
pub(super) fn side_px(text: &str) -> String {
    of_number(text, |side_px| match side_px {
        -1 => SIDE_PX_MAX.to_string(),
        0 => "5000".to_owned(),
        other => other.clamp(1, SIDE_PX_MAX.into()).to_string(),
    })
}

/// `MAX_IMAGE_CACHE_SIZE`: megabytes of 1,024,000 bytes, decimals allowed.
pub(super) fn cache_megabytes(text: &str) -> String {
    match text.trim().parse::<f64>() {
        Ok(megabytes) if (0.0..=1e9).contains(&megabytes) => {
            format!("{:.0}", megabytes * 1_024_000.0)
        }
        _ => text.to_owned(),
    }
}

/// `INTERPOLATION`: 0 is the nearest pixel, any other number bilinear; our words are taken too.
pub(super) fn interpolation(text: &str) -> String {
    of_number(text, |number| if number == 0 { "nearest" } else { "bilinear" }.to_owned())
}

/// `MAX_ICC`: -1 is no bound.
pub(super) fn icc_bytes(text: &str) -> String {
    match text.trim() {
        "-1" => "4MiB".to_owned(),
        other => other.to_owned(),
    }
}

/// `WATERMARK_PROBABILITY`, `WATERMARK_OPACITY`: held to 0..1.
pub(super) fn clamped_share(text: &str) -> String {
    match text.trim().parse::<f64>() {
        Ok(share) => share.clamp(0.0, 1.0).to_string(),
        Err(_) => text.to_owned(),
    }
}

/// `TIFF_COMPRESSION`: a number; what is none of them is no compression. 5 is Zstandard, as iipsrv's
/// documents say and its code does not.
pub(super) fn compression_word(text: &str) -> String {
    of_number(text, |number| {
        let known = usize::try_from(number).ok().and_then(|at| TiffCompression::ALL.get(at));
        known.unwrap_or(&TiffCompression::None).word().to_owned()
    })
}

/// `MAX_METADATA_CACHE_SIZE`: -1 is no bound, 0 was never a working value.
pub(super) fn open_max(text: &str) -> String {
    of_number(text, |count| match count {
        -1 => "1000000".to_owned(),
        other => other.clamp(1, 1_000_000).to_string(),
    })
}

/// `IIIF_VERSION`: what is no version is the newest.
pub(super) fn iiif_version(text: &str) -> String {
    of_number(text, |version| if (1..=3).contains(&version) { version } else { 3 }.to_string())
}

/// `MEMCACHED_TIMEOUT`: memcached takes more than thirty days for a date.
pub(super) fn memcached_ttl(text: &str) -> String {
    of_number(text, |seconds| seconds.clamp(0, TTL_S_MAX.into()).to_string())
}

/// `VERBOSITY`: nothing below 1, each request from 2 on, each step from 3 on.
pub(super) fn log_level(text: &str) -> String {
    of_number(text, |verbosity| {
        match verbosity {
            ..=0 => "off",
            1 | 2 => "info",
            3.. => "debug",
        }
        .to_owned()
    })
}

/// `VERBOSITY`: each request from 2 on.
pub(super) fn log_access(text: &str) -> String {
    of_number(text, |verbosity| if verbosity < 2 { "off" } else { "on" }.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    /// Each of iipsrv's variables, a text of it, our key, and what that is then set to.
    const CASES: [(&str, &str, &str, &str); 69] = [
        ("VERBOSITY", "0", "log.level", "off"),
        ("VERBOSITY", "-3", "log.level", "off"),
        ("VERBOSITY", "1", "log.level", "info"),
        ("VERBOSITY", "6", "log.level", "debug"),
        ("VERBOSITY", "1", "log.access", "off"),
        ("VERBOSITY", "2", "log.access", "on"),
        ("LOGFILE", "syslog", "log.file", "syslog"),
        ("LOGFILE", "/var/log/iipsrv.log", "log.file", "/var/log/iipsrv.log"),
        ("MAX_IMAGE_CACHE_SIZE", "10", "cache.bytes_max", "10240000"),
        ("MAX_IMAGE_CACHE_SIZE", "0.5", "cache.bytes_max", "512000"),
        ("MAX_IMAGE_CACHE_SIZE", "0", "cache.bytes_max", "0"),
        ("MAX_METADATA_CACHE_SIZE", "-1", "images.open_max", "1000000"),
        ("MAX_METADATA_CACHE_SIZE", "0", "images.open_max", "1"),
        ("MAX_IMAGE_METADATA_CACHE_SIZE", "7", "images.open_max", "7"),
        ("FILENAME_PATTERN", "_pyr_", "images.sequence_pattern", "_pyr_"),
        ("FILESYSTEM_PREFIX", "/tmp/", "images.root", "/tmp"),
        ("FILESYSTEM_PREFIX", "/tmp/scan_", "images.name_prefix", "scan_"),
        ("FILESYSTEM_SUFFIX", ".tif", "images.name_suffix", ".tif"),
        ("JPEG_QUALITY", "101", "render.jpeg_quality", "100"),
        ("JPEG_QUALITY", "0", "render.jpeg_quality", "1"),
        ("PNG_QUALITY", "12", "render.png_level", "9"),
        ("PNG_QUALITY", "-1", "render.png_level", "0"),
        ("WEBP_QUALITY", "-2", "render.webp_quality", "-1"),
        ("AVIF_QUALITY", "200", "output.avif_quality", "100"),
        ("TIFF_COMPRESSION", "0", "output.tiff_compression", "none"),
        ("TIFF_COMPRESSION", "2", "output.tiff_compression", "deflate"),
        ("TIFF_COMPRESSION", "5", "output.tiff_compression", "zstd"),
        ("TIFF_COMPRESSION", "9", "output.tiff_compression", "none"),
        ("TIFF_COMPRESSION", "-1", "output.tiff_compression", "none"),
        ("TIFF_QUALITY", "300", "output.tiff_quality", "100"),
        ("TIFF_QUALITY", "-5", "output.tiff_quality", "0"),
        ("MAX_LAYERS", "-7", "jpeg2000.layers_max", "-1"),
        ("MAX_LAYERS", "3", "jpeg2000.layers_max", "3"),
        ("MAX_CVT", "-1", "render.output_side_px_max", "65500"),
        ("MAX_CVT", "0", "render.output_side_px_max", "5000"),
        ("MAX_CVT", "-2", "render.output_side_px_max", "1"),
        ("MAX_CVT", "100000", "render.output_side_px_max", "65500"),
        ("ALLOW_UPSCALING", "0", "render.allow_upscaling", "false"),
        ("ALLOW_UPSCALING", "2", "render.allow_upscaling", "true"),
        ("WATERMARK", "", "watermark.image", ""),
        ("WATERMARK_PROBABILITY", "1.5", "watermark.probability", "1"),
        ("WATERMARK_OPACITY", "-0.5", "watermark.opacity", "0"),
        ("MEMCACHED_SERVERS", "localhost", "memcached.servers", "localhost"),
        ("MEMCACHED_TIMEOUT", "99999999", "memcached.ttl_s", "2592000"),
        ("MEMCACHED_TIMEOUT", "-1", "memcached.ttl_s", "0"),
        ("INTERPOLATION", "0", "render.interpolation", "nearest"),
        ("INTERPOLATION", "1", "render.interpolation", "bilinear"),
        ("CORS", "*", "protocol.cors", "*"),
        ("BASE_URL", "https://x.test/", "protocol.query_base_url", "https://x.test/"),
        ("CACHE_CONTROL", "no-cache", "protocol.cache_control", "no-cache"),
        ("URI_MAP", "iiif=>IIIF", "protocol.uri_map", "iiif=>IIIF"),
        ("MAX_ICC", "-1", "render.icc_bytes_max", "4MiB"),
        ("MAX_ICC", "0", "render.icc_bytes_max", "0"),
        ("CODEC_PASSTHROUGH", "0", "render.pass_through", "false"),
        ("CODEC_PASSTHROUGH", "1", "render.pass_through", "true"),
        ("IIIF_VERSION", "2", "protocol.iiif_version", "2"),
        ("IIIF_VERSION", "0", "protocol.iiif_version", "3"),
        ("IIIF_VERSION", "9", "protocol.iiif_version", "3"),
        ("IIIF_DELIMITER", ":", "protocol.delimiter", ":"),
        ("IIIF_EXTRA_INFO", "\"rights\":\"x\"", "protocol.iiif_extra_info", "\"rights\":\"x\""),
        ("IIIF_EXTENSIONS", "1", "protocol.iiif_extensions", "true"),
        ("COPYRIGHT", "them", "output.copyright", "them"),
        ("FCGI_WEB_SERVER_ADDRS", "127.0.0.1", "server.fastcgi_peers", "127.0.0.1"),
        ("DECODER_MODULES", "", "modules.programs", ""),
        ("JPEG_QUALITY", " 80 ", "render.jpeg_quality", "80"),
        ("WEBP_QUALITY", "60", "render.webp_quality", "60"),
        ("PNG_QUALITY", "3", "render.png_level", "3"),
        ("MAX_METADATA_CACHE_SIZE", "50", "images.open_max", "50"),
        ("IIIF_EXTENSIONS", "no", "protocol.iiif_extensions", "no"),
    ];

    fn started_as_iipsrv(environment: &[(&str, &str)]) -> Layers {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Layers {
            environment: environment.iter().map(owned).collect(),
            run_as: RunAs::Iipsrv,
            ..Layers::default()
        }
    }

    #[test]
    fn each_variable_of_iipsrv_means_what_it_meant() {
        for (name, text, key, expected) in CASES {
            let root = ("FILESYSTEM_PREFIX", "/tmp/");
            let (_, origins) = load(&started_as_iipsrv(&[(name, text), root])).unwrap();
            let origin = origins.iter().find(|origin| origin.name == key).unwrap();
            assert_eq!((origin.value.as_str(), origin.origin.as_str()), (expected, name), "{text}");
        }
        let names = KEYS.iter().filter_map(|key| key.iipsrv.as_ref().map(|(name, _)| *name));
        for name in names {
            assert!(CASES.iter().any(|(known, ..)| *known == name), "{name} has no case");
        }
    }

    #[test]
    fn the_name_that_iipsrvs_code_reads_beats_the_one_in_its_documents() {
        let both = [("MAX_IMAGE_METADATA_CACHE_SIZE", "7"), ("MAX_METADATA_CACHE_SIZE", "8")];
        let layers = started_as_iipsrv(&[both[0], both[1], ("FILESYSTEM_PREFIX", "/tmp/")]);
        assert_eq!(load(&layers).unwrap().0.images.open_max, 8);
    }

    #[test]
    fn started_as_iipsrv_it_speaks_fastcgi_only_and_any_layer_says_otherwise() {
        let root = ("FILESYSTEM_PREFIX", "/tmp/");
        let shown = |layers: &Layers| {
            let server = load(layers).unwrap().0.server;
            [server.bind, server.admin, server.fastcgi.bind].map(|bind| bind.to_string())
        };
        let plain = started_as_iipsrv(&[root]);
        assert_eq!(shown(&plain), ["none", "none", "descriptor 0"]);
        let admin = ("TESSERA_SERVER_ADMIN", "127.0.0.1:1");
        let told = started_as_iipsrv(&[root, admin]);
        assert_eq!(shown(&told), ["none", "127.0.0.1:1", "descriptor 0"]);
    }

    #[test]
    fn what_is_no_number_is_refused_with_the_name_and_what_is_allowed() {
        for name in ["JPEG_QUALITY", "MAX_CVT", "VERBOSITY", "ALLOW_UPSCALING", "IIIF_VERSION"] {
            let layers = started_as_iipsrv(&[(name, "many"), ("FILESYSTEM_PREFIX", "/tmp/")]);
            let error = load(&layers).unwrap_err().to_string();
            assert!(error.contains(&format!("`many` (from {name}) is not allowed: ")), "{error}");
        }
    }

    #[test]
    fn names_that_set_nothing_are_warned_of() {
        let layers = started_as_iipsrv(&[
            ("JPEG_QUALTY", "5"),
            ("HOME", "/"),
            ("OMP_NUM_THREADS", "1"),
            ("MAX_IMAGE_METADATA_CACHE_SIZE", "1"),
        ]);
        assert_eq!(
            warnings(&layers),
            [
                "JPEG_QUALTY is not read; did you mean JPEG_QUALITY?",
                "OMP_NUM_THREADS sets nothing: one process uses all cores; see pool.decode_threads",
            ]
        );
    }
}
