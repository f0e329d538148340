//! The notebook's network as an ONNX user tower.

use anyhow::Result;
use candle_core::{DType, Tensor};
use ndarray::Array2;
use watchnext::model::{TOWER_INPUTS, TOWER_OUTPUT, TowerInputs};

use super::network::{EMBEDDING_DIM, Network, STATE_DIM};
use super::rows::TrainingRows;
use crate::bundle::model::Model;
use crate::math::embeddings::EmbeddingTable;
use crate::nn::leaky_relu::NEGATIVE_SLOPE;
use crate::onnx::graph::Graph;
use crate::onnx::model;
use crate::onnx::proto::{int_attribute, ints_attribute};

/// The network's user tower as an ONNX model. Its vector of [`STATE_DIM`] is the user state after its LeakyReLU.
///
/// The embedding table gets one more row, of zeros, for padding.
///
/// # Errors
/// A parameter that can't be read.
pub fn user_tower(network: &Network) -> Result<Vec<u8>> {
    let padding = Tensor::zeros((1, EMBEDDING_DIM), DType::F32, network.embedding.device())?;
    let embedding = Tensor::cat(&[network.embedding.as_tensor(), &padding], 0)?;
    let mut graph = Graph::default();
    let mut keep = |name: &str, tensor: &Tensor| -> Result<()> {
        graph.floats(name, tensor.dims(), tensor.flatten_all()?.to_vec1::<f32>()?);
        Ok(())
    };
    keep("embedding", &embedding)?;
    keep("hidden_weight", &network.hidden_weight)?;
    keep("hidden_bias", &network.hidden_bias)?;
    keep("state_weight", &network.state_weight)?;
    keep("state_bias", &network.state_bias)?;
    graph.named_ints("value_axis", &[2]);
    let [history, weights, time] = TOWER_INPUTS;
    graph.add("Gather", &["embedding", history], "looked_up");
    graph.add("Unsqueeze", &[weights, "value_axis"], "slot_weights");
    graph.add("Mul", &["looked_up", "slot_weights"], "weighted");
    let over_slots = [ints_attribute("axes", &[1]), int_attribute("keepdims", 0)];
    graph.add_with("ReduceMean", &["weighted"], "mean", over_slots);
    graph.concat(&[time, "mean"], 1, "inputs");
    graph.dense("inputs", "hidden", "hidden");
    graph.leaky_relu(NEGATIVE_SLOPE, "hidden", "hidden_active");
    graph.dense("hidden_active", "state", "state");
    graph.leaky_relu(NEGATIVE_SLOPE, "state", TOWER_OUTPUT);
    Ok(model::user_tower(graph, STATE_DIM))
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
