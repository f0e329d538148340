//! Writing ONNX models: [`proto`] makes nodes and tensors, [`graph`] puts them together.

pub(crate) mod graph;
pub(crate) mod proto;
