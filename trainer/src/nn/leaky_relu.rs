//! The activation of every network here.

use anyhow::Result;
use candle_core::Tensor;

/// The slope of both LeakyReLUs below zero.
pub const NEGATIVE_SLOPE: f64 = 0.2;

pub(crate) fn leaky_relu(values: &Tensor) -> Result<Tensor> {
    Ok(values.maximum(&(values * NEGATIVE_SLOPE)?)?)
}
