//! A gated linear recurrence over sequences that lie one after the other, with its own gradient.
//!
//! Each channel keeps a state, and the input decides how much of it is forgotten: with `a = σ(g)`,
//!
//! `h_t = a_t · h_{t−1} + √(1 − a_t²) · u_t`.
//!
//! That is the real-gated linear recurrent unit of De et al., *Griffin: Mixing Gated Linear Recurrences with Local
//! Attention* (2024). Its output is gated by `z · σ(z)`. It costs a few operations a number, and sequences of different
//! lengths need no padding.

use std::sync::Mutex;

use candle_core::{CpuStorage, CustomOp1, Error, Layout, Result, Shape, Tensor};

use super::ops::{copied, gradient_of, numbers, sigmoid};

/// The recurrence of a batch.
///
/// Argument: `[rows, 3 · channels]`, the input (`u`), the forget gate before its sigmoid (`g`) and the output's gate
/// (`z`) side by side. Result: `[rows, channels]`. Each sequence begins with a state of zeros.
pub struct GatedRecurrence {
    /// The sequences' lengths, which add up to the rows.
    lengths: Vec<usize>,
    states: Mutex<Option<Vec<f32>>>,
}

impl GatedRecurrence {
    /// The recurrence over sequences of these lengths.
    pub const fn new(lengths: Vec<usize>) -> Self {
        Self { lengths, states: Mutex::new(None) }
    }
}

/// One row's three parts.
#[inline(always)]
fn parts(row: &[f32], channels: usize) -> (&[f32], &[f32], &[f32]) {
    let (inputs, gates) = row.split_at(channels);
    let (forget, output) = gates.split_at(channels);
    (inputs, forget, output)
}

fn forward(rows: &[f32], lengths: &[usize], channels: usize) -> (Vec<f32>, Vec<f32>) {
    let count = rows.len() / (3 * channels);
    let mut states = vec![0.0_f32; count * channels];
    let mut outputs = vec![0.0_f32; count * channels];
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            let mut left = rows
                .chunks_exact(3 * channels)
                .zip(states.chunks_exact_mut(channels))
                .zip(outputs.chunks_exact_mut(channels));
            let mut state = vec![0.0_f32; channels];
            for length in lengths {
                state.fill(0.0);
                for ((row, states), outputs) in left.by_ref().take(*length) {
                    let (inputs, forget, output) = parts(row, channels);
                    let gates = inputs.iter().zip(forget).zip(output);
                    let made = state.iter_mut().zip(states).zip(outputs);
                    for (((u, g), z), ((state, kept), y)) in gates.zip(made) {
                        let keep = sigmoid(*g);
                        let scale = (sigmoid(-*g) * (1.0 + keep)).sqrt();
                        *state = keep * *state + scale * u;
                        *kept = *state;
                        *y = *state * z * sigmoid(*z);
                    }
                }
            }
        },
    );
    (outputs, states)
}

