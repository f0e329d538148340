//! Two operations with their own gradients, where candle's general ones are many times slower.
//!
//! Over 9,724 classes, candle's cross entropy makes a dozen temporaries of 194 MB a batch, and its embedding lookup one
//! of 32 MB each way. These two make none. The loss goes through the batch in blocks whose logits stay in the cache,
//! and computes the gradients on the way.

use std::sync::Mutex;

use candle_core::{CpuStorage, CustomOp1, CustomOp3, Error, Layout, Result, Shape, Tensor};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

/// Rows whose logits a thread holds at once: 128 × 9,724 numbers are 5 MB, a core's share of a level 3 cache.
const BLOCK_ROWS: usize = 128;

/// Parts of a batch that run in parallel, each with its own gradients, which are added up in order. The number is
/// fixed, so that the sums don't depend on the number of threads.
const GROUPS: usize = 4;

/// Numbers that go through the softmax side by side: two registers of AVX-512, four of AVX2.
const LANES: usize = 32;

/// The targets of one row's softmax.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RowTargets {
    /// Classes with their shares, which add up to the row's weight in the loss: 1 for an ordinary row.
    pub classes: Vec<(u32, f32)>,
    /// Classes that can't be suggested, such as the history's movies. They take no part in the softmax.
    pub excluded: Vec<u32>,
}

impl From<u32> for RowTargets {
    /// One class, nothing excluded.
    fn from(class: u32) -> Self {
        Self { classes: vec![(class, 1.0)], excluded: Vec::new() }
    }
}

/// The mean cross entropy of `softmax(hidden · weightᵀ + bias)` against one or several classes a row. With several it
/// is the multinomial log likelihood of Liang et al., *Variational Autoencoders for Collaborative Filtering* (WWW
/// 2018).
///
/// Arguments: `hidden` `[rows, dim]`, `weight` `[classes, dim]`, `bias` `[classes]`. Result: a scalar.
pub struct SoftmaxCrossEntropy {
    targets: Vec<RowTargets>,
    gradients: Mutex<Option<Gradients>>,
}

