//! A causal tower: what a visitor watches next, from all that they have watched, in order.
//!
//! A movie's embedding goes through layers, each of which mixes a step with those before it and then transforms it by itself:
//!
//! ```text
//! x = norm(embedding)
//! x = x + out(mix(in(norm(x))))        mix: a gated recurrence or causal attention
//! x = x + down(relu(up(norm(x))))
//! scores = norm(x) · embeddingᵀ + bias
//! ```
//!
//! The embeddings are tied (Press and Wolf, *Using the Output Embedding to Improve Language Models*, 2017), the layers normalise what
//! they read (Xiong et al. 2020). A batch is the steps of all its sequences, one after the other, so that no padding is computed.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::choice::Choice;
use crate::nn::attention::CausalAttention;
use crate::nn::layers::{LayerNorm, Linear};
use crate::nn::ops::{RowTargets, SoftmaxCrossEntropy};
use crate::nn::recurrence::GatedRecurrence;

/// How a layer mixes a step with those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mixer {
    /// A gated linear recurrence.
    Recurrence,
    /// Causal self-attention.
    Attention,
}

impl Choice for Mixer {
    const NAMED: &'static [(&'static str, Self)] = &[("recurrence", Self::Recurrence), ("attention", Self::Attention)];
}

/// A network's sizes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sizes {
    /// The layers' kinds.
    pub layers: Vec<Mixer>,
    /// The width of an embedding and of what passes between layers.
    pub dim: usize,
    /// The width within a mixer.
    pub channels: usize,
    /// The width of the hidden layer of what transforms a step by itself.
    pub hidden: usize,
    /// Attention's heads, of which `channels` is a multiple.
    pub heads: usize,
    /// The distances that attention tells apart.
    pub distances: usize,
}

/// The steps of several sequences, one after the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Steps {
    /// The movie of each step.
    pub movies: Vec<u32>,
    /// How many steps each sequence has; at least one.
    pub lengths: Vec<usize>,
}

impl Steps {
    /// Adds a sequence.
    pub fn push(&mut self, movies: &[u32]) {
        self.movies.extend_from_slice(movies);
        self.lengths.push(movies.len());
    }
}

/// One layer's parameters.
#[derive(Debug)]
pub struct Layer {
    /// How it mixes.
    pub mixer: Mixer,
    parameters: Vec<(&'static str, Var)>,
}

impl Layer {
    /// A parameter by its name within the layer.
    ///
    /// # Errors
    /// A name that the layer doesn't have, which is a defect of the caller.
    pub fn parameter(&self, name: &str) -> Result<&Var> {
        let found = self.parameters.iter().find(|(own, _)| *own == name);
        found.map(|(_, var)| var).with_context(|| format!("a layer has no parameter {name}"))
    }
}

/// The network.
#[derive(Debug)]
pub struct SequenceNetwork {
    /// Its sizes.
    pub sizes: Sizes,
    /// `[movies, dim]`, what goes in and what the scores are taken with.
    pub embedding: Var,
    /// `[movies]`.
    pub movie_bias: Var,
    /// The scale and the bias of the embeddings' normalisation, `[dim]` each.
    pub input_norm: (Var, Var),
    /// The scale and the bias of the last normalisation, `[dim]` each.
    pub output_norm: (Var, Var),
    /// The layers, in order.
    pub layers: Vec<Layer>,
}

/// Makes parameters.
struct Maker<'rng, R> {
    rng: &'rng mut R,
}

