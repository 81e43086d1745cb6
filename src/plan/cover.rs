//! `TileCover`: which stored tiles an area touches.

use std::ops::Range;

use crate::model::{Rect, Size, StoredLevel, TileAddress};

/// A rectangle of tiles of one level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TileCover {
    /// Columns, from 0 at the left.
    pub columns: Range<u32>,
    /// Rows, from 0 at the top.
    pub rows: Range<u32>,
}

impl TileCover {
    /// The tiles of `tile` pixels that `area` touches.
    pub fn of(area: Rect, tile: Size) -> Self {
        Self {
            columns: area.left() / tile.width()..area.right().div_ceil(tile.width()),
            rows: area.top() / tile.height()..area.bottom().div_ceil(tile.height()),
        }
    }

    /// How many they are.
    pub fn count(&self) -> u64 {
        let columns = self.columns.end.saturating_sub(self.columns.start);
        let rows = self.rows.end.saturating_sub(self.rows.start);
        u64::from(columns) * u64::from(rows)
    }

    /// All of them, row by row, as tiles of level `stored`.
    pub fn tiles(&self, stored: usize) -> impl Iterator<Item = TileAddress> + use<> {
        let columns = self.columns.clone();
        let in_row =
            move |row| columns.clone().map(move |column| TileAddress { stored, column, row });
        self.rows.clone().flat_map(in_row)
    }

    /// The pixels of all of them, cropped at the level's edge.
    pub(super) fn area(&self, level: &StoredLevel) -> Option<Rect> {
        let left = self.columns.start.checked_mul(level.tile.width())?;
        let top = self.rows.start.checked_mul(level.tile.height())?;
        let right = self.columns.end.saturating_mul(level.tile.width()).min(level.size.width());
        let bottom = self.rows.end.saturating_mul(level.tile.height()).min(level.size.height());
        Rect::new(left, top, Size::new(right.checked_sub(left)?, bottom.checked_sub(top)?)?)
    }
}
