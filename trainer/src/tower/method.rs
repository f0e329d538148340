//! The tower as a method of the evaluator, through the path that ships.

use std::sync::Arc;

use anyhow::Result;
use watchnext::recommend::{DEFAULT_DIVERSITY, Retrieval, Strategy};

use super::{TowerConfig, fit};
use crate::evaluate::Shipped;
use crate::methods::{Fit, Method, Role, Selection, TrainingSet, Variant};
use crate::pack::Packed;

/// Settings of the diversity knob that are measured: first the default, which is what ships, then the plain order of the
/// scores, then the others of the curve of accuracy against coverage, which protocol P2 alone draws.
const KNOB: [f32; 6] = [DEFAULT_DIVERSITY, 0.0, 0.1, 0.4, 0.6, 0.8];

/// How many of them protocol P1 measures.
const KNOB_OF_NEXT_MOVIE: usize = 2;

/// The tower with its settings, which were chosen on other users; see `models/EXPERIMENTS.md`.
#[derive(Debug)]
pub struct TowerMethod {
    /// What `--methods` calls it.
    pub id: &'static str,
    /// What the tables call it.
    pub name: &'static str,
    /// The settings.
    pub config: TowerConfig,
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
        let packed = Packed::new(&tower, &training.catalog, None, self.id, training.origin(self.config.seed))?;
        let recommender = Arc::new(packed.recommender()?);
        let variant = |diversity: f32| Variant {
            label: if diversity == DEFAULT_DIVERSITY { String::new() } else { format!("diversity {diversity}") },
            knob: Some(f64::from(diversity)),
            scorer: Box::new(Shipped {
                recommender: Arc::clone(&recommender),
                strategy: Strategy { retrieval: Retrieval::Movies, diversity },
            }),
        };
        let measured = if selection.is_sequential() { KNOB_OF_NEXT_MOVIE } else { KNOB.len() };
        let variants = KNOB.into_iter().take(measured).map(variant).collect();
        // The networks' losses are of different tasks and none is held out, so there is no curve by epoch to show.
        Ok(Fit { variants, parameters: String::new(), epochs: Vec::new(), losses })
    }
}
