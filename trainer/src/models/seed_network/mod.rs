//! The notebook's network: time features and the mean of a history's embeddings, through two layers, to a softmax over
//! all movies.
//!
//! [`rows`] turns ratings into training rows, [`network`] is the network, [`train`] its training loop, and [`fit`] does
//! all of it in one call. [`export`] writes the ONNX user tower, and [`states`] the training states for retrieval by
//! neighbours. [`leaky`] reproduces the notebook's own figure, and [`method`] compares the network with other methods.

pub mod export;
pub mod fit;
pub mod leaky;
pub mod method;
pub mod network;
pub mod rows;
pub mod states;
pub mod train;
