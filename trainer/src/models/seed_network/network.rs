//! The notebook's candidate generator: `[time features ; mean of the history's embeddings]` → 256 → LeakyReLU 0.2 →
//! dropout 0.3 → 128, the user state → LeakyReLU → dropout → a softmax over all movies.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use candle_core::backprop::GradStore;
use candle_core::{D, Device, Tensor, Var};
use rand::Rng;
use watchnext::features::{HISTORY_LEN, TIME_FEATURES};

use super::rows::TrainingRows;
use crate::nn::dropout::dropout;
use crate::nn::initial;
use crate::nn::leaky_relu::leaky_relu;
use crate::nn::ops::{HistoryMean, SoftmaxCrossEntropy};

/// The width of a movie's embedding in the history.
pub const EMBEDDING_DIM: usize = 32;
/// The width of the first layer.
pub const HIDDEN_DIM: usize = 256;
/// The width of the user state.
pub const STATE_DIM: usize = 128;
const DROPOUT: f64 = 0.3;

/// The parameters, named as in the checkpoint and the ONNX file.
#[derive(Debug, Clone)]
pub struct Network {
    /// `[movies, EMBEDDING_DIM]`.
    pub embedding: Var,
    /// `[HIDDEN_DIM, TIME_FEATURES + EMBEDDING_DIM]`.
    pub hidden_weight: Var,
    /// `[HIDDEN_DIM]`.
    pub hidden_bias: Var,
    /// `[STATE_DIM, HIDDEN_DIM]`.
    pub state_weight: Var,
    /// `[STATE_DIM]`.
    pub state_bias: Var,
    /// `[movies, STATE_DIM]`, the movies' embeddings in the softmax.
    pub movie_weight: Var,
    /// `[movies]`.
    pub movie_bias: Var,
}

impl Network {
    /// A network of `movies` movies, initialised as PyTorch does it: embeddings from a standard normal distribution,
    /// linear layers uniformly within `1 / √inputs`.
    ///
    /// # Errors
    /// No movies.
    pub fn new(movies: usize, rng: &mut impl Rng) -> Result<Self> {
        ensure!(movies > 0, "a network needs at least one movie");
        let mut uniform = |shape: &[usize], inputs: usize| initial::uniform(shape, 1.0 / (inputs as f32).sqrt(), rng);
        let inputs = TIME_FEATURES + EMBEDDING_DIM;
        let hidden_weight = uniform(&[HIDDEN_DIM, inputs], inputs)?;
        let hidden_bias = uniform(&[HIDDEN_DIM], inputs)?;
        let state_weight = uniform(&[STATE_DIM, HIDDEN_DIM], HIDDEN_DIM)?;
        let state_bias = uniform(&[STATE_DIM], HIDDEN_DIM)?;
        let movie_weight = uniform(&[movies, STATE_DIM], STATE_DIM)?;
        let movie_bias = uniform(&[movies], STATE_DIM)?;
        let embedding = initial::normal((movies, EMBEDDING_DIM), 1.0, rng)?;
        Ok(Self { embedding, hidden_weight, hidden_bias, state_weight, state_bias, movie_weight, movie_bias })
    }

    /// The parameters by name, always in this order.
    pub fn parameters(&self) -> [(&'static str, &Var); 7] {
        [
            ("embedding", &self.embedding),
            ("hidden_weight", &self.hidden_weight),
            ("hidden_bias", &self.hidden_bias),
            ("state_weight", &self.state_weight),
            ("state_bias", &self.state_bias),
            ("movie_weight", &self.movie_weight),
            ("movie_bias", &self.movie_bias),
        ]
    }

    /// Sets every parameter from `tensors`.
    ///
    /// # Errors
    /// A parameter that is missing or has another shape.
    pub fn restore(&self, tensors: &HashMap<String, Tensor>) -> Result<()> {
        for (name, var) in self.parameters() {
            let tensor = tensors.get(name).with_context(|| format!("the checkpoint has no parameter {name}"))?;
            var.set(tensor).with_context(|| format!("the checkpoint's {name} has another shape"))?;
        }
        Ok(())
    }

    /// The user states `[rows, STATE_DIM]` before their LeakyReLU, without dropout.
    pub fn states(&self, rows: &TrainingRows, weights: Vec<f32>) -> Result<Tensor> {
        self.states_with(rows, weights, Ok)
    }

    /// The vectors `[rows, STATE_DIM]` that meet the movies' embeddings: the states after their LeakyReLU, without
    /// dropout. The ONNX user tower puts out the same.
    pub fn user_vectors(&self, rows: &TrainingRows, weights: Vec<f32>) -> Result<Tensor> {
        leaky_relu(&self.states(rows, weights)?)
    }

    fn states_with(
        &self,
        rows: &TrainingRows,
        weights: Vec<f32>,
        on_hidden: impl FnOnce(Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let time = Tensor::from_slice(&rows.time, (rows.len(), TIME_FEATURES), &Device::Cpu)?;
        let mean = self.embedding.apply_op1(HistoryMean::new(rows.history.clone(), weights, HISTORY_LEN))?;
        let inputs = Tensor::cat(&[&time, &mean], D::Minus1)?;
        let hidden = linear(&inputs, &self.hidden_weight, &self.hidden_bias)?;
        linear(&on_hidden(leaky_relu(&hidden)?)?, &self.state_weight, &self.state_bias)
    }

    /// The mean cross entropy of a batch with dropout, and the gradients.
    pub fn loss(&self, rows: &TrainingRows, weights: Vec<f32>, rng: &mut impl Rng) -> Result<(f32, GradStore)> {
        let keep = 1.0 - DROPOUT;
        let mut drop = |values: &Tensor| dropout(values, keep, (1.0 / keep) as f32, rng);
        let states = self.states_with(rows, weights, |hidden| drop(&hidden))?;
        let vectors = drop(&leaky_relu(&states)?)?;
        let entropy = SoftmaxCrossEntropy::new(rows.target.clone());
        let loss = vectors.apply_op3(&self.movie_weight, &self.movie_bias, entropy)?;
        Ok((loss.to_scalar()?, loss.backward()?))
    }
}

fn linear(inputs: &Tensor, weight: &Var, bias: &Var) -> Result<Tensor> {
    Ok(inputs.matmul(&weight.t()?)?.broadcast_add(bias)?)
}
