//! `Pool`: threads that do the work which may take longer than a moment. The only place that owns
//! bounds, deadlines, cancellation and `catch_unwind`; actix's `SyncArbiter` has none of them.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{io, thread};

use crossbeam_channel::{Receiver, Sender, select_biased, unbounded};
use tokio::sync::oneshot;
use tokio::time::timeout_at;

use crate::actors::by_lane::ByLane;
use crate::actors::interest::{Asker, Interest};
use crate::codecs::SpareThreads;
use crate::imaging::Scratch;
use crate::metrics;
use crate::plan::Lane;

/// How much threads of dear work give way to all others, as `nice(1)` has it: at 10 the scheduler gives
/// them a tenth of a core that somebody else wants too, and all of one that nobody wants.
const DEAR_NICENESS: i32 = 10;

/// Why a job gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// As many jobs wait as may.
    #[error("the {pool} pool is full")]
    Full {
        /// Its name.
        pool: &'static str,
    },
    /// The job's turn came after its deadline.
    #[error("the job waited {waited:?} for its turn in the {pool} pool")]
    Expired {
        /// Its name.
        pool: &'static str,
        /// How long it waited.
        waited: Duration,
    },
    /// Nobody waits for the result any more.
    #[error("nobody waits for the job any more")]
    Cancelled,
    /// The job panicked; its thread lives on.
    #[error("the job panicked: {message}")]
    Panicked {
        /// The panic's message.
        message: String,
    },
    /// The pool is gone.
    #[error("the {pool} pool has stopped")]
    Stopped {
        /// Its name.
        pool: &'static str,
    },
}

/// What a job brings along.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// Which queue.
    pub lane: Lane,
    /// When its result is of no use any more.
    pub deadline: Instant,
    /// Who waits for it.
    pub interest: Interest,
}

impl Ticket {
    /// A ticket for what somebody looks at the screen for.
    pub fn cheap(asker: &Asker, wait_max: Duration) -> Self {
        Self {
            lane: Lane::Cheap,
            deadline: Instant::now() + wait_max,
            interest: Interest::of(asker),
        }
    }
}

type Task = Box<dyn FnOnce(&mut Scratch) + Send>;

/// The threads of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threads {
    /// Those that take cheap jobs; at least one is started.
    pub cheap: usize,
    /// Those that take dear jobs only, and give way to all others. Where there are none, the others take
    /// a dear job when no cheap one waits.
    pub dear: usize,
}

/// A bounded pool of threads, each with codec scratch of its own.
#[derive(Debug)]
pub struct Pool {
    name: &'static str,
    queues: ByLane<Sender<Task>>,
    depths: ByLane<Arc<AtomicUsize>>,
    jobs_max: usize,
    /// As many threads as may be at work without giving way.
    threads: usize,
    /// Threads that jobs have taken beside their own.
    taken: AtomicUsize,
}

impl Pool {
    /// Starts threads; at most `jobs_max` jobs of each lane wait or are at work.
    ///
    /// # Errors
    /// Where a thread cannot be started.
    pub fn start(name: &'static str, threads: Threads, jobs_max: usize) -> io::Result<Self> {
        let (cheap, cheap_jobs) = unbounded();
        let (dear, dear_jobs) = unbounded();
        for number in 0..threads.cheap.max(1) {
            let cheap = cheap_jobs.clone();
            let dear = (threads.dear == 0).then(|| dear_jobs.clone());
            let queues = Queues { first: cheap, second: dear };
            thread::Builder::new().name(format!("{name}-{number}")).spawn(move || queues.work())?;
        }
        for number in 0..threads.dear {
            let queues = Queues { first: dear_jobs.clone(), second: None };
            let work = move || {
                give_way();
                queues.work();
            };
            thread::Builder::new().name(format!("{name}-dear-{number}")).spawn(work)?;
        }
        let depths = ByLane::each(Arc::default);
        let (queues, taken) = (ByLane { cheap, dear }, AtomicUsize::new(0));
        Ok(Self { name, queues, depths, jobs_max, threads: threads.cheap.max(1), taken })
    }