struct Gradients {
    hidden: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl SoftmaxCrossEntropy {
    /// The loss against `targets`, one for each row.
    pub fn new(targets: impl IntoIterator<Item = impl Into<RowTargets>>) -> Self {
        Self { targets: targets.into_iter().map(Into::into).collect(), gradients: Mutex::new(None) }
    }

    fn forward_backward(&self, hidden: &[f32], weight: &[f32], bias: &[f32], dim: usize) -> Result<(f32, Gradients)> {
        let (rows, classes) = (self.targets.len(), bias.len());
        let named = |row: &RowTargets| row.classes.iter().map(|(class, _)| *class).chain(row.excluded.clone()).max();
        if let Some(target) = self.targets.iter().filter_map(named).find(|class| *class as usize >= classes) {
            return Err(Error::Msg(format!("the target {target} isn't one of {classes} classes")));
        }
        let scale = 1.0 / rows as f32;
        let group = rows.div_ceil(GROUPS);
        let mut grad_hidden = vec![0.0; rows * dim];
        let groups: Vec<(f64, Vec<f32>, Vec<f32>)> = hidden
            .par_chunks(group * dim)
            .zip(grad_hidden.par_chunks_mut(group * dim))
            .zip(self.targets.par_chunks(group))
            .map(|((hidden, grad_hidden), targets)| group_gradients(hidden, grad_hidden, targets, weight, bias, scale))
            .collect();
        let loss = groups.iter().map(|(loss, ..)| loss).sum::<f64>() / rows as f64;
        let sums = groups.into_iter().map(|(_, weight, bias)| (weight, bias)).reduce(|mut sums, group| {
            add(&mut sums.0, &group.0);
            add(&mut sums.1, &group.1);
            sums
        });
        let (weight, bias) = sums.unwrap_or_default();
        Ok((loss as f32, Gradients { hidden: grad_hidden, weight, bias }))
    }
}

/// The sum of the losses of a group of rows, and their gradients of the weight and the bias. The gradients of the
/// hidden vectors go to `grad_hidden`. One thread does all of it: threads that share a product spend more time waiting
/// for each other.
fn group_gradients(
    hidden: &[f32],
    grad_hidden: &mut [f32],
    targets: &[RowTargets],
    weight: &[f32],
    bias: &[f32],
    scale: f32,
) -> (f64, Vec<f32>, Vec<f32>) {
    let classes = bias.len();
    let dim = weight.len() / classes;
    let weights = MatRef::from_row_major_slice(weight, classes, dim);
    let mut grad_weight = vec![0.0; classes * dim];
    let mut grad_bias = vec![0.0; classes];
    let mut logits = vec![0.0; BLOCK_ROWS.min(targets.len()) * classes];
    let mut loss = 0.0;
    let blocks = hidden.chunks(BLOCK_ROWS * dim).zip(grad_hidden.chunks_mut(BLOCK_ROWS * dim));
    for ((hidden, grad_hidden), targets) in blocks.zip(targets.chunks(BLOCK_ROWS)) {
        let rows = targets.len();
        let Some(logits) = logits.get_mut(..rows * classes) else { break };
        let hidden = MatRef::from_row_major_slice(hidden, rows, dim);
        let block = MatMut::from_row_major_slice_mut(logits, rows, classes);
        matmul(block, Accum::Replace, hidden, weights.transpose(), 1.0, Par::Seq);
        // The logits become their own gradient in place: softmax less the targets' shares, over the number of rows.
        for (row, targets) in logits.chunks_exact_mut(classes).zip(targets) {
            loss += f64::from(softmax_less_targets(row, bias, targets, scale));
            add(&mut grad_bias, row);
        }
        let block = MatRef::from_row_major_slice(logits, rows, classes);
        let grad_hidden = MatMut::from_row_major_slice_mut(grad_hidden, rows, dim);
        matmul(grad_hidden, Accum::Replace, block, weights, 1.0, Par::Seq);
        let grad_weight = MatMut::from_row_major_slice_mut(&mut grad_weight, classes, dim);
        matmul(grad_weight, Accum::Add, block.transpose(), hidden, 1.0, Par::Seq);
    }
    (loss, grad_weight, grad_bias)
}

fn add(sums: &mut [f32], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}

/// Turns a row of logits (bias not yet added) into `(weight · softmax − shares) · scale` and returns the row's cross
/// entropy.
fn softmax_less_targets(row: &mut [f32], bias: &[f32], targets: &RowTargets, scale: f32) -> f32 {
    add(row, bias);
    for class in &targets.excluded {
        if let Some(logit) = row.get_mut(*class as usize) {
            *logit = f32::NEG_INFINITY;
        }
    }
    let weight: f32 = targets.classes.iter().map(|(_, share)| share).sum();
    let gain: f32 = targets
        .classes
        .iter()
        .map(|(class, share)| share * row.get(*class as usize).copied().unwrap_or(f32::NAN))
        .sum();
    let log_sum = softmax(row, weight * scale);
    for (class, share) in &targets.classes {
        if let Some(gradient) = row.get_mut(*class as usize) {
            *gradient -= share * scale;
        }
    }
    weight * log_sum - gain
}

/// Turns a row of logits into its softmax times `factor` and returns the logarithm of the sum of their exponentials.
pub(crate) fn softmax(row: &mut [f32], factor: f32) -> f32 {
    // Compiled for all vector instructions that the processor has. Without them, a batch's exponentials take longer
    // than its three matrix products.
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            let mut most = [f32::NEG_INFINITY; LANES];
            let (row_lanes, row_rest) = row.as_chunks_mut::<LANES>();
            for logits in row_lanes.iter() {
                for (logit, most) in logits.iter().zip(&mut most) {
                    *most = if *logit > *most { *logit } else { *most };
                }
            }
            let most = most.iter().chain(row_rest.iter()).copied().fold(f32::NEG_INFINITY, f32::max);
            let mut sums = [0.0_f32; LANES];
            for logits in row_lanes {
                for (logit, sum) in logits.iter_mut().zip(&mut sums) {
                    *logit = exp_of_negative(*logit - most);
                    *sum += *logit;
                }
            }
            for logit in row_rest.iter_mut() {
                *logit = exp_of_negative(*logit - most);
            }
            let sum = sums.iter().chain(row_rest.iter()).sum::<f32>();
            let factor = factor / sum;
            for probability in row.iter_mut() {
                *probability *= factor;
            }
            sum.ln() + most
        },
    )
}

