//! `Modules`: which files are decoded in processes of their own, and by which module. Each has a pool of
//! its own, whose threads wait for its processes: one that hangs holds up no other image.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::actors::isolated::IsolatedDecoder;
use crate::actors::module::{Module, ModuleLimits};
use crate::actors::module_image::ModuleImage;
use crate::actors::pool::{Pool, Threads};
use crate::codecs::jpeg2000::{CodestreamDecoder, KeptBlocks, OpenJpeg};
use crate::codecs::number::usize_of_bytes;
use crate::codecs::{self, CodecError, Decode, DecodeLimits, Jpeg2000Decoders, SpareThreads};
use crate::config::{Config, ModuleConfig, ModuleSettings};
use crate::metrics;
use crate::model::{FileMark, ReadAt, Slice};
use crate::modules::process::{LAUNCHER, Run};
use crate::modules::{Hello, ModuleError, Program};
use crate::plan::Lane;

/// Why a module cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModulesError {
    /// Its program does not start, or is no module.
    #[error("the module `{module}` does not work")]
    Start {
        /// Its name.
        module: String,
        /// Why.
        source: ModuleError,
    },
    /// It claims no kind of file.
    #[error(
        "the module `{module}` takes no files: neither it nor its table names any magic or suffixes"
    )]
    Idle {
        /// Its name.
        module: String,
    },
    /// It claims what is no mark.
    #[error("the module `{module}` takes files with the magic `{mark}`, which is none")]
    Mark {
        /// Its name.
        module: String,
        /// What it claims.
        mark: String,
    },
    /// A thread.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// All modules, in the order in which they are asked, the isolated decoder of JPEG 2000, and what of that
/// format we decoded ourselves.
#[derive(Debug, Default)]
pub struct Modules {
    listed: Vec<Arc<ListedModule>>,
    openjpeg: Option<Arc<Module>>,
    /// Whether that decodes what we could.
    openjpeg_for_all: bool,
    code_blocks: Arc<KeptBlocks>,
}

/// A module, and which files it takes.
#[derive(Debug)]
pub struct ListedModule {
    module: Arc<Module>,
    pool: Arc<Pool>,
    marks: Vec<FileMark>,
    suffixes: Vec<String>,
    /// Whether it comes before our own codecs.
    first: bool,
    rights: String,
}

impl Modules {
    /// Those of the configuration. One that the configuration does not tell the files of is started once
    /// to be asked for them.
    ///
    /// # Errors
    /// Where one does not start, or claims nothing.
    pub fn start(config: &Config) -> Result<Self, ModulesError> {
        let listed = config.modules.decoders.iter();
        let listed = listed.map(|module| listed_module(module, config).map(Arc::new));
        let listed = listed.collect::<Result<_, _>>()?;
        let openjpeg = config.jpeg2000.isolated.then(|| Arc::new(openjpeg(config)));
        let openjpeg_for_all = config.jpeg2000.openjpeg;
        let code_blocks = Arc::new(KeptBlocks::new(config.jpeg2000.kept_bytes_max));
        let modules = Self { listed, openjpeg, openjpeg_for_all, code_blocks };
        modules.all().for_each(|module| metrics::register_module(module.name()));
        Ok(modules)
    }

    /// What decodes JPEG 2000: OpenJPEG in a process where that is isolated, else in this one; `spare`
    /// helps.
    pub fn jpeg2000(&self, spare: Arc<dyn SpareThreads>) -> Jpeg2000Decoders {
        let codestreams: Arc<dyn CodestreamDecoder> = match &self.openjpeg {
            Some(module) => Arc::new(IsolatedDecoder::new(Arc::clone(module))),
            None => Arc::new(OpenJpeg),
        };
        let kept = Arc::clone(&self.code_blocks);
        Jpeg2000Decoders { codestreams, all: self.openjpeg_for_all, kept, spare }
    }

