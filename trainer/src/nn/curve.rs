//! How a training went.

use serde::{Deserialize, Serialize};

/// An epoch's figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochFigures {
    /// From 1.
    pub epoch: usize,
    /// Mean cross entropy of the training rows, with dropout.
    pub training_loss: f64,
    /// Hit rate at 100 of the held-out rows, seen movies excluded.
    pub held_out_hit100: f64,
}

/// A network's loss by step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LossCurve {
    /// Which network.
    pub name: String,
    /// The mean loss of each step's rows, with dropout.
    pub losses: Vec<f32>,
}
