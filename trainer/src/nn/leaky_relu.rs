//! The activation of the tower and of the notebook's network.

use anyhow::Result;
use candle_core::Tensor;

/// The slope below zero.
pub const NEGATIVE_SLOPE: f64 = 0.2;

pub(crate) fn leaky_relu(values: &Tensor) -> Result<Tensor> {
    Ok(values.maximum(&(values * NEGATIVE_SLOPE)?)?)
}
