//! The next movie of a long history, by a causal tower that is trained on whole sequences. It is measured as published
//! work on MovieLens 1M measures it, and compared with that.
//!
//! [`data`] reads sequences and splits them by leave-one-out. [`network`] is the tower's network, [`train`](mod@train)
//! fits it and [`evaluate`] ranks. [`followers`] is a linear model, and [`tower`] mixes it with the networks.
//! [`export`] writes the mixture as ONNX, and [`shipped`] measures that in tract.

pub mod data;
pub mod evaluate;
pub mod export;
pub mod followers;
pub mod network;
pub mod shipped;
pub mod tower;
pub mod train;
