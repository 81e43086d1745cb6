//! Which context decides a symbol: tables over the states of a coefficient's neighbours.
//!
//! # Source
//! T.800, tables D.1 to D.4.
#![expect(
    clippy::indexing_slicing,
    reason = "tables that are made by the compiler, over all values of their index"
)]

/// Which sub-band a code-block is of, as far as contexts know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::codecs::jpeg2000) enum Orientation {
    /// LL, and LH with its high frequencies downwards.
    Upright,
    /// HL.
    Across,
    /// HH.
    Diagonal,
}

impl Orientation {
    /// That of a sub-band with high frequencies across and downwards.
    pub(in crate::codecs::jpeg2000) const fn of(high: [bool; 2]) -> Self {
        match high {
            [true, false] => Self::Across,
            [true, true] => Self::Diagonal,
            [false, _] => Self::Upright,
        }
    }
}

/// Contexts by which of the eight neighbours are significant: from the lowest bit the row above, the own
/// row with the coefficient itself, the row below, each from the left.
pub(super) type Neighbours = [u8; 512];

/// Contexts of whether a coefficient becomes significant.
pub(super) const fn significance(orientation: Orientation) -> &'static Neighbours {
    const UPRIGHT: Neighbours = table(Orientation::Upright);
    const ACROSS: Neighbours = table(Orientation::Across);
    const DIAGONAL: Neighbours = table(Orientation::Diagonal);
    match orientation {
        Orientation::Upright => &UPRIGHT,
        Orientation::Across => &ACROSS,
        Orientation::Diagonal => &DIAGONAL,
    }
}

const fn table(orientation: Orientation) -> Neighbours {
    let mut table = [0; 512];
    let mut at = 0;
    while at < table.len() {
        let across = (at >> 3 & 1) + (at >> 5 & 1);
        let down = (at >> 1 & 1) + (at >> 7 & 1);
        let diagonal = (at & 1) + (at >> 2 & 1) + (at >> 6 & 1) + (at >> 8 & 1);
        table[at] = match orientation {
            Orientation::Upright => straight(across, down, diagonal),
            Orientation::Across => straight(down, across, diagonal),
            Orientation::Diagonal => slanted(across + down, diagonal),
        };
        at += 1;
    }
    table
}

const fn straight(along: usize, beside: usize, diagonal: usize) -> u8 {
    match (along, beside, diagonal) {
        (2, ..) => 8,
        (1, 1.., _) => 7,
        (1, 0, 1..) => 6,
        (1, 0, 0) => 5,
        (_, 2, _) => 4,
        (_, 1, _) => 3,
        (_, _, 2..) => 2,
        (_, _, 1) => 1,
        _ => 0,
    }
}

const fn slanted(straight: usize, diagonal: usize) -> u8 {
    match (diagonal, straight) {
        (3.., _) => 8,
        (2, 1..) => 7,
        (2, 0) => 6,
        (1, 2..) => 5,
        (1, 1) => 4,
        (1, 0) => 3,
        (_, 2..) => 2,
        (_, 1) => 1,
        _ => 0,
    }
}

/// Of a sign's context: whether the symbol is to be turned round.
pub(super) const TURNED: u8 = 0x80;

/// Contexts of a sign, by the neighbours above, at the left, at the right and below: for each whether it is
/// negative, and whether it is significant.
pub(super) const SIGNS: [u8; 256] = signs();

const fn signs() -> [u8; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < table.len() {
        let across = share(at >> 2) + share(at >> 4);
        let down = share(at) + share(at >> 6);
        table[at] = match (across.signum(), down.signum()) {
            (1, 1) => 13,
            (1, 0) => 12,
            (1, _) => 11,
            (0, 1) => 10,
            (0, 0) => 9,
            (0, _) => TURNED + 10,
            (_, 1) => TURNED + 11,
            (_, 0) => TURNED + 12,
            _ => TURNED + 13,
        };
        at += 1;
    }
    table
}

const fn share(neighbour: usize) -> i8 {
    match neighbour & 3 {
        2 => 1,
        3 => -1,
        _ => 0,
    }
}

/// The context of a coefficient's first refinement, without significant neighbours; the next one is with
/// them, the one after that of all later refinements.
pub(super) const REFINEMENT: u8 = 14;
