//! `PurgeLog`: what instances that share memcached have purged. Nobody could find the answers of an image
//! in there, or delete them; so each purge has a number, and the numbers of those that an image is
//! subject to are part of the names of its answers. What was stored before is never found again, and ages
//! out.
//!
//! A log is short. Over its limit, all that it says becomes the purge of everything, and a new one begins:
//! that is its generation.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use xxhash_rust::xxh3::Xxh3;

use crate::actors::purge::Purge;
use crate::model::ImageId;

/// The number of this form; count it up with each change.
const FORM: u64 = 1;

/// Which state of the log a name belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Epoch(Option<u64>);

impl Epoch {
    /// What stands behind the name of an answer; nothing where its image was never purged.
    pub(super) fn suffix(self) -> String {
        self.0.map(|number| format!(":{number:016x}")).unwrap_or_default()
    }
}

/// The log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PurgeLog {
    /// How often everything was purged.
    generation: u64,
    /// Tells the last such purge from that of another instance at the same time.
    id: u64,
    entries: BTreeSet<(Purge, u64)>,
}

impl PurgeLog {
    /// Notes a purge that has this number; a log of more than `bytes_max` becomes that of everything.
    pub(super) fn note(&mut self, purge: Purge, id: u64, bytes_max: usize) {
        if purge == Purge::All {
            self.begin(id);
            return;
        }
        self.entries.insert((purge, id));
        self.fit(bytes_max);
    }

    fn begin(&mut self, id: u64) {
        *self =
            Self { generation: self.generation.saturating_add(1), id, entries: BTreeSet::new() };
    }

    fn fit(&mut self, bytes_max: usize) {
        if bytes_max < self.to_bytes().len() {
            self.begin(hash(self.numbers()));
        }
    }

    /// All numbers in it.
    fn numbers(&self) -> impl Iterator<Item = u64> {
        [self.generation, self.id].into_iter().chain(self.entries.iter().map(|(_, id)| *id))
    }

    /// The state of the log as far as an image is concerned.
    pub(super) fn epoch_of(&self, image: &ImageId) -> Epoch {
        let taken = self.entries.iter().filter(|(purge, _)| purge.takes(image)).map(|(_, id)| *id);
        let mut taken = taken.peekable();
        if self.generation == 0 && taken.peek().is_none() {
            return Epoch(None);
        }
        Epoch(Some(hash([self.generation, self.id].into_iter().chain(taken))))
    }

    /// This log and another's as one. `seen` is the last that was read or written over there: what is not
    /// in that may be news. Where it cannot be told what another's log had come to, everything is purged.
    pub(super) fn joined(&self, theirs: &Self, seen: &Self, bytes_max: usize) -> Self {
        let mut joined = self.clone();
        if self.is_kin_of(theirs) {
            joined.entries.extend(theirs.entries.iter().cloned());
            joined.fit(bytes_max);
        } else if self.generation < theirs.generation {
            joined = theirs.clone();
        } else if self.generation == theirs.generation || theirs != seen {
            let (low, high) = (self.id.min(theirs.id), self.id.max(theirs.id));
            joined.begin(hash([low, high].into_iter()));
        }
        joined
    }

    /// Whether nothing but single purges parts the two.
    pub(super) fn is_kin_of(&self, other: &Self) -> bool {
        (self.generation, self.id) == (other.generation, other.id)
    }

    /// What somebody who knew this log has to forget on hearing of a newer one.
    pub(super) fn news(&self, newer: &Self) -> Vec<Purge> {
        if !self.is_kin_of(newer) {
            return vec![Purge::All];
        }
        newer.entries.difference(&self.entries).map(|(purge, _)| purge.clone()).collect()
    }

    /// As memcached keeps it.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let entry = |(purge, id): &(Purge, u64)| match purge {
            Purge::All => json!(["all", "", id]),
            Purge::Image(name) => json!(["image", name, id]),
            Purge::Prefix(names) => json!(["prefix", names, id]),
        };
        let entries: Vec<Value> = self.entries.iter().map(entry).collect();
        let (generation, id) = (self.generation, self.id);
        json!({ "form": FORM, "generation": generation, "id": id, "entries": entries })
            .to_string()
            .into_bytes()
    }

    /// What memcached keeps; nothing where it is no log.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let number = |key: &str| value.get(key)?.as_u64();
        let entry = |entry: &Value| {
            let [kind, name, id] = entry.as_array()?.as_slice() else { return None };
            let name = name.as_str()?.to_owned();
            let purge = match kind.as_str()? {
                "image" => Purge::Image(name),
                "prefix" => Purge::Prefix(name),
                _ => return None,
            };
            Some((purge, id.as_u64()?))
        };
        let entries: Option<BTreeSet<_>> =
            value.get("entries")?.as_array()?.iter().map(entry).collect();
        (number("form")? == FORM).then_some(())?;
        Some(Self { generation: number("generation")?, id: number("id")?, entries: entries? })
    }
}

