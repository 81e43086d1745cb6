//! `Admission`: how many bytes of pixels may be in work at once, over all requests. What could never
//! fit is told so; what does not fit now waits for its turn, up to a deadline and a number of waiters.
//!
//! Cheap work goes before dear work, and a part of the room is never given to dear work, so that tiles
//! find some whatever is exported. In each lane, who came first goes first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;
use tokio::sync::oneshot;
use tokio::time::timeout_at;

use crate::actors::by_lane::ByLane;
use crate::actors::interest::Interest;
use crate::config::Config;
use crate::metrics;
use crate::plan::Lane;

/// The part of the room that is kept for cheap work: one of so many.
const CHEAP_SHARE: u64 = 4;

/// Why a request was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdmissionError {
    /// More than its lane has in all.
    #[error("the request needs {bytes} bytes of pixels in work; {bytes_max} are allowed")]
    TooLarge {
        /// What it needs.
        bytes: u64,
        /// What there is in all.
        bytes_max: u64,
    },
    /// No room until the deadline, or too many wait for it.
    #[error("no room for the request now")]
    NoRoom,
}

/// The bounds.
#[derive(Clone, Copy, Debug)]
pub struct AdmissionLimits {
    /// Bytes of pixels in work at once.
    pub bytes_max: u64,
    /// Requests of one lane that may wait for room at once; more are refused at once.
    pub waiting_max: usize,
    /// Whether what would be refused is only counted, and let in.
    pub shadow: bool,
}

impl AdmissionLimits {
    /// Those of the configuration.
    pub(super) const fn of(config: &Config) -> Self {
        let pool = &config.pool;
        Self {
            bytes_max: pool.bytes_in_decode_max,
            waiting_max: pool.waiting_max,
            shadow: pool.shadow,
        }
    }

    /// What work of a lane may hold together.
    const fn bytes_max_of(&self, lane: Lane) -> u64 {
        match lane {
            Lane::Cheap => self.bytes_max,
            Lane::Dear => self.bytes_max - self.bytes_max / CHEAP_SHARE,
        }
    }
}

/// Who wants to be let in.
#[derive(Clone, Debug)]
pub struct Applicant {
    /// Where it waits.
    pub lane: Lane,
    /// The room that it needs.
    pub bytes: u64,
    /// When it is of no use any more.
    pub deadline: Instant,
    /// Who waits for it.
    pub interest: Interest,
}

/// The budget. Clones share it.
#[derive(Clone, Debug)]
pub struct Admission(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: ArcSwap<AdmissionLimits>,
    room: Mutex<Room>,
}

#[derive(Debug, Default)]
struct Room {
    used_bytes: ByLane<u64>,
    waiting: ByLane<VecDeque<Waiter>>,
}

#[derive(Debug)]
struct Waiter {
    bytes: u64,
    interest: Interest,
    turn: oneshot::Sender<Permit>,
}

impl Waiter {
    fn has_gone(&self) -> bool {
        self.turn.is_closed() || self.interest.is_gone()
    }
}

/// Room that was taken; given back when it is dropped.
#[derive(Debug)]
pub struct Permit {
    admission: Admission,
    lane: Lane,
    bytes: u64,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.admission.give_back(self.lane, self.bytes);
    }
}

/// What came of asking.
enum Entry {
    In(Permit),
    Waits(oneshot::Receiver<Permit>),
    Full,
}

impl Admission {
    /// A budget of which nothing is taken.
    pub fn new(limits: AdmissionLimits) -> Self {
        Self(Arc::new(Shared { limits: ArcSwap::from_pointee(limits), room: Mutex::default() }))
    }

    /// Takes room; given back when the permit is dropped.
    ///
    /// # Errors
    /// Too large for ever, or no room until the deadline.
    pub async fn admit(&self, applicant: Applicant) -> Result<Permit, AdmissionError> {
        let Applicant { lane, bytes, deadline, .. } = applicant;
        let bytes_max = self.0.limits.load().bytes_max_of(lane);
        if bytes_max < bytes {
            let error = AdmissionError::TooLarge { bytes, bytes_max };
            return self.refuse(lane, "too_large", error);
        }
        let since = Instant::now();
        let admitted = match self.enter(applicant) {
            Entry::In(permit) => Ok(permit),
            Entry::Waits(turn) => match timeout_at(deadline.into(), turn).await {
                Ok(Ok(permit)) => Ok(permit),
                // Nobody waits for it any more.
                Ok(Err(_)) => Err(AdmissionError::NoRoom),
                Err(_) => self.refuse(lane, "admission_deadline", AdmissionError::NoRoom),
            },
            Entry::Full => self.refuse(lane, "admission_waiters", AdmissionError::NoRoom),
        };
        metrics::queue_wait("room", lane.label(), since.elapsed());
        admitted
    }

