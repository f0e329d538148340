//! The next movie of a long history, measured as published work on MovieLens 1M measures it: a causal tower, trained on whole sequences,
//! beside the figures of others.
//!
//! [`data`] reads sequences and parts them by leave-one-out, [`network`] is the tower with the operations of [`recurrence`],
//! [`attention`] and [`layers`], [`train`](mod@train) fits it and [`evaluate`] ranks. [`followers`] is a linear model beside the networks,
//! [`tower`] mixes them, [`export`] writes the mixture as ONNX and [`shipped`] measures what tract makes of it.

pub mod data;
pub mod evaluate;
pub mod export;
pub mod followers;
pub mod network;
pub mod shipped;
pub mod tower;
pub mod train;
