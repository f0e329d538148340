//! The protocols.

use crate::choice::Choice;

/// A protocol that a method can be put through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// The next movie.
    P1,
    /// A few clicks.
    P2,
    /// The reaction.
    P3,
    /// Discovery: a few clicks, without the movies that everybody knows.
    P4,
    /// The next visit.
    P5,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::P1, Self::P2, Self::P3, Self::P4, Self::P5];
}

impl Choice for Protocol {
    const NAMED: &'static [(&'static str, Self)] =
        &[("p1", Self::P1), ("p2", Self::P2), ("p3", Self::P3), ("p4", Self::P4), ("p5", Self::P5)];
}
