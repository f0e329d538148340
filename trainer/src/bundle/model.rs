//! The interface of a model that can be packed.

use anyhow::Result;
use watchnext::features::HISTORY_LEN;
use watchnext::model::{TOWER_INPUTS, TowerInputs};

use crate::math::embeddings::EmbeddingTable;

/// A trained model that can be packed: its two files, and its own arithmetic, which tract must agree with.
pub trait Model {
    /// The ONNX user tower.
    ///
    /// # Errors
    /// A parameter that can't be read.
    fn onnx(&self) -> Result<Vec<u8>>;

    /// How many slots the ONNX model's history has if `watched` movies were watched.
    fn slots(&self, _watched: usize) -> usize {
        HISTORY_LEN
    }

    /// Whether the ONNX model has an input with this name.
    fn asks_for(&self, input: &str) -> bool {
        TOWER_INPUTS.contains(&input)
    }

    /// The movies' output embeddings `[movies, dim]` and their biases `[movies]`: a score is `embedding · user vector +
    /// bias`.
    ///
    /// # Errors
    /// A parameter that can't be read.
    fn movies(&self) -> Result<(EmbeddingTable, Vec<f32>)>;

    /// The user's vector `[dim]` by the trainer's own arithmetic.
    ///
    /// # Errors
    /// Inputs that the arithmetic rejects.
    fn user_vector(&self, inputs: &TowerInputs) -> Result<Vec<f32>>;
}
