//! Random numbers that are the same in every run, so that a failure can be repeated. They need no crate, which suits
//! WebAssembly and Miri.
#![allow(dead_code)]

/// A linear congruential generator modulo 2³². Its lowest 8 bits, which are the least random, are dropped.
pub struct Random(u32);

impl Random {
    /// The sequence of a seed.
    pub const fn new(seed: u32) -> Self {
        Self(seed)
    }

    /// A number of 24 bits.
    pub const fn bits(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }

    /// A number of 16 bits, the highest of [`Random::bits`].
    pub const fn word(&mut self) -> u16 {
        (self.bits() >> 8) as u16
    }

    /// A number from −128 to 127.
    pub const fn byte(&mut self) -> i8 {
        self.word() as i8
    }

    /// A number from 0 to below `end`.
    pub const fn below(&mut self, end: u32) -> u32 {
        self.bits() % end
    }

    /// A number from 0 to below 1.
    pub fn unit(&mut self) -> f32 {
        self.bits() as f32 / (1 << 24) as f32
    }

    /// A number from −1 to below 1.
    pub fn signed(&mut self) -> f32 {
        2.0 * self.unit() - 1.0
    }
}