impl<R: Rng> Maker<'_, R> {
    fn uniform(&mut self, shape: &[usize], bound: f32) -> Result<Var> {
        let values = (0..shape.iter().product()).map(|_| self.rng.random_range(-bound..bound)).collect();
        Ok(Var::from_tensor(&Tensor::from_vec::<_, f32>(values, shape, &Device::Cpu)?)?)
    }

    fn filled(&self, len: usize, value: f32) -> Result<Var> {
        Ok(Var::from_tensor(&Tensor::full(value, len, &Device::Cpu)?)?)
    }

    fn norm(&self, dim: usize) -> Result<(Var, Var)> {
        Ok((self.filled(dim, 1.0)?, self.filled(dim, 0.0)?))
    }

    fn layer(&mut self, mixer: Mixer, sizes: &Sizes) -> Result<Layer> {
        let Sizes { dim, channels, hidden, heads, distances, .. } = *sizes;
        let bound = |inputs: usize| 1.0 / (inputs as f32).sqrt();
        // What a layer adds starts small, the more layers the smaller, so that none drowns what came before.
        let small = 1.0 / (2.0 * sizes.layers.len() as f32).sqrt();
        let (mix_scale, mix_bias) = self.norm(dim)?;
        let (step_scale, step_bias) = self.norm(dim)?;
        let mut parameters = vec![
            ("mix_norm_scale", mix_scale),
            ("mix_norm_bias", mix_bias),
            ("in_weight", self.uniform(&[3 * channels, dim], bound(dim))?),
            ("in_bias", self.filled(3 * channels, 0.0)?),
            ("out_weight", self.uniform(&[dim, channels], bound(channels) * small)?),
            ("out_bias", self.filled(dim, 0.0)?),
            ("step_norm_scale", step_scale),
            ("step_norm_bias", step_bias),
            ("up_weight", self.uniform(&[hidden, dim], bound(dim))?),
            ("up_bias", self.filled(hidden, 0.0)?),
            ("down_weight", self.uniform(&[dim, hidden], bound(hidden) * small)?),
            ("down_bias", self.filled(dim, 0.0)?),
        ];
        match mixer {
            Mixer::Recurrence => {
                let biases = Tensor::from_vec(first_gates(channels), 3 * channels, &Device::Cpu)?;
                let named = parameters.iter().find(|(name, _)| *name == "in_bias");
                named.map_or(Ok(()), |(_, var)| var.set(&biases))?;
            }
            Mixer::Attention => {
                let zeros = Tensor::from_vec(first_distances(heads, distances), (heads, distances), &Device::Cpu)?;
                parameters.push(("distance_bias", Var::from_tensor(&zeros)?));
            }
        }
        Ok(Layer { mixer, parameters })
    }
}

/// The biases of the recurrence's three parts: at first the channels forget over 1.2 to 150 steps, spread evenly by their logarithm,
/// and all are half open.
fn first_gates(channels: usize) -> Vec<f32> {
    let forget = (0..channels).map(|channel| {
        let steps = 1.2 * (150.0_f32 / 1.2).powf(channel as f32 / channels.saturating_sub(1).max(1) as f32);
        // An exponential decay by 1/e over so many steps: a = e^(−1/steps), and its logit.
        let keep = (-1.0 / steps).exp();
        (keep / (1.0 - keep)).ln()
    });
    vec![0.0; channels].into_iter().chain(forget).chain(vec![1.0; channels]).collect()
}

/// At first the heads look back with slopes of their own, the first over few steps and the last over all alike (Press, Smith and
/// Lewis, *Train Short, Test Long*, ICLR 2022).
fn first_distances(heads: usize, distances: usize) -> Vec<f32> {
    let slope = |head: usize| if head + 1 == heads { 0.0 } else { 0.5 * 0.25_f32.powi(head as i32) };
    (0..heads).flat_map(|head| (0..distances).map(move |distance| -slope(head) * distance as f32)).collect()
}

impl SequenceNetwork {
    /// A network of `movies` movies.
    ///
    /// # Errors
    /// Sizes of 0, and channels that the heads can't share evenly.
    pub fn new(movies: usize, sizes: &Sizes, rng: &mut impl Rng) -> Result<Self> {
        let Sizes { dim, channels, hidden, heads, distances, .. } = *sizes;
        ensure!(movies > 0 && !sizes.layers.is_empty(), "a network needs at least one movie and one layer");
        ensure!(dim > 0 && channels > 0 && hidden > 0 && distances > 0, "a network's widths must be at least 1");
        ensure!(heads > 0 && channels.is_multiple_of(heads), "{heads} heads can't share {channels} channels evenly");
        let mut maker = Maker { rng };
        Ok(Self {
            sizes: sizes.clone(),
            embedding: maker.uniform(&[movies, dim], 0.05)?,
            movie_bias: maker.filled(movies, 0.0)?,
            input_norm: maker.norm(dim)?,
            output_norm: maker.norm(dim)?,
            layers: sizes.layers.iter().map(|mixer| maker.layer(*mixer, sizes)).collect::<Result<_>>()?,
        })
    }

