//! Writing ONNX models: [`proto`] makes nodes and tensors, [`graph`] puts them together, and [`model`] adds inputs and
//! outputs.

pub(crate) mod graph;
pub(crate) mod model;
pub(crate) mod proto;
