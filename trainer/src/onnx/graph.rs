//! An ONNX graph under construction.
//!
//! Nodes run in the order in which they are added, and each is named after its one output. Outputs are returned by
//! name, to be the next node's inputs.

use ndarray::{Array1, Array2};
use tract_onnx::pb::{AttributeProto, NodeProto, TensorProto, tensor_proto::DataType};
use watchnext::model::TOWER_INPUTS;

use super::proto::{float_attribute, floats, int, int_attribute, int8s, ints, ints_attribute, node};
use crate::math::embeddings::EmbeddingTable;

/// Nodes and initialisers under construction.
#[derive(Default)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<NodeProto>,
    pub(crate) tensors: Vec<TensorProto>,
}

/// Initialisers.
impl Graph {
    /// Adds a tensor of floats.
    pub(crate) fn floats(&mut self, name: &str, dims: &[usize], values: impl IntoIterator<Item = f32>) {
        self.tensors.push(floats(name, dims, values));
    }

    /// Adds a tensor of floats unless there is one of this name.
    pub(crate) fn floats_once(&mut self, name: &str, dims: &[usize], values: impl IntoIterator<Item = f32>) -> String {
        if !self.has_tensor(name) {
            self.floats(name, dims, values);
        }
        name.to_owned()
    }

    /// A number as a matrix `[1, 1]`, kept once however often it is asked for.
    pub(crate) fn number(&mut self, name: &str, value: f32) -> String {
        self.floats_once(name, &[1, 1], [value])
    }

    /// Adds a vector of whole numbers.
    pub(crate) fn named_ints(&mut self, name: &str, values: &[i64]) {
        self.tensors.push(ints(name, values));
    }

    /// Adds a whole number without axes.
    pub(crate) fn named_int(&mut self, name: &str, value: i64) {
        self.tensors.push(int(name, value));
    }

    /// A vector of whole numbers named after them, kept once however often it is asked for.
    pub(crate) fn ints(&mut self, values: &[i64]) -> String {
        let words: Vec<String> = values.iter().map(ToString::to_string).collect();
        let name = format!("ints_{}", words.join("_"));
        if !self.has_tensor(&name) {
            self.named_ints(&name, values);
        }
        name
    }

    pub(crate) fn matrix(&mut self, name: &str, values: &Array2<f32>) {
        let (rows, columns) = values.dim();
        self.floats(name, &[rows, columns], values.iter().copied());
    }

    pub(crate) fn vector(&mut self, name: &str, values: &Array1<f32>) {
        self.floats(name, &[values.len()], values.iter().copied());
    }

    /// A matrix that is multiplied as a whole, so the runtime turns it into floats once.
    pub(crate) fn weights(&mut self, name: &str, table: &EmbeddingTable) {
        let (rows, columns) = table.dim();
        match table {
            EmbeddingTable::Float(values) => self.matrix(name, values),
            EmbeddingTable::Int8(values, scales) => {
                let (kept, whole, scale) = (format!("{name}_kept"), format!("{name}_whole"), format!("{name}_scale"));
                self.tensors.push(int8s(&kept, &[rows, columns], values.iter().copied()));
                self.floats(&scale, &[rows, 1], scales.iter().copied());
                self.cast(&kept, &whole, DataType::Float);
                self.add("Mul", &[&whole, &scale], name);
            }
        }
    }

    fn has_tensor(&self, name: &str) -> bool {
        self.tensors.iter().any(|tensor| tensor.name == name)
    }
}

/// Nodes.
impl Graph {
    pub(crate) fn add(&mut self, operator: &str, inputs: &[&str], output: impl Into<String>) -> String {
        let output = output.into();
        self.nodes.push(node(operator, inputs, &output));
        output
    }

    pub(crate) fn add_with(
        &mut self,
        operator: &str,
        inputs: &[&str],
        output: impl Into<String>,
        attributes: impl IntoIterator<Item = AttributeProto>,
    ) -> String {
        let output = output.into();
        let mut made = node(operator, inputs, &output);
        made.attribute.extend(attributes);
        self.nodes.push(made);
        output
    }

    pub(crate) fn cast(&mut self, input: &str, output: impl Into<String>, to: DataType) -> String {
        self.add_with("Cast", &[input], output, [int_attribute("to", i64::from(i32::from(to)))])
    }