/// The gradient of the argument, from the last row of each sequence to its first.
fn backward(rows: &[f32], states: &[f32], grad_outputs: &[f32], lengths: &[usize], channels: usize) -> Vec<f32> {
    let mut gradient = vec![0.0_f32; rows.len()];
    let zeros = vec![0.0_f32; channels];
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            let mut end = grad_outputs.len() / channels;
            let mut carried = vec![0.0_f32; channels];
            for length in lengths.iter().rev() {
                let start = end - length;
                carried.fill(0.0);
                let of = |values: std::ops::Range<usize>, width: usize| values.start * width..values.end * width;
                let (Some(rows), Some(states), Some(grad_outputs), Some(gradient)) = (
                    rows.get(of(start..end, 3 * channels)),
                    states.get(of(start..end, channels)),
                    grad_outputs.get(of(start..end, channels)),
                    gradient.get_mut(of(start..end, 3 * channels)),
                ) else {
                    return;
                };
                let before = std::iter::once(zeros.as_slice()).chain(states.chunks_exact(channels)).take(*length);
                let before: Vec<&[f32]> = before.collect();
                let steps = rows.chunks_exact(3 * channels).zip(states.chunks_exact(channels)).zip(before);
                let gradients = grad_outputs.chunks_exact(channels).zip(gradient.chunks_exact_mut(3 * channels));
                for (((row, states), before), (grad_outputs, gradient)) in steps.zip(gradients).rev() {
                    let (inputs, forget, output) = parts(row, channels);
                    let (grad_inputs, gates) = gradient.split_at_mut(channels);
                    let (grad_forget, grad_output) = gates.split_at_mut(channels);
                    let known = inputs.iter().zip(forget).zip(output).zip(states).zip(before);
                    let made = grad_inputs.iter_mut().zip(grad_forget).zip(grad_output);
                    for (((((u, g), z), state), before), ((grad, carried), ((grad_u, grad_g), grad_z))) in
                        known.zip(grad_outputs.iter().zip(&mut carried).zip(made))
                    {
                        let (keep, lose, open) = (sigmoid(*g), sigmoid(-*g), sigmoid(*z));
                        *grad_z = grad * state * open * (1.0 + z * (1.0 - open));
                        let grad_state = grad * z * open + *carried;
                        *carried = grad_state * keep;
                        *grad_u = grad_state * (lose * (1.0 + keep)).sqrt();
                        // The derivative of √(1 − a²) is infinite at 1, but that of √(1 − σ(g)²) isn't.
                        *grad_g = grad_state * (before * keep * lose - u * keep * keep * (lose / (1.0 + keep)).sqrt());
                    }
                }
                end = start;
            }
        },
    );
    gradient
}

impl CustomOp1 for GatedRecurrence {
    fn name(&self) -> &'static str {
        "gated-recurrence"
    }

    fn cpu_fwd(&self, rows: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (count, width) = layout.shape().dims2()?;
        if width % 3 != 0 || count != self.lengths.iter().sum::<usize>() {
            let lengths: usize = self.lengths.iter().sum();
            return Err(Error::Msg(format!("{count} rows of {width} numbers aren't {lengths} steps of three parts")));
        }
        let (outputs, states) = forward(numbers(rows, layout)?, &self.lengths, width / 3);
        if let Ok(mut kept) = self.states.lock() {
            *kept = Some(states);
        }
        Ok((CpuStorage::F32(outputs), Shape::from((count, width / 3))))
    }

    fn bwd(&self, rows: &Tensor, _outputs: &Tensor, grad_outputs: &Tensor) -> Result<Option<Tensor>> {
        let states = self.states.lock().ok().and_then(|mut kept| kept.take());
        let states = states.ok_or_else(|| Error::Msg("the backward pass ran twice".to_owned()))?;
        let (_, channels) = grad_outputs.dims2()?;
        let values = copied(rows)?;
        let grad_outputs = copied(grad_outputs)?;
        let gradient = backward(&values, &states, &grad_outputs, &self.lengths, channels);
        gradient_of(rows, gradient)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::nn::gradient_check::{check_gradient, var, wave};

    /// Two sequences, so that the test sees a state that leaks from one into the next.
    #[test]
    fn it_is_the_recurrence_written_out() {
        let (channels, lengths) = (2, [3, 2]);
        let rows = wave(5 * 6, 0.7);
        let (outputs, _) = forward(&rows, &lengths, channels);
        let exact = |x: f32| 1.0 / (1.0 + (-f64::from(x)).exp());
        for channel in 0..channels {
            let mut state = 0.0;
            for row in 0..5 {
                if row == 0 || row == 3 {
                    state = 0.0;
                }
                let at = |part: usize| rows[row * 6 + part * 2 + channel];
                let keep = exact(at(1));
                state = keep * state + (1.0 - keep * keep).sqrt() * f64::from(at(0));
                let expected = state * f64::from(at(2)) * exact(at(2));
                assert!((f64::from(outputs[row * 2 + channel]) - expected).abs() < 1e-5, "{row} {channel}");
            }
        }
    }

    #[test]
    fn its_gradient_is_that_of_differences() {
        let rows = var(wave(7 * 9, 0.9), &[7, 9]);
        check_gradient(&rows, &|rows| rows.apply_op1(GatedRecurrence::new(vec![4, 1, 2])).unwrap());
    }
}
