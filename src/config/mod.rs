//! `Config`: every setting, validated and immutable. No `Option` in it means "the default".

mod foreign;
pub mod iipsrv;
pub mod keys;
pub mod load;
mod memcached;
mod memory;
mod modules;
mod proxies;
pub mod reload;
mod socket_mode;
mod supervisor;
mod tls;
mod tracing;
mod value;
mod watermark;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::model::{
    Blend, ColourRule, DeepZoomCut, ExtraInfo, FileMark, Filter, Format, Limits, Negotiate,
    Position, Subsampling, TiffCompression, UpscaleUnmarked, UriMap,
};

pub use foreign::Foreign;
pub use iipsrv::{RunAs, warnings};
pub use load::{ConfigError, Layers, LiveOrigins, Origin, load};
pub use memcached::{MemcachedConfig, MemcachedServer};
pub use proxies::TrustedProxies;
pub use socket_mode::SocketMode;
pub use supervisor::{SupervisorConfig, TAKES_OVER};
pub use tls::TlsConfig;
pub use tracing::{OtlpEndpoint, TracingConfig};

/// Where a listener listens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Bind {
    /// TCP; port 0 lets the system choose.
    Tcp(SocketAddr),
    /// A unix socket.
    Unix(PathBuf),
    /// The listening socket that this process was started with as descriptor 0.
    Inherited,
    /// Nowhere.
    #[default]
    None,
}

impl fmt::Display for Bind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Inherited => f.write_str("descriptor 0"),
            Self::None => f.write_str("none"),
        }
    }
}

/// How access and event lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One line of words.
    Text,
    /// One JSON object a line.
    Json,
}

/// Whether and how each request is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessLog {
    /// No access lines.
    Off,
    /// In the format of the other lines.
    On,
}

/// The FastCGI listener and what it allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FastCgiConfig {
    /// Where it listens.
    pub bind: Bind,
    /// Connections that may wait to be accepted.
    pub backlog: i32,
    /// Connections open at once, over all threads.
    pub connections_max: u32,
    /// Who may connect by TCP; empty: everybody.
    pub peers: Vec<IpAddr>,
    /// How long a web server may take over one request.
    pub read: Duration,
    /// How long a web server may take no byte of an answer.
    pub write: Duration,
}

/// The listeners and what they allow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServerConfig {
    /// The public listener.
    pub bind: Bind,
    /// Metrics and health.
    pub admin: Bind,
    /// Web servers that speak FastCGI.
    pub fastcgi: FastCgiConfig,
    /// Rights of the unix sockets among them.
    pub socket_mode: SocketMode,
    /// Threads of each of the public listeners.
    pub workers: usize,
    /// How long requests in flight may take once a stop was asked for.
    pub drain: Duration,
    /// Longest request target taken, in bytes.
    pub uri_bytes_max: usize,
    /// Longest POST body taken, in bytes.
    pub body_bytes_max: usize,
    /// Connections open at once on each worker.
    pub connections_max: usize,
    /// Requests being answered or sent at once, over all workers.
    pub requests_max: usize,
    /// TLS on the public listener.
    pub tls: TlsConfig,
    /// How long the head of a request may take.
    pub header: Duration,
    /// How long the body of a request may take.
    pub body: Duration,
    /// How long a client may take no byte of an answer.
    pub write: Duration,
    /// How long a kept-alive connection may be idle.
    pub keep_alive: Duration,
    /// Whose `Forwarded` headers are believed.
    pub trusted_proxies: TrustedProxies,
    /// Whether a changed configuration file is taken without being asked to.
    pub watch_config: bool,
    /// What administration asks for; empty: nothing, and only from this machine.
    pub admin_token: String,
}

/// Where images are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImagesConfig {
    /// The folder that names are relative to.
    pub root: PathBuf,
    /// Put before every name (what follows the last slash of `FILESYSTEM_PREFIX`).
    pub name_prefix: String,
    /// Put behind every name (`FILESYSTEM_SUFFIX`).
    pub name_suffix: String,
    /// What stands between the name of a sequence and the angles of its files; empty: no sequences.
    pub sequence_pattern: String,
    /// Folders outside the root that links may lead into.
    pub roots_extra: Vec<PathBuf>,
    /// Images kept open at once.
    pub open_max: usize,
    /// An image that nobody asked for this long is closed.
    pub idle: Duration,
    /// How long a look at a file's size and time is trusted.
    pub recheck: Duration,
    /// Jobs of one image at work or waiting at once.
    pub jobs_per_image_max: usize,
    /// What is done with the colours of an image that has an ICC profile.
    pub colour: ColourRule,
    /// How long a broken image answers with its error before it is tried again.
    pub failure_hold: Duration,
}

