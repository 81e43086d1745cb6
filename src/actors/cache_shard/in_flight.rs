//! `InFlight`: the answers being made, who leads each and who waits. A plain struct; the actor around
//! it has the mailbox.

use std::collections::HashMap;

use tokio::sync::oneshot;

use crate::actors::by_lane::ByLane;
use crate::actors::cache_shard::ObtainResult;
use crate::actors::interest::Interest;
use crate::plan::{Lane, PlanKey};

/// What became of one who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// It makes the answer.
    Leads(Lead),
    /// It waits for one being made.
    Waits,
    /// There is no room for one more.
    Refused,
}

/// Tells one lead from the next of the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lead(u64);

type Reply = oneshot::Sender<ObtainResult>;

/// Work under way.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    works: HashMap<PlanKey, Work>,
    counts: ByLane<usize>,
    leads: u64,
}

#[derive(Debug)]
struct Work {
    lane: Lane,
    interest: Interest,
    askers: Vec<Reply>,
    /// The newest lead: work that was given up and asked for again has older ones still out.
    lead: Lead,
}

impl InFlight {
    /// Somebody asks for `key`. Work that everybody before had given up is led again; of each lane there
    /// are `works_max` at once.
    pub(super) fn join(
        &mut self,
        (key, lane): (PlanKey, Lane),
        interest: &Interest,
        reply: Reply,
        works_max: usize,
    ) -> Joined {
        let lead = Lead(self.leads);
        let room = *self.counts.of(lane) < works_max;
        match self.works.get_mut(&key) {
            Some(work) if work.interest.join(interest) => {
                work.askers.push(reply);
                Joined::Waits
            }
            Some(work) => {
                work.interest = interest.clone();
                work.askers = vec![reply];
                work.lead = lead;
                self.leads += 1;
                Joined::Leads(lead)
            }
            None if room => {
                let work = Work { lane, interest: interest.clone(), askers: vec![reply], lead };
                self.works.insert(key, work);
                *self.counts.of_mut(lane) += 1;
                self.leads += 1;
                Joined::Leads(lead)
            }
            None => Joined::Refused,
        }
    }

    /// A lead for `key` is over: everybody to answer, the leader first. One that was given up answers
    /// those of the lead after it where it `made` the answer all the same; its failure is not theirs.
    pub(super) fn finish(&mut self, key: PlanKey, lead: Lead, made: bool) -> Vec<Reply> {
        match self.works.get(&key) {
            Some(work) if made || work.lead == lead => {
                let Some(work) = self.works.remove(&key) else { return Vec::new() };
                *self.counts.of_mut(work.lane) -= 1;
                work.askers
            }
            _ => Vec::new(),
        }
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

    const CHEAP: Lane = Lane::Cheap;

    fn reply() -> Reply {
        oneshot::channel().0
    }

    fn leads(joined: Joined) -> Lead {
        match joined {
            Joined::Leads(lead) => lead,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_first_leads_and_the_others_wait_for_it() {
        let mut in_flight = InFlight::default();
        let (first, second) = (Asker::new(), Asker::new());
        let key = PlanKey::from_u128(7);
        let lead = leads(in_flight.join((key, CHEAP), &Interest::of(&first), reply(), 1));
        let joined = in_flight.join((key, CHEAP), &Interest::of(&second), reply(), 1);
        assert_eq!(joined, Joined::Waits);
        let other = PlanKey::from_u128(8);
        let refused = in_flight.join((other, CHEAP), &Interest::of(&first), reply(), 1);
        assert_eq!(refused, Joined::Refused);
        let dear = leads(in_flight.join((other, Lane::Dear), &Interest::of(&first), reply(), 1));
        assert_eq!(in_flight.finish(other, dear, true).len(), 1);
        assert_eq!(in_flight.finish(key, lead, false).len(), 2);
        assert_eq!(in_flight.len(), 0);
    }

    /// Work for a key given up by its asker and led again by another, who waits: both leads.
    fn led_twice(in_flight: &mut InFlight, key: PlanKey, next: &Asker) -> [Lead; 2] {
        let gone = Asker::new();
        let old = leads(in_flight.join((key, CHEAP), &Interest::of(&gone), reply(), 9));
        drop(gone);
        [old, leads(in_flight.join((key, CHEAP), &Interest::of(next), reply(), 9))]
    }

    #[test]
    fn the_failure_of_work_given_up_is_not_that_of_the_one_who_leads_it_again() {
        let mut in_flight = InFlight::default();
        let (key, next) = (PlanKey::from_u128(7), Asker::new());
        let [old, new] = led_twice(&mut in_flight, key, &next);
        assert_eq!(in_flight.finish(key, old, false).len(), 0);
        assert_eq!(in_flight.finish(key, new, false).len(), 1);
        assert_eq!(in_flight.len(), 0);
    }

    #[test]
    fn nobody_waits_for_work_given_up_once_the_answer_is_made() {
        let mut in_flight = InFlight::default();
        let (key, next) = (PlanKey::from_u128(7), Asker::new());
        let [old, new] = led_twice(&mut in_flight, key, &next);
        assert_eq!(in_flight.finish(key, new, true).len(), 1);
        assert_eq!(in_flight.finish(key, old, false).len(), 0);
        let [old, new] = led_twice(&mut in_flight, key, &next);
        assert_eq!(in_flight.finish(key, old, true).len(), 1);
        assert_eq!(in_flight.finish(key, new, true).len(), 0);
        assert_eq!(in_flight.len(), 0);
    }
}
