//! `ByLane`: one of something for each lane.

use crate::plan::Lane;

/// One for each lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByLane<T> {
    /// That of cheap work.
    pub cheap: T,
    /// That of dear work.
    pub dear: T,
}

impl<T> ByLane<T> {
    /// Two, made one after the other.
    pub(super) fn each(mut make: impl FnMut() -> T) -> Self {
        Self { cheap: make(), dear: make() }
    }

    /// That of a lane.
    pub const fn of(&self, lane: Lane) -> &T {
        match lane {
            Lane::Cheap => &self.cheap,
            Lane::Dear => &self.dear,
        }
    }

    /// That of a lane, to change it.
    pub(super) const fn of_mut(&mut self, lane: Lane) -> &mut T {
        match lane {
            Lane::Cheap => &mut self.cheap,
            Lane::Dear => &mut self.dear,
        }
    }
}
