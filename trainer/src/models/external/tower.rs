//! The user tower from elsewhere, checked against the contract.

use anyhow::{Context, Result};
use prost::{DecodeError, Message};
use tract_onnx::pb::ModelProto;
use watchnext::error::Error;
use watchnext::model::{TOWER_OUTPUT, TowerInputs, TractUserTower, UserTower};
use watchnext::onnx::OnnxModel;

use super::given::GivenFile;

/// A user tower that the library runs.
#[derive(Debug)]
pub struct ExternalTower {
    /// The model's bytes, without the parts that no browser reads.
    pub onnx: Vec<u8>,
    /// Its inputs' names.
    pub inputs: Vec<String>,
    tower: TractUserTower,
}

impl ExternalTower {
    /// Loads a model for vectors of `dim` numbers and a catalogue of `items`.
    ///
    /// # Errors
    /// A model that the library refuses.
    pub(super) fn load(file: &GivenFile, dim: usize, items: usize) -> Result<Self> {
        let place = || format!("{} can't be used as the user tower", file.path.display());
        // Let the library refuse a model that can't be decoded.
        let onnx = stripped(&file.bytes).unwrap_or_else(|_| file.bytes.clone());
        let tower = TractUserTower::load(&onnx, dim, items).map_err(explained).with_context(place)?;
        let model = OnnxModel::decode(&onnx).map_err(|error| anyhow::anyhow!("{error:#}"))?;
        let inputs = model.inputs().into_iter().map(str::to_owned).collect();
        Ok(Self { onnx, inputs, tower })
    }

    /// How many slots its history has if `watched` items were watched.
    pub fn slots(&self, watched: usize) -> usize {
        self.tower.slots(watched)
    }

    /// Whether the model has this input.
    pub fn asks_for(&self, input: &str) -> bool {
        self.inputs.iter().any(|own| own == input)
    }

    /// The user's vector.
    ///
    /// # Errors
    /// As [`UserTower::embed`].
    pub fn embed(&self, inputs: &TowerInputs) -> Result<Vec<f32>> {
        Ok(self.tower.embed(inputs)?)
    }
}

/// The library's refusal, with the usual cause of a vector that isn't finite.
fn explained(error: Error) -> anyhow::Error {
    let is_of_vector = matches!(&error, Error::NonFinite { place } if place.ends_with(TOWER_OUTPUT));
    let error = anyhow::Error::new(error);
    if is_of_vector {
        return error.context(
            "an empty history (padding alone) and a full one must both give a vector. A mask that hides every slot \
             gives none, and neither does a mean over no items. Let the model always see something, such as a learnt \
             start before the first item",
        );
    }
    error
}

/// The model without the parts that no browser reads: the shapes between its nodes, and the notes that an exporter
/// leaves at each node. In a small model the notes outweigh the weights, and they name folders of the machine that
/// exported it.
fn stripped(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    // Decoding drops what tract's messages have no field for: notes, and functions that only unknown operators call.
    let mut model = ModelProto::decode(bytes)?;
    model.doc_string.clear();
    model.metadata_props.clear();
    model.training_info.clear();
    if let Some(graph) = &mut model.graph {
        graph.doc_string.clear();
        graph.value_info.clear();
        graph.node.iter_mut().for_each(|node| node.doc_string.clear());
        graph.initializer.iter_mut().for_each(|tensor| tensor.doc_string.clear());
    }
    Ok(model.encode_to_vec())
}
