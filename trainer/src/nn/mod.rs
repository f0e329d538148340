//! Neural networks on candle: the optimiser, fused operations, layers, checkpoints.
//!
//! candle lets an operation bring its own gradient. [`ops`], [`attention`], [`layers`] and [`recurrence`] do so where
//! candle's own backward pass would make many large temporaries. `gradient_check` compares them with finite
//! differences.

pub mod adam;
pub mod attention;
pub mod checkpoint;
pub mod curve;
pub(crate) mod dropout;
#[cfg(test)]
mod gradient_check;
pub(crate) mod initial;
pub mod layers;
pub mod leaky_relu;
pub mod ops;
pub mod recurrence;
