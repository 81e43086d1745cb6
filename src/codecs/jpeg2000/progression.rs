//! The order of a tile's packets.
//!
//! # Source
//! T.800, B.12.

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::coding::{Progression, ProgressionChange, TileCoding};
use crate::codecs::jpeg2000::grid::{Span, TileComponent, area};
use crate::codecs::jpeg2000::markers::Siz;
use crate::codecs::number::{filled, reserved_for, usize_of_bytes};

/// The precincts of one resolution of one component.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResolutionPrecincts {
    pub(super) component: u16,
    pub(super) resolution: u8,
    /// Numbers of its precincts along each axis.
    pub(super) places: [Span; 2],
    /// The number of the first one among all of the tile.
    pub(super) first: u64,
}

impl ResolutionPrecincts {
    /// The number of a precinct among all of the tile, where the resolution has it.
    pub(super) fn number(&self, [column, row]: [u32; 2]) -> Option<u64> {
        let [columns, rows] = self.places;
        let is_there = |span: Span, at: u32| span.start <= at && at < span.end;
        (is_there(columns, column) && is_there(rows, row)).then(|| {
            let before = u64::from(row - rows.start) * u64::from(columns.len());
            self.first + before + u64::from(column - columns.start)
        })
    }
}

/// All resolutions of a tile, by component.
#[derive(Debug)]
pub(super) struct Precincts {
    components: Vec<Vec<ResolutionPrecincts>>,
    /// How many precincts there are in all.
    pub(super) count: u64,
}

impl Precincts {
    /// Those of a tile whose components are these.
    pub(super) fn of(components: &[TileComponent<'_>]) -> Self {
        let mut count = 0_u64;
        let components = (0..).zip(components).map(|(component, tile)| {
            let resolutions = (0..=tile.style.levels).map(|resolution| {
                let places = tile.precincts(resolution);
                let first = count;
                count = count.saturating_add(area(places));
                ResolutionPrecincts { component, resolution, places, first }
            });
            resolutions.collect()
        });
        let components = components.collect();
        Self { components, count }
    }

    /// One resolution of one component.
    pub(super) fn find(&self, component: usize, resolution: u8) -> Option<&ResolutionPrecincts> {
        self.components.get(component)?.get(usize::from(resolution))
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &ResolutionPrecincts> + Clone {
        self.components.iter().flatten()
    }
}

/// A precinct where its turn comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) component: u16,
    pub(super) resolution: u8,
    pub(super) place: [u32; 2],
    /// Its number among all of the tile.
    pub(super) number: u64,
    /// Where it counts on the reference grid, vertical first.
    position: [u32; 2],
}

/// What decides the order beside the tile's coding.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ground<'a> {
    pub(super) siz: &'a Siz,
    /// The tile on the reference grid.
    pub(super) tile: [Span; 2],
    pub(super) components: &'a [TileComponent<'a>],
    pub(super) precincts: &'a Precincts,
}

/// Calls `visit` for each packet, in the order of the codestream: whose it is, and its layer.
///
/// # Errors
/// What `visit` reports; `Io` where memory is short.
pub(super) fn walk(
    ground: Ground<'_>,
    coding: &TileCoding,
    mut visit: impl FnMut(&Stop, u16) -> Result<(), CodecError>,
) -> Result<(), CodecError> {
    let layers = coding.style.layers;
    let whole = ProgressionChange {
        resolution_start: 0,
        component_start: 0,
        layer_end: layers,
        resolution_end: u8::MAX,
        component_end: u16::MAX,
        progression: coding.style.progression,
    };
    if coding.changes.is_empty() {
        let mut stops = stops(ground, &whole)?;
        return in_order(&mut stops, &whole, visit);
    }
    // The layer that is next for each precinct.
    let mut next: Vec<u16> = filled(usize_of_bytes(ground.precincts.count), 0)?;
    for change in &coding.changes {
        let change = ProgressionChange { layer_end: change.layer_end.min(layers), ..*change };
        let mut stops = stops(ground, &change)?;
        in_order(&mut stops, &change, |stop, layer| {
            match next.get_mut(usize_of_bytes(stop.number)).filter(|next| **next <= layer) {
                Some(next) => {
                    *next = layer + 1;
                    visit(stop, layer)
                }
                None => Ok(()),
            }
        })?;
    }
    Ok(())
}

/// The precincts that take part.
fn stops(ground: Ground<'_>, change: &ProgressionChange) -> Result<Vec<Stop>, CodecError> {
    let takes_part = |resolution: &&ResolutionPrecincts| {
        (change.component_start..change.component_end).contains(&resolution.component)
            && (change.resolution_start..change.resolution_end).contains(&resolution.resolution)
    };
    let part = ground.precincts.iter().filter(takes_part);
    let count = part.clone().map(|resolution| area(resolution.places)).sum();
    let mut stops = reserved_for(usize_of_bytes(count))?;
    for resolution in part {
        let index = usize::from(resolution.component);
        let component = ground.components.get(index).zip(ground.siz.components.get(index));
        let Some((component, stated)) = component else { continue };
        let [columns, rows] = resolution.places;
        for row in rows.start..rows.end {
            for column in columns.start..columns.end {
                let place = [column, row];
                let Some(number) = resolution.number(place) else { continue };
                let [x, y] =
                    component.position(resolution.resolution, place, (stated.step, ground.tile));
                stops.push(Stop {
                    component: resolution.component,
                    resolution: resolution.resolution,
                    place,
                    number,
                    position: [y, x],
                });
            }
        }
    }
    Ok(stops)
}

fn in_order(
    stops: &mut [Stop],
    change: &ProgressionChange,
    mut visit: impl FnMut(&Stop, u16) -> Result<(), CodecError>,
) -> Result<(), CodecError> {
    let layers = 0..change.layer_end;
    let mut by_precinct = |stops: &[Stop]| {
        stops.iter().try_for_each(|stop| layers.clone().try_for_each(|layer| visit(stop, layer)))
    };
    match change.progression {
        Progression::Rpcl => {
            stops.sort_by_key(|stop| (stop.resolution, stop.position, stop.component, stop.number));
            by_precinct(stops)
        }
        Progression::Pcrl => {
            stops.sort_by_key(|stop| (stop.position, stop.component, stop.resolution, stop.number));
            by_precinct(stops)
        }
        Progression::Cprl => {
            stops.sort_by_key(|stop| (stop.component, stop.position, stop.resolution, stop.number));
            by_precinct(stops)
        }
        Progression::Lrcp => {
            stops.sort_by_key(|stop| (stop.resolution, stop.component, stop.number));
            layers
                .clone()
                .try_for_each(|layer| stops.iter().try_for_each(|stop| visit(stop, layer)))
        }
        Progression::Rlcp => {
            stops.sort_by_key(|stop| (stop.resolution, stop.component, stop.number));
            let by_resolution = stops.chunk_by(|one, next| one.resolution == next.resolution);
            for of_one in by_resolution {
                for layer in layers.clone() {
                    of_one.iter().try_for_each(|stop| visit(stop, layer))?;
                }
            }
            Ok(())
        }
    }
}
