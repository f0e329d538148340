//! The course of a training.

use serde::{Deserialize, Serialize};

/// An epoch's figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochFigures {
    /// From 1.
    pub epoch: usize,
    /// Mean cross entropy of the training rows, with dropout.
    pub training_loss: f64,
    /// Hit rate at 100 of the held-out rows, without the movies that were seen.
    pub held_out_hit100: f64,
}

/// A network's loss at each step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LossCurve {
    /// The network's name.
    pub name: String,
    /// The mean loss of each step's rows, with dropout.
    pub losses: Vec<f32>,
}
