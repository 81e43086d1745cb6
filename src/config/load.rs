//! Default < iipsrv's environment < TOML file < `TESSERA_*` < flag. An unknown key is an error with the
//! nearest known one; each value remembers where it came from.

use std::fs;
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::config::iipsrv::{ALIASES, RunAs};
use crate::config::keys::{KEYS, Key};
use crate::config::memory;
use crate::config::modules::{self, DECODERS};
use crate::config::tls;
use crate::config::watermark::{self, RULES};
use crate::config::{
    AccessLog, Bind, CacheConfig, Config, DeepZoomConfig, ImagesConfig, Jpeg2000Config, LogConfig,
    LogFormat, LogTarget, MemcachedConfig, ModulesConfig, OutputConfig, PoolConfig, ProtocolConfig,
    RenderConfig, ServerConfig, SupervisorConfig, TracingConfig, WatermarkConfig,
};
use crate::model::{ColourRule, DeepZoomCut, Filter, Format, Limits};

/// Largest TOML file read, in bytes: a hundred times what all settings need.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Settings whose values are shown to nobody.
const SECRETS: [&str; 1] = ["server.admin_token"];

/// The part of the memory that pixels in work may take, where the configuration does not say: one of so
/// many. Beside them stand the caches, answers on their way out and the page cache.
const MEMORY_SHARE: u64 = 4;

/// Bytes of pixels in work at once, at least: what one export of 2000 x 2000 pixels takes.
pub(super) const BYTES_IN_DECODE_MIN: u64 = 64 << 20;

/// Where settings come from, lowest first.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// Name and value of every environment variable.
    pub environment: Vec<(String, String)>,
    /// The TOML file, if one was named.
    pub file: Option<PathBuf>,
    /// Key and value of each flag, and of the folder argument as `images.root`.
    pub flags: Vec<(String, String)>,
    /// What the process was started as, which other defaults may go with.
    pub run_as: RunAs,
}

impl Layers {
    /// The environment of this process. What is no UTF-8 stays, with marks in it, to be refused by name.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<(String, String)>) -> Self {
        let text = |part: std::ffi::OsString| part.to_string_lossy().into_owned();
        let environment = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
        Self { environment: environment.collect(), file, flags, run_as: RunAs::Tessera }
    }
}

/// Where a value in force came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The key.
    pub name: &'static str,
    /// The value as it was written.
    pub value: String,
    /// `default`, an environment name, a file, or a flag.
    pub origin: String,
}

/// The values that were read last, for all who tell of them.
pub type LiveOrigins = Arc<ArcSwap<Vec<Origin>>>;

impl Origin {
    /// The value, for people: a secret is only told to be there.
    pub fn shown(&self) -> String {
        if SECRETS.contains(&self.name) && !self.value.is_empty() {
            return "(set)".to_owned();
        }
        self.value.clone()
    }
}

/// A setting that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The value is not one of those allowed.
    #[error("{name} = `{value}` (from {origin}) is not allowed: {allowed}")]
    Value {
        /// The key.
        name: &'static str,
        /// What was given.
        value: String,
        /// Where.
        origin: String,
        /// What is allowed.
        allowed: String,
    },
    /// No such key.
    #[error("{name} (from {origin}) is no setting; did you mean {nearest}?")]
    Unknown {
        /// What was given.
        name: String,
        /// Where.
        origin: String,
        /// The known name most like it.
        nearest: String,
    },
    /// The file is no TOML, or has a value that is neither text, number nor yes or no.
    #[error("{path}: {what}")]
    File {
        /// The file.
        path: String,
        /// What is wrong, with its place.
        what: String,
    },
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Nothing to listen on.
    #[error("server.bind and server.fastcgi are both `none`: one of them must say where to listen")]
    NoListener,
    /// A certificate without its key, or the other way round.
    #[error("server.tls_certificate and server.tls_key are set together or not at all")]
    HalfTls,
    /// TLS where nobody speaks it.
    #[error("server.tls_certificate is for TCP; server.bind is a unix socket")]
    TlsOnUnix,
    /// No image folder was named.
    #[error(
        "no image folder: name one (`tessera serve DIR`), or set images.root, TESSERA_IMAGES_ROOT or FILESYSTEM_PREFIX"
    )]
    NoRoot,
    /// The image folder is none.
    #[error("the image folder `{path}` (from {origin}) is not a folder that can be read")]
    BadRoot {
        /// What was given.
        path: String,
        /// Where.
        origin: String,
    },
}

