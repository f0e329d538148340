//! Scores of movies, which protocols P1 and P2 measure.

use anyhow::{Result, bail};
use watchnext::features::LocalTime;
use watchnext::history::History;

use crate::data::popularity::Popularity;
use crate::data::timed_popularity::TimedPopularity;

/// Scores all unseen movies, or those that the method can score.
pub trait Scorer: Send + Sync {
    /// `(dense index, score)` of movies that aren't in `history`, each at most once; higher is better. Movies that are
    /// left out rank behind all others.
    ///
    /// # Errors
    /// If the method fails; the evaluation then stops.
    fn scores(&self, history: &History, moment: &LocalTime) -> Result<Vec<(usize, f32)>>;
}

/// A scorer's scores, or an error if one isn't finite: such a score has no place in a ranking.
pub(super) fn finite_scores(scorer: &dyn Scorer, history: &History, moment: &LocalTime) -> Result<Vec<(usize, f32)>> {
    let scores = scorer.scores(history, moment)?;
    if let Some((movie, score)) = scores.iter().find(|(_, score)| !score.is_finite()) {
        let watched = history.len();
        bail!("a method gave movie {movie} the score {score} after {watched} movies; scores must be finite numbers");
    }
    Ok(scores)
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