    /// All parameters by name, in a fixed order.
    pub fn parameters(&self) -> Vec<(String, &Var)> {
        let (input, output) = (&self.input_norm, &self.output_norm);
        let own = [
            ("embedding", &self.embedding),
            ("movie_bias", &self.movie_bias),
            ("input_norm_scale", &input.0),
            ("input_norm_bias", &input.1),
            ("output_norm_scale", &output.0),
            ("output_norm_bias", &output.1),
        ];
        let own = own.into_iter().map(|(name, var)| (name.to_owned(), var));
        let of_layers =
            self.layers.iter().enumerate().flat_map(|(at, layer)| {
                layer.parameters.iter().map(move |(name, var)| (format!("layer{at}.{name}"), var))
            });
        own.chain(of_layers).collect()
    }

    /// Sets every parameter from `tensors`, each under its name after `prefix`.
    ///
    /// # Errors
    /// A parameter that is missing or has another shape.
    pub fn restore(&self, tensors: &HashMap<String, Tensor>, prefix: &str) -> Result<()> {
        for (name, var) in self.parameters() {
            let name = format!("{prefix}{name}");
            let tensor = tensors.get(&name).with_context(|| format!("the checkpoint lacks {name}"))?;
            let tensor =
                tensor.reshape(var.shape()).with_context(|| format!("the checkpoint's {name} is of another shape"))?;
            var.set(&tensor)?;
        }
        Ok(())
    }

    /// The vectors `[steps, dim]` that meet the embeddings, one for each step. `dropout` is given what may be dropped.
    fn vectors_with(&self, steps: &Steps, mut dropout: impl FnMut(Tensor) -> Result<Tensor>) -> Result<Tensor> {
        let picks = Tensor::from_slice(&steps.movies, steps.movies.len(), &Device::Cpu)?;
        let looked_up = self.embedding.index_select(&picks, 0)?;
        let mut x = dropout(looked_up.apply_op3(&self.input_norm.0, &self.input_norm.1, LayerNorm)?)?;
        for layer in &self.layers {
            let of = |name: &str| layer.parameter(name);
            let read = x.apply_op3(of("mix_norm_scale")?, of("mix_norm_bias")?, LayerNorm)?;
            let read = read.apply_op3(of("in_weight")?, of("in_bias")?, Linear)?;
            let mixed = match layer.mixer {
                Mixer::Recurrence => read.apply_op1(GatedRecurrence::new(steps.lengths.clone()))?,
                Mixer::Attention => {
                    read.apply_op2(of("distance_bias")?, CausalAttention::new(steps.lengths.clone()))?
                }
            };
            let added = dropout(mixed)?.apply_op3(of("out_weight")?, of("out_bias")?, Linear)?;
            x = (x + dropout(added)?)?;
            let read = x.apply_op3(of("step_norm_scale")?, of("step_norm_bias")?, LayerNorm)?;
            let hidden = dropout(read.apply_op3(of("up_weight")?, of("up_bias")?, Linear)?.relu()?)?;
            let added = hidden.apply_op3(of("down_weight")?, of("down_bias")?, Linear)?;
            x = (x + dropout(added)?)?;
        }
        Ok(x.apply_op3(&self.output_norm.0, &self.output_norm.1, LayerNorm)?)
    }

    /// The vectors `[sequences, dim]` after each sequence's last step, without dropout.
    ///
    /// # Errors
    /// Movies that the network doesn't know.
    pub fn last_vectors(&self, steps: &Steps) -> Result<Tensor> {
        let mut end = 0_usize;
        let lasts = steps.lengths.iter().map(|length| {
            end += length;
            Ok(u32::try_from(end.saturating_sub(1))?)
        });
        let lasts: Vec<u32> = lasts.collect::<Result<_>>()?;
        let lasts = Tensor::from_vec(lasts, steps.lengths.len(), &Device::Cpu)?;
        Ok(self.vectors_with(steps, Ok)?.index_select(&lasts, 0)?)
    }

    /// The mean cross entropy of each step's targets with dropout, and the gradients.
    ///
    /// # Errors
    /// Movies that the network doesn't know.
    pub fn loss(
        &self,
        steps: &Steps,
        targets: Vec<RowTargets>,
        share: f64,
        rng: &mut impl Rng,
    ) -> Result<(f32, GradStore)> {
        let vectors = self.vectors_with(steps, |values| dropout(&values, share, rng))?;
        let loss = vectors.apply_op3(&self.embedding, &self.movie_bias, SoftmaxCrossEntropy::new(targets))?;
        Ok((loss.to_scalar()?, loss.backward()?))
    }
}