fn hash(numbers: impl Iterator<Item = u64>) -> u64 {
    let mut digest = Xxh3::new();
    numbers.for_each(|number| digest.update(&number.to_le_bytes()));
    digest.digest()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: usize = 4096;

    fn image(name: &str) -> ImageId {
        ImageId::parse(name).unwrap()
    }

    fn one(name: &str) -> Purge {
        Purge::Image(name.to_owned())
    }

    fn log(purges: &[(Purge, u64)]) -> PurgeLog {
        let mut log = PurgeLog::default();
        for (purge, id) in purges {
            log.note(purge.clone(), *id, ROOM);
        }
        log
    }

    #[test]
    fn a_purge_gives_new_names_to_what_it_takes_and_to_nothing_else() {
        let (never, folder) = (log(&[]), Purge::Prefix("b/".to_owned()));
        let some = log(&[(one("a.tif"), 1), (folder.clone(), 2)]);
        let epochs = |log: &PurgeLog| {
            ["a.tif", "b/c.tif", "d.tif"].map(|name| log.epoch_of(&image(name)).suffix())
        };
        assert_eq!(epochs(&never), ["", "", ""]);
        let [a, b, d] = epochs(&some);
        assert!(a.len() == 17 && b.len() == 17 && a != b && d.is_empty(), "{a} {b} {d}");
        let again = log(&[(one("a.tif"), 1), (folder, 2), (one("a.tif"), 3)]);
        assert!(epochs(&again)[0] != a && epochs(&again)[1] == b);
        let all = epochs(&log(&[(one("a.tif"), 1), (Purge::All, 4)]));
        assert!(all[0] != a && all[0] == all[2]);
    }

    #[test]
    fn a_log_comes_back_as_it_was_and_what_is_none_is_nothing() {
        let log = log(&[(Purge::All, u64::MAX), (one("\u{e9}\"\n"), 1)]);
        assert_eq!(PurgeLog::parse(&log.to_bytes()), Some(log));
        for bytes in [
            &b""[..],
            b"{}",
            b"[]",
            br#"{"form":2,"generation":1,"id":1,"entries":[]}"#,
            br#"{"form":1,"generation":1,"id":1,"entries":[["all","",1]]}"#,
        ] {
            assert_eq!(PurgeLog::parse(bytes), None, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn logs_of_one_generation_become_one_whoever_joins_them() {
        let (a, b) = (log(&[(one("a"), 1), (one("b"), 2)]), log(&[(one("b"), 2), (one("c"), 3)]));
        let joined = a.joined(&b, &PurgeLog::default(), ROOM);
        assert_eq!(joined, b.joined(&a, &a, ROOM));
        assert_eq!((a.news(&joined), b.news(&joined)), (vec![one("c")], vec![one("a")]));
        assert_eq!(joined.news(&joined), []);
    }

    #[test]
    fn a_log_over_its_limit_is_the_purge_of_everything() {
        let mut log = PurgeLog::default();
        for id in 0..1000 {
            log.note(one(&format!("image {id}")), id, 2000);
            assert!(log.to_bytes().len() <= 2000);
        }
        assert!(0 < log.generation);
        assert_eq!(PurgeLog::default().news(&log), [Purge::All]);
    }

    #[test]
    fn of_two_generations_the_later_holds_unless_the_earlier_had_news() {
        let before = log(&[(one("a"), 1)]);
        let after = log(&[(one("a"), 1), (Purge::All, 2)]);
        assert_eq!(before.joined(&after, &before, ROOM), after);
        assert_eq!(after.joined(&before, &before, ROOM), after);
        let news = log(&[(one("a"), 1), (one("b"), 3)]);
        let bumped = after.joined(&news, &before, ROOM);
        assert_eq!((bumped.generation, after.news(&bumped)), (2, vec![Purge::All]));
        // Both purged everything at once: neither knows what the other stored since.
        let other = log(&[(Purge::All, 9)]);
        let joined = after.joined(&other, &before, ROOM);
        assert_eq!(joined, other.joined(&after, &before, ROOM));
        assert_eq!(joined.generation, 2);
    }
}
