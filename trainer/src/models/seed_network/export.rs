//! The seed network's user tower as an ONNX model.

use anyhow::Result;
use candle_core::{DType, Tensor};
use ndarray::Array2;
use watchnext::model::TowerInputs;
use watchnext::model::{TOWER_INPUTS, TOWER_OUTPUT};

use super::network::{EMBEDDING_DIM, Network, STATE_DIM};
use crate::bundle::model::Model;
use crate::math::embeddings::EmbeddingTable;
use crate::models::seed_network::rows::TrainingRows;
use crate::nn::leaky_relu::NEGATIVE_SLOPE;
use crate::onnx::proto::{dense, floats, int_attribute, ints, ints_attribute, leaky_relu, node, user_tower as model};

/// The ONNX model of the network's user tower, whose vector of [`STATE_DIM`] is the user state after its LeakyReLU.
///
/// The embedding table gets one more row, of zeros, which padding looks up.
///
/// # Errors
/// A parameter that can't be read.
pub fn user_tower(network: &Network) -> Result<Vec<u8>> {
    let padding = Tensor::zeros((1, EMBEDDING_DIM), DType::F32, network.embedding.device())?;
    let embedding = Tensor::cat(&[network.embedding.as_tensor(), &padding], 0)?;
    let table = |name, tensor: &Tensor| -> Result<_> {
        Ok(floats(name, tensor.dims(), tensor.flatten_all()?.to_vec1::<f32>()?))
    };
    let initializers = vec![
        table("embedding", &embedding)?,
        table("hidden_weight", &network.hidden_weight)?,
        table("hidden_bias", &network.hidden_bias)?,
        table("state_weight", &network.state_weight)?,
        table("state_bias", &network.state_bias)?,
        ints("value_axis", &[2]),
    ];
    let [history, weights, time] = TOWER_INPUTS;
    let mut mean = node("ReduceMean", &["weighted"], "mean");
    mean.attribute.push(ints_attribute("axes", &[1]));
    mean.attribute.push(int_attribute("keepdims", 0));
    let mut concat = node("Concat", &[time, "mean"], "inputs");
    concat.attribute.push(int_attribute("axis", 1));
    let nodes = vec![
        node("Gather", &["embedding", history], "looked_up"),
        node("Unsqueeze", &[weights, "value_axis"], "slot_weights"),
        node("Mul", &["looked_up", "slot_weights"], "weighted"),
        mean,
        concat,
        dense("inputs", "hidden", "hidden"),
        leaky_relu(NEGATIVE_SLOPE, "hidden", "hidden_active"),
        dense("hidden_active", "state", "state"),
        leaky_relu(NEGATIVE_SLOPE, "state", TOWER_OUTPUT),
    ];
    Ok(model(nodes, initializers, STATE_DIM, false))
}

impl Model for Network {
    fn onnx(&self) -> Result<Vec<u8>> {
        user_tower(self)
    }

    fn movies(&self) -> Result<(EmbeddingTable, Vec<f32>)> {
        let weight = &self.movie_weight;
        let embedding = Array2::from_shape_vec(weight.dims2()?, weight.flatten_all()?.to_vec1()?)?;
        Ok((EmbeddingTable::Float(embedding), self.movie_bias.to_vec1()?))
    }

    fn user_vector(&self, inputs: &TowerInputs) -> Result<Vec<f32>> {
        let rows = TrainingRows {
            history: inputs.history.movies.clone(),
            rated_weights: inputs.history.weights.clone(),
            time: inputs.time.to_vec(),
            target: vec![0],
        };
        Ok(self.user_vectors(&rows, inputs.history.weights.clone())?.flatten_all()?.to_vec1()?)
    }
}
