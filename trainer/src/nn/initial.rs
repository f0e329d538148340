//! Initial parameters.

use anyhow::Result;
use candle_core::{Device, Shape, Tensor, Var};
use rand::{Rng, RngExt};

use crate::math::random;

/// Numbers spread evenly from `-bound` to `bound`.
pub(crate) fn uniform(shape: impl Into<Shape>, bound: f32, rng: &mut impl Rng) -> Result<Var> {
    drawn(shape.into(), || rng.random_range(-bound..bound))
}

/// Numbers from the normal distribution about 0 with this standard deviation.
pub(crate) fn normal(shape: impl Into<Shape>, deviation: f32, rng: &mut impl Rng) -> Result<Var> {
    drawn(shape.into(), || random::normal(rng, deviation))
}

/// Equal numbers.
pub(crate) fn filled(shape: impl Into<Shape>, value: f32) -> Result<Var> {
    drawn(shape.into(), || value)
}

fn drawn(shape: Shape, mut number: impl FnMut() -> f32) -> Result<Var> {
    let values: Vec<f32> = (0..shape.elem_count()).map(|_| number()).collect();
    Ok(Var::from_tensor(&Tensor::from_vec(values, shape, &Device::Cpu)?)?)
}
