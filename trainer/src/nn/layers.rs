//! A linear layer and layer normalisation, each as one operation with its own gradient. candle's own take half a dozen
//! passes over memory each, with as many temporaries.

use candle_core::{CpuStorage, CustomOp3, Error, Layout, Result, Shape, Tensor};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::ops::{copied, gradient_of, numbers};

/// Added to a row's variance, so that a row of equal numbers isn't divided by 0.
pub const EPSILON: f32 = 1e-5;

/// `inputs · weightᵀ + bias`.
///
/// Arguments: `[rows, inputs]`, `[outputs, inputs]`, `[outputs]`; result `[rows, outputs]`.
pub struct Linear;

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        inputs: &CpuStorage,
        inputs_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, inner) = inputs_layout.shape().dims2()?;
        let (outputs, weight_inner) = weight_layout.shape().dims2()?;
        if inner != weight_inner || bias_layout.shape().dims1()? != outputs {
            return Err(Error::Msg(format!("a layer of {weight_inner} inputs gets {inner}")));
        }
        let bias = numbers(bias, bias_layout)?;
        let mut result: Vec<f32> = Vec::with_capacity(rows * outputs);
        (0..rows).for_each(|_| result.extend_from_slice(bias));
        let inputs = MatRef::from_row_major_slice(numbers(inputs, inputs_layout)?, rows, inner);
        let weight = MatRef::from_row_major_slice(numbers(weight, weight_layout)?, outputs, inner);
        let made = MatMut::from_row_major_slice_mut(&mut result, rows, outputs);
        matmul(made, Accum::Add, inputs, weight.transpose(), 1.0, Par::Seq);
        Ok((CpuStorage::F32(result), Shape::from((rows, outputs))))
    }

    fn bwd(
        &self,
        inputs: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (rows, inner) = inputs.dims2()?;
        let (outputs, _) = weight.dims2()?;
        let (x, w, g) = (copied(inputs)?, copied(weight)?, copied(gradient)?);
        let x = MatRef::from_row_major_slice(&x, rows, inner);
        let w = MatRef::from_row_major_slice(&w, outputs, inner);
        let mut grad_bias = vec![0.0_f32; outputs];
        for row in g.chunks_exact(outputs) {
            for (sum, value) in grad_bias.iter_mut().zip(row) {
                *sum += value;
            }
        }
        let g = MatRef::from_row_major_slice(&g, rows, outputs);
        let mut grad_inputs = vec![0.0_f32; rows * inner];
        let made = MatMut::from_row_major_slice_mut(&mut grad_inputs, rows, inner);
        matmul(made, Accum::Replace, g, w, 1.0, Par::Seq);
        let mut grad_weight = vec![0.0_f32; outputs * inner];
        let made = MatMut::from_row_major_slice_mut(&mut grad_weight, outputs, inner);
        matmul(made, Accum::Replace, g.transpose(), x, 1.0, Par::Seq);
        Ok((gradient_of(inputs, grad_inputs)?, gradient_of(weight, grad_weight)?, gradient_of(bias, grad_bias)?))
    }
}

/// Layer normalisation of the last axis (Ba, Kiros and Hinton 2016).
///
/// Arguments: `[rows, dim]`, the scale `[dim]`, the bias `[dim]`; result `[rows, dim]`.
pub struct LayerNorm;

/// A row's mean and the inverse of its spread.
fn moments(row: &[f32]) -> (f32, f32) {
    let count = row.len() as f32;
    let mean = row.iter().sum::<f32>() / count;
    let variance = row.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>() / count;
    (mean, 1.0 / (variance + EPSILON).sqrt())
}

