//! `Pool`: threads that do the work which may take longer than a moment. The only place that owns
//! bounds, deadlines, cancellation and `catch_unwind`; actix's `SyncArbiter` has none of them.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, select_biased, unbounded};
use tokio::sync::oneshot;

use crate::actors::interest::{Asker, Interest};
use crate::imaging::Scratch;
use crate::metrics;

/// Which jobs go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Tiles, descriptions, checks: somebody looks at the screen.
    Prompt,
    /// Exports and full images. One thread at least never takes these.
    Patient,
}

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
    pub priority: Priority,
    /// When its result is of no use any more.
    pub deadline: Instant,
    /// Who waits for it.
    pub interest: Interest,
}

impl Ticket {
    /// A ticket for what somebody looks at the screen for.
    pub fn prompt(asker: &Asker, wait_max: Duration) -> Self {
        Self {
            priority: Priority::Prompt,
            deadline: Instant::now() + wait_max,
            interest: Interest::of(asker),
        }
    }
}

type Task = Box<dyn FnOnce(&mut Scratch) + Send>;

/// A bounded pool of threads, each with codec scratch of its own.
#[derive(Debug)]
pub struct Pool {
    name: &'static str,
    prompt: Sender<Task>,
    patient: Sender<Task>,
    depth: Arc<AtomicUsize>,
    jobs_max: usize,
}

impl Pool {
    /// Starts `threads` threads (at least one); at most `jobs_max` jobs wait or are at work.
    ///
    /// With two threads or more, one takes prompt jobs only, so that exports never hold up tiles.
    ///
    /// # Errors
    /// Where a thread cannot be started.
    pub fn start(name: &'static str, threads: usize, jobs_max: usize) -> std::io::Result<Self> {
        let (prompt, prompt_jobs) = unbounded();
        let (patient, patient_jobs) = unbounded();
        for number in 0..threads.max(1) {
            let takes_patient = number != 0 || threads < 2;
            let queues = Queues {
                prompt: prompt_jobs.clone(),
                patient: takes_patient.then(|| patient_jobs.clone()),
            };
            thread::Builder::new().name(format!("{name}-{number}")).spawn(move || queues.work())?;
        }
        Ok(Self { name, prompt, patient, depth: Arc::default(), jobs_max })
    }

    /// Jobs waiting or at work.
    pub fn depth(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
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
        let place = self.take_place()?;
        let (reply, result) = oneshot::channel();
        let name = self.name;
        let queued = Instant::now();
        let queue = match ticket.priority {
            Priority::Prompt => &self.prompt,
            Priority::Patient => &self.patient,
        };
        let task: Task = Box::new(move |scratch| {
            let outcome = run_in_turn(name, &ticket, queued, scratch, work);
            drop(place);
            // The asker may have gone; then nobody needs the result.
            let _unwanted = reply.send(outcome);
        });
        queue.send(task).map_err(|_stopped| PoolError::Stopped { pool: name })?;
        result.await.unwrap_or(Err(PoolError::Stopped { pool: name }))
    }

    fn take_place(&self) -> Result<Place, PoolError> {
        let place = Place(Arc::clone(&self.depth));
        if self.depth.fetch_add(1, Ordering::Relaxed) < self.jobs_max {
            return Ok(place);
        }
        metrics::shed("pool_full");
        Err(PoolError::Full { pool: self.name })
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
    let waited = queued.elapsed();
    metrics::stage("queue_wait", waited);
    if ticket.interest.is_gone() {
        return Err(PoolError::Cancelled);
    }
    if ticket.deadline < Instant::now() {
        metrics::shed("deadline");
        return Err(PoolError::Expired { pool, waited });
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

/// The queues that one thread takes from; it ends when the pool is dropped.
struct Queues {
    prompt: Receiver<Task>,
    patient: Option<Receiver<Task>>,
}

impl Queues {
    fn work(self) {
        let mut scratch = Scratch::default();
        while let Some(task) = self.next() {
            task(&mut scratch);
        }
    }

    fn next(&self) -> Option<Task> {
        let Some(patient) = &self.patient else { return self.prompt.recv().ok() };
        select_biased! {
            recv(self.prompt) -> task => task.ok(),
            recv(patient) -> task => task.ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::mpsc;

    use super::*;

    fn ticket(asker: &Asker) -> Ticket {
        Ticket::prompt(asker, Duration::from_mins(1))
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn a_panic_costs_one_job_and_no_thread() {
        let pool = Pool::start("test", 1, 10).unwrap();
        let asker = Asker::new();
        for _ in 0..3 {
            let error = block_on(pool.run(ticket(&asker), |_| -> u8 { panic!("broken tile") }));
            assert_eq!(error, Err(PoolError::Panicked { message: "broken tile".to_owned() }));
        }
        assert_eq!(block_on(pool.run(ticket(&asker), |_| 7)), Ok(7));
        assert_eq!(pool.depth(), 0);
    }

    #[test]
    fn a_full_pool_refuses_at_once_and_hanging_up_frees_no_slot_early() {
        let pool = Arc::new(Pool::start("test", 1, 1).unwrap());
        let asker = Asker::new();
        let started = Arc::new(Barrier::new(2));
        let finish = Arc::new(Barrier::new(2));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
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
        while pool.depth() != 0 {
            thread::yield_now();
        }
        assert_eq!(runtime.block_on(pool.run(ticket(&asker), |_| 1)), Ok(1));
    }

    #[test]
    fn work_that_nobody_waits_for_or_that_is_late_never_starts() {
        let pool = Pool::start("test", 1, 10).unwrap();
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
    fn prompt_jobs_pass_patient_ones() {
        let pool = Pool::start("test", 1, 100).unwrap();
        let asker = Asker::new();
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let gate = Arc::new(Barrier::new(2));
        let job = |name: &'static str, priority| {
            let (order, ticket) = (Arc::clone(&order), Ticket { priority, ..ticket(&asker) });
            pool.run(ticket, move |_| order.lock().unwrap().push(name))
        };
        let wait = Arc::clone(&gate);
        let first = pool.run(ticket(&asker), move |_| {
            wait.wait();
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let open = async {
                gate.wait();
            };
            let (a, b, c, ()) = tokio::join!(
                first,
                job("export", Priority::Patient),
                job("tile", Priority::Prompt),
                open
            );
            a.and(b).and(c).unwrap();
        });
        assert_eq!(*order.lock().unwrap(), ["tile", "export"]);
    }
}
