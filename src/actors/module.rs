//! `Module`: the processes of one decoder. It starts one when a job finds none free, ends those that
//! crash, hang, lie or have nothing to do, and lets a decoder that does not even start rest for a while.
//!
//! A plain struct with a lock and no actor: who asks is a pool's thread, which has nothing to do but to
//! wait for the process; a mailbox between them would only be a second queue.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::codecs::CodecError;
use crate::metrics;
use crate::modules::{Hello, ModuleError, Process, Program, Request};

/// Images that stay open in one process: a viewer looks at few at once.
const IMAGES_MAX: usize = 4;

/// How long a decoder that did not start rests; twice as long each time.
const REST_MIN: Duration = Duration::from_millis(100);

/// How long it rests at most.
const REST_MAX: Duration = Duration::from_secs(30);

/// What its processes may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModuleLimits {
    /// Processes at once.
    pub processes_max: usize,
    /// How long a start and the opening of an image may take.
    pub open: Duration,
    /// How long the decoding of one tile may take.
    pub decode: Duration,
    /// How long a process lives that has nothing to do.
    pub idle: Duration,
}

/// A decoder and its processes.
#[derive(Debug)]
pub struct Module {
    program: Program,
    limits: ModuleLimits,
    crew: Mutex<Crew>,
    /// Processes that there are: idle, at work, and being started.
    count: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct Crew {
    idle: Vec<Worker>,
    starts_failed: u32,
    rests_until: Option<Instant>,
    stopped: bool,
}

/// The right to one process; given back when that is gone, however it went.
#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

impl Place {
    /// One of `most`, if one is left.
    fn take(count: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let place = Self(Arc::clone(count));
        (count.fetch_add(1, Ordering::Relaxed) < most).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A process with what is open in it.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) process: Process,
    /// Number of each image, and whether anybody still has it; the last used last.
    images: Vec<(u64, Weak<()>)>,
    has_worked: bool,
    /// For which image it had its last job; nothing where that was no image of its own.
    last: Option<u64>,
    /// Whether it has had jobs for several images, or for what is no image of its own.
    is_shared: bool,
    idle_since: Instant,
    _place: Place,
}

impl Worker {
    fn new(process: Process, place: Place) -> Self {
        Self {
            process,
            images: Vec::new(),
            has_worked: false,
            last: None,
            is_shared: false,
            idle_since: Instant::now(),
            _place: place,
        }
    }

    /// Notes for which image it works now.
    fn begin(&mut self, image: Option<u64>) {
        self.is_shared |= self.has_worked && (image.is_none() || self.last != image);
        self.has_worked = true;
        self.last = image;
    }

    /// Whether the image is open in it; then it counts as used.
    pub(super) fn has(&mut self, image: u64) -> bool {
        let found = self.images.iter().position(|(known, _)| *known == image);
        if let Some(at) = found {
            let used = self.images.remove(at);
            self.images.push(used);
        }
        found.is_some()
    }

    /// Notes that the image is open in it until `alive` is dropped, and closes the one that was used
    /// longest ago where there are too many.
    pub(super) fn opened(&mut self, image: u64, alive: &Arc<()>) -> Result<(), ModuleError> {
        self.images.push((image, Arc::downgrade(alive)));
        if IMAGES_MAX < self.images.len() {
            let (image, _) = self.images.remove(0);
            self.process.tell(&Request::Close { image }, &[])?;
        }
        Ok(())
    }

