//! How a mark lies on an answer, in the operator's words.

/// What a mark's pixel `m` of alpha `a` makes of the answer's pixel `p`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Blend {
    /// `p + (m - p) * a`: the mark lies over the picture.
    #[default]
    Normal,
    /// `min(255, p + m * a)`: the mark is light thrown on the picture, as with iipsrv.
    Additive,
}

/// Where in its block a mark lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Position {
    /// Anywhere, by a draw that comes out alike each time.
    #[default]
    Random,
    /// In the middle.
    Centre,
    /// Side by side until the block is full; the pattern goes on in the blocks and tiles beside it.
    Tiled,
    /// In this corner.
    TopLeft,
    /// In this corner.
    TopRight,
    /// In this corner.
    BottomLeft,
    /// In this corner.
    BottomRight,
}
