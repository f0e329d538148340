//! The protocols.

/// A protocol that a method can be put through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Protocol {
    /// The next movie.
    P1,
    /// A few clicks.
    P2,
    /// The reaction.
    P3,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::P1, Self::P2, Self::P3];
}
