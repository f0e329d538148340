//! Scores of movies, which all protocols but P3 measure.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use watchnext::catalog::MovieIndex;
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

    /// As [`Scorer::best_scores`], or all scores without a `limit`, where the question is what comes next in the
    /// order of the history. A method that knows orders has its own.
    ///
    /// # Errors
    /// As [`Scorer::scores`].
    fn next_scores(&self, history: &History, moment: &LocalTime, limit: Option<usize>) -> Result<Vec<(usize, f32)>> {
        match limit {
            Some(limit) => self.best_scores(history, moment, &[], limit),
            None => self.scores(history, moment),
        }
    }

    /// As [`Scorer::scores`], but of movies that aren't in `excluded` either, so that the others take their places.
    ///
    /// # Errors
    /// As [`Scorer::scores`].
    fn scores_among(
        &self,
        history: &History,
        moment: &LocalTime,
        excluded: &[MovieIndex],
    ) -> Result<Vec<(usize, f32)>> {
        let mut scores = self.scores(history, moment)?;
        if !excluded.is_empty() {
            let excluded: BTreeSet<usize> = excluded.iter().map(|movie| movie.as_usize()).collect();
            scores.retain(|(movie, _)| !excluded.contains(movie));
        }
        Ok(scores)
    }

    /// Of [`Scorer::scores_among`], at least the best `limit` and all that score as high as the last of these. A method
    /// that finds them faster than all scores has its own.
    ///
    /// # Errors
    /// As [`Scorer::scores`].
    fn best_scores(
        &self,
        history: &History,
        moment: &LocalTime,
        excluded: &[MovieIndex],
        _limit: usize,
    ) -> Result<Vec<(usize, f32)>> {
        self.scores_among(history, moment, excluded)
    }

    /// For how many of `movies` the method can say which of the watched movies speak for them; `None` for a method that
    /// gives no reasons.
    ///
    /// # Errors
    /// As [`Scorer::scores`].
    fn reasons(&self, _history: &History, _moment: &LocalTime, _movies: &[MovieIndex]) -> Result<Option<usize>> {
        Ok(None)
    }

    /// The `limit` movies of the wall to click on, beside the suggestions `beside`; `None` for a method that has none.
    ///
    /// # Errors
    /// As [`Scorer::scores`].
    fn wall(
        &self,
        _history: &History,
        _moment: &LocalTime,
        _beside: &[MovieIndex],
        _limit: usize,
    ) -> Result<Option<Vec<MovieIndex>>> {
        Ok(None)
    }
}

/// The scores, or an error if one isn't finite: such a score has no place in a ranking.
pub(super) fn finite(scores: Vec<(usize, f32)>, history: &History) -> Result<Vec<(usize, f32)>> {
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
