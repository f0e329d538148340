//! The model as a method of the evaluator, through the path that ships.

use std::sync::Arc;

use anyhow::Result;
use watchnext::recommend::{DEFAULT_DIVERSITY, Retrieval, Strategy};

use super::{AlsConfig, fit};
use crate::bundle::packed::Packed;
use crate::data::training_set::TrainingSet;
use crate::evaluate::bundle_scorer::Shipped;
use crate::evaluate::method::{Fit, Method, Selection, Variant};

/// ALS with its settings, which `models/EXPERIMENTS.md` says the choice of.
#[derive(Debug, Default)]
pub struct AlsMethod {
    /// The settings.
    pub config: AlsConfig,
}

impl Method for AlsMethod {
    fn id(&self) -> &'static str {
        "als-fold-in"
    }

    fn name(&self) -> &'static str {
        "ALS for larger data"
    }

    fn fit(&self, training: &TrainingSet, _selection: &Selection) -> Result<Fit> {
        let model = fit(&training.catalog, &training.users, &self.config)?;
        let origin = training.origin(self.config.settings.seed);
        let recommender = Arc::new(Packed::new(&model, &training.catalog, self.id(), origin)?.recommender()?);
        let variant = |label: &str, diversity: f32| {
            let strategy = Strategy { diversity, ..Retrieval::Movies.into() };
            let scorer = Box::new(Shipped { recommender: Arc::clone(&recommender), strategy });
            Variant { label: label.to_owned(), knob: Some(f64::from(diversity)), scorer }
        };
        let variants = vec![variant("", DEFAULT_DIVERSITY), variant("diversity 0", 0.0)];
        Ok(Fit { variants, parameters: String::new(), epochs: Vec::new(), losses: Vec::new() })
    }
}
