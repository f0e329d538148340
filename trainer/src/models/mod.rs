//! The models that can be trained here or brought from elsewhere.

pub mod als;
pub mod external;
pub mod ranker;
pub mod seed_network;
pub mod sequence;
pub mod tower;

use crate::choice::Choice;

/// The models that can be trained here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelKind {
    /// The default: it learns taste from a few clicks, and the next movie from a long list.
    Tower,
    /// The notebook's network, to compare with.
    SeedNetwork,
    /// Implicit alternating least squares, for millions of ratings.
    Als,
}

impl Choice for ModelKind {
    const NAMED: &'static [(&'static str, Self)] =
        &[("tower", Self::Tower), ("seed-network", Self::SeedNetwork), ("als", Self::Als)];
}