/// Reads all layers and checks the whole.
///
/// # Errors
/// The first setting that is unknown or impossible.
pub fn load(layers: &Layers) -> Result<(Config, Vec<Origin>), ConfigError> {
    let mut origins: Vec<Origin> = KEYS
        .iter()
        .map(|key| Origin {
            name: key.name,
            value: key.default.to_owned(),
            origin: "default".to_owned(),
        })
        .collect();
    for (name, value) in layers.run_as.defaults() {
        put(&mut origins, name, (*value).to_owned(), "iipsrv's default")?;
    }
    from_iipsrv(layers, &mut origins);
    let tables = match &layers.file {
        Some(path) => from_file(path, &mut origins)?,
        None => Tables::default(),
    };
    from_environment(layers, &mut origins)?;
    for (name, value) in &layers.flags {
        put(&mut origins, name, value.clone(), &format!("--{}", name.replace(['.', '_'], "-")))?;
    }
    let mut config = blank(layers.run_as);
    for (key, origin) in KEYS.iter().zip(&origins) {
        apply(key, origin, &mut config)?;
    }
    watermark::complete(&mut config, tables.rules, &mut origins)?;
    fill_automatic(&mut config);
    let path = layers.environment.iter().find(|(name, _)| name == "PATH");
    let path = path.map_or("", |(_, value)| value);
    modules::complete(&mut config, path, tables.decoders, &mut origins)?;
    check_root(&config, &origins)?;
    tls::check(&config.server)?;
    config.supervisor = SupervisorConfig::of(layers);
    if config.server.bind == Bind::None && config.server.fastcgi.bind == Bind::None {
        return Err(ConfigError::NoListener);
    }
    Ok((config, origins))
}

fn apply(key: &Key, origin: &Origin, config: &mut Config) -> Result<(), ConfigError> {
    (key.set)(config, &origin.value).map_err(|allowed| ConfigError::Value {
        name: key.name,
        value: origin.value.clone(),
        origin: origin.origin.clone(),
        allowed,
    })
}

fn from_iipsrv(layers: &Layers, origins: &mut [Origin]) {
    for (key, origin) in KEYS.iter().zip(origins) {
        let Some((name, translate)) = &key.iipsrv else { continue };
        let alias = ALIASES.iter().find(|(_, of)| of == name).map(|(alias, _)| *alias);
        let written = [Some(*name), alias]
            .into_iter()
            .flatten()
            .find_map(|name| layers.environment.iter().find(|(known, _)| known == name));
        let Some((name, text)) = written else { continue };
        name.clone_into(&mut origin.origin);
        origin.value = translate(text);
    }
}

fn from_environment(layers: &Layers, origins: &mut [Origin]) -> Result<(), ConfigError> {
    for (name, value) in &layers.environment {
        if !name.starts_with("TESSERA_") || is_of_kubernetes(name) {
            continue;
        }
        let Some(key) = KEYS.iter().find(|key| key.environment() == *name) else {
            let known = KEYS.iter().map(Key::environment);
            return Err(unknown(name, "the environment", known));
        };
        put(origins, key.name, value.clone(), name)?;
    }
    Ok(())
}

/// Kubernetes puts such names into every container beside a service that is called `tessera`.
fn is_of_kubernetes(name: &str) -> bool {
    ["TESSERA_SERVICE_", "TESSERA_PORT"].iter().any(|start| name.starts_with(start))
}

/// Lists of tables that a file holds.
#[derive(Debug, Default)]
struct Tables {
    rules: Option<FileTables>,
    decoders: Option<FileTables>,
}

/// The tables of one list, as they were written.
#[derive(Debug)]
pub(super) struct FileTables {
    /// The file.
    pub(super) path: String,
    /// In its order.
    pub(super) tables: Vec<toml::Table>,
}

