//! Causal self-attention over sequences that lie one after the other, with its own gradient.
//!
//! As in Kang and McAuley's SASRec, a step looks at itself and at the steps before it (Vaswani et al. 2017). How much
//! it looks at another step also depends on a number that is learnt for each head and distance (Shaw et al. 2018;
//! Raffel et al. 2020). So a model knows no absolute places, and a history may begin anywhere.

use std::sync::Mutex;

use candle_core::{CpuStorage, CustomOp2, Error, Layout, Result, Shape, Tensor};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::ops::{copied, gradient_of, numbers, softmax};

/// The attention of a batch.
///
/// Arguments: `[rows, 3 · dim]`, the queries, keys and values side by side, and `[heads, distances]`, the bias of a
/// score by how many steps back it looks. The last column stands for all longer distances. Result: `[rows, dim]`.
pub struct CausalAttention {
    /// The sequences' lengths, which add up to the rows.
    lengths: Vec<usize>,
    /// Each sequence's and head's weights, `[length, length]`.
    weights: Mutex<Option<Vec<Vec<f32>>>>,
}

/// The sizes of one head's matrices.
#[derive(Clone, Copy)]
struct Head {
    dim: usize,
    width: usize,
    index: usize,
}

impl Head {
    /// This head's part (0 the queries, 1 the keys, 2 the values) of one sequence's rows.
    fn part<'rows>(&self, rows: &'rows [f32], length: usize, part: usize) -> MatRef<'rows, f32> {
        let from = rows.get(part * self.dim + self.index * self.width..).unwrap_or_default();
        MatRef::from_row_major_slice_with_stride(from, length, self.width, 3 * self.dim)
    }

    fn part_mut<'rows>(&self, rows: &'rows mut [f32], length: usize, part: usize) -> MatMut<'rows, f32> {
        let from = rows.get_mut(part * self.dim + self.index * self.width..).unwrap_or_default();
        by_rows(from, length, self.width, 3 * self.dim)
    }

    /// This head's columns of one sequence's results.
    fn result<'rows>(&self, rows: &'rows [f32], length: usize) -> MatRef<'rows, f32> {
        let from = rows.get(self.index * self.width..).unwrap_or_default();
        MatRef::from_row_major_slice_with_stride(from, length, self.width, self.dim)
    }

    fn result_mut<'rows>(&self, rows: &'rows mut [f32], length: usize) -> MatMut<'rows, f32> {
        let from = rows.get_mut(self.index * self.width..).unwrap_or_default();
        by_rows(from, length, self.width, self.dim)
    }

    fn scale(&self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }
}

/// A matrix whose rows begin `stride` numbers apart. In faer 0.24.4 its own constructor,
/// `from_row_major_slice_with_stride_mut`, confuses rows with columns and would write beyond the slice.
fn by_rows(rows: &mut [f32], length: usize, width: usize, stride: usize) -> MatMut<'_, f32> {
    MatMut::from_column_major_slice_with_stride_mut(rows, width, length, stride).transpose_mut()
}

/// The columns of the biases of a step and those before it, `steps` in all, oldest first.
fn by_distance(biases: &[f32], steps: usize) -> impl Iterator<Item = usize> + use<> {
    let last = biases.len().saturating_sub(1);
    (0..steps).rev().map(move |distance| distance.min(last))
}

impl CausalAttention {
    /// The attention over sequences of these lengths.
    pub const fn new(lengths: Vec<usize>) -> Self {
        Self { lengths, weights: Mutex::new(None) }
    }

    fn forward(&self, rows: &[f32], biases: &[f32], heads: usize, dim: usize) -> (Vec<f32>, Vec<Vec<f32>>) {
        let mut results = vec![0.0_f32; rows.len() / 3];
        let mut kept = Vec::with_capacity(self.lengths.len() * heads);
        let (mut rows, mut left) = (rows, results.as_mut_slice());
        for length in &self.lengths {
            let Some((own, others)) = rows.split_at_checked(length * 3 * dim) else { break };
            let Some((made, others_made)) = left.split_at_mut_checked(length * dim) else { break };
            for (index, biases) in biases.chunks_exact(biases.len() / heads).enumerate() {
                let head = Head { dim, width: dim / heads, index };
                let mut weights = vec![0.0_f32; length * length];
                let scores = MatMut::from_row_major_slice_mut(&mut weights, *length, *length);
                let keys = head.part(own, *length, 1);
                matmul(scores, Accum::Replace, head.part(own, *length, 0), keys.transpose(), head.scale(), Par::Seq);
                for (at, row) in weights.chunks_exact_mut(*length).enumerate() {
                    let (past, future) = row.split_at_mut(at + 1);
                    for (score, distance) in past.iter_mut().zip(by_distance(biases, at + 1)) {
                        *score += biases.get(distance).copied().unwrap_or_default();
                    }
                    softmax(past, 1.0);
                    future.fill(0.0);
                }
                let looked = MatRef::from_row_major_slice(&weights, *length, *length);
                let values = head.part(own, *length, 2);
                matmul(head.result_mut(made, *length), Accum::Replace, looked, values, 1.0, Par::Seq);
                kept.push(weights);
            }
            (rows, left) = (others, others_made);
        }
        (results, kept)
    }

