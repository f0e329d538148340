//! Implicit alternating least squares (Hu, Koren and Volinsky, *Collaborative Filtering for Implicit Feedback
//! Datasets*, ICDM 2008), for data that are too large for the tower. An iteration takes time and memory in proportion
//! to the ratings.
//!
//! Apart from the data set it keeps each like twice, by user and by movie, in 4 bytes, and the vectors of both sides.
//! The browser solves for a visitor's vector by [`crate::fold_in`], as the [`solver`] does for a training user's.

pub mod method;
pub mod solver;

use anyhow::{Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use watchnext::catalog::Catalog;
use watchnext::history::LIKED_STARS;
use watchnext::model::TowerInputs;

use self::solver::{Settings, alternate};
use crate::bundle::model::Model;
use crate::data::User;
use crate::data::incidence::{Incidence, Signal};
use crate::fold_in::{Equations, Feedback, FoldIn};
use crate::math::embeddings::EmbeddingTable;

/// The settings that determine a model, apart from its users.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlsConfig {
    /// Which events count.
    pub signal: Signal,
    /// The factorisation.
    pub settings: Settings,
    /// How much popularity counts: the best-known movie's bias. The score of a movie that a user likes is about 1.
    pub popularity: f32,
}

impl Default for AlsConfig {
    /// Chosen on ml-latest-small; see `models/EXPERIMENTS.md`.
    fn default() -> Self {
        Self {
            signal: Signal::Likes,
            settings: Settings { factors: 32, alpha: 0.5, lambda: 20.0, iterations: 10, seed: 1 },
            popularity: 0.02,
        }
    }
}

/// A factorisation that can be packed.
#[derive(Debug, Clone)]
pub struct Als {
    fold_in: FoldIn,
    bias: Vec<f32>,
}

/// Factorises who likes what.
///
/// # Errors
/// Data without likes, and settings that leave a system without a solution.
pub fn fit(catalog: &Catalog, users: &[User], config: &AlsConfig) -> Result<Als> {
    let incidence = Incidence::new(catalog.len(), users, config.signal);
    ensure!(
        incidence.movies_of.iter().any(|movies| !movies.is_empty()),
        "there are no likes, and ALS learns from likes alone: ratings of {LIKED_STARS} stars or more, and clicks"
    );
    let bar = ProgressBar::new(config.settings.iterations as u64);
    bar.set_style(ProgressStyle::with_template("training {bar:32} {percent:>3} % · {eta} left")?);
    let (_, movies) = alternate(&incidence, &config.settings, |_| bar.inc(1))?;
    bar.finish_and_clear();
    let Settings { alpha, lambda, .. } = config.settings;
    let equations = Equations { feedback: Feedback::Clicks { alpha }, lambda, by_count: false };
    let counts = incidence.counts();
    let most = counts.iter().copied().fold(1.0, f32::max);
    let bias = counts.iter().map(|count| config.popularity * count.ln_1p() / most.ln_1p()).collect();
    Ok(Als { fold_in: FoldIn::new(&movies.into_matrix()?, equations, false)?, bias })
}

impl Als {
    /// The equations of a visitor's vector.
    pub const fn fold_in(&self) -> &FoldIn {
        &self.fold_in
    }
}

impl Model for Als {
    fn onnx(&self) -> Result<Vec<u8>> {
        Ok(self.fold_in.onnx())
    }

    fn movies(&self) -> Result<(EmbeddingTable, Vec<f32>)> {
        Ok((self.fold_in.items().clone(), self.bias.clone()))
    }

    fn user_vector(&self, inputs: &TowerInputs) -> Result<Vec<f32>> {
        self.fold_in.user_vector(inputs)
    }
}