    /// Takes new limits, which those who wait go by too.
    pub(super) fn go_by(&self, limits: AdmissionLimits) {
        self.0.limits.store(Arc::new(limits));
        self.give_back(Lane::Cheap, 0);
    }

    /// Bytes in work.
    pub fn bytes_in_use(&self) -> ByLane<u64> {
        self.lock().used_bytes
    }

    /// Requests that wait for room.
    pub fn waiting(&self) -> ByLane<usize> {
        let room = self.lock();
        ByLane { cheap: room.waiting.cheap.len(), dear: room.waiting.dear.len() }
    }

    /// Bytes that may be in work.
    pub fn bytes_max(&self) -> u64 {
        self.0.limits.load().bytes_max
    }

    fn enter(&self, applicant: Applicant) -> Entry {
        let Applicant { lane, bytes, interest, .. } = applicant;
        let mut room = self.lock();
        room.waiting.of_mut(lane).retain(|waiter| !waiter.has_gone());
        if room.waiting.of(lane).is_empty() && self.fits(&room, lane, bytes) {
            return Entry::In(self.take(&mut room, lane, bytes));
        }
        if self.0.limits.load().waiting_max <= room.waiting.of(lane).len() {
            return Entry::Full;
        }
        let (turn, waits) = oneshot::channel();
        room.waiting.of_mut(lane).push_back(Waiter { bytes, interest, turn });
        Entry::Waits(waits)
    }

    /// Whether there is room, and for dear work nobody before it: cheap work that waits comes first.
    fn fits(&self, room: &Room, lane: Lane, bytes: u64) -> bool {
        let all_bytes = room.used_bytes.cheap.saturating_add(room.used_bytes.dear);
        let lane_bytes = room.used_bytes.of(lane).saturating_add(bytes);
        let limits = self.0.limits.load();
        all_bytes.saturating_add(bytes) <= limits.bytes_max
            && lane_bytes <= limits.bytes_max_of(lane)
            && (lane == Lane::Cheap || room.waiting.cheap.is_empty())
    }

    fn take(&self, room: &mut Room, lane: Lane, bytes: u64) -> Permit {
        *room.used_bytes.of_mut(lane) += bytes;
        Permit { admission: self.clone(), lane, bytes }
    }

    fn give_back(&self, lane: Lane, bytes: u64) {
        let mut room = self.lock();
        *room.used_bytes.of_mut(lane) -= bytes;
        let turns = self.next_turns(&mut room);
        // A permit whose waiter has just gone comes back here, which takes the lock.
        drop(room);
        for (turn, permit) in turns {
            let _gone = turn.send(permit);
        }
    }

    /// Those whose turn it is, cheap ones first.
    fn next_turns(&self, room: &mut Room) -> Vec<(oneshot::Sender<Permit>, Permit)> {
        let mut turns = Vec::new();
        for lane in Lane::ALL {
            while let Some(waiter) = room.waiting.of_mut(lane).pop_front() {
                if waiter.has_gone() {
                    continue;
                }
                if !self.fits(room, lane, waiter.bytes) {
                    room.waiting.of_mut(lane).push_front(waiter);
                    break;
                }
                let permit = self.take(room, lane, waiter.bytes);
                turns.push((waiter.turn, permit));
            }
        }
        turns
    }

    /// Counts a refusal; in shadow mode the request goes on without a part of the room.
    fn refuse(
        &self,
        lane: Lane,
        reason: &'static str,
        error: AdmissionError,
    ) -> Result<Permit, AdmissionError> {
        if self.0.limits.load().shadow {
            metrics::would_shed(lane.label(), reason);
            return Ok(Permit { admission: self.clone(), lane, bytes: 0 });
        }
        metrics::shed(lane.label(), reason);
        Err(error)
    }

    fn lock(&self) -> MutexGuard<'_, Room> {
        // A panic leaves the sums whole: each change of them is a single step.
        self.0.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;
    use crate::actors::interest::Asker;

    const LIMITS: AdmissionLimits =
        AdmissionLimits { bytes_max: 1000, waiting_max: 2, shadow: false };