/// `e^x` for `x ≤ 0` with a relative error below `2e-7 · (1 + |x|)`, in operations that vectorise. The standard
/// library's doesn't vectorise.
///
/// The power of `2^(x · log₂ e)` is split into an integer, which goes straight into the exponent's bits, and a rest
/// within a half, for which the Taylor polynomial of degree 6 is exact enough.
#[inline(always)]
fn exp_of_negative(x: f32) -> f32 {
    // Adding 1.5 · 2²³ rounds to an integer and leaves it in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const COEFFICIENTS: [f32; 7] =
        [1.0, std::f32::consts::LN_2, 0.240_226_5, 0.055_504_11, 0.009_618_129, 0.001_333_355_8, 0.000_154_035_3];
    // Below this the result is denormal, and the softmax doesn't need it.
    let power = (x * std::f32::consts::LOG2_E).max(-126.0);
    let shifted = power + ROUND;
    let rest = power - (shifted - ROUND);
    let polynomial = COEFFICIENTS.iter().rev().fold(0.0, |sum, coefficient| sum * rest + coefficient);
    polynomial * f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()))
}

/// `1 / (1 + e^−x)`, as exact and as fast as [`exp_of_negative`].
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    let exponential = exp_of_negative(-x.abs());
    (if x >= 0.0 { 1.0 } else { exponential }) / (1.0 + exponential)
}

/// A contiguous argument's numbers.
pub(crate) fn numbers<'storage>(storage: &'storage CpuStorage, layout: &Layout) -> Result<&'storage [f32]> {
    let (start, end) =
        layout.contiguous_offsets().ok_or_else(|| Error::Msg("an argument isn't contiguous".to_owned()))?;
    storage
        .as_slice::<f32>()?
        .get(start..end)
        .ok_or_else(|| Error::Msg("an argument reaches beyond its storage".to_owned()))
}

/// A tensor's numbers, copied.
pub(crate) fn copied(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1()
}

/// The gradient of an argument, in the argument's shape.
pub(crate) fn gradient_of(argument: &Tensor, values: Vec<f32>) -> Result<Option<Tensor>> {
    Ok(Some(Tensor::from_vec(values, argument.shape(), argument.device())?))
}

impl CustomOp3 for SoftmaxCrossEntropy {
    fn name(&self) -> &'static str {
        "softmax-cross-entropy"
    }

    fn cpu_fwd(
        &self,
        hidden: &CpuStorage,
        hidden_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (rows, dim) = hidden_layout.shape().dims2()?;
        let (classes, weight_dim) = weight_layout.shape().dims2()?;
        if rows != self.targets.len() || dim != weight_dim || bias_layout.shape().dims1()? != classes {
            return Err(Error::Msg(format!(
                "shapes don't fit: {rows} rows against {} targets, {dim} against {weight_dim} columns",
                self.targets.len()
            )));
        }
        let (loss, gradients) = self.forward_backward(
            numbers(hidden, hidden_layout)?,
            numbers(weight, weight_layout)?,
            numbers(bias, bias_layout)?,
            dim,
        )?;
        if let Ok(mut kept) = self.gradients.lock() {
            *kept = Some(gradients);
        }
        Ok((CpuStorage::F32(vec![loss]), Shape::from(())))
    }

    fn bwd(
        &self,
        hidden: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _loss: &Tensor,
        grad_loss: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let kept = self.gradients.lock().ok().and_then(|mut kept| kept.take());
        let kept =
            kept.ok_or_else(|| Error::Msg("the backward pass ran twice or without a forward pass".to_owned()))?;
        let factor = f64::from(grad_loss.to_scalar::<f32>()?);
        let gradient = |values: Vec<f32>, argument: &Tensor| -> Result<Option<Tensor>> {
            let gradient = Tensor::from_vec(values, argument.shape(), argument.device())?;
            Ok(Some(if factor == 1.0 { gradient } else { (gradient * factor)? }))
        };
        Ok((gradient(kept.hidden, hidden)?, gradient(kept.weight, weight)?, gradient(kept.bias, bias)?))
    }
}

