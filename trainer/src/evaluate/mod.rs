//! The evaluator: every model and every baseline is measured by the same code, through the path that ships.
//!
//! | protocol | asks |
//! |---|---|
//! | P1, [`next_movie`] | which movie a held-out user rated next |
//! | P2, [`few_clicks`] | what else somebody likes who clicked one to ten movies |
//! | P3, [`reaction`] | whether somebody likes a movie that they watch |
//! | P1-leaky, [`leaky`] | nothing: it reproduces the seed's published figure and shows that it is a leak |
//!
//! [`run`] puts methods through the protocols, [`bootstrap`] says how sure one can be of the figures.

pub mod bootstrap;
pub mod few_clicks;
pub mod leaky;
pub mod next_movie;
pub mod reaction;
pub mod run;

use std::cmp::Ordering;
use std::ops::Deref;

use anyhow::{Result, ensure};
use watchnext::features::LocalTime;
use watchnext::history::History;
use watchnext::recommend::{Recommender, Retrieval, Strategy};

/// What the protocols measure: the scores of all unseen movies, or of those that the method can score.
pub trait Scorer: Send + Sync {
    /// `(dense index, score)` of movies that aren't in `history`, each at most once, higher is better. A movie that is left
    /// out counts as ranked behind every other.
    ///
    /// # Errors
    /// Whatever keeps the method from scoring; the evaluation stops.
    fn scores(&self, history: &History, moment: &LocalTime) -> Result<Vec<(usize, f32)>>;
}

/// The shipped path.
pub struct Shipped<R> {
    /// The loaded bundle, borrowed or shared.
    pub recommender: R,
    /// Movies or states, and the diversity.
    pub strategy: Strategy,
}

impl<R: Deref<Target = Recommender> + Send + Sync> Scorer for Shipped<R> {
    fn scores(&self, history: &History, moment: &LocalTime) -> Result<Vec<(usize, f32)>> {
        let all = self.recommender.catalog().len();
        let suggestions = self.recommender.suggest(history, moment, all, self.strategy)?;
        let scored = suggestions.into_iter().enumerate().map(|(place, suggestion)| {
            // A diversified list is in the order in which it is shown, which isn't that of the scores.
            let score = if self.strategy.diversity > 0.0 { -(place as f32) } else { suggestion.score };
            (suggestion.movie.as_usize(), score)
        });
        Ok(scored.collect())
    }
}

/// What the tables call a retrieval.
pub const fn retrieval_name(retrieval: Retrieval) -> &'static str {
    match retrieval {
        Retrieval::Movies => "softmax",
        Retrieval::States => "neighbours",
    }
}

/// A scorer's scores, refused if one isn't finite: such a score has no place in a ranking.
fn finite_scores(scorer: &dyn Scorer, history: &History, moment: &LocalTime) -> Result<Vec<(usize, f32)>> {
    let scores = scorer.scores(history, moment)?;
    let wrong = scores.iter().find(|(_, score)| !score.is_finite());
    ensure!(wrong.is_none(), "a method scored movie {:?} after {} movies", wrong, history.len());
    Ok(scores)
}

/// Descending order of scores that are finite.
pub(crate) fn better(left: f32, right: f32) -> Ordering {
    right.partial_cmp(&left).unwrap_or(Ordering::Equal)
}

/// The first `k` in `order`, sorted. For a `k` far below the number of items: nearly all of them cost one comparison.
fn first_by<T>(items: impl Iterator<Item = T>, k: usize, order: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    let mut first: Vec<T> = Vec::with_capacity(k + 1);
    for item in items {
        if first.len() == k && first.last().is_none_or(|last| order(&item, last).is_ge()) {
            continue;
        }
        let place = first.partition_point(|kept| order(kept, &item).is_lt());
        first.insert(place, item);
        first.truncate(k);
    }
    first
}

/// What a hit at `rank`, from 0, adds to a discounted cumulative gain (Järvelin and Kekäläinen 2002).
fn discount(rank: usize) -> f64 {
    1.0 / (rank as f64 + 2.0).log2()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 37 is coprime to 101, so the multiples are all residues in a scrambled order.
    #[test]
    fn the_first_are_those_of_a_sort() {
        let items: Vec<u32> = (0..101).map(|i| i * 37 % 101).collect();
        for k in [0, 1, 20, 101, 200] {
            let expected: Vec<u32> = (0..101).take(k).collect();
            assert_eq!(first_by(items.iter().copied(), k, u32::cmp), expected);
        }
    }
}