    /// Jobs of a lane waiting or at work.
    pub fn depth(&self, lane: Lane) -> usize {
        self.depths.of(lane).load(Ordering::Relaxed)
    }

    /// The pool's name, as threads and metrics have it.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Runs a job on one of the threads.
    ///
    /// Dropping the future does not stop a job that is at work; one that has not begun is skipped
    /// where its [`Interest`] is gone.
    ///
    /// # Errors
    /// Full, expired, cancelled, panicked, stopped.
    pub async fn run<T: Send + 'static>(
        &self,
        ticket: Ticket,
        work: impl FnOnce(&mut Scratch) -> T + Send + 'static,
    ) -> Result<T, PoolError> {
        let place = self.take_place(ticket.lane)?;
        let (reply, mut result) = oneshot::channel();
        let name = self.name;
        let queued = Instant::now();
        let (lane, deadline) = (ticket.lane, ticket.deadline);
        let turn = Arc::new(Turn::default());
        let given = Arc::clone(&turn);
        let task: Task = Box::new(move |scratch| {
            if !given.take() {
                return;
            }
            let outcome = run_in_turn(name, &ticket, queued, scratch, work);
            drop(place);
            // The asker may have gone; then nobody needs the result.
            let _unwanted = reply.send(outcome);
        });
        let stopped = PoolError::Stopped { pool: name };
        self.queues.of(lane).send(task).map_err(|_stopped| stopped.clone())?;
        let outcome = match timeout_at(deadline.into(), &mut result).await {
            // No thread may come to it for long, where all of them wait for a disk that hangs.
            Err(_elapsed) if turn.take() => return Err(expired(name, lane, queued)),
            Err(_elapsed) => result.await,
            Ok(outcome) => outcome,
        };
        outcome.unwrap_or(Err(stopped))
    }

    fn take_place(&self, lane: Lane) -> Result<Place, PoolError> {
        let depth = self.depths.of(lane);
        let place = Place(Arc::clone(depth));
        if depth.fetch_add(1, Ordering::Relaxed) < self.jobs_max {
            return Ok(place);
        }
        metrics::shed(lane.label(), "pool_full");
        Err(PoolError::Full { pool: self.name })
    }
}

/// Whose turn it is: of the thread that begins a job, or of its asker, for whom it has become too late.
#[derive(Debug, Default)]
struct Turn(AtomicBool);

impl Turn {
    /// Takes the turn, unless the other has.
    fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// The refusal of a job whose turn did not come.
fn expired(pool: &'static str, lane: Lane, queued: Instant) -> PoolError {
    metrics::shed(lane.label(), "deadline");
    PoolError::Expired { pool, waited: queued.elapsed() }
}

/// Threads that no job wants: those of cheap work, less all jobs that wait or are at work and what was taken
/// already. So a tile of an idle server is decoded by all its cores, and one of a busy one by one of them.
impl SpareThreads for Pool {
    fn take(&self, most: usize) -> usize {
        let busy = self.depth(Lane::Cheap) + self.depth(Lane::Dear);
        let spare = |taken: usize| self.threads.saturating_sub(busy + taken).min(most);
        let before = self
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| Some(taken + spare(taken)));
        before.map_or(0, spare)
    }

    fn give_back(&self, count: usize) {
        self.taken.fetch_sub(count, Ordering::Relaxed);
    }
}