/// The caches in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheConfig {
    /// Encoded answers, in bytes, over all shards.
    pub bytes_max: u64,
    /// Decoded tiles, in bytes.
    pub decoded_bytes_max: u64,
    /// Shards: a power of two.
    pub shards: usize,
    /// Answers being made at once in one shard.
    pub jobs_per_shard_max: usize,
}

/// The worker threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolConfig {
    /// Threads that read, decode and finish tiles.
    pub decode_threads: usize,
    /// Threads that read and decode exports.
    pub dear_threads: usize,
    /// Threads that encode exports and slow formats.
    pub encode_threads: usize,
    /// Threads that put marks on exports.
    pub watermark_threads: usize,
    /// Jobs of one lane that may wait in one pool.
    pub jobs_max: usize,
    /// How long a cheap request may wait for its turn.
    pub deadline: Duration,
    /// How long a dear request may.
    pub dear_deadline: Duration,
    /// Requests of one lane that may wait for room at once.
    pub waiting_max: usize,
    /// Whether what admission would refuse is only counted.
    pub shadow: bool,
    /// Bytes of pixels in work at once, over all requests.
    pub bytes_in_decode_max: u64,
}

/// How answers are made.
#[derive(Clone, Debug, PartialEq)]
pub struct RenderConfig {
    /// What one request may ask for.
    pub limits: Limits,
    /// 1 to 100.
    pub jpeg_quality: u8,
    /// 0 to 9.
    pub png_level: u8,
    /// -1 (lossless) to 100.
    pub webp_quality: i8,
    /// Where the size changes and the client does not say how.
    pub filter: Filter,
    /// Whether stored tiles are answered undecoded.
    pub pass_through: bool,
    /// A stored tile of more bytes is re-encoded; 0 is no bound.
    pub pass_through_bytes_max: u64,
    /// Largest ICC profile embedded in an answer, in bytes.
    pub icc_bytes_max: u64,
    /// What lies under answers that cannot be transparent: red, green, blue.
    pub background: [u8; 3],
    /// Whether bitonal answers are dithered.
    pub dither: bool,
}

/// A mark and how it is put on answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WatermarkSettings {
    /// The mark's image file; empty: none.
    pub image: PathBuf,
    /// The text that is the mark; empty: none.
    pub text: String,
    /// Height of the text's lines in pixels.
    pub text_px: u16,
    /// The share of blocks that have a mark, 0 to 1.
    pub probability: f64,
    /// How much of the mark's alpha counts, 0 to 1.
    pub opacity: f64,
    /// What a mark's pixel makes of the answer's.
    pub blend: Blend,
    /// Where in its block a mark lies.
    pub position: Position,
}

impl WatermarkSettings {
    /// Whether there is nothing to put on answers.
    pub fn is_none(&self) -> bool {
        self.image.as_os_str().is_empty() && self.text.is_empty()
    }
}

/// What is different for the images of a folder.
#[derive(Clone, Debug, PartialEq)]
pub struct WatermarkRule {
    /// As names of images begin, or a whole name; without slashes at either end.
    pub folder: String,
    /// All that counts there; nothing: no mark.
    pub settings: Option<WatermarkSettings>,
}

/// Marks on answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WatermarkConfig {
    /// For images that no rule is for.
    pub elsewhere: WatermarkSettings,
    /// Pixels of the largest mark.
    pub px_max: u64,
    /// By folder; the longest counts.
    pub rules: Vec<WatermarkRule>,
}

/// What the processes of a module may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModuleSettings {
    /// Processes at once.
    pub processes_max: usize,
    /// How long a start and the opening of an image may take.
    pub open: Duration,
    /// How long the decoding of one tile may take.
    pub decode: Duration,
    /// How long a process lives that has nothing to do.
    pub idle: Duration,
    /// Address space of one process, in bytes.
    pub memory_bytes_max: u64,
}

/// A decoder in processes of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModuleConfig {
    /// Its name in logs and metrics.
    pub name: String,
    /// The program, by an absolute path.
    pub program: PathBuf,
    /// What the program is told.
    pub arguments: Vec<String>,
    /// Marks of the files that it takes.
    pub marks: Vec<FileMark>,
    /// Suffixes of the files that it takes, in lower case; with no marks either: as it says itself.
    pub suffixes: Vec<String>,
    /// Whether it comes before our own codecs.
    pub first: bool,
    /// What its processes may take.
    pub settings: ModuleSettings,
}

