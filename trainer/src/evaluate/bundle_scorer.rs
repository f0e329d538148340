//! A finished bundle under the protocols: the code that ships.

use std::ops::Deref;
use std::sync::Arc;

use anyhow::Result;
use watchnext::catalog::MovieIndex;
use watchnext::features::LocalTime;
use watchnext::history::History;
use watchnext::recommend::{Recommender, Retrieval, Strategy};

use super::label::Variant;
use super::method::FittedVariant;
use super::reaction::ReactionScorer;
use super::scorer::Scorer;

/// Scores movies by a loaded bundle.
pub struct BundleScorer<R> {
    /// The bundle, borrowed or shared.
    pub recommender: R,
    /// Movies or states, and the diversity.
    pub strategy: Strategy,
}

impl<R: Deref<Target = Recommender> + Send + Sync> Scorer for BundleScorer<R> {
    fn scores(&self, history: &History, moment: &LocalTime) -> Result<Vec<(usize, f32)>> {
        let all = self.recommender.catalog().len();
        let suggestions = self.recommender.suggest(history, moment, all, self.strategy)?;
        let scored = suggestions.into_iter().enumerate().map(|(place, suggestion)| {
            // Diversity reorders the list, so that its order is no longer that of the scores.
            let score = if self.strategy.diversity > 0.0 { -(place as f32) } else { suggestion.score };
            (suggestion.movie.as_usize(), score)
        });
        Ok(scored.collect())
    }
}

/// How a bundle makes this variant's suggestions.
pub fn strategy(variant: Variant) -> Strategy {
    let plain = Strategy::from(Retrieval::Movies);
    match variant {
        Variant::Only | Variant::Softmax => plain,
        Variant::Default | Variant::Diversity(_) => {
            Strategy { diversity: variant.diversity().unwrap_or_default(), ..plain }
        }
        Variant::FirstStageAlone => Strategy { first_stage_alone: true, ..plain },
        Variant::States => Retrieval::States.into(),
    }
}

/// Variants of one bundle, to be measured.
pub fn fitted_variants(recommender: Recommender, variants: &[Variant]) -> Vec<FittedVariant> {
    let recommender = Arc::new(recommender);
    let fitted = |variant: &Variant| FittedVariant {
        variant: *variant,
        scorer: Box::new(BundleScorer { recommender: Arc::clone(&recommender), strategy: strategy(*variant) }),
    };
    variants.iter().map(fitted).collect()
}

/// The second stage of a bundle.
pub struct BundleReactions<'bundle>(pub &'bundle Recommender);

impl ReactionScorer for BundleReactions<'_> {
    fn like(&self, history: &History, movie: MovieIndex, moment: &LocalTime) -> Result<f32> {
        let reactions = self.0.reactions(history, moment, &[movie])?;
        Ok(reactions.first().map_or(0.0, |reaction| reaction.like))
    }
}
