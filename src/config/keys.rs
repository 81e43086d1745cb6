//! The settings: one row per key. Flags, environment names, the TOML file and `docs/configuration.md`
//! are all made from these rows.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use crate::config::iipsrv::{
    Translate, cache_megabytes, clamped, clamped_share, compression_word, icc_bytes, iiif_version,
    interpolation, log_access, log_level, memcached_ttl, open_max, prefix_folder, prefix_stem,
    same, side_px, yes_or_no,
};
use crate::config::memcached;
use crate::config::tracing;
use crate::config::value::{
    Allowed, addresses, bind, bind_or_inherited, bytes, bytes_from, colour, file_name_part, flag,
    formats, header, line, millis, names, none_or_from, number, paths, seconds, tiff_compression,
    word,
};
use crate::config::watermark::{BLENDS, POSITIONS, mark_text};
use crate::config::{AccessLog, Config, LogFormat, LogTarget, SocketMode, TrustedProxies};
use crate::model::{
    ColourRule, ExtraInfo, Filter, Format, Negotiate, Subsampling, UpscaleUnmarked, UriMap,
};

/// One setting.
pub struct Key {
    /// `section.name` in the TOML file; `TESSERA_SECTION_NAME` and `--section-name` come from it.
    pub name: &'static str,
    /// What it is, one sentence without a full stop.
    pub doc: &'static str,
    /// The default, as it would be written.
    pub default: &'static str,
    /// iipsrv's environment name and how its text is read, where it has one.
    pub iipsrv: Option<(&'static str, Translate)>,
    pub(super) set: fn(&mut Config, &str) -> Result<(), Allowed>,
}

impl Key {
    /// The environment name.
    pub fn environment(&self) -> String {
        format!("TESSERA_{}", self.name.replace('.', "_").to_ascii_uppercase())
    }

