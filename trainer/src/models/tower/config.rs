//! The settings that determine a tower, apart from its users.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::member::MemberConfig;
use crate::data::Times;
use crate::math::embeddings::EmbeddingTable;

/// A tower's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TowerConfig {
    /// The networks of the click channel.
    pub click_members: Vec<MemberConfig>,
    /// The networks of the sequence channel. Without any there is no such channel, as for data without an order.
    pub sequence_members: Vec<MemberConfig>,
    /// How much the matrix of movies that are liked together counts, against 1 for the click networks' mean logit.
    pub liked_weight: f32,
    /// How much the matrix of movies that the same users rated counts, in the same unit.
    pub rated_weight: f32,
    /// How much the linear autoencoder counts, in the same unit.
    pub linear_weight: f32,
    /// The penalty of the linear autoencoder, in users.
    pub linear_penalty: f32,
    /// How much a disliked movie takes from the click channel's sum, against 1 for what a liked one adds.
    pub dislike: f32,
    /// How much the matrix of movies that follow each other counts, against 1 for the sequence networks' mean logit.
    pub follower_weight: f32,
    /// Added to the cosine's denominator, in users: pairs that few users liked together count less.
    pub shrinkage: f32,
    /// How much the channels count against popularity after one click. After five they count 1.
    pub first_click: f32,
    /// How much the sequence channel counts among a few clicks. The click channel counts 1.
    pub sequence_in_clicks: f32,
    /// How much the click channel counts in a long history. The sequence channel counts 1.
    pub clicks_in_sequence: f32,
    /// Numbers of a user vector that belong to the click channel.
    pub click_dim: usize,
    /// Numbers of a user vector that belong to the sequence channel.
    pub sequence_dim: usize,
    /// Numbers of a user vector for how popularity differs in the year of the visit, 0 for data without times.
    pub drift_dim: usize,
    /// The precision of embeddings and hidden layers.
    pub precision: Precision,
    /// The seed of every random number.
    pub seed: u64,
}

/// The precision of embeddings and hidden layers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Floats, to measure the cost of fewer bits.
    Float,
    /// 8 bits with a scale for each row.
    Int8 {
        /// The least step of an embedding's numbers, in the table's spreads; see `EmbeddingTable::coarse`.
        step: f32,
    },
}

impl Precision {
    /// Embeddings of movies, which count with `weights`.
    pub(super) fn table(self, values: Array2<f32>, weights: &[f32]) -> EmbeddingTable {
        match self {
            Self::Float => EmbeddingTable::Float(values),
            Self::Int8 { step } => EmbeddingTable::coarse(&values, weights, step),
        }
    }
}

impl Default for TowerConfig {
    /// The shipped model's settings, chosen on the users of the 2015 release and on protocol P1's validation users; see
    /// `models/EXPERIMENTS.md`.
    fn default() -> Self {
        let member = |width, hidden, weight_decay, rated| MemberConfig {
            width,
            hidden,
            weight_decay,
            rated,
            steps: 70,
            learning_rate: 0.01,
            dropout: 0.3,
            eras: true,
        };
        let sequence = |width| MemberConfig { steps: 250, dropout: 0.1, ..member(width, 0, 1e-4, 0.0) };
        Self {
            click_members: vec![
                member(64, 128, 1e-4, 0.3),
                member(32, 64, 1e-4, 0.0),
                member(128, 128, 1e-3, 0.0),
                member(200, 200, 3e-4, 0.1),
            ],
            sequence_members: vec![sequence(64), sequence(96), sequence(64)],
            liked_weight: 3.0,
            rated_weight: 1.0,
            linear_weight: 20.0,
            linear_penalty: 500.0,
            dislike: 0.3,
            follower_weight: 20.0,
            shrinkage: 20.0,
            first_click: 0.65,
            sequence_in_clicks: 0.15,
            clicks_in_sequence: 0.1,
            click_dim: 62,
            sequence_dim: 58,
            drift_dim: 8,
            precision: Precision::Int8 { step: 0.03 },
            seed: 1,
        }
    }
}

impl TowerConfig {
    /// The settings for data whose times are known so well. Parts that can't be learnt are left out, and the click
    /// channel gets their numbers of the user vector.
    pub fn for_times(times: Times) -> Self {
        let mut config = Self::default();
        if times != Times::Known {
            config.click_members.iter_mut().chain(&mut config.sequence_members).for_each(|member| member.eras = false);
            config.click_dim += std::mem::take(&mut config.drift_dim);
        }
        if times == Times::Unknown {
            config.sequence_members.clear();
            config.click_dim += std::mem::take(&mut config.sequence_dim);
            (config.sequence_in_clicks, config.clicks_in_sequence) = (0.0, 1.0);
        }
        config
    }

    /// The length of the user vector.
    pub const fn dim(&self) -> usize {
        self.click_dim + self.sequence_dim + self.drift_dim
    }
}