/// A place among the jobs; given back when the job is over, whoever still waits for it.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn run_in_turn<T>(
    pool: &'static str,
    ticket: &Ticket,
    queued: Instant,
    scratch: &mut Scratch,
    work: impl FnOnce(&mut Scratch) -> T,
) -> Result<T, PoolError> {
    metrics::queue_wait(pool, ticket.lane.label(), queued.elapsed());
    if ticket.interest.is_gone() {
        return Err(PoolError::Cancelled);
    }
    if ticket.deadline < Instant::now() {
        return Err(expired(pool, ticket.lane, queued));
    }
    // The scratch holds buffers only; whatever a panic left in them is overwritten by the next job.
    catch_unwind(AssertUnwindSafe(|| work(scratch)))
        .map_err(|payload| PoolError::Panicked { message: message_of(payload.as_ref()) })
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "no message".to_owned())
}

/// Lowers the priority of this thread for good. Processes that it starts inherit that, which costs a tile
/// nothing that having no priorities would not cost it.
fn give_way() {
    if let Err(error) = rustix::process::nice(DEAR_NICENESS) {
        tracing::debug!(%error, "exports cannot give way to tiles");
    }
}

/// The queues that one thread takes from; it ends when the pool is dropped.
struct Queues {
    first: Receiver<Task>,
    second: Option<Receiver<Task>>,
}

impl Queues {
    fn work(self) {
        let mut scratch = Scratch::default();
        while let Some(task) = self.next() {
            task(&mut scratch);
        }
    }