impl CustomOp3 for LayerNorm {
    fn name(&self) -> &'static str {
        "layer-norm"
    }

    fn cpu_fwd(
        &self,
        rows: &CpuStorage,
        rows_layout: &Layout,
        scale: &CpuStorage,
        scale_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, dim) = rows_layout.shape().dims2()?;
        let (scale, bias) = (numbers(scale, scale_layout)?, numbers(bias, bias_layout)?);
        if scale.len() != dim || bias.len() != dim {
            return Err(Error::Msg(format!(
                "rows of {dim} numbers meet {} scales and {} biases",
                scale.len(),
                bias.len()
            )));
        }
        let rows = numbers(rows, rows_layout)?;
        let mut result = Vec::with_capacity(rows.len());
        for row in rows.chunks_exact(dim) {
            let (mean, factor) = moments(row);
            let values = row.iter().zip(scale).zip(bias);
            result.extend(values.map(|((value, scale), bias)| (value - mean) * factor * scale + bias));
        }
        Ok((CpuStorage::F32(result), rows_layout.shape().clone()))
    }

    fn bwd(
        &self,
        rows: &Tensor,
        scale: &Tensor,
        bias: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (_, dim) = rows.dims2()?;
        let scales = scale.to_vec1::<f32>()?;
        let values = copied(rows)?;
        let gradient = copied(gradient)?;
        let mut grad_rows = vec![0.0_f32; values.len()];
        let (mut grad_scale, mut grad_bias) = (vec![0.0_f32; dim], vec![0.0_f32; dim]);
        let made = grad_rows.chunks_exact_mut(dim);
        for ((row, gradient), grad_row) in values.chunks_exact(dim).zip(gradient.chunks_exact(dim)).zip(made) {
            let (mean, factor) = moments(row);
            let (mut sum, mut product) = (0.0, 0.0);
            for ((value, gradient), scale) in row.iter().zip(gradient).zip(&scales) {
                sum += gradient * scale;
                product += gradient * scale * (value - mean) * factor;
            }
            let (sum, product) = (sum / dim as f32, product / dim as f32);
            let sums = grad_scale.iter_mut().zip(&mut grad_bias);
            for ((((value, gradient), scale), made), (grad_scale, grad_bias)) in
                row.iter().zip(gradient).zip(&scales).zip(grad_row).zip(sums)
            {
                let normal = (value - mean) * factor;
                *made = factor * (gradient * scale - sum - normal * product);
                *grad_scale += gradient * normal;
                *grad_bias += gradient;
            }
        }
        Ok((gradient_of(rows, grad_rows)?, gradient_of(scale, grad_scale)?, gradient_of(bias, grad_bias)?))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::nn::gradient_check::{check_gradient, var, wave};

    #[test]
    fn the_linear_layers_gradients_are_those_of_differences() {
        let (x, w, b) = (var(wave(12, 0.7), &[3, 4]), var(wave(8, 1.1), &[2, 4]), var(wave(2, 0.3), &[2]));
        check_gradient(&x, &|x| x.apply_op3(&w, &b, Linear).unwrap());
        check_gradient(&w, &|w| x.apply_op3(w, &b, Linear).unwrap());
        check_gradient(&b, &|b| x.apply_op3(&w, b, Linear).unwrap());
    }

    #[test]
    fn normalised_rows_have_the_mean_0_and_the_spread_1_and_their_gradients_are_those_of_differences() {
        let (x, scale, bias) = (var(wave(15, 0.7), &[3, 5]), var(wave(5, 1.1), &[5]), var(wave(5, 0.3), &[5]));
        let ones = Tensor::ones(5, candle_core::DType::F32, &candle_core::Device::Cpu).unwrap();
        let plain = x.apply_op3(&ones, &ones.zeros_like().unwrap(), LayerNorm).unwrap().to_vec2::<f32>().unwrap();
        for row in plain {
            assert!(row.iter().sum::<f32>().abs() < 1e-5);
            assert!((row.iter().map(|value| value * value).sum::<f32>() / 5.0 - 1.0).abs() < 1e-4);
        }
        check_gradient(&x, &|x| x.apply_op3(&scale, &bias, LayerNorm).unwrap());
        check_gradient(&scale, &|scale| x.apply_op3(scale, &bias, LayerNorm).unwrap());
        check_gradient(&bias, &|bias| x.apply_op3(&scale, bias, LayerNorm).unwrap());
    }
}
