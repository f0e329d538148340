//! What the protocols measure.

use std::cmp::Ordering;

use anyhow::{Result, ensure};
use watchnext::features::LocalTime;
use watchnext::history::History;

use crate::data::popularity::Popularity;
use crate::data::timed_popularity::TimedPopularity;

/// What the protocols measure: the scores of all unseen movies, or of those that the method can score.
pub trait Scorer: Send + Sync {
    /// `(dense index, score)` of movies that aren't in `history`, each at most once, higher is better. A movie that is left
    /// out counts as ranked behind every other.
    ///
    /// # Errors
    /// Whatever keeps the method from scoring; the evaluation stops.
    fn scores(&self, history: &History, moment: &LocalTime) -> Result<Vec<(usize, f32)>>;
}

/// A scorer's scores, refused if one isn't finite: such a score has no place in a ranking.
pub(super) fn finite_scores(scorer: &dyn Scorer, history: &History, moment: &LocalTime) -> Result<Vec<(usize, f32)>> {
    let scores = scorer.scores(history, moment)?;
    let wrong = scores.iter().find(|(_, score)| !score.is_finite());
    ensure!(wrong.is_none(), "a method scored movie {:?} after {} movies", wrong, history.len());
    Ok(scores)
}

/// Descending order of scores that are finite.
pub(crate) fn better(left: f32, right: f32) -> Ordering {
    right.partial_cmp(&left).unwrap_or(Ordering::Equal)
}

/// The scores `[movies]` of the movies that aren't in `history`, with their indices.
pub(crate) fn unseen(scores: Vec<f32>, history: &History) -> Vec<(usize, f32)> {
    let seen = history.seen(scores.len());
    let mut unseen = Vec::with_capacity(scores.len());
    unseen.extend(scores.into_iter().enumerate().zip(seen).filter(|(_, seen)| !seen).map(|(scored, _)| scored));
    unseen
}

impl Scorer for Popularity {
    fn scores(&self, history: &History, _moment: &LocalTime) -> Result<Vec<(usize, f32)>> {
        Ok(unseen(self.counts().to_vec(), history))
    }
}

impl Scorer for TimedPopularity {
    fn scores(&self, history: &History, moment: &LocalTime) -> Result<Vec<(usize, f32)>> {
        Ok(unseen(self.at(moment).to_vec(), history))
    }
}