/// Each history's mean of its rows of a table: their weighted sum, over the number of slots.
///
/// Argument: the table `[movies, dim]`. Result: `[rows, dim]`. A slot of weight 0 is padding and isn't looked up.
pub struct HistoryMean {
    /// `[rows, slots]`, rows of the table.
    movies: Vec<i64>,
    /// `[rows, slots]`.
    weights: Vec<f32>,
    slots: usize,
}

impl HistoryMean {
    /// The mean over `slots` slots a row.
    pub fn new(movies: Vec<i64>, weights: Vec<f32>, slots: usize) -> Self {
        Self { movies, weights, slots }
    }

    /// The slots of a row that aren't padding: the table's rows and their factors.
    fn slots_of<'op>(
        movies: &'op [i64],
        weights: &'op [f32],
        slots: usize,
    ) -> impl Iterator<Item = (usize, f32)> + 'op {
        let factor = 1.0 / slots as f32;
        let used = movies.iter().zip(weights).filter(|(_, weight)| **weight != 0.0);
        used.filter_map(move |(movie, weight)| Some((usize::try_from(*movie).ok()?, weight * factor)))
    }
}

impl CustomOp1 for HistoryMean {
    fn name(&self) -> &'static str {
        "history-mean"
    }

    fn cpu_fwd(&self, table: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, dim) = layout.shape().dims2()?;
        let table = numbers(table, layout)?;
        let rows = self.movies.len() / self.slots;
        let mut means = vec![0.0_f32; rows * dim];
        let histories = self.movies.par_chunks(self.slots).zip(self.weights.par_chunks(self.slots));
        means.par_chunks_mut(dim).zip(histories).try_for_each(|(mean, (movies, weights))| {
            for (movie, factor) in Self::slots_of(movies, weights, self.slots) {
                let row = table.get(movie * dim..(movie + 1) * dim);
                let row = row.ok_or_else(|| Error::Msg(format!("movie {movie} is beyond the table")))?;
                for (sum, value) in mean.iter_mut().zip(row) {
                    *sum += factor * value;
                }
            }
            Ok::<_, Error>(())
        })?;
        Ok((CpuStorage::F32(means), Shape::from((rows, dim))))
    }

    fn bwd(&self, table: &Tensor, _means: &Tensor, grad_means: &Tensor) -> Result<Option<Tensor>> {
        let (movies, dim) = table.dims2()?;
        let grad_means = copied(grad_means)?;
        let mut gradient = vec![0.0_f32; movies * dim];
        let histories = self.movies.chunks(self.slots).zip(self.weights.chunks(self.slots));
        for (grad_mean, (movies, weights)) in grad_means.chunks_exact(dim).zip(histories) {
            for (movie, factor) in Self::slots_of(movies, weights, self.slots) {
                for (sum, value) in gradient.iter_mut().skip(movie * dim).zip(grad_mean) {
                    *sum += factor * value;
                }
            }
        }
        gradient_of(table, gradient)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use candle_core::{DType, Device, Var};

    fn close(left: &Tensor, right: &Tensor) -> bool {
        let left = left.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let right = right.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        left.len() == right.len() && left.iter().zip(right).all(|(l, r)| (l - r).abs() < 1e-5 * r.abs().max(1.0))
    }

    /// Two classes share a row's weight and one is excluded, so the softmax is over the three others of four.
    #[test]
    fn several_targets_share_a_row_and_the_excluded_take_no_part() {
        let mut row = [0.0, 2.0, 0.0, 9.0];
        let targets = RowTargets { classes: vec![(0, 0.5), (1, 0.25)], excluded: vec![3] };
        let loss = softmax_less_targets(&mut row, &[1.0, 0.0, 0.0, 0.0], &targets, 2.0);
        let sum = 1.0_f32.exp() + 2.0_f32.exp() + 1.0;
        assert!((loss - (0.75 * sum.ln() - 0.5 - 0.25 * 2.0)).abs() < 1e-5);
        let shares = [1.0_f32.exp() / sum * 0.75 - 0.5, 2.0_f32.exp() / sum * 0.75 - 0.25, 0.75 / sum, 0.0];
        assert!(row.iter().zip(shares).all(|(found, share)| (found - 2.0 * share).abs() < 1e-5), "{row:?}");
    }

    /// candle's own operations are the reference. 300 rows are more than one block and no multiple of it, 37 classes no
    /// multiple of a register.
    #[test]
    fn the_loss_and_its_gradients_equal_those_of_candle() {
        let device = Device::Cpu;
        let wave = |n: usize, step: f32| (0..n).map(|i| (i as f32 * step).sin() * 3.0).collect::<Vec<f32>>();
        let var = |values: Vec<f32>, shape: &[usize]| {
            Var::from_tensor(&Tensor::from_vec(values, shape, &device).unwrap()).unwrap()
        };
        let hidden = var(wave(300 * 8, 0.7), &[300, 8]);
        let weight = var(wave(37 * 8, 1.3), &[37, 8]);
        let bias = var(wave(37, 0.9), &[37]);
        let targets: Vec<u32> = (0..300).map(|row| row * 7 % 37).collect();
        let ours = hidden.apply_op3(&weight, &bias, SoftmaxCrossEntropy::new(targets.clone())).unwrap();
        let logits = hidden.matmul(&weight.t().unwrap()).unwrap().broadcast_add(&bias).unwrap();
        let most = logits.max_keepdim(1).unwrap().detach();
        let shifted = logits.broadcast_sub(&most).unwrap();
        let log_sum = shifted.exp().unwrap().sum_keepdim(1).unwrap().log().unwrap();
        let picks = Tensor::from_vec(targets, (300, 1), &device).unwrap();
        let theirs =
            shifted.broadcast_sub(&log_sum).unwrap().gather(&picks, 1).unwrap().mean_all().unwrap().neg().unwrap();
        assert!(close(&ours, &theirs));
        let (our_grads, their_grads) = (ours.backward().unwrap(), theirs.backward().unwrap());
        for parameter in [&hidden, &weight, &bias] {
            assert!(close(our_grads.get(parameter).unwrap(), their_grads.get(parameter).unwrap()));
        }
    }

    #[test]
    fn the_history_mean_and_its_gradient_equal_those_of_candle() {
        let device = Device::Cpu;
        let table: Vec<f32> = (0..6 * 3).map(|i| i as f32 * 0.5 - 4.0).collect();
        let table = Var::from_tensor(&Tensor::from_vec(table, (6, 3), &device).unwrap()).unwrap();
        // The last slot is padding: weight 0 and an index beyond the table, as the features give it.
        let (movies, weights) = (vec![0_i64, 5, 6, 2, 2, 6], vec![1.0_f32, 0.5, 0.0, 2.0, 1.0, 0.0]);
        let ours = table.apply_op1(HistoryMean::new(movies, weights.clone(), 3)).unwrap();
        let within = Tensor::from_vec(vec![0_u32, 5, 0, 2, 2, 0], 6, &device).unwrap();
        let weights = Tensor::from_vec(weights, (2, 3, 1), &device).unwrap();
        let rows = table.index_select(&within, 0).unwrap().reshape((2, 3, 3)).unwrap();
        let theirs = (rows.broadcast_mul(&weights).unwrap().sum(1).unwrap() / 3.0).unwrap();
        assert!(close(&ours, &theirs));
        let direction = Tensor::from_vec(vec![1.0_f32, -2.0, 0.5, 3.0, 0.0, 1.0], (2, 3), &device).unwrap();
        let gradient = |means: &Tensor| (means * &direction).unwrap().sum_all().unwrap().backward().unwrap();
        assert!(close(gradient(&ours).get(&table).unwrap(), gradient(&theirs).get(&table).unwrap()));
        assert_eq!(ours.dtype(), DType::F32);
    }

    #[test]
    fn the_exponential_is_the_standard_librarys() {
        for step in 0..=870_000 {
            let x = -f64::from(step) * 1e-4;
            let (found, truth) = (f64::from(exp_of_negative(x as f32)), f64::from(x as f32).exp());
            assert!((found - truth).abs() <= 2e-7 * (1.0 - x) * truth, "{x}: {found} against {truth}");
        }
        assert_eq!(exp_of_negative(0.0), 1.0);
        assert!(exp_of_negative(-1e30) < 2e-38);
    }

    #[test]
    fn a_target_beyond_the_classes_is_an_error() {
        let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
        let loss = zeros(&[1, 2]).apply_op3(&zeros(&[3, 2]), &zeros(&[3]), SoftmaxCrossEntropy::new(vec![3]));
        assert!(loss.unwrap_err().to_string().contains("target 3"));
    }
}