    /// The gradients of both arguments.
    fn backward(
        &self,
        rows: &[f32],
        kept: &[Vec<f32>],
        grad_results: &[f32],
        biases: &[f32],
        heads: usize,
    ) -> (Vec<f32>, Vec<f32>) {
        let dim = grad_results.len() / self.lengths.iter().sum::<usize>().max(1);
        let mut gradient = vec![0.0_f32; rows.len()];
        let mut grad_biases = vec![0.0_f32; biases.len()];
        let distances = biases.len() / heads;
        let (mut rows, mut grad_results, mut left) = (rows, grad_results, gradient.as_mut_slice());
        for (length, kept) in self.lengths.iter().zip(kept.chunks_exact(heads)) {
            let Some((own, others)) = rows.split_at_checked(length * 3 * dim) else { break };
            let Some((grad_own, grad_others)) = grad_results.split_at_checked(length * dim) else { break };
            let Some((made, others_made)) = left.split_at_mut_checked(length * 3 * dim) else { break };
            for ((index, weights), grad_biases) in kept.iter().enumerate().zip(grad_biases.chunks_exact_mut(distances))
            {
                let head = Head { dim, width: dim / heads, index };
                let looked = MatRef::from_row_major_slice(weights, *length, *length);
                let grad_result = head.result(grad_own, *length);
                matmul(head.part_mut(made, *length, 2), Accum::Replace, looked.transpose(), grad_result, 1.0, Par::Seq);
                let mut grad_scores = vec![0.0_f32; length * length];
                let block = MatMut::from_row_major_slice_mut(&mut grad_scores, *length, *length);
                matmul(block, Accum::Replace, grad_result, head.part(own, *length, 2).transpose(), 1.0, Par::Seq);
                let steps = grad_scores.chunks_exact_mut(*length).zip(weights.chunks_exact(*length));
                for (at, (grads, weights)) in steps.enumerate() {
                    let mean: f32 = grads.iter().zip(weights).map(|(grad, weight)| grad * weight).sum();
                    // The weights of steps ahead are 0, and so are their gradients.
                    for (grad, weight) in grads.iter_mut().zip(weights) {
                        *grad = weight * (*grad - mean);
                    }
                    for (grad, distance) in grads.iter().zip(by_distance(grad_biases, at + 1)) {
                        if let Some(sum) = grad_biases.get_mut(distance) {
                            *sum += grad;
                        }
                    }
                }
                let grads = MatRef::from_row_major_slice(&grad_scores, *length, *length);
                let (queries, keys) = (head.part(own, *length, 0), head.part(own, *length, 1));
                matmul(head.part_mut(made, *length, 0), Accum::Replace, grads, keys, head.scale(), Par::Seq);
                let grad_keys = head.part_mut(made, *length, 1);
                matmul(grad_keys, Accum::Replace, grads.transpose(), queries, head.scale(), Par::Seq);
            }
            (rows, grad_results, left) = (others, grad_others, others_made);
        }
        (gradient, grad_biases)
    }
}

impl CustomOp2 for CausalAttention {
    fn name(&self) -> &'static str {
        "causal-attention"
    }

    fn cpu_fwd(
        &self,
        rows: &CpuStorage,
        rows_layout: &Layout,
        biases: &CpuStorage,
        biases_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (count, width) = rows_layout.shape().dims2()?;
        let (heads, distances) = biases_layout.shape().dims2()?;
        let lengths: usize = self.lengths.iter().sum();
        if heads == 0 || distances == 0 || width % (3 * heads) != 0 || count != lengths {
            return Err(Error::Msg(format!(
                "{count} rows of {width} numbers aren't {lengths} steps of three parts for {heads} heads"
            )));
        }
        let (results, kept) =
            self.forward(numbers(rows, rows_layout)?, numbers(biases, biases_layout)?, heads, width / 3);
        if let Ok(mut weights) = self.weights.lock() {
            *weights = Some(kept);
        }
        Ok((CpuStorage::F32(results), Shape::from((count, width / 3))))
    }

    fn bwd(
        &self,
        rows: &Tensor,
        biases: &Tensor,
        _results: &Tensor,
        grad_results: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let kept = self.weights.lock().ok().and_then(|mut kept| kept.take());
        let kept = kept.ok_or_else(|| Error::Msg("the backward pass ran twice".to_owned()))?;
        let (heads, _) = biases.dims2()?;
        let (gradient, grad_biases) =
            self.backward(&copied(rows)?, &kept, &copied(grad_results)?, &copied(biases)?, heads);
        Ok((gradient_of(rows, gradient)?, gradient_of(biases, grad_biases)?))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::nn::gradient_check::{check_gradient, var, wave};

    /// With all queries 0 a step's weights are the softmax of the distances' biases, which is a known answer.
    #[test]
    fn a_step_looks_back_by_distance_and_never_ahead_nor_into_another_sequence() {
        let mut rows = vec![0.0; 5 * 3];
        for (row, value) in [1.0, 2.0, 4.0, 8.0, 16.0].into_iter().enumerate() {
            rows[row * 3 + 2] = value;
        }
        let biases = [3.0_f32.ln(), 0.0];
        let (results, _) = CausalAttention::new(vec![3, 2]).forward(&rows, &biases, 1, 1);
        let expected = [1.0, (3.0 * 2.0 + 1.0) / 4.0, (3.0 * 4.0 + 2.0 + 1.0) / 5.0, 8.0, (3.0 * 16.0 + 8.0) / 4.0];
        assert!(results.iter().zip(expected).all(|(found, known)| (found - known).abs() < 1e-5), "{results:?}");
    }

    #[test]
    fn its_gradients_are_those_of_differences() {
        let (rows, biases) = (var(wave(6 * 12, 0.9), &[6, 12]), var(wave(6, 1.7), &[2, 3]));
        check_gradient(&rows, &|rows| rows.apply_op2(&biases, CausalAttention::new(vec![5, 1])).unwrap());
        check_gradient(&biases, &|biases| rows.apply_op2(biases, CausalAttention::new(vec![5, 1])).unwrap());
    }
}
