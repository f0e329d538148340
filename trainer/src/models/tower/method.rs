//! The tower as a method of the evaluator, through the path that ships.

use std::sync::Arc;
use watchnext::model::TOWER_INPUTS;
use watchnext::model::TowerInputs;
use watchnext::model::YEAR_INPUT;

use anyhow::Result;
use watchnext::recommend::{DEFAULT_DIVERSITY, Retrieval, Strategy};

use super::config::TowerConfig;
use super::fit;
use crate::bundle::model::Model;
use crate::bundle::packed::Packed;
use crate::data::has_reactions;
use crate::data::training_set::TrainingSet;
use crate::evaluate::bundle_scorer::Shipped;
use crate::evaluate::method::{Fit, Method, Role, Selection, Variant};
use crate::math::embeddings::EmbeddingTable;
use crate::models::ranker;
use crate::models::tower::folded::Tower;

/// Settings of the diversity knob that are measured, after the default and the plain order of the scores: those of the
/// curve of accuracy against coverage, which protocol P2 alone draws.
const CURVE: [f32; 4] = [0.25, 0.4, 0.6, 0.8];

/// The tower with its settings, which were chosen on other users; see `models/EXPERIMENTS.md`.
#[derive(Debug)]
pub struct TowerMethod {
    /// What `--methods` calls it.
    pub id: &'static str,
    /// What the tables call it.
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
        let recommender = Arc::new(packed.recommender()?);
        let variant = |label: String, knob: Option<f32>, strategy: Strategy| Variant {
            label,
            knob: knob.map(f64::from),
            scorer: Box::new(Shipped { recommender: Arc::clone(&recommender), strategy }),
        };
        let of_knob = |diversity: f32| {
            let label = if diversity == DEFAULT_DIVERSITY { String::new() } else { format!("diversity {diversity}") };
            variant(label, Some(diversity), Strategy { diversity, ..Retrieval::Movies.into() })
        };
        let alone = Strategy { first_stage_alone: true, ..Retrieval::Movies.into() };
        let mut variants = vec![
            of_knob(DEFAULT_DIVERSITY),
            of_knob(0.0),
            variant("diversity 0, first stage alone".to_owned(), None, alone),
        ];
        if !selection.is_sequential() {
            variants.extend(CURVE.map(of_knob));
        }
        // The networks' losses are of different tasks and none is held out, so there is no curve by epoch to show.
        Ok(Fit { variants, parameters: String::new(), epochs: Vec::new(), losses })
    }
}

impl Model for Tower {
    fn onnx(&self) -> Result<Vec<u8>> {
        Ok(Self::onnx(self))
    }

    fn asks_for(&self, input: &str) -> bool {
        TOWER_INPUTS.contains(&input) || (input == YEAR_INPUT && Self::asks_for_year(self))
    }

    fn movies(&self) -> Result<(EmbeddingTable, Vec<f32>)> {
        Ok((self.movies.clone(), self.bias.clone()))
    }

    fn user_vector(&self, inputs: &TowerInputs) -> Result<Vec<f32>> {
        Ok(Self::user_vector(self, &inputs.history, inputs.year))
    }
}
