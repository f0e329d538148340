//! The tower as a method of the evaluator, measured through the path that ships.

use anyhow::Result;
use watchnext::model::{LIKES_INPUT, ORDER_INPUT, TOWER_INPUTS, TowerInputs, YEAR_INPUT, open_slots};

use super::config::TowerConfig;
use super::fit;
use crate::bundle::model::Model;
use crate::bundle::packed::Packed;
use crate::data::has_reactions;
use crate::data::training_set::TrainingSet;
use crate::evaluate::bundle_scorer::fitted_variants;
use crate::evaluate::label::{Role, Variant};
use crate::evaluate::method::{Fit, Method, Selection};
use crate::math::embeddings::EmbeddingTable;
use crate::models::ranker;
use crate::models::tower::folded::Tower;

/// The variants that every protocol measures.
const VARIANTS: [Variant; 3] = [Variant::Default, Variant::Novelty(0.0), Variant::FirstStageAlone];

/// Further points on the curve of accuracy against coverage, which protocol P2 alone draws.
const CURVE: [Variant; 4] =
    [Variant::Novelty(0.25), Variant::Novelty(0.4), Variant::Novelty(0.6), Variant::Novelty(0.8)];

/// The tower with its settings, which were chosen on other users; see `models/EXPERIMENTS.md`.
#[derive(Debug)]
pub struct TowerMethod {
    /// The id that `--methods` takes.
    pub id: &'static str,
    /// The name in the tables.
    pub name: &'static str,
    /// The settings.
    pub config: TowerConfig,
    /// The titles' reduced embeddings, for the second stage.
    pub titles: Option<EmbeddingTable>,
}

impl Method for TowerMethod {
    fn id(&self) -> &'static str {
        self.id
    }

    fn name(&self) -> &'static str {
        self.name
    }

    fn role(&self) -> Role {
        Role::Ours
    }

    fn fit(&self, training: &TrainingSet, selection: &Selection) -> Result<Fit> {
        let (tower, losses) = fit(&training.catalog, &training.users, &self.config)?;
        let titles = self.titles.as_ref();
        let mut packed = Packed::new(&tower, &training.catalog, self.id, training.origin(self.config.seed))?;
        if has_reactions(&training.users) {
            let ranker = ranker::fit(&training.catalog, &training.users, training.main, titles, self.config.seed)?;
            ranker.add_to(&mut packed, &training.catalog)?;
        }
        let further: &[Variant] = if selection.is_sequential() { &[] } else { &CURVE };
        let variants = fitted_variants(packed.recommender()?, &[VARIANTS.as_slice(), further].concat());
        // The networks have different tasks and no held-out loss, so that there is no curve by epoch.
        Ok(Fit { losses, ..Fit::of_variants(variants) })
    }
}

impl Model for Tower {
    fn onnx(&self) -> Result<Vec<u8>> {
        Ok(Self::onnx(self))
    }

    fn slots(&self, watched: usize) -> usize {
        open_slots(watched)
    }

    fn asks_for(&self, input: &str) -> bool {
        let [history, weights, _] = TOWER_INPUTS;
        [history, weights, LIKES_INPUT].contains(&input)
            || (input == YEAR_INPUT && Self::asks_for_year(self))
            || (input == ORDER_INPUT && self.sequence.is_some())
    }

    fn movies(&self) -> Result<(EmbeddingTable, Vec<f32>)> {
        Ok((self.movies.clone(), self.bias.clone()))
    }

    fn user_vector(&self, inputs: &TowerInputs) -> Result<Vec<f32>> {
        Ok(Self::user_vector(self, inputs))
    }
}