/// Inverted dropout of a share of the numbers, to within a part of 65,536; two are decided by each number drawn.
fn dropout(values: &Tensor, share: f64, rng: &mut impl Rng) -> Result<Tensor> {
    if share == 0.0 {
        return Ok(values.clone());
    }
    let threshold = (share * 65_536.0).round() as u32;
    let scale = (1.0 / (1.0 - f64::from(threshold) / 65_536.0)) as f32;
    let count = values.elem_count();
    let mut mask: Vec<f32> = Vec::with_capacity(count + 1);
    while mask.len() < count {
        let drawn = rng.next_u32();
        for part in [drawn & 0xffff, drawn >> 16] {
            mask.push(if part < threshold { 0.0 } else { scale });
        }
    }
    mask.truncate(count);
    Ok((values * Tensor::from_vec(mask, values.shape(), values.device())?)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn network(layers: Vec<Mixer>) -> SequenceNetwork {
        let sizes = Sizes { layers, dim: 8, channels: 6, hidden: 10, heads: 2, distances: 4 };
        SequenceNetwork::new(9, &sizes, &mut ChaCha8Rng::seed_from_u64(1)).unwrap()
    }

    fn steps(sequences: &[&[u32]]) -> Steps {
        let mut steps = Steps::default();
        sequences.iter().for_each(|movies| steps.push(movies));
        steps
    }

    /// What comes later, and other sequences of the batch, must not change a step.
    #[test]
    fn a_step_knows_its_own_past_alone() {
        for mixer in [Mixer::Recurrence, Mixer::Attention] {
            let network = network(vec![mixer, mixer]);
            let vector = |sequences: &[&[u32]], row: usize| {
                let vectors = network.vectors_with(&steps(sequences), Ok).unwrap();
                vectors.get(row).unwrap().to_vec1::<f32>().unwrap()
            };
            let alone = vector(&[&[3, 1, 4]], 2);
            let among = vector(&[&[2, 7], &[3, 1, 4, 5, 8], &[6]], 4);
            assert!(alone.iter().zip(&among).all(|(one, other)| (one - other).abs() < 1e-5), "{mixer:?}");
            let other_past = vector(&[&[1, 3, 4]], 2);
            assert!(alone.iter().zip(&other_past).any(|(one, other)| (one - other).abs() > 1e-4), "{mixer:?}");
        }
    }

    #[test]
    fn every_parameter_gets_a_gradient_and_lasts_are_the_last_steps() {
        let network = network(vec![Mixer::Recurrence, Mixer::Attention]);
        let steps = steps(&[&[3, 1, 4], &[5, 2]]);
        let targets = [1_u32, 4, 5, 2, 6].map(RowTargets::from).to_vec();
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let (loss, gradients) = network.loss(&steps, targets, 0.3, &mut rng).unwrap();
        assert!(loss > 0.0 && loss.is_finite());
        for (name, var) in network.parameters() {
            let gradient = gradients.get(var).unwrap().abs().unwrap().sum_all().unwrap();
            assert!(gradient.to_scalar::<f32>().unwrap() > 0.0, "{name}");
        }
        let all = network.vectors_with(&steps, Ok).unwrap().to_vec2::<f32>().unwrap();
        let lasts = network.last_vectors(&steps).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(lasts, [all[2].clone(), all[4].clone()]);
    }

    #[test]
    fn dropout_keeps_the_mean() {
        let ones = Tensor::ones(20_000, candle_core::DType::F32, &Device::Cpu).unwrap();
        let dropped = dropout(&ones, 0.3, &mut ChaCha8Rng::seed_from_u64(3)).unwrap().to_vec1::<f32>().unwrap();
        let zeros = dropped.iter().filter(|value| **value == 0.0).count();
        assert!((5_700..6_300).contains(&zeros), "{zeros}");
        assert!((dropped.iter().sum::<f32>() / 20_000.0 - 1.0).abs() < 0.03);
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        let sizes = Sizes { layers: vec![Mixer::Attention], dim: 8, channels: 6, hidden: 10, heads: 4, distances: 4 };
        let error = SequenceNetwork::new(9, &sizes, &mut ChaCha8Rng::seed_from_u64(1)).unwrap_err().to_string();
        assert!(error.contains("4 heads"), "{error}");
    }
}
