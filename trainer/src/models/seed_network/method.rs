//! The notebook's network as a method of the evaluator, measured through the path that ships.

use anyhow::Result;

use super::rows::TrainingRows;
use super::states::{self, click_vectors};
use super::train::{TrainConfig, train};
use crate::bundle::packed::Packed;
use crate::data::training_set::TrainingSet;
use crate::evaluate::bundle_scorer::fitted_variants;
use crate::evaluate::label::Variant;
use crate::evaluate::method::{Fit, Method, Selection};

/// The notebook's network. It has no parameters to choose: its settings are the notebook's.
#[derive(Debug)]
pub struct SeedNetwork {
    /// The training's settings.
    pub config: TrainConfig,
}

impl Method for SeedNetwork {
    fn id(&self) -> &'static str {
        "seed-network"
    }

    fn name(&self) -> &'static str {
        "seed network"
    }

    fn fit(&self, training: &TrainingSet, selection: &Selection) -> Result<Fit> {
        let rows = TrainingRows::new(&training.catalog, &training.users, |_| true)?;
        let held_out = match selection {
            Selection::NextMovie { validation } => TrainingRows::new(&training.catalog, validation, |_| true)?,
            // Held-out users would choose nothing, and every user is needed for training.
            Selection::FewClicks | Selection::Discovery | Selection::NextVisit => TrainingRows::default(),
        };
        let (network, mut epochs) = train(training.catalog.len(), &rows, &held_out, &self.config, None)?;
        if held_out.is_empty() {
            epochs.clear();
        }
        let states = states::encode(&click_vectors(&network, &rows)?, &rows.target, self.config.seed)?;
        let mut packed = Packed::new(&network, &training.catalog, "seed-network", training.origin(self.config.seed))?;
        packed.add(states.file());
        let variants = fitted_variants(packed.recommender()?, &[Variant::Softmax, Variant::States]);
        Ok(Fit { epochs, ..Fit::of_variants(variants) })
    }
}
