//! The seed notebook's network as it is, through the path that ships.

use std::sync::Arc;

use anyhow::Result;
use watchnext::recommend::Retrieval;

use super::rows::TrainingRows;
use super::states::{self, click_vectors};
use super::train::{TrainConfig, train};
use crate::bundle::packed::Packed;
use crate::data::training_set::TrainingSet;
use crate::evaluate::bundle_scorer::{Shipped, retrieval_name};
use crate::evaluate::method::{Fit, Method, Selection, Variant};

/// The seed's network. It has no parameters to choose: its settings are the notebook's.
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
            // Nothing is chosen by them, and there is nobody to spare.
            Selection::FewClicks => TrainingRows::default(),
        };
        let (network, mut epochs) = train(training.catalog.len(), &rows, &held_out, &self.config, None)?;
        if held_out.is_empty() {
            epochs.clear();
        }
        let states = states::encode(&click_vectors(&network, &rows)?, &rows.target, self.config.seed)?;
        let mut packed = Packed::new(&network, &training.catalog, "seed-network", training.origin(self.config.seed))?;
        packed.add(states.file());
        let recommender = Arc::new(packed.recommender()?);
        let variant = |retrieval| Variant {
            label: retrieval_name(retrieval).to_owned(),
            knob: None,
            scorer: Box::new(Shipped { recommender: Arc::clone(&recommender), strategy: retrieval.into() }),
        };
        let variants = vec![variant(Retrieval::Movies), variant(Retrieval::States)];
        Ok(Fit { variants, parameters: String::new(), epochs, losses: Vec::new() })
    }
}