    /// Closes images that nobody has any more.
    fn close_unused(&mut self) -> Result<(), ModuleError> {
        let (kept, gone) = std::mem::take(&mut self.images)
            .into_iter()
            .partition(|(_, alive)| 0 < alive.strong_count());
        self.images = kept;
        let gone: Vec<(u64, Weak<()>)> = gone;
        gone.into_iter()
            .try_for_each(|(image, _)| self.process.tell(&Request::Close { image }, &[]))
    }
}

impl Module {
    /// A decoder of which no process is started yet.
    pub fn new(program: Program, limits: ModuleLimits) -> Self {
        Self { program, limits, crew: Mutex::default(), count: Arc::default() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.program.name
    }

    /// What its processes may take.
    pub const fn limits(&self) -> &ModuleLimits {
        &self.limits
    }

    /// Starts a process to hear which files it takes, and keeps it.
    ///
    /// # Errors
    /// Where it does not start.
    pub fn hello(&self) -> Result<Hello, ModuleError> {
        let place = Place::take(&self.count, usize::MAX);
        let (process, hello) = Process::start(&self.program, self.limits.open)?;
        metrics::module_start(self.name());
        self.lock().idle.extend(place.map(|place| Worker::new(process, place)));
        Ok(hello)
    }

    /// Has one process do a job, preferably the one where `image` is open. Blocks: for threads of pools.
    ///
    /// A process that has worked for others and crashes may do so for what one of them left in it: then
    /// the job is done once more, by a new process.
    ///
    /// # Errors
    /// What the file or the process is to blame for; `Unready` where there is no process to be had.
    pub(super) fn run<T>(
        &self,
        image: Option<u64>,
        mut job: impl FnMut(&mut Worker) -> Result<T, ModuleError>,
    ) -> Result<T, CodecError> {
        let mut worker = match self.idle(image) {
            Some(worker) => worker,
            None => self.start()?,
        };
        worker.begin(image);
        let is_shared = worker.is_shared;
        let mut result = self.work(worker, &mut job);
        if is_shared && result.as_ref().is_err_and(ModuleError::may_be_inherited) {
            let mut worker = self.start()?;
            worker.begin(image);
            result = self.work(worker, &mut job);
        }
        let decoder = self.name();
        result.map_err(|error| match error {
            ModuleError::Refused(error) => error,
            other => CodecError::Process { decoder: decoder.to_owned(), what: other.to_string() },
        })
    }

    fn work<T>(
        &self,
        mut worker: Worker,
        job: &mut impl FnMut(&mut Worker) -> Result<T, ModuleError>,
    ) -> Result<T, ModuleError> {
        let started = Instant::now();
        let result = job(&mut worker);
        let death = result.as_ref().err().and_then(ModuleError::death);
        metrics::module_job(self.name(), result.is_ok(), started.elapsed());
        self.give_back(worker, death);
        result
    }

    /// A process that is free.
    fn idle(&self, image: Option<u64>) -> Option<Worker> {
        loop {
            let worker = self.lock().take_idle(image)?;
            if worker.process.is_fit() {
                return Some(worker);
            }
            // It died, or spoke unasked, when nobody looked: that costs no answer.
            metrics::module_death(self.name(), "idle");
        }
    }

    /// A new process.
    fn start(&self) -> Result<Worker, CodecError> {
        let unready = || CodecError::Unready { decoder: self.name().to_owned() };
        if self.lock().rests() {
            return Err(unready());
        }
        let place = Place::take(&self.count, self.limits.processes_max).ok_or_else(unready)?;
        metrics::module_start(self.name());
        match Process::start(&self.program, self.limits.open) {
            Ok((process, _)) => {
                let mut crew = self.lock();
                crew.starts_failed = 0;
                crew.rests_until = None;
                Ok(Worker::new(process, place))
            }
            Err(error) => {
                let rest = self.rest();
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(decoder = self.name(), %error, cause, ?rest, "a decoder does not start");
                metrics::module_death(self.name(), "start");
                Err(unready())
            }
        }
    }

    /// Notes a start that failed; how long there is none.
    fn rest(&self) -> Duration {
        let mut crew = self.lock();
        let rest = REST_MIN.saturating_mul(1 << crew.starts_failed.min(16)).min(REST_MAX);
        crew.starts_failed = crew.starts_failed.saturating_add(1);
        crew.rests_until = Some(Instant::now() + rest);
        rest
    }

    fn give_back(&self, mut worker: Worker, death: Option<&'static str>) {
        let death = death.or_else(|| worker.close_unused().err()?.death());
        if let Some(reason) = death {
            metrics::module_death(self.name(), reason);
        }
        worker.idle_since = Instant::now();
        let mut crew = self.lock();
        if death.is_none() && !crew.stopped {
            crew.idle.push(worker);
        }
    }

    /// Ends processes that have had nothing to do for long, and closes images that nobody has any more;
    /// call every few seconds.
    pub fn close_idle(&self) {
        let mut crew = self.lock();
        let mut ended = Vec::new();
        for mut worker in std::mem::take(&mut crew.idle) {
            let is_young = worker.idle_since.elapsed() < self.limits.idle;
            // One that was killed from outside must not stay a zombie until it would be asked again.
            if is_young && worker.process.is_fit() && worker.close_unused().is_ok() {
                crew.idle.push(worker);
            } else {
                ended.push(worker);
            }
        }
        // Ended without the lock: it takes a moment.
        drop(crew);
        drop(ended);
    }

    /// Processes that there are.
    pub fn processes(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Numbers of the processes that have nothing to do.
    pub fn idle_process_ids(&self) -> Vec<u32> {
        self.lock().idle.iter().map(|worker| worker.process.id()).collect()
    }

    /// Ends all processes, and those at work when their job is over.
    pub fn stop(&self) {
        let mut crew = self.lock();
        crew.stopped = true;
        let idle = std::mem::take(&mut crew.idle);
        drop(crew);
        drop(idle);
    }

    fn lock(&self) -> MutexGuard<'_, Crew> {
        // A panic leaves the crew whole: each change of it is a single step.
        self.crew.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Crew {
    /// Whether no process is to be started.
    fn rests(&self) -> bool {
        self.stopped || self.rests_until.is_some_and(|until| Instant::now() < until)
    }

    fn take_idle(&mut self, image: Option<u64>) -> Option<Worker> {
        let knows = |worker: &Worker| {
            image.is_some_and(|image| worker.images.iter().any(|(known, _)| *known == image))
        };
        let last = self.idle.len().checked_sub(1)?;
        let at = self.idle.iter().position(knows).unwrap_or(last);
        Some(self.idle.swap_remove(at))
    }
}
