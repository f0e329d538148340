//! The second stage as a method of protocol P3, measured through the code that ships.

use anyhow::Result;
use watchnext::catalog::{Catalog, MovieIndex};
use watchnext::features::LocalTime;
use watchnext::features::reaction::ReactionHistory;
use watchnext::history::History;
use watchnext::ranker::{Ranker as _, TractRanker};
use watchnext::traits::MovieTraits;

use super::fit;
use crate::data::training_set::TrainingSet;
use crate::evaluate::label::Role;
use crate::evaluate::method::{ReactionFit, ReactionMethod};
use crate::evaluate::reaction::ReactionScorer;
use crate::math::embeddings::EmbeddingTable;

/// The second stage, with the titles' embeddings if there are any.
#[derive(Debug)]
pub struct RankerMethod {
    /// The titles' reduced embeddings, by movie.
    pub titles: Option<EmbeddingTable>,
    /// The seed of every random number.
    pub seed: u64,
}

impl ReactionMethod for RankerMethod {
    fn id(&self) -> &'static str {
        "tower"
    }

    fn name(&self) -> &'static str {
        "watchnext ranker"
    }

    fn role(&self) -> Role {
        Role::Ours
    }

    fn fit(&self, training: &TrainingSet) -> Result<ReactionFit> {
        let ranker = fit(&training.catalog, &training.users, training.main, self.titles.as_ref(), self.seed)?;
        let scorer = SecondStage {
            traits: ranker.traits.load(&training.catalog)?,
            ranker: TractRanker::load(&ranker.network.onnx())?,
            catalog: training.catalog.clone(),
        };
        Ok(ReactionFit {
            scorer: Box::new(scorer),
            parameters: format!("temperature {:.2}", ranker.network.temperature),
        })
    }
}

/// The second stage without the first.
struct SecondStage {
    catalog: Catalog,
    traits: MovieTraits,
    ranker: TractRanker,
}

impl ReactionScorer for SecondStage {
    fn like(&self, history: &History, movie: MovieIndex, moment: &LocalTime) -> Result<f32> {
        let history = ReactionHistory::new(&self.catalog, &self.traits, history.watches());
        let reactions = self.ranker.reactions(&[history.features(movie, moment)])?;
        Ok(reactions.first().map_or(0.0, |reaction| reaction.like))
    }
}
