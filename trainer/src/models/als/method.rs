//! ALS as a method of the evaluator, measured through the path that ships.

use anyhow::Result;

use super::{AlsConfig, fit};
use crate::bundle::packed::Packed;
use crate::data::training_set::TrainingSet;
use crate::evaluate::bundle_scorer::fitted_variants;
use crate::evaluate::label::Variant;
use crate::evaluate::method::{Fit, Method, Selection};

/// ALS with its settings; `models/EXPERIMENTS.md` says how they were chosen.
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
        let recommender = Packed::new(&model, &training.catalog, self.id(), origin)?.recommender()?;
        Ok(Fit::of_variants(fitted_variants(recommender, &[Variant::Default, Variant::Novelty(0.0)])))
    }
}
