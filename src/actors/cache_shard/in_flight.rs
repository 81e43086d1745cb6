//! `InFlight`: the answers being made, who leads each and who waits. A plain struct; the actor around
//! it has the mailbox.

use std::collections::HashMap;

use tokio::sync::oneshot;

use crate::actors::cache_shard::ObtainResult;
use crate::actors::interest::Interest;
use crate::plan::PlanKey;

/// What became of one who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// It makes the answer.
    Leads,
    /// It waits for one being made.
    Waits,
    /// There is no room for one more.
    Refused,
}

type Reply = oneshot::Sender<ObtainResult>;

/// Work under way.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    works: HashMap<PlanKey, Work>,
}

#[derive(Debug)]
struct Work {
    interest: Interest,
    askers: Vec<Reply>,
    /// How many leads this key has out: more than one where work was given up and asked for again.
    leads: usize,
}

impl InFlight {
    /// Somebody asks for `key`. Work that everybody before had given up is led again.
    pub(super) fn join(
        &mut self,
        key: PlanKey,
        interest: &Interest,
        reply: Reply,
        works_max: usize,
    ) -> Joined {
        let room = self.works.len() < works_max;
        match self.works.get_mut(&key) {
            Some(work) if work.interest.join(interest) => {
                work.askers.push(reply);
                Joined::Waits
            }
            Some(work) => {
                work.interest = interest.clone();
                work.askers = vec![reply];
                work.leads += 1;
                Joined::Leads
            }
            None if room => {
                let work = Work { interest: interest.clone(), askers: vec![reply], leads: 1 };
                self.works.insert(key, work);
                Joined::Leads
            }
            None => Joined::Refused,
        }
    }

    /// Work for `key` is over: everybody to answer, the leader first. A lead that was given up and is
    /// still out ends without taking the askers of the one after it.
    pub(super) fn finish(&mut self, key: PlanKey) -> Vec<Reply> {
        let Some(work) = self.works.get_mut(&key) else { return Vec::new() };
        work.leads -= 1;
        if work.leads != 0 {
            return Vec::new();
        }
        self.works.remove(&key).map(|work| work.askers).unwrap_or_default()
    }

    /// Answers being made.
    pub(super) fn len(&self) -> usize {
        self.works.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::interest::Asker;

    fn reply() -> Reply {
        oneshot::channel().0
    }

    #[test]
    fn the_first_leads_and_the_others_wait_for_it() {
        let mut in_flight = InFlight::default();
        let (first, second) = (Asker::new(), Asker::new());
        let key = PlanKey::from_u128(7);
        assert_eq!(in_flight.join(key, &Interest::of(&first), reply(), 1), Joined::Leads);
        assert_eq!(in_flight.join(key, &Interest::of(&second), reply(), 1), Joined::Waits);
        let other = in_flight.join(PlanKey::from_u128(8), &Interest::of(&first), reply(), 1);
        assert_eq!(other, Joined::Refused);
        assert_eq!(in_flight.finish(key).len(), 2);
        assert_eq!(in_flight.len(), 0);
    }

    #[test]
    fn work_given_up_is_led_again_and_its_end_answers_nobody_else() {
        let mut in_flight = InFlight::default();
        let key = PlanKey::from_u128(7);
        let gone = Asker::new();
        assert_eq!(in_flight.join(key, &Interest::of(&gone), reply(), 9), Joined::Leads);
        drop(gone);
        let next = Asker::new();
        assert_eq!(in_flight.join(key, &Interest::of(&next), reply(), 9), Joined::Leads);
        assert_eq!(in_flight.finish(key).len(), 0);
        assert_eq!(in_flight.finish(key).len(), 1);
    }
}