/// Settles what a file says, and hands back the lists of tables that it holds.
fn from_file(path: &Path, origins: &mut [Origin]) -> Result<Tables, ConfigError> {
    let shown = path.display().to_string();
    let io = |source| ConfigError::Io { path: shown.clone(), source };
    let bad = |what: String| ConfigError::File { path: shown.clone(), what };
    if FILE_BYTES_MAX < fs::metadata(path).map_err(io)?.len() {
        return Err(bad(format!("larger than {FILE_BYTES_MAX} bytes")));
    }
    let text = fs::read_to_string(path).map_err(io)?;
    let table: toml::Table =
        text.parse().map_err(|error: toml::de::Error| bad(error.to_string()))?;
    let mut lists = Tables::default();
    for (section, values) in table {
        let toml::Value::Table(values) = values else {
            return Err(bad(format!("`{section}` stands outside of any section")));
        };
        for (name, value) in values {
            let name = format!("{section}.{name}");
            let list = match name.as_str() {
                RULES => Some(&mut lists.rules),
                DECODERS => Some(&mut lists.decoders),
                _ => None,
            };
            if let Some(list) = list {
                let tables = tables_of(value)
                    .ok_or_else(|| bad(format!("`{name}` is no list of tables, [[{name}]]")))?;
                *list = Some(FileTables { path: shown.clone(), tables });
                continue;
            }
            let value = text_of(&value).ok_or_else(|| {
                bad(format!("`{name}` is neither text, number nor true or false"))
            })?;
            put(origins, &name, value, &shown)?;
        }
    }
    Ok(lists)
}

/// The tables of a list; nothing where it is none.
fn tables_of(value: toml::Value) -> Option<Vec<toml::Table>> {
    let toml::Value::Array(list) = value else { return None };
    let tables = list.into_iter().map(|entry| match entry {
        toml::Value::Table(table) => Some(table),
        _ => None,
    });
    tables.collect()
}