/// Decoders in processes of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModulesConfig {
    /// Programs that have no table.
    pub programs: Vec<String>,
    /// What each may take unless its table says otherwise.
    pub settings: ModuleSettings,
    /// All modules, in the order in which they are asked.
    pub decoders: Vec<ModuleConfig>,
    /// The environment's `PATH`, where programs are found.
    pub path: String,
}

/// JPEG 2000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Jpeg2000Config {
    /// Whether OpenJPEG decodes JPEG 2000 in place of ourselves.
    pub openjpeg: bool,
    /// Bytes of decoded code-blocks that are kept.
    pub kept_bytes_max: u64,
    /// Whether OpenJPEG runs in processes of its own.
    pub isolated: bool,
    /// Address space of one of them, in bytes.
    pub memory_bytes_max: u64,
    /// Quality layers that are decoded: -1 all, 0 half, else a bound.
    pub layers_max: i32,
}

/// How files of answers are written, and what they tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputConfig {
    /// -1 (the least losses) to 100.
    pub avif_quality: i8,
    /// Strips of TIFF answers.
    pub tiff_compression: TiffCompression,
    /// What that is told; -1: what is fast, or the format's own quality.
    pub tiff_quality: i8,
    /// Colours of JPEG answers.
    pub jpeg_subsampling: Subsampling,
    /// Whether large JPEG answers are made as small as can be.
    pub jpeg_trellis: bool,
    /// Tiles in newer formats than JPEG.
    pub negotiate: Negotiate,
    /// Rights of images that tell none; empty: they have none.
    pub copyright: String,
}

/// What protocols say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProtocolConfig {
    /// The IIIF version of `/iiif/`: 1, 2 or 3.
    pub iiif_version: u8,
    /// Decision D1.
    pub upscale_unmarked: UpscaleUnmarked,
    /// Scheme and host that ids and redirects begin with; empty: as the client asked.
    pub base_url: String,
    /// What stands before the identifier in ids of the query form; empty: as the client asked.
    pub query_base_url: String,
    /// Whether an IIIF identifier may hold bare slashes.
    pub allow_bare_slash: bool,
    /// What stands between a name and the page or associated picture; empty: neither can be named so.
    pub delimiter: String,
    /// Whether IIIF's qualities beyond the standard's are taken.
    pub iiif_extensions: bool,
    /// What every `info.json` tells besides.
    pub iiif_extra_info: ExtraInfo,
    /// Formats that `info.json` recommends.
    pub iiif_preferred_formats: Vec<Format>,
    /// Paths of further addresses.
    pub uri_map: UriMap,
    /// Images of a manifest at most.
    pub canvases_max: usize,
    /// `Cache-Control` of answers.
    pub cache_control: String,
    /// `Access-Control-Allow-Origin`; empty: no CORS headers.
    pub cors: String,
}

/// What Deep Zoom's descriptors say, and how its tiles are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeepZoomConfig {
    /// Size and overlap of tiles.
    pub cut: DeepZoomCut,
    /// The format that clients are to ask for.
    pub format: Format,
}

/// Where lines of the log go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// Events to standard error, accesses to standard output.
    Standard,
    /// All to the system's log.
    Syslog,
    /// All to a file.
    File(PathBuf),
}

impl fmt::Display for LogTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard => f.write_str("the standard streams"),
            Self::Syslog => f.write_str("syslog"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// What is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Form of the lines.
    pub format: LogFormat,
    /// Least level of events: error, warn, info, debug, or off.
    pub level: String,
    /// Access lines.
    pub access: AccessLog,
    /// Where both go.
    pub target: LogTarget,
}

/// Every setting in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// What the process was started as.
    pub run_as: RunAs,
    /// Who started it and wants to hear from it.
    pub supervisor: SupervisorConfig,
    /// Listeners.
    pub server: ServerConfig,
    /// Image folder.
    pub images: ImagesConfig,
    /// Caches.
    pub cache: CacheConfig,
    /// The cache that instances share.
    pub memcached: MemcachedConfig,
    /// Worker threads.
    pub pool: PoolConfig,
    /// Making of answers.
    pub render: RenderConfig,
    /// Marks on answers.
    pub watermark: WatermarkConfig,
    /// Decoders in processes of their own.
    pub modules: ModulesConfig,
    /// JPEG 2000.
    pub jpeg2000: Jpeg2000Config,
    /// Files of answers.
    pub output: OutputConfig,
    /// Protocols.
    pub protocol: ProtocolConfig,
    /// Deep Zoom.
    pub deepzoom: DeepZoomConfig,
    /// Logs.
    pub log: LogConfig,
    /// Traces.
    pub tracing: TracingConfig,
}
