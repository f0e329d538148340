//! A graph under construction.

use ndarray::{Array1, Array2};
use tract_onnx::pb::{NodeProto, TensorProto, tensor_proto::DataType};
use watchnext::model::TOWER_INPUTS;

use super::proto::{bytes, floats, int_attribute, node};
use crate::math::embeddings::EmbeddingTable;

/// Nodes and initialisers under construction.
#[derive(Default)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<NodeProto>,
    pub(crate) tensors: Vec<TensorProto>,
}

impl Graph {
    pub(crate) fn add(&mut self, operator: &str, inputs: &[&str], output: &str) {
        self.nodes.push(node(operator, inputs, output));
    }

    pub(crate) fn matrix(&mut self, name: &str, values: &Array2<f32>) {
        let (rows, columns) = values.dim();
        self.tensors.push(floats(name, &[rows, columns], values.iter().copied()));
    }

    pub(crate) fn vector(&mut self, name: &str, values: &Array1<f32>) {
        self.tensors.push(floats(name, &[values.len()], values.iter().copied()));
    }

    /// A matrix that is multiplied with whole, so that the runtime turns it into floats once.
    pub(crate) fn weights(&mut self, name: &str, table: &EmbeddingTable) {
        let (rows, columns) = table.dim();
        match table {
            EmbeddingTable::Float(values) => self.matrix(name, values),
            EmbeddingTable::Int8(values, scales) => {
                let (kept, whole, scale) = (format!("{name}_kept"), format!("{name}_whole"), format!("{name}_scale"));
                self.tensors.push(bytes(&kept, &[rows, columns], values.iter().copied()));
                self.tensors.push(floats(&scale, &[rows, 1], scales.iter().copied()));
                self.cast(&kept, &whole, DataType::Float);
                self.add("Mul", &[&whole, &scale], name);
            }
        }
    }

    pub(crate) fn cast(&mut self, input: &str, output: &str, to: DataType) {
        let mut cast = node("Cast", &[input], output);
        cast.attribute.push(int_attribute("to", i64::from(i32::from(to))));
        self.nodes.push(cast);
    }

    /// The sum of the values in `input`, `[1, HISTORY_LEN]`, as `[1, 1]`.
    pub(crate) fn sum(&mut self, input: &str, output: &str) {
        let mut sum = node("ReduceSum", &[input, "slot_axis"], output);
        sum.attribute.push(int_attribute("keepdims", 1));
        self.nodes.push(sum);
    }

    /// The history's rows of a table, `{name}_slots` `[1, HISTORY_LEN, columns]`, and for a table of 8 bits what one of them
    /// stands for, `{name}_scales` `[1, HISTORY_LEN]`.
    pub(crate) fn lookup(&mut self, name: &str, table: &EmbeddingTable) {
        let [history, ..] = TOWER_INPUTS;
        let named = |part: &str| format!("{name}_{part}");
        let (movies, width) = table.dim();
        // One more row, of zeros, is what padding looks up.
        let (rows, slots) = (named("rows"), named("slots"));
        match table {
            EmbeddingTable::Float(values) => {
                let padded = values.iter().copied().chain(std::iter::repeat_n(0.0, width));
                self.tensors.push(floats(&named("table"), &[movies + 1, width], padded));
                self.add("Gather", &[&named("table"), history], &slots);
            }
            EmbeddingTable::Int8(values, scales) => {
                let padded = values.iter().copied().chain(std::iter::repeat_n(0, width));
                self.tensors.push(bytes(&named("table"), &[movies + 1, width], padded));
                self.tensors.push(floats(&named("scale"), &[movies + 1], scales.iter().copied().chain([0.0])));
                self.add("Gather", &[&named("table"), history], &rows);
                self.cast(&rows, &slots, DataType::Float);
                self.add("Gather", &[&named("scale"), history], &named("scales"));
            }
        }
    }
}