    /// Somebody in no hurry.
    fn one(asker: &Asker, lane: Lane, bytes: u64) -> Applicant {
        let deadline = Instant::now() + Duration::from_mins(1);
        Applicant { lane, bytes, deadline, interest: Interest::of(asker) }
    }

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(future)
    }

    /// Polls what must not be done yet.
    async fn waits<T: std::fmt::Debug>(future: &mut (impl Future<Output = T> + Unpin)) {
        timeout(Duration::from_millis(2), future).await.unwrap_err();
    }

    #[test]
    fn what_never_fits_is_told_so_and_what_fits_later_waits() {
        block_on(async {
            let (admission, asker) = (Admission::new(LIMITS), Asker::new());
            let error = admission.admit(one(&asker, Lane::Cheap, 1001)).await.unwrap_err();
            assert_eq!(error, AdmissionError::TooLarge { bytes: 1001, bytes_max: 1000 });
            let error = admission.admit(one(&asker, Lane::Dear, 751)).await.unwrap_err();
            assert_eq!(error, AdmissionError::TooLarge { bytes: 751, bytes_max: 750 });

            let first = admission.admit(one(&asker, Lane::Dear, 700)).await.unwrap();
            let late = Applicant { deadline: Instant::now(), ..one(&asker, Lane::Dear, 700) };
            assert_eq!(admission.admit(late).await.unwrap_err(), AdmissionError::NoRoom);
            let mut waiting = pin!(admission.admit(one(&asker, Lane::Dear, 700)));
            waits(&mut waiting).await;
            assert_eq!(admission.waiting().dear, 1, "the late one is gone");
            drop(first);
            drop(waiting.await.unwrap());
            assert_eq!(admission.bytes_in_use(), ByLane::default());
        });
    }

    #[test]
    fn dear_work_never_takes_all_room_and_cheap_work_goes_first() {
        block_on(async {
            let (admission, asker) = (Admission::new(LIMITS), Asker::new());
            let dear = admission.admit(one(&asker, Lane::Dear, 750)).await.unwrap();
            let mut next = pin!(admission.admit(one(&asker, Lane::Dear, 10)));
            waits(&mut next).await;
            let cheap = admission.admit(one(&asker, Lane::Cheap, 250)).await.unwrap();
            let mut cheap_next = pin!(admission.admit(one(&asker, Lane::Cheap, 900)));
            waits(&mut cheap_next).await;
            drop(dear);
            waits(&mut next).await;
            drop(cheap);
            drop(cheap_next.await.unwrap());
            next.await.unwrap();
        });
    }

    #[test]
    fn a_full_queue_refuses_at_once_and_the_gone_leave_it() {
        block_on(async {
            let (admission, asker) = (Admission::new(LIMITS), Asker::new());
            let _held = admission.admit(one(&asker, Lane::Dear, 750)).await.unwrap();
            let going = Asker::new();
            let mut first = pin!(admission.admit(one(&going, Lane::Dear, 1)));
            let mut second = pin!(admission.admit(one(&asker, Lane::Dear, 1)));
            waits(&mut first).await;
            waits(&mut second).await;
            let refused = admission.admit(one(&asker, Lane::Dear, 1)).await;
            assert_eq!(refused.unwrap_err(), AdmissionError::NoRoom);
            drop(going);
            let mut third = pin!(admission.admit(one(&asker, Lane::Dear, 1)));
            waits(&mut third).await;
            assert_eq!(first.await.unwrap_err(), AdmissionError::NoRoom);
        });
    }

    #[test]
    fn a_turn_that_comes_to_one_who_has_gone_is_given_to_the_next() {
        block_on(async {
            let (admission, asker) = (Admission::new(LIMITS), Asker::new());
            let held = admission.admit(one(&asker, Lane::Dear, 750)).await.unwrap();
            let mut next = {
                let mut gone = Box::pin(admission.admit(one(&asker, Lane::Dear, 700)));
                waits(&mut gone).await;
                let mut next = Box::pin(admission.admit(one(&asker, Lane::Dear, 700)));
                waits(&mut next).await;
                // Its turn has come when it goes.
                drop(held);
                next
            };
            drop(timeout(Duration::from_secs(30), &mut next).await.unwrap().unwrap());
            assert_eq!(admission.bytes_in_use(), ByLane::default());
        });
    }

    #[test]
    fn shadow_mode_counts_and_refuses_nobody() {
        block_on(async {
            let limits = AdmissionLimits { shadow: true, ..LIMITS };
            let (admission, asker) = (Admission::new(limits), Asker::new());
            let _large = admission.admit(one(&asker, Lane::Dear, 5000)).await.unwrap();
            assert_eq!(admission.bytes_in_use().dear, 0, "others are measured as ever");
            let _held = admission.admit(one(&asker, Lane::Dear, 750)).await.unwrap();
            let late = Applicant { deadline: Instant::now(), ..one(&asker, Lane::Dear, 700) };
            admission.admit(late).await.unwrap();
        });
    }
}
