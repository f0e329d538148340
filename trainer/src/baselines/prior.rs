//! Popularity as a prior, which a method adds to its scores.

use watchnext::features::LocalTime;

use super::counts::Counts;
use crate::data::incidence::Signal;
use crate::data::timed_popularity::{Season, TimedPopularity};

/// `weight · ln(1 + n_j(t))`, where `n_j(t)` users have the movie `j` around the time `t` of the visit. It doesn't
/// depend on the history.
pub struct Prior {
    popularity: TimedPopularity,
    weight: f32,
}

impl Prior {
    /// The prior of the events that `signal` counts.
    pub fn new(counts: &Counts, signal: Signal, season: Season, weight: f32) -> Self {
        Self { popularity: counts.popularity(signal, season), weight }
    }

    /// Every movie's prior at a moment, `[movies]`.
    pub fn at(&self, moment: &LocalTime) -> Vec<f32> {
        self.popularity.at(moment).iter().map(|count| self.weight * count.ln_1p()).collect()
    }
}
