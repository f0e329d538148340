//! A finished bundle under the protocols: the code that ships.

use std::ops::Deref;
use std::sync::Arc;

use anyhow::Result;
use watchnext::catalog::MovieIndex;
use watchnext::features::LocalTime;
use watchnext::filter::Filter;
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
    /// Movies or states, and the knob.
    pub strategy: Strategy,
}

impl<R: Deref<Target = Recommender> + Send + Sync> BundleScorer<R> {
    /// The first `limit` suggestions, all if there is none, with scores in their order.
    fn scored(
        &self,
        strategy: Strategy,
        history: &History,
        moment: &LocalTime,
        excluded: &[MovieIndex],
        limit: Option<usize>,
    ) -> Result<Vec<(usize, f32)>> {
        let catalog = self.recommender.catalog();
        let exclude = excluded.iter().filter_map(|movie| catalog.movie(*movie)).map(|movie| movie.id).collect();
        let filter = Filter { exclude, ..Filter::default() };
        let limit = limit.unwrap_or(usize::MAX).min(catalog.len());
        let suggestions = self.recommender.suggest_among(&filter, history, moment, limit, strategy)?;
        // The knob and known ratings reorder the list, so that its order is no longer that of the scores.
        let is_rated = history.watches().iter().any(|watch| watch.rating.is_some());
        let is_reordered = strategy.novelty > 0.0 || (is_rated && !strategy.first_stage_alone);
        let scored = suggestions.into_iter().enumerate().map(|(place, suggestion)| {
            let score = if is_reordered { -(place as f32) } else { suggestion.score };
            (suggestion.movie.as_usize(), score)
        });
        Ok(scored.collect())
    }

    /// At least the first `limit` suggestions, and all that score as high as the last of these.
    fn best(
        &self,
        strategy: Strategy,
        history: &History,
        moment: &LocalTime,
        excluded: &[MovieIndex],
        limit: usize,
    ) -> Result<Vec<(usize, f32)>> {
        // One more shows whether the last is tied, and then with how many others isn't known.
        let found = self.scored(strategy, history, moment, excluded, Some(limit + 1))?;
        let score = |place: usize| found.get(place).map(|(_, score)| *score);
        if limit > 0 && score(limit).is_some() && score(limit) == score(limit - 1) {
            return self.scored(strategy, history, moment, excluded, None);
        }
        Ok(found)
    }
}

impl<R: Deref<Target = Recommender> + Send + Sync> Scorer for BundleScorer<R> {
    fn scores(&self, history: &History, moment: &LocalTime) -> Result<Vec<(usize, f32)>> {
        self.scored(self.strategy, history, moment, &[], None)
    }

    fn next_scores(&self, history: &History, moment: &LocalTime, limit: Option<usize>) -> Result<Vec<(usize, f32)>> {
        let strategy = Strategy { in_order: true, ..self.strategy };
        match limit {
            Some(limit) => self.best(strategy, history, moment, &[], limit),
            None => self.scored(strategy, history, moment, &[], None),
        }
    }

    fn scores_among(
        &self,
        history: &History,
        moment: &LocalTime,
        excluded: &[MovieIndex],
    ) -> Result<Vec<(usize, f32)>> {
        self.scored(self.strategy, history, moment, excluded, None)
    }

    fn best_scores(
        &self,
        history: &History,
        moment: &LocalTime,
        excluded: &[MovieIndex],
        limit: usize,
    ) -> Result<Vec<(usize, f32)>> {
        self.best(self.strategy, history, moment, excluded, limit)
    }

    fn reasons(&self, history: &History, moment: &LocalTime, movies: &[MovieIndex]) -> Result<Option<usize>> {
        let reasons = self.recommender.reasons(history, moment, movies, 1)?;
        Ok(Some(reasons.iter().filter(|reasons| !reasons.is_empty()).count()))
    }

    fn wall(
        &self,
        history: &History,
        moment: &LocalTime,
        beside: &[MovieIndex],
        limit: usize,
    ) -> Result<Option<Vec<MovieIndex>>> {
        Ok(Some(self.recommender.wall(history, moment, beside, limit)?))
    }
}

/// How a bundle makes this variant's suggestions.
pub fn strategy(variant: Variant) -> Strategy {
    let plain = Strategy::from(Retrieval::Movies);
    match variant {
        Variant::Only | Variant::Softmax => plain,
        Variant::Default | Variant::Novelty(_) => Strategy { novelty: variant.novelty().unwrap_or_default(), ..plain },
        Variant::FirstStageAlone => Strategy { first_stage_alone: true, ..plain },
        Variant::States => Retrieval::States.into(),
    }
}

/// Those of `variants` that give other answers than the ones before them.
pub(super) fn distinct(recommender: &Recommender, variants: &[Variant]) -> Vec<Variant> {
    let mut found: Vec<(Variant, Strategy)> = Vec::new();
    for variant in variants {
        let strategy = strategy(*variant);
        // Without a second stage there is none to leave out.
        let strategy =
            Strategy { first_stage_alone: strategy.first_stage_alone && recommender.has_ranker(), ..strategy };
        if found.iter().all(|(_, known)| *known != strategy) {
            found.push((*variant, strategy));
        }
    }
    found.into_iter().map(|(variant, _)| variant).collect()
}

/// Variants of one bundle, to be measured; a variant that would repeat another's answers is left out.
pub fn fitted_variants(recommender: Recommender, variants: &[Variant]) -> Vec<FittedVariant> {
    let variants = distinct(&recommender, variants);
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
