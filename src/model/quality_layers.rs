//! `QualityLayers`: how many of a JPEG 2000 image's quality layers are decoded. Fewer are faster and
//! coarser; each layer refines those before it (ITU-T T.800, B.9).

use std::num::NonZeroU16;

/// How many layers are decoded where a request names none, and how many it may name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LayersRule {
    /// All; a request may name fewer.
    #[default]
    All,
    /// Half of them, rounded up; a request may name any number.
    Half,
    /// At most so many, whatever is asked.
    AtMost(NonZeroU16),
}

impl LayersRule {
    /// As iipsrv's `MAX_LAYERS` is written: below 0 all, 0 half, else a bound.
    pub fn of_number(number: i32) -> Self {
        if number < 0 {
            return Self::All;
        }
        // Layers are counted in 16 bits (T.800, table A.14).
        let bound = NonZeroU16::new(u16::try_from(number).unwrap_or(u16::MAX));
        bound.map_or(Self::Half, Self::AtMost)
    }

    /// Layers that are decoded of so many, 1 at least.
    pub fn decoded(self, stored: u16, asked: Option<NonZeroU16>) -> NonZeroU16 {
        let stored = NonZeroU16::new(stored).unwrap_or(NonZeroU16::MIN);
        let wanted = match (self, asked) {
            (Self::All, None) => stored,
            (Self::Half, None) => {
                NonZeroU16::new(stored.get().div_ceil(2)).unwrap_or(NonZeroU16::MIN)
            }
            (Self::All | Self::Half, Some(asked)) => asked,
            (Self::AtMost(bound), asked) => asked.map_or(bound, |asked| asked.min(bound)),
        };
        wanted.min(stored)
    }
}

/// Quality layers of an open image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QualityLayers {
    /// Those in the file.
    pub stored: u16,
    /// Those that are decoded.
    pub decoded: NonZeroU16,
    /// What says so.
    pub rule: LayersRule,
}

impl QualityLayers {
    /// How many are to be decoded for a request that names so many; nothing where these are decoded
    /// anyway.
    pub fn other(&self, asked: NonZeroU16) -> Option<NonZeroU16> {
        Some(self.rule.decoded(self.stored, Some(asked))).filter(|other| *other != self.decoded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_those_of_iipsrv() {
        for (max, stored, asked, decoded) in [
            (-1, 12, 0, 12),
            (-1, 12, 5, 5),
            (-1, 12, 200, 12),
            (0, 12, 0, 6),
            (0, 5, 0, 3),
            (0, 1, 0, 1),
            (0, 12, 9, 9),
            (0, 12, 13, 12),
            (4, 12, 0, 4),
            (4, 12, 3, 3),
            (4, 12, 4, 4),
            (4, 12, 9, 4),
            (4, 2, 9, 2),
            (i32::MAX, 12, 0, 12),
            (-9, 0, 0, 1),
        ] {
            let rule = LayersRule::of_number(max);
            let found = rule.decoded(stored, NonZeroU16::new(asked)).get();
            assert_eq!(found, decoded, "MAX_LAYERS={max}, {stored} layers, LYR={asked}");
        }
    }

    #[test]
    fn an_image_is_another_one_only_where_other_layers_are_decoded() {
        let rule = LayersRule::of_number(4);
        let layers = QualityLayers { stored: 12, decoded: rule.decoded(12, None), rule };
        for (asked, other) in [(1, Some(1)), (3, Some(3)), (4, None), (5, None), (60_000, None)] {
            let asked = NonZeroU16::new(asked).unwrap();
            assert_eq!(layers.other(asked).map(NonZeroU16::get), other, "LYR={asked}");
        }
    }
}