    fn next(&self) -> Option<Task> {
        let Some(second) = &self.second else { return self.first.recv().ok() };
        select_biased! {
            recv(self.first) -> task => task.ok(),
            recv(second) -> task => task.ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::mpsc;

    use super::*;

    const ONE: Threads = Threads { cheap: 1, dear: 0 };

    fn ticket(asker: &Asker) -> Ticket {
        Ticket::cheap(asker, Duration::from_mins(1))
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        runtime().block_on(future)
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
    }

    #[test]
    fn a_panic_costs_one_job_and_no_thread() {
        let pool = Pool::start("test", ONE, 10).unwrap();
        let asker = Asker::new();
        for _ in 0..3 {
            let error = block_on(pool.run(ticket(&asker), |_| -> u8 { panic!("broken tile") }));
            assert_eq!(error, Err(PoolError::Panicked { message: "broken tile".to_owned() }));
        }
        assert_eq!(block_on(pool.run(ticket(&asker), |_| 7)), Ok(7));
        assert_eq!(pool.depth(Lane::Cheap), 0);
    }

    #[test]
    fn a_full_pool_refuses_at_once_and_hanging_up_frees_no_slot_early() {
        let pool = Arc::new(Pool::start("test", ONE, 1).unwrap());
        let asker = Asker::new();
        let started = Arc::new(Barrier::new(2));
        let finish = Arc::new(Barrier::new(2));
        let runtime = runtime();
        let (job_started, job_finish) = (Arc::clone(&started), Arc::clone(&finish));
        let (busy, busy_ticket) = (Arc::clone(&pool), ticket(&asker));
        runtime.block_on(async move {
            let job = busy.run(busy_ticket, move |_| {
                job_started.wait();
                job_finish.wait();
            });
            // Polled once, then dropped: the client hung up.
            tokio::select! { biased; _ = job => {}, () = std::future::ready(()) => {} }
        });
        started.wait();
        let refused = runtime.block_on(pool.run(ticket(&asker), |_| ()));
        assert_eq!(refused, Err(PoolError::Full { pool: "test" }));
        finish.wait();
        while pool.depth(Lane::Cheap) != 0 {
            thread::yield_now();
        }
        assert_eq!(runtime.block_on(pool.run(ticket(&asker), |_| 1)), Ok(1));
    }

    #[test]
    fn work_that_nobody_waits_for_or_that_is_late_never_starts() {
        let pool = Pool::start("test", ONE, 10).unwrap();
        let gone = ticket(&Asker::new());
        let (sent, ran) = mpsc::channel();
        let cancelled = block_on(pool.run(gone, move |_| sent.send(()).unwrap()));
        assert_eq!(cancelled, Err(PoolError::Cancelled));
        ran.try_recv().unwrap_err();

        let asker = Asker::new();
        let late = Ticket { deadline: Instant::now(), ..ticket(&asker) };
        let expired = block_on(pool.run(late, |_| ()));
        assert!(matches!(expired, Err(PoolError::Expired { pool: "test", .. })), "{expired:?}");
    }

    #[test]
    fn a_job_whose_turn_does_not_come_is_refused_in_time_and_never_starts() {
        let pool = Pool::start("test", ONE, 10).unwrap();
        let asker = Asker::new();
        let finish = Arc::new(Barrier::new(2));
        let held = Arc::clone(&finish);
        let (sent, ran) = mpsc::channel();
        block_on(async {
            let hanging = pool.run(ticket(&asker), move |_| {
                held.wait();
            });
            let waiting = async {
                let soon = Ticket::cheap(&asker, Duration::from_millis(20));
                let refused = pool.run(soon, move |_| sent.send(()).unwrap()).await;
                assert!(matches!(refused, Err(PoolError::Expired { .. })), "{refused:?}");
                finish.wait();
            };
            let (hanging, ()) = tokio::join!(hanging, waiting);
            hanging.unwrap();
        });
        while pool.depth(Lane::Cheap) != 0 {
            thread::yield_now();
        }
        ran.try_recv().unwrap_err();
    }

    #[test]
    fn threads_are_spare_as_long_as_nobody_wants_them() {
        let pool = Arc::new(Pool::start("test", Threads { cheap: 3, dear: 1 }, 10).unwrap());
        let (asker, inner) = (Asker::new(), Arc::clone(&pool));
        let taken = block_on(pool.run(ticket(&asker), move |_| {
            // One of the three is this job's own.
            let taken = [inner.take(1), inner.take(9), inner.take(9)];
            inner.give_back(2);
            taken
        }));
        assert_eq!(taken, Ok([1, 1, 0]));
        while pool.depth(Lane::Cheap) != 0 {
            thread::yield_now();
        }
        assert_eq!(pool.take(9), 3);
    }

    #[test]
    fn on_one_thread_cheap_jobs_pass_dear_ones() {
        let pool = Pool::start("test", ONE, 100).unwrap();
        let asker = Asker::new();
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let gate = Arc::new(Barrier::new(2));
        let job = |name: &'static str, lane| {
            let (order, ticket) = (Arc::clone(&order), Ticket { lane, ..ticket(&asker) });
            pool.run(ticket, move |_| order.lock().unwrap().push(name))
        };
        let wait = Arc::clone(&gate);
        let first = pool.run(ticket(&asker), move |_| {
            wait.wait();
        });
        let runtime = runtime();
        runtime.block_on(async {
            let open = async {
                gate.wait();
            };
            let (a, b, c, ()) =
                tokio::join!(first, job("export", Lane::Dear), job("tile", Lane::Cheap), open);
            a.and(b).and(c).unwrap();
        });
        assert_eq!(*order.lock().unwrap(), ["tile", "export"]);
    }

    #[test]
    fn dear_jobs_neither_hold_all_threads_nor_fill_the_queue_of_cheap_ones() {
        let pool = Pool::start("test", Threads { cheap: 1, dear: 1 }, 2).unwrap();
        let asker = Asker::new();
        let finish = Arc::new(Barrier::new(2));
        let held = Arc::clone(&finish);
        let dear = Ticket { lane: Lane::Dear, ..ticket(&asker) };
        block_on(async {
            let export = pool.run(dear.clone(), move |_| {
                held.wait();
            });
            let queued = pool.run(dear.clone(), |_| ());
            let tile = async {
                let refused = pool.run(dear.clone(), |_| ()).await;
                assert_eq!(refused, Err(PoolError::Full { pool: "test" }));
                assert_eq!(pool.run(ticket(&asker), |_| 7).await, Ok(7), "while the export works");
                finish.wait();
            };
            let (export, queued, ()) = tokio::join!(export, queued, tile);
            export.and(queued).unwrap();
        });
    }
}
