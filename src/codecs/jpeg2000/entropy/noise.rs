//! Numbers that look like none in particular, for tests.

/// Knuth's generator.
pub(super) struct Noise(pub(super) u64);

impl Noise {
    pub(super) fn below(&mut self, end: u32) -> u32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).unwrap() % end
    }

    /// Any byte; those of ones and of zeros, which decoders trip over, are met often.
    pub(super) fn byte(&mut self) -> u8 {
        let any = u8::try_from(self.below(256)).unwrap();
        [0xff, 0, any, any, any][usize::try_from(self.below(5)).unwrap()]
    }
}
