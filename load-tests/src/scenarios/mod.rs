//! What is asked, one file per scenario: a list of asks and how it is put to a server.

mod burst;
mod cold_tiles;
mod export;
mod hot;
mod info;
mod processed;
mod trace;

pub(crate) use trace::visits;

use crate::ask::Ask;
use crate::pyramid::Image;

/// Connections of an ordinary scenario: what a browser opens to one host.
const CONNECTION_COUNT: usize = 6;

/// What a server knows when a pass begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Just started: no image open, caches empty. (The files are in the system's page cache.)
    Cold,
    /// It has answered the whole list once.
    Warm,
}

/// A list of asks, put to one server after the other.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    /// The short name, for `--only` and the tables.
    pub(crate) name: &'static str,
    /// What the server knows beforehand.
    pub(crate) state: State,
    /// How many connections share the list.
    pub(crate) connection_count: usize,
    /// Whether static files are a floor worth comparing with.
    pub(crate) floor: bool,
    /// The list.
    pub(crate) asks: Vec<Ask>,
}

/// How long the lists are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lengths {
    /// Tiles of a cold scenario; more than there are means all.
    pub(crate) cold_tiles_max: usize,
    /// Exports from each image.
    pub(crate) exports: usize,
    /// Visits in the viewer trace, 100 requests each.
    pub(crate) visits: usize,
}

pub(crate) const HOT: &str = "hot tiles";
pub(crate) const DESCRIPTIONS: &str = "descriptions";
pub(crate) const COLD_JPEG: &str = "cold JPEG tiles";
pub(crate) const COLD_DEFLATE: &str = "cold Deflate tiles";
pub(crate) const PROCESSED: &str = "processed tiles";
pub(crate) const JPEG_EXPORTS: &str = "exports from JPEG";
pub(crate) const DEFLATE_EXPORTS: &str = "exports from Deflate";
pub(crate) const BURST: &str = "200 at once";
pub(crate) const TRACE: &str = "viewer trace";

/// Names of all scenarios, in the order of the report.
pub(crate) const NAMES: [&str; 9] = [
    HOT,
    DESCRIPTIONS,
    COLD_JPEG,
    COLD_DEFLATE,
    PROCESSED,
    JPEG_EXPORTS,
    DEFLATE_EXPORTS,
    BURST,
    TRACE,
];

/// All scenarios, in the order of [`NAMES`].
pub(crate) fn all(lengths: Lengths) -> Vec<Scenario> {
    vec![
        hot::scenario(),
        info::scenario(),
        cold_tiles::scenario(Image::Jpeg, lengths.cold_tiles_max),
        cold_tiles::scenario(Image::Deflate, lengths.cold_tiles_max),
        processed::scenario(lengths.cold_tiles_max),
        export::scenario(Image::Jpeg, lengths.exports),
        export::scenario(Image::Deflate, lengths.exports),
        burst::scenario(),
        trace::scenario(lengths.visits),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_bears_its_name_and_asks_something() {
        let all = all(Lengths { cold_tiles_max: 100, exports: 10, visits: 1 });
        let names: Vec<&str> = all.iter().map(|scenario| scenario.name).collect();
        assert_eq!(names, NAMES);
        assert!(all.iter().all(|scenario| !scenario.asks.is_empty()));
    }
}