    /// The flag without its dashes.
    pub fn flag(&self) -> String {
        self.name.replace(['.', '_'], "-")
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Seconds that memcached takes for a time to live (`doc/protocol.txt`, "Expiration times").
pub(super) const TTL_S_MAX: u32 = 60 * 60 * 24 * 30;

/// The longest side that every answer format can hold: JPEG's own limit (ITU-T T.81, B.2.2, less what
/// libjpeg keeps back).
pub(super) const SIDE_PX_MAX: u32 = 65_500;

macro_rules! key {
    ($name:literal, $default:literal, $doc:literal, $iipsrv:expr,
     |$config:ident, $text:ident| $value:expr => $field:expr) => {
        Key {
            name: $name,
            doc: $doc,
            default: $default,
            iipsrv: $iipsrv,
            set: |$config, $text| {
                $field = $value?;
                Ok(())
            },
        }
    };
}

/// Every setting, in the order of the TOML file.
pub const KEYS: &[Key] = &[
    key!("server.bind", "127.0.0.1:8182", "Where the public listener listens: HOST:PORT (port 0: any free one), unix:PATH or none", None,
        |c, t| bind(t) => c.server.bind),
    key!("server.admin", "127.0.0.1:8183", "Where /metrics and /health listen: HOST:PORT, unix:PATH or none", None,
        |c, t| bind(t) => c.server.admin),
    key!("server.fastcgi", "none", "Where web servers reach it by FastCGI: HOST:PORT, unix:PATH, - (the socket inherited as descriptor 0) or none", None,
        |c, t| bind_or_inherited(t) => c.server.fastcgi.bind),
    key!("server.fastcgi_backlog", "2048", "FastCGI connections that may wait to be accepted; an inherited socket keeps its own", None,
        |c, t| number(t, &(1..=65_535)) => c.server.fastcgi.backlog),
    key!("server.fastcgi_connections_max", "1024", "FastCGI connections served at once; more wait in the backlog", None,
        |c, t| number(t, &(1..=1_000_000)) => c.server.fastcgi.connections_max),
    key!("server.fastcgi_peers", "", "IP addresses that may connect to FastCGI over TCP, separated by commas; empty: all", Some(("FCGI_WEB_SERVER_ADDRS", same)),
        |c, t| addresses(t) => c.server.fastcgi.peers),
    key!("server.fastcgi_read_s", "60", "Seconds that a web server may take over sending one FastCGI request", None,
        |c, t| seconds(t) => c.server.fastcgi.read),
    key!("server.fastcgi_write_s", "60", "Seconds that a web server may take no byte of a FastCGI answer", None,
        |c, t| seconds(t) => c.server.fastcgi.write),
    key!("server.socket_mode", "", "Rights of unix sockets that Tessera makes, as chmod writes them (660: owner and group may connect); empty: as the umask leaves them", None,
        |c, t| SocketMode::parse(t).ok_or_else(|| "three octal digits".to_owned()) => c.server.socket_mode),
    key!("server.workers", "0", "Threads of each public listener; 0: one a core", None,
        |c, t| number(t, &(0..=256)) => c.server.workers),
    key!("server.drain_s", "30", "Seconds that requests in flight may take after a stop was asked for", None,
        |c, t| seconds(t) => c.server.drain),
    key!("server.uri_bytes_max", "8192", "Longest request target in bytes; above: 414", None,
        |c, t| number(t, &(256..=65_536)) => c.server.uri_bytes_max),
    key!("server.body_bytes_max", "65536", "Longest POST body in bytes; above: 413", None,
        |c, t| number(t, &(0..=1_048_576)) => c.server.body_bytes_max),
    key!("server.connections_max", "10000", "Connections open at once on each HTTP thread", None,
        |c, t| number(t, &(1..=1_000_000)) => c.server.connections_max),
    key!("server.requests_max", "20000", "Requests being answered or sent at once; above: 503", None,
        |c, t| number(t, &(1..=1_000_000)) => c.server.requests_max),
    key!("server.tls_certificate", "", "PEM file of the certificate, with its chain, that the public listener shows; read again when it changes; empty: no TLS", None,
        |c, t| Ok::<_, Allowed>(PathBuf::from(t)) => c.server.tls.certificate),
    key!("server.tls_key", "", "PEM file of its private key", None,
        |c, t| Ok::<_, Allowed>(PathBuf::from(t)) => c.server.tls.key),
    key!("server.header_s", "5", "Seconds that a client may take over the head of a request, or TLS's greeting; above: 408", None,
        |c, t| seconds(t) => c.server.header),
    key!("server.body_s", "10", "Seconds that a client may take over the body of a POST over HTTP; above: 400", None,
        |c, t| seconds(t) => c.server.body),
    key!("server.write_s", "60", "Seconds that a client may take no byte of an answer over TCP; above: its connection ends", None,
        |c, t| seconds(t) => c.server.write),
    key!("server.keep_alive_s", "75", "Seconds that an idle connection is kept", None,
        |c, t| seconds(t) => c.server.keep_alive),
    key!("server.trusted_proxies", "", "Proxies whose Forwarded, X-Forwarded-Proto, -Host, -Prefix and X-IIIF-ID are believed: IP addresses, networks (10.0.0.0/8) and unix, separated by commas; with FastCGI, the client that the web server names", None,
        |c, t| TrustedProxies::parse(t).ok_or_else(|| "IP addresses, networks and the word unix, separated by commas".to_owned()) => c.server.trusted_proxies),
    key!("server.watch_config", "false", "Whether the configuration file is read anew when it changes, looked at every 2 seconds; SIGHUP has it read in any case", None,
        |c, t| flag(t) => c.server.watch_config),
    key!("server.admin_token", "", "What administration on server.admin asks for, as `Authorization: Bearer TOKEN`; empty: nothing, and it is refused unless that address is of this machine alone", None,
        |c, t| header(t) => c.server.admin_token),
    key!("images.root", "", "The folder that image names are relative to", Some(("FILESYSTEM_PREFIX", prefix_folder)),
        |c, t| Ok::<_, Allowed>(PathBuf::from(t)) => c.images.root),
    key!("images.name_prefix", "", "Put before every image name", Some(("FILESYSTEM_PREFIX", prefix_stem)),
        |c, t| Ok::<_, Allowed>(t.to_owned()) => c.images.name_prefix),
    key!("images.name_suffix", "", "Put behind every image name", Some(("FILESYSTEM_SUFFIX", same)),
        |c, t| Ok::<_, Allowed>(t.to_owned()) => c.images.name_suffix),
    key!("images.sequence_pattern", "_pyr_", "What stands between the name of a sequence and the angles HHH_VVV of its files; empty: no sequences", Some(("FILENAME_PATTERN", same)),
        |c, t| file_name_part(t) => c.images.sequence_pattern),
    key!("images.roots_extra", "", "Folders outside the root that symbolic links may lead into, separated by colons", None,
        |c, t| Ok::<_, Allowed>(paths(t)) => c.images.roots_extra),
    key!("images.open_max", "1000", "Images kept open at once; the least recently used is closed first", Some(("MAX_METADATA_CACHE_SIZE", open_max)),
        |c, t| number(t, &(1..=1_000_000)) => c.images.open_max),
    key!("images.idle_s", "300", "Seconds after which an unused image is closed", None,
        |c, t| seconds(t) => c.images.idle),
    key!("images.recheck_ms", "500", "Milliseconds that a look at a file's size and time is trusted", None,
        |c, t| millis(t) => c.images.recheck),
    key!("images.jobs_per_image_max", "64", "Jobs of one image and lane at work or waiting at once; above: 503", None,
        |c, t| number(t, &(1..=100_000)) => c.images.jobs_per_image_max),
    key!("images.color", "embed", "Colours of images with an ICC profile: embed (samples as they are, with the profile) or convert (to sRGB); CMYK and CIELAB always become sRGB", None,
        |c, t| word(t, &[("embed", ColourRule::Embed), ("convert", ColourRule::Convert)]) => c.images.colour),
    key!("images.failure_hold_ms", "500", "Milliseconds that a broken image answers with its error before it is tried again", None,
        |c, t| millis(t) => c.images.failure_hold),
    key!("cache.bytes_max", "256MiB", "Encoded answers kept in memory, in bytes", Some(("MAX_IMAGE_CACHE_SIZE", cache_megabytes)),
        |c, t| bytes(t) => c.cache.bytes_max),
    key!("cache.decoded_bytes_max", "128MiB", "Decoded tiles kept in memory, in bytes", None,
        |c, t| bytes(t) => c.cache.decoded_bytes_max),
    key!("cache.shards", "0", "Cache shards, a power of two; 0: one a core, rounded up", None,
        |c, t| shards(t) => c.cache.shards),
    key!("cache.jobs_per_shard_max", "1024", "Answers of one lane being made at once in one shard; above: 503", None,
        |c, t| number(t, &(1..=100_000)) => c.cache.jobs_per_shard_max),
    key!("memcached.servers", "", "Servers of memcached 1.6 or later that instances share, separated by commas: HOST, HOST:PORT or unix:PATH; empty: none", Some(("MEMCACHED_SERVERS", same)),
        |c, t| memcached::servers(t) => c.memcached.servers),
    key!("memcached.ttl_s", "86400", "Seconds that servers keep an answer, up to 30 days; 0: until they need the room", Some(("MEMCACHED_TIMEOUT", memcached_ttl)),
        |c, t| number(t, &(0..=TTL_S_MAX)) => c.memcached.ttl_s),
    key!("memcached.budget_ms", "20", "Milliseconds that a request may lose to a server that does not answer", None,
        |c, t| millis(t) => c.memcached.budget),
    key!("memcached.wait_ms", "500", "Milliseconds that a request may wait for an answer that another instance is making", None,
        |c, t| millis(t) => c.memcached.wait),
    key!("memcached.item_bytes_max", "1MiB", "Largest item that servers take, as their -I; larger answers are not sent to them", None,
        |c, t| bytes_from(t, 1024) => c.memcached.item_bytes_max),
    key!("pool.decode_threads", "0", "Threads that read, decode and finish tiles; 0: one a core", None,
        |c, t| number(t, &(0..=1024)) => c.pool.decode_threads),
    key!("pool.dear_threads", "0", "Threads that read and decode exports, beside those and giving way to them; 0: one less than cores, at least one", None,
        |c, t| number(t, &(0..=1024)) => c.pool.dear_threads),
    key!("pool.encode_threads", "0", "Threads that encode slow formats, and as many that encode exports; 0: half the cores", None,
        |c, t| number(t, &(0..=1024)) => c.pool.encode_threads),
    key!("pool.watermark_threads", "0", "Threads that put watermarks on large tiles, and as many for exports; 0: half the cores", None,
        |c, t| number(t, &(0..=1024)) => c.pool.watermark_threads),
    key!("pool.jobs_max", "512", "Jobs of one lane (cheap: tiles and the like; dear: exports) that may wait in one pool; above: 503", None,
        |c, t| number(t, &(1..=1_000_000)) => c.pool.jobs_max),
    key!("pool.deadline_ms", "30000", "Milliseconds that a cheap request may wait for its turn; above: 503", None,
        |c, t| millis(t) => c.pool.deadline),
    key!("pool.dear_deadline_ms", "30000", "Milliseconds that a dear request may wait for its turn; above: 503", None,
        |c, t| millis(t) => c.pool.dear_deadline),
    key!("pool.waiting_max", "256", "Requests of one lane that may wait for room in memory at once; above: 503", None,
        |c, t| number(t, &(0..=1_000_000)) => c.pool.waiting_max),
    key!("pool.bytes_in_decode_max", "0", "Bytes of pixels in work at once, a quarter of them kept for cheap requests; a request that could never fit is refused with 413; 0: a quarter of the memory of the machine or of the control group", None,
        |c, t| none_or_from(t, 1 << 20) => c.pool.bytes_in_decode_max),
    key!("pool.shadow", "false", "Whether requests that find no room for their pixels are let in all the same and only counted (`tessera_would_shed_total`), to try limits out", None,
        |c, t| flag(t) => c.pool.shadow),
    key!("render.output_side_px_max", "5000", "Longest side of an answer in pixels: IIP clamps to it, IIIF refuses above it", Some(("MAX_CVT", side_px)),
        |c, t| number(t, &(1..=SIDE_PX_MAX)) => c.render.limits.output_side_px_max),
    key!("render.output_px_max", "0", "Pixels of an answer: IIP clamps to it, IIIF refuses above it; 0: as many as the longest side allows", None,
        |c, t| number(t, &(0..=u64::MAX)).map(|px| if px == 0 { u64::MAX } else { px }) => c.render.limits.output_px_max),
    key!("render.source_px_max", "400000000", "Stored pixels that one answer may have decoded; above: 413", None,
        |c, t| number(t, &(65_536..=1_000_000_000_000)) => c.render.limits.source_px_max),
    key!("render.allow_upscaling", "true", "Whether an answer may be larger than the pixels it shows", Some(("ALLOW_UPSCALING", yes_or_no)),
        |c, t| flag(t) => c.render.limits.upscaling_allowed),
    key!("render.jpeg_quality", "75", "JPEG quality, 1 to 100", Some(("JPEG_QUALITY", clamped::<1, 100>)),
        |c, t| number(t, &(1..=100)) => c.render.jpeg_quality),
    key!("render.png_level", "1", "PNG compression, 0 to 9", Some(("PNG_QUALITY", clamped::<0, 9>)),
        |c, t| number(t, &(0..=9)) => c.render.png_level),
    key!("render.webp_quality", "50", "WebP quality, 0 to 100; -1: lossless", Some(("WEBP_QUALITY", clamped::<-1, 100>)),
        |c, t| number(t, &(-1..=100)) => c.render.webp_quality),
    key!("render.pass_through", "true", "Whether a stored JPEG or WebP tile is answered undecoded", Some(("CODEC_PASSTHROUGH", yes_or_no)),
        |c, t| flag(t) => c.render.pass_through),
    key!("render.pass_through_bytes_max", "0", "A stored tile of more bytes is re-encoded; 0: no bound", None,
        |c, t| bytes(t) => c.render.pass_through_bytes_max),
    key!("render.interpolation", "bicubic", "How pixels are weighted where the size changes: nearest, bilinear, bicubic or lanczos3; all but nearest take in every pixel of what is made smaller", Some(("INTERPOLATION", interpolation)),
        |c, t| word(t, &Filter::NAMED) => c.render.filter),
    key!("render.background", "ffffff", "What lies under answers that cannot be transparent, RRGGBB", None,
        |c, t| colour(t) => c.render.background),
    key!("render.dither", "false", "Whether bitonal answers of IIIF are dithered (ordered, 8 x 8), in place of black and white parted at the middle", None,
        |c, t| flag(t) => c.render.dither),
    key!("render.icc_bytes_max", "64KiB", "Largest ICC profile embedded in an answer, in bytes; 0: none", Some(("MAX_ICC", icc_bytes)),
        |c, t| bytes(t) => c.render.icc_bytes_max),
    key!("watermark.image", "", "The image that is put on every answer, in any format that is read; empty: none", Some(("WATERMARK", same)),
        |c, t| Ok::<_, Allowed>(PathBuf::from(t)) => c.watermark.elsewhere.image),
    key!("watermark.text", "", "The text that is put on every answer, in place of an image; a line feed begins a line; empty: none", None,
        |c, t| mark_text(t) => c.watermark.elsewhere.text),
    key!("watermark.text_px", "20", "Height of the text's lines in pixels, 6 to 512", None,
        |c, t| number(t, &(6..=512)) => c.watermark.elsewhere.text_px),
    key!("watermark.probability", "1", "The share of tiles, and of the blocks of larger answers, that are marked, 0 to 1", Some(("WATERMARK_PROBABILITY", clamped_share)),
        |c, t| number(t, &(0.0..=1.0)) => c.watermark.elsewhere.probability),
    key!("watermark.opacity", "1", "How much of the mark shows, 0 to 1", Some(("WATERMARK_OPACITY", clamped_share)),
        |c, t| number(t, &(0.0..=1.0)) => c.watermark.elsewhere.opacity),
    key!("watermark.blend", "normal", "How a mark lies on the picture: normal (over it) or additive (added to it, as with iipsrv)", None,
        |c, t| word(t, BLENDS) => c.watermark.elsewhere.blend),
    key!("watermark.position", "random", "Where in a tile or block: random, centre, tiled, top-left, top-right, bottom-left or bottom-right", None,
        |c, t| word(t, POSITIONS) => c.watermark.elsewhere.position),
    key!("watermark.px_max", "1048576", "Pixels of the largest mark; a larger one is refused at start", None,
        |c, t| number(t, &(1..=16_777_216)) => c.watermark.px_max),
    key!("modules.programs", "", "Programs that decode further formats in processes of their own, separated by commas", Some(("DECODER_MODULES", same)),
        |c, t| Ok::<_, Allowed>(names(t)) => c.modules.programs),
    key!("modules.processes_max", "0", "Processes of one module at once; 0: as many as there are threads that decode", None,
        |c, t| number(t, &(0..=1024)) => c.modules.settings.processes_max),
    key!("modules.open_s", "5", "Seconds that a module's process may take to start, and to open an image", None,
        |c, t| seconds(t) => c.modules.settings.open),
    key!("modules.decode_s", "30", "Seconds that a module's process may take to decode one tile", None,
        |c, t| seconds(t) => c.modules.settings.decode),
    key!("modules.idle_s", "60", "Seconds after which a module's process that has nothing to do is ended", None,
        |c, t| seconds(t) => c.modules.settings.idle),
    key!("modules.memory_bytes_max", "1GiB", "Address space of a module's process, in bytes", None,
        |c, t| bytes_from(t, 16 << 20) => c.modules.settings.memory_bytes_max),
    key!("jpeg2000.decoder", "own", "What decodes JPEG 2000: own, the server itself; or openjpeg", None,
        |c, t| word(t, &[("own", false), ("openjpeg", true)]) => c.jpeg2000.openjpeg),
    key!("jpeg2000.kept_bytes_max", "64MiB", "Bytes of decoded code-blocks that are kept for the tiles beside those that asked for them", None,
        |c, t| bytes(t) => c.jpeg2000.kept_bytes_max),
    key!("jpeg2000.isolated", "true", "Whether OpenJPEG runs in processes of its own, where no file can make it harm the server", None,
        |c, t| flag(t) => c.jpeg2000.isolated),
    key!("jpeg2000.memory_bytes_max", "4GiB", "Address space of such a process, in bytes: some forty for each pixel of a tile that has to be decoded whole", None,
        |c, t| bytes_from(t, 64 << 20) => c.jpeg2000.memory_bytes_max),
    key!("jpeg2000.layers_max", "-1", "Quality layers that are decoded: -1: all, or as many as LYR asks; 0: half, or as many as LYR asks; else at most so many", Some(("MAX_LAYERS", clamped::<-1, 65_535>)),
        |c, t| number(t, &(-1..=65_535)) => c.jpeg2000.layers_max),
    key!("output.jpeg_subsampling", "420", "Pixels that share a colour in JPEG answers: 420 (two by two), 422 (two beside each other) or 444 (none)", None,
        |c, t| word(t, &[("420", Subsampling::Quarter), ("422", Subsampling::Half), ("444", Subsampling::Full)]) => c.output.jpeg_subsampling),
    key!("output.jpeg_trellis", "false", "Whether exports as JPEG (no tiles and thumbnails) are made as small as can be, which takes some forty times as long", None,
        |c, t| flag(t) => c.output.jpeg_trellis),
    key!("output.avif_quality", "50", "AVIF quality, 0 to 100; -1: the least losses, colours not shared by pixels", Some(("AVIF_QUALITY", clamped::<-1, 100>)),
        |c, t| number(t, &(-1..=100)) => c.output.avif_quality),
    key!("output.tiff_compression", "deflate", "Compression of TIFF answers: none, lzw, deflate, jpeg, webp or zstd", Some(("TIFF_COMPRESSION", compression_word)),
        |c, t| tiff_compression(t) => c.output.tiff_compression),
    key!("output.tiff_quality", "-1", "Level of deflate (1 to 9) and zstd (1 to 19), quality of jpeg and webp (0 to 100) in TIFF answers; -1: the fastest level, and the quality of JPEG and WebP answers", Some(("TIFF_QUALITY", clamped::<0, 100>)),
        |c, t| number(t, &(-1..=100)) => c.output.tiff_quality),
    key!("output.negotiate", "off", "Tiles of Deep Zoom, Zoomify and IIP that are asked for as JPEG, where Accept names another format: off, webp, or avif (else webp)", None,
        |c, t| word(t, &[("off", Negotiate::Off), ("webp", Negotiate::Webp), ("avif", Negotiate::Avif)]) => c.output.negotiate),
    key!("output.copyright", "", "Rights of images that tell none, in files that are exported and in IIP's metadata; empty: none", Some(("COPYRIGHT", same)),
        |c, t| line(t) => c.output.copyright),
    key!("protocol.iiif_version", "3", "The version that /iiif/ID speaks: 1, 2 or 3", Some(("IIIF_VERSION", iiif_version)),
        |c, t| number(t, &(1..=3)) => c.protocol.iiif_version),
    key!("protocol.iiif_extensions", "false", "Whether IIIF takes the qualities negative, stretch, equalization and log", Some(("IIIF_EXTENSIONS", yes_or_no)),
        |c, t| flag(t) => c.protocol.iiif_extensions),
    key!("protocol.iiif_extra_info", "", "Properties that every info.json has besides: a JSON object, with or without its braces", Some(("IIIF_EXTRA_INFO", same)),
        |c, t| ExtraInfo::parse(t) => c.protocol.iiif_extra_info),
    key!("protocol.iiif_preferred_formats", "", "Formats that info.json of version 3 recommends, the best first, separated by commas: jpg, png, webp, avif, tif, gif, pdf, jxl", None,
        |c, t| formats(t) => c.protocol.iiif_preferred_formats),
    key!("protocol.upscale_unmarked", "clip", "IIIF 3's !w,h above the region without ^: clip (the region's own size) or refuse (400)", None,
        |c, t| word(t, &[("clip", UpscaleUnmarked::Clip), ("refuse", UpscaleUnmarked::Refuse)]) => c.protocol.upscale_unmarked),
    key!("protocol.base_url", "", "Scheme and host that ids and redirects begin with; empty: as the client asked", None,
        |c, t| header(t) => c.protocol.base_url),
    key!("protocol.query_base_url", "", "What stands before the identifier in ids of the query form (?IIIF=); empty: as the client asked", Some(("BASE_URL", same)),
        |c, t| header(t) => c.protocol.query_base_url),
    key!("protocol.allow_bare_slash", "false", "Whether an IIIF identifier in a path may hold bare slashes", None,
        |c, t| flag(t) => c.protocol.allow_bare_slash),
    key!("protocol.delimiter", "", "What stands between a name and a page number, label, macro or thumbnail, in every protocol; empty: such names are names", Some(("IIIF_DELIMITER", same)),
        |c, t| file_name_part(t) => c.protocol.delimiter),
    key!("protocol.uri_map", "", "Paths of further addresses: PREFIX=>PROTOCOL, separated by commas, with IIP, IIIF, DeepZoom or Zoomify; an empty prefix takes every path", Some(("URI_MAP", same)),
        |c, t| UriMap::parse(t) => c.protocol.uri_map),
    key!("protocol.canvases_max", "500", "Images of a folder, or pages of a stack, that a IIIF manifest holds; more: 413", None,
        |c, t| number(t, &(1..=100_000)) => c.protocol.canvases_max),
    key!("protocol.cache_control", "max-age=86400", "Cache-Control of answers", Some(("CACHE_CONTROL", same)),
        |c, t| header(t) => c.protocol.cache_control),
    key!("protocol.cors", "*", "Access-Control-Allow-Origin of every answer; empty: no CORS headers", Some(("CORS", same)),
        |c, t| header(t) => c.protocol.cors),
    key!("deepzoom.tile_px", "0", "Side of Deep Zoom's tiles in pixels, the overlap not counted: 64 to 4096; 0: the image's own, which can be sent as they are stored", None,
        |c, t| own_or(t, &(64..=4096)) => c.deepzoom.cut.tile_px),
    key!("deepzoom.overlap_px", "0", "Pixels of its neighbours that a tile of Deep Zoom shows at each side: 0 to 32", None,
        |c, t| number(t, &(0..=32)) => c.deepzoom.cut.overlap_px),
    key!("deepzoom.format", "jpg", "The format that Deep Zoom's descriptors name: jpg, png, webp or avif; tiles are served in any", None,
        |c, t| word(t, &[("jpg", Format::Jpeg), ("png", Format::Png), ("webp", Format::Webp), ("avif", Format::Avif)]) => c.deepzoom.format),
    key!("log.format", "text", "Form of log lines: text or json", None,
        |c, t| word(t, &[("text", LogFormat::Text), ("json", LogFormat::Json)]) => c.log.format),
    key!("log.level", "info", "Least level of events: error, warn, info, debug, or off", Some(("VERBOSITY", log_level)),
        |c, t| word(t, &[("error", "error"), ("warn", "warn"), ("info", "info"), ("debug", "debug"), ("off", "off")]).map(str::to_owned) => c.log.level),
    key!("log.access", "on", "One line a request on standard output, or in log.file: on or off", Some(("VERBOSITY", log_access)),
        |c, t| word(t, &[("on", AccessLog::On), ("off", AccessLog::Off)]) => c.log.access),
    key!("log.file", "", "Where all lines go: the path of a file, which may be rotated, or syslog; empty: events to standard error, accesses to standard output", Some(("LOGFILE", same)),
        |c, t| Ok::<_, Allowed>(log_target(t)) => c.log.target),
    key!("tracing.otlp_endpoint", "", "The OpenTelemetry collector that takes traces by OTLP over HTTP, http://HOST, with :PORT (else 4318) and a path (else /v1/traces); empty: nothing is recorded", None,
        |c, t| tracing::endpoint(t) => c.tracing.endpoint),
    key!("tracing.service_name", "tessera", "What this service is called in traces", None,
        |c, t| header(t) => c.tracing.service_name),
    key!("tracing.sample_ratio", "0.01", "The share of requests that are recorded, of those that come without a traceparent, 0 to 1", None,
        |c, t| number(t, &(0.0..=1.0)) => c.tracing.sample_ratio),
    key!("tracing.parents_per_s_max", "100", "Requests a second that are recorded because their traceparent says so; those above count as if they came without one", None,
        |c, t| number(t, &(0..=1_000_000)) => c.tracing.parents_per_s_max),
    key!("tracing.queue_max", "2048", "Traces that may wait to be sent, of some KiB each; above, they are lost and counted", None,
        |c, t| number(t, &(1..=1_000_000)) => c.tracing.queue_max),
    key!("tracing.timeout_ms", "2000", "Milliseconds that the collector may take over one batch; then it is lost and counted", None,
        |c, t| millis(t) => c.tracing.timeout),
];

fn log_target(text: &str) -> LogTarget {
    match text.trim() {
        // What containers are given for the streams themselves.
        "" | "/dev/stdout" | "/dev/stderr" => LogTarget::Standard,
        "syslog" => LogTarget::Syslog,
        path => LogTarget::File(PathBuf::from(path)),
    }
}

/// 0, or a number in a range.
fn own_or(text: &str, range: &RangeInclusive<u32>) -> Result<u32, Allowed> {
    let side_px = number(text, &(0..=*range.end()))?;
    if side_px == 0 || range.contains(&side_px) {
        Ok(side_px)
    } else {
        Err(format!("0 or {} to {}", range.start(), range.end()))
    }
}

fn shards(text: &str) -> Result<usize, Allowed> {
    let count = number(text, &(0..=1024))?;
    if count == 0 || usize::is_power_of_two(count) {
        Ok(count)
    } else {
        Err("0 or a power of two up to 1024".to_owned())
    }
}