/// A single value as it would be written in another layer.
pub(super) fn text_of(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn put(origins: &mut [Origin], name: &str, value: String, from: &str) -> Result<(), ConfigError> {
    let Some(origin) = origins.iter_mut().find(|origin| origin.name == name) else {
        return Err(unknown(name, from, KEYS.iter().map(|key| key.name.to_owned())));
    };
    origin.value = value;
    from.clone_into(&mut origin.origin);
    Ok(())
}

pub(super) fn unknown(
    name: &str,
    origin: &str,
    known: impl Iterator<Item = String>,
) -> ConfigError {
    let nearest = known.min_by_key(|known| distance(name, known)).unwrap_or_default();
    ConfigError::Unknown { name: name.to_owned(), origin: origin.to_owned(), nearest }
}

/// Levenshtein's distance: single letters put in, left out or changed.
pub(super) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for ((j, to), pair) in b.iter().enumerate().zip(row.windows(2)) {
            let [diagonal, above] = pair else { continue };
            let left = next.get(j).copied().unwrap_or(usize::MAX - 1);
            next.push((diagonal + usize::from(from != *to)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

fn check_root(config: &Config, origins: &[Origin]) -> Result<(), ConfigError> {
    if config.images.root.as_os_str().is_empty() {
        return Err(ConfigError::NoRoot);
    }
    if config.images.root.is_dir() {
        return Ok(());
    }
    let origin = origins.iter().find(|origin| origin.name == "images.root");
    Err(ConfigError::BadRoot {
        path: config.images.root.display().to_string(),
        origin: origin.map(|origin| origin.origin.clone()).unwrap_or_default(),
    })
}

/// Zeroes that mean "as the machine is" become numbers.
fn fill_automatic(config: &mut Config) {
    let cores = std::thread::available_parallelism().map_or(2, NonZero::get);
    let or = |value: &mut usize, automatic: usize| {
        if *value == 0 {
            *value = automatic;
        }
    };
    or(&mut config.server.workers, cores);
    or(&mut config.cache.shards, cores.next_power_of_two());
    or(&mut config.pool.decode_threads, cores);
    or(&mut config.pool.dear_threads, (cores - 1).max(1));
    or(&mut config.pool.encode_threads, cores.div_ceil(2));
    or(&mut config.pool.watermark_threads, cores.div_ceil(2));
    let processes = config.pool.decode_threads;
    or(&mut config.modules.settings.processes_max, processes);
    if config.pool.bytes_in_decode_max == 0 {
        config.pool.bytes_in_decode_max = (memory::bytes() / MEMORY_SHARE).max(BYTES_IN_DECODE_MIN);
    }
}

/// A value for every field, before the rows of [`KEYS`] set each of them.
fn blank(run_as: RunAs) -> Config {
    Config {
        run_as,
        supervisor: SupervisorConfig::default(),
        server: ServerConfig::default(),
        images: ImagesConfig {
            root: PathBuf::new(),
            name_prefix: String::new(),
            name_suffix: String::new(),
            sequence_pattern: String::new(),
            roots_extra: Vec::new(),
            open_max: 0,
            idle: Duration::ZERO,
            recheck: Duration::ZERO,
            jobs_per_image_max: 0,
            colour: ColourRule::Embed,
            failure_hold: Duration::ZERO,
        },
        cache: CacheConfig { bytes_max: 0, decoded_bytes_max: 0, shards: 0, jobs_per_shard_max: 0 },
        memcached: MemcachedConfig::default(),
        pool: PoolConfig::default(),
        render: RenderConfig {
            limits: Limits::default(),
            jpeg_quality: 0,
            png_level: 0,
            webp_quality: 0,
            filter: Filter::default(),
            pass_through: false,
            pass_through_bytes_max: 0,
            background: [0; 3],
            dither: false,
            icc_bytes_max: 0,
        },
        watermark: WatermarkConfig::default(),
        modules: ModulesConfig::default(),
        jpeg2000: Jpeg2000Config::default(),
        output: OutputConfig::default(),
        protocol: ProtocolConfig::default(),
        deepzoom: DeepZoomConfig { cut: DeepZoomCut::default(), format: Format::Jpeg },
        log: LogConfig {
            format: LogFormat::Text,
            level: String::new(),
            access: AccessLog::On,
            target: LogTarget::Standard,
        },
        tracing: TracingConfig::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(environment: &[(&str, &str)], file: Option<&Path>, flags: &[(&str, &str)]) -> Layers {
        let owned = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
        };
        Layers {
            environment: owned(environment),
            file: file.map(Path::to_owned),
            flags: owned(flags),
            ..Layers::default()
        }
    }

    #[test]
    fn each_layer_beats_the_one_below() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("t.toml");
        fs::write(
            &file,
            "[render]\njpeg_quality = 60\npng_level = 3\n[cache]\nbytes_max = \"1MiB\"\n",
        )
        .unwrap();
        let root = dir.path().to_str().unwrap();
        let (config, origins) = load(&layers(
            &[("JPEG_QUALITY", "50"), ("MAX_CVT", "-1"), ("TESSERA_RENDER_PNG_LEVEL", "5")],
            Some(&file),
            &[("images.root", root), ("cache.bytes_max", "2MiB")],
        ))
        .unwrap();
        assert_eq!(config.render.jpeg_quality, 60);
        assert_eq!(config.render.png_level, 5);
        assert_eq!(config.cache.bytes_max, 2 << 20);
        assert_eq!(config.render.limits.output_side_px_max, 65_500);
        assert!(0 < config.server.workers);
        let origin = |name| &origins.iter().find(|origin| origin.name == name).unwrap().origin;
        assert_eq!(origin("render.png_level"), "TESSERA_RENDER_PNG_LEVEL");
    }

    #[test]
    fn unknown_and_impossible_settings_say_key_value_and_what_is_allowed() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().to_str().unwrap();
        for (environment, flags, expected) in [
            (
                &[("TESSERA_CACHE_BYTE_MAX", "1")][..],
                &[("images.root", root)][..],
                "did you mean TESSERA_CACHE_BYTES_MAX?",
            ),
            (
                &[("TESSERA_RENDER_JPEG_QUALITY", "101")],
                &[("images.root", root)],
                "render.jpeg_quality = `101` (from TESSERA_RENDER_JPEG_QUALITY) is not allowed: a number from 1 to 100",
            ),
            (&[], &[("images.root", root), ("server.bind", "x")], "HOST:PORT, unix:PATH or none"),
            (&[], &[], "no image folder"),
            (&[], &[("images.root", root), ("server.bind", "none")], "server.fastcgi"),
            (&[("FILESYSTEM_PREFIX", "")], &[], "no image folder"),
            (
                &[("FILESYSTEM_PREFIX", "/no/such/folder/")],
                &[],
                "`/no/such/folder` (from FILESYSTEM_PREFIX)",
            ),
        ] {
            let error = load(&layers(environment, None, flags)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_prefix_is_split_at_its_last_slash() {
        let dir = tempfile::tempdir().unwrap();
        let prefix = format!("{}/scan_", dir.path().display());
        let (config, _) = load(&layers(&[("FILESYSTEM_PREFIX", &prefix)], None, &[])).unwrap();
        assert_eq!(config.images.root, dir.path());
        assert_eq!(config.images.name_prefix, "scan_");
    }

    #[test]
    fn what_kubernetes_adds_for_a_service_called_tessera_is_no_setting() {
        let dir = tempfile::tempdir().unwrap();
        let root = [("images.root", dir.path().to_str().unwrap())];
        let added = [
            ("TESSERA_SERVICE_HOST", "10.0.0.1"),
            ("TESSERA_PORT", "tcp://10.0.0.1:80"),
            ("TESSERA_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ];
        load(&layers(&added, None, &root)).unwrap();
    }
}