    /// The sum of the columns of `input`, `[rows, 1]`. `axis` names the tensor that holds a 1.
    pub(crate) fn sum(&mut self, input: &str, axis: &str, output: impl Into<String>) -> String {
        self.add_with("ReduceSum", &[input, axis], output, [int_attribute("keepdims", 1)])
    }

    pub(crate) fn slice(
        &mut self,
        from: &str,
        axis: i64,
        range: std::ops::Range<usize>,
        output: impl Into<String>,
    ) -> String {
        let (start, end) = (self.ints(&[range.start as i64]), self.ints(&[range.end as i64]));
        let axis = self.ints(&[axis]);
        self.add("Slice", &[from, &start, &end, &axis], output)
    }

    pub(crate) fn concat(&mut self, parts: &[&str], axis: i64, output: impl Into<String>) -> String {
        self.add_with("Concat", parts, output, [int_attribute("axis", axis)])
    }

    pub(crate) fn reshape(&mut self, from: &str, shape: &[i64], output: impl Into<String>) -> String {
        let shape = self.ints(shape);
        self.add("Reshape", &[from, &shape], output)
    }

    pub(crate) fn transpose(&mut self, from: &str, order: &[i64], output: impl Into<String>) -> String {
        self.add_with("Transpose", &[from], output, [ints_attribute("perm", order)])
    }

    /// `left · rightᵀ`, the inner products of rows.
    pub(crate) fn inner_products(&mut self, left: &str, right: &str, output: impl Into<String>) -> String {
        self.add_with("Gemm", &[left, right], output, [int_attribute("transB", 1)])
    }

    /// A fully connected layer, `input · layer_weightᵀ + layer_bias`.
    pub(crate) fn dense(&mut self, input: &str, layer: &str, output: impl Into<String>) -> String {
        let (weight, bias) = (format!("{layer}_weight"), format!("{layer}_bias"));
        self.add_with("Gemm", &[input, &weight, &bias], output, [int_attribute("transB", 1)])
    }

    pub(crate) fn leaky_relu(&mut self, slope: f64, input: &str, output: impl Into<String>) -> String {
        self.add_with("LeakyRelu", &[input], output, [float_attribute("alpha", slope as f32)])
    }

    pub(crate) fn softmax(&mut self, input: &str, axis: i64, output: impl Into<String>) -> String {
        self.add_with("Softmax", &[input], output, [int_attribute("axis", axis)])
    }

    /// Looks up the history's rows of a table: `{name}_slots`, `[1, HISTORY_LEN, columns]`. A table of 8 bits also
    /// gives its rows' scales, `{name}_scales`, `[1, HISTORY_LEN]`.
    pub(crate) fn lookup(&mut self, name: &str, table: &EmbeddingTable) {
        let [history, ..] = TOWER_INPUTS;
        let named = |part: &str| format!("{name}_{part}");
        let (movies, width) = table.dim();
        // Padding looks up one more row, of zeros.
        let (rows, slots) = (named("rows"), named("slots"));
        match table {
            EmbeddingTable::Float(values) => {
                let padded = values.iter().copied().chain(std::iter::repeat_n(0.0, width));
                self.floats(&named("table"), &[movies + 1, width], padded);
                self.add("Gather", &[&named("table"), history], slots);
            }
            EmbeddingTable::Int8(values, scales) => {
                let padded = values.iter().copied().chain(std::iter::repeat_n(0, width));
                self.tensors.push(int8s(&named("table"), &[movies + 1, width], padded));
                self.floats(&named("scale"), &[movies + 1], scales.iter().copied().chain([0.0]));
                self.add("Gather", &[&named("table"), history], &*rows);
                self.cast(&rows, slots, DataType::Float);
                self.add("Gather", &[&named("scale"), history], named("scales"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn what_is_asked_for_twice_is_kept_once() {
        let mut graph = Graph::default();
        assert_eq!((graph.ints(&[1, -2]), graph.ints(&[1, -2])), ("ints_1_-2".to_owned(), "ints_1_-2".to_owned()));
        assert_eq!((graph.number("one", 1.0), graph.number("one", 1.0)), ("one".to_owned(), "one".to_owned()));
        assert_eq!(graph.tensors.len(), 2);
        graph.slice("rows", 1, 0..3, "first");
        let names: Vec<&str> = graph.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
        assert_eq!(names, ["ints_1_-2", "one", "ints_0", "ints_3", "ints_1"]);
        assert_eq!(graph.nodes[0].input, ["rows", "ints_0", "ints_3", "ints_1"]);
        assert_eq!(graph.nodes[0].name, "Slice to first");
    }
}