    /// Code-blocks of JPEG 2000 that are kept.
    pub(super) const fn code_blocks(&self) -> &Arc<KeptBlocks> {
        &self.code_blocks
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Module>> {
        self.listed.iter().map(|listed| &listed.module).chain(&self.openjpeg)
    }

    /// The module that takes a file: one that goes first, or one where none of our own codecs reads it.
    ///
    /// # Errors
    /// Where its first bytes cannot be read.
    pub(super) fn taking(
        &self,
        source: &dyn ReadAt,
        suffix: &str,
    ) -> io::Result<Option<Arc<ListedModule>>> {
        if self.listed.is_empty() {
            return Ok(None);
        }
        let head_len = usize_of_bytes(source.len_bytes()).min(FileMark::HEAD_BYTES);
        let mut head = vec![0; head_len];
        source.read_exact_at(&mut head, 0)?;
        let ours = codecs::reads(&head);
        let taking =
            |module: &&Arc<ListedModule>| (module.first || !ours) && module.takes(&head, suffix);
        Ok(self.listed.iter().find(taking).cloned())
    }

    /// Whether a file of this name is likely an image of one of them.
    pub(super) fn name(&self, file: &str) -> bool {
        let suffix = file.rsplit_once('.').map(|(_, suffix)| suffix.to_lowercase());
        suffix.is_some_and(|suffix| {
            self.listed.iter().any(|module| module.suffixes.contains(&suffix))
        })
    }

    /// Ends processes that have nothing to do.
    pub(super) fn close_idle(&self) {
        self.all().for_each(|module| module.close_idle());
    }

    /// Ends all processes.
    pub(super) fn stop(&self) {
        self.all().for_each(|module| module.stop());
    }

    /// Sets the gauges.
    pub(super) fn observe(&self) {
        for module in self.all() {
            let count = u64::try_from(module.processes()).unwrap_or(u64::MAX);
            let name = module.name().to_owned();
            metrics::level_of("tessera_module_processes", "module", name, count);
        }
        for lane in Lane::ALL {
            let depth = self.listed.iter().map(|listed| listed.pool.depth(lane)).sum();
            metrics::pool_depth("module", lane.label(), depth);
        }
    }
}

fn listed_module(config: &ModuleConfig, all: &Config) -> Result<ListedModule, ModulesError> {
    let name = || config.name.clone();
    let program = Program {
        name: name(),
        launcher: PathBuf::from(LAUNCHER),
        run: Run::Program(config.program.clone(), config.arguments.clone()),
        path: all.modules.path.clone(),
        memory_bytes_max: config.settings.memory_bytes_max,
    };
    let module = Module::new(program, limits(&config.settings));
    let (mut marks, mut suffixes) = (config.marks.clone(), config.suffixes.clone());
    if marks.is_empty() && suffixes.is_empty() {
        let hello = module.hello();
        let hello = hello.map_err(|source| ModulesError::Start { module: name(), source })?;
        marks = marks_of(&hello, &config.name)?;
        suffixes = hello.suffixes.iter().map(|suffix| suffix.to_lowercase()).collect();
    }
    if marks.is_empty() && suffixes.is_empty() {
        return Err(ModulesError::Idle { module: name() });
    }
    // A thread for each process, for exports half of them: no job waits in a thread for one to be free.
    let dear = config.settings.processes_max / 2;
    let threads = Threads { cheap: config.settings.processes_max - dear, dear };
    Ok(ListedModule {
        module: Arc::new(module),
        pool: Arc::new(Pool::start("module", threads, all.pool.jobs_max)?),
        marks,
        suffixes,
        first: config.first,
        rights: all.output.copyright.clone(),
    })
}

/// Our own: one process for each thread that decodes, which so never waits for one.
fn openjpeg(config: &Config) -> Module {
    let program = Program {
        name: "openjpeg".to_owned(),
        launcher: PathBuf::from(LAUNCHER),
        run: Run::Own("openjpeg"),
        path: config.modules.path.clone(),
        memory_bytes_max: config.jpeg2000.memory_bytes_max,
    };
    let processes_max = config.pool.decode_threads + config.pool.dear_threads;
    Module::new(program, ModuleLimits { processes_max, ..limits(&config.modules.settings) })
}

fn marks_of(hello: &Hello, module: &str) -> Result<Vec<FileMark>, ModulesError> {
    let mark = |text: &String| {
        let none = || ModulesError::Mark { module: module.to_owned(), mark: text.clone() };
        FileMark::parse(text).ok_or_else(none)
    };
    hello.magic.iter().map(mark).collect()
}

const fn limits(settings: &ModuleSettings) -> ModuleLimits {
    ModuleLimits {
        processes_max: settings.processes_max,
        open: settings.open,
        decode: settings.decode,
        idle: settings.idle,
    }
}

impl ListedModule {
    /// The threads that wait for its processes.
    pub(super) const fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// Has one of its processes open an image.
    ///
    /// # Errors
    /// As [`ModuleImage::open`]; `Absent` for any picture but the main one.
    pub(super) fn open(
        &self,
        source: Arc<dyn ReadAt>,
        slice: Slice,
        suffix: &str,
    ) -> Result<Arc<dyn Decode>, CodecError> {
        codecs::only(slice)?;
        let image = ModuleImage::open(&self.module, source, suffix, &DecodeLimits::default())?;
        Ok(codecs::with_rights(Arc::new(image), &self.rights))
    }

    fn takes(&self, head: &[u8], suffix: &str) -> bool {
        self.marks.iter().any(|mark| mark.is_on(head))
            || self.suffixes.iter().any(|known| known == suffix)
    }
}
