//! A finished bundle under the protocols: the path that ships.

use std::ops::Deref;

use anyhow::Result;
use watchnext::catalog::MovieIndex;
use watchnext::features::LocalTime;
use watchnext::history::History;
use watchnext::recommend::{Recommender, Retrieval, Strategy};

use super::reaction::ReactionScorer;
use super::scorer::Scorer;

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

/// The second stage of a bundle.
pub struct OfBundle<'bundle>(pub &'bundle Recommender);

impl ReactionScorer for OfBundle<'_> {
    fn like(&self, history: &History, movie: MovieIndex, moment: &LocalTime) -> Result<f32> {
        let reactions = self.0.reactions(history, moment, &[movie])?;
        Ok(reactions.first().map_or(0.0, |reaction| reaction.like))
    }
}
