//! A causal network: it predicts a visitor's next movie from all that they watched, in order.
//!
//! A movie's embedding goes through layers. Each layer mixes a step with those before it and then transforms it alone:
//!
//! ```text
//! x = norm(embedding)
//! x = x + out(mix(in(norm(x))))        mix: a gated recurrence or causal attention
//! x = x + down(relu(up(norm(x))))
//! scores = norm(x) · embeddingᵀ + bias
//! ```
//!
//! The embeddings are tied (Press and Wolf, *Using the Output Embedding to Improve Language Models*, 2017), and the
//! layers normalise their inputs (Xiong et al. 2020). A batch is the steps of all its sequences, one after the other,
//! without padding.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::choice::Choice;
use crate::nn::attention::CausalAttention;
use crate::nn::dropout::dropout_by_halves;
use crate::nn::initial;
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
    /// The width of an embedding and of the values between layers.
    pub dim: usize,
    /// The width inside a mixer.
    pub channels: usize,
    /// The width of the hidden layer that transforms a step alone.
    pub hidden: usize,
    /// Attention's heads, which must divide `channels`.
    pub heads: usize,
    /// The number of distances that attention tells apart.
    pub distances: usize,
}

/// The steps of several sequences, one after the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Steps {
    /// The movie of each step.
    pub movies: Vec<u32>,
    /// How many steps each sequence has, at least one.
    pub lengths: Vec<usize>,
}

impl Steps {
    /// Adds a sequence.
    pub fn push(&mut self, movies: &[u32]) {
        self.movies.extend_from_slice(movies);
        self.lengths.push(movies.len());
    }
}

/// A normalisation's parameters, `[dim]` each.
#[derive(Debug)]
pub struct Norm {
    scale: Var,
    bias: Var,
}

impl Norm {
    fn apply(&self, rows: &Tensor) -> Result<Tensor> {
        Ok(rows.apply_op3(&self.scale, &self.bias, LayerNorm)?)
    }
}

/// A fully connected layer's parameters, `[outputs, inputs]` and `[outputs]`.
#[derive(Debug)]
pub struct Dense {
    weight: Var,
    bias: Var,
}

impl Dense {
    fn apply(&self, rows: &Tensor) -> Result<Tensor> {
        Ok(rows.apply_op3(&self.weight, &self.bias, Linear)?)
    }
}

/// A layer's mixer with the parameters that it has to itself.
#[derive(Debug)]
pub enum Mixing {
    /// A gated linear recurrence.
    Recurrence,
    /// Causal self-attention.
    Attention {
        /// `[heads, distances]`: what a score gains by how many steps back it looks.
        distance_bias: Var,
    },
}

/// One layer.
#[derive(Debug)]
pub struct Layer {
    mix_norm: Norm,
    mix_in: Dense,
    mix_out: Dense,
    step_norm: Norm,
    up: Dense,
    down: Dense,
    /// How it mixes a step with those before it.
    pub mixing: Mixing,
}

impl Layer {
    /// The parameters by their names within the layer, in a fixed order, which Adam, checkpoints and ONNX files keep.
    fn parameters(&self) -> Vec<(&'static str, &Var)> {
        let mut parameters = vec![
            ("mix_norm_scale", &self.mix_norm.scale),
            ("mix_norm_bias", &self.mix_norm.bias),
            ("in_weight", &self.mix_in.weight),
            ("in_bias", &self.mix_in.bias),
            ("out_weight", &self.mix_out.weight),
            ("out_bias", &self.mix_out.bias),
            ("step_norm_scale", &self.step_norm.scale),
            ("step_norm_bias", &self.step_norm.bias),
            ("up_weight", &self.up.weight),
            ("up_bias", &self.up.bias),
            ("down_weight", &self.down.weight),
            ("down_bias", &self.down.bias),
        ];
        if let Mixing::Attention { distance_bias } = &self.mixing {
            parameters.push(("distance_bias", distance_bias));
        }
        parameters
    }
}

/// The network.
#[derive(Debug)]
pub struct SequenceNetwork {
    /// Its sizes.
    pub sizes: Sizes,
    /// `[movies, dim]`: the input vectors, which also meet the last vectors in the scores.
    pub embedding: Var,
    /// `[movies]`.
    pub movie_bias: Var,
    /// Normalises the embeddings.
    pub input_norm: Norm,
    /// Normalises the vectors that meet the embeddings.
    pub output_norm: Norm,
    /// The layers, in order.
    pub layers: Vec<Layer>,
}

impl Norm {
    fn new(dim: usize) -> Result<Self> {
        Ok(Self { scale: initial::filled(dim, 1.0)?, bias: initial::filled(dim, 0.0)? })
    }
}

impl Dense {
    /// A fully connected layer with weights up to `factor / √inputs`.
    fn new(outputs: usize, inputs: usize, factor: f32, rng: &mut impl Rng) -> Result<Self> {
        let bound = 1.0 / (inputs as f32).sqrt() * factor;
        Ok(Self { weight: initial::uniform((outputs, inputs), bound, rng)?, bias: initial::filled(outputs, 0.0)? })
    }
}

impl Layer {
    fn new(mixer: Mixer, sizes: &Sizes, rng: &mut impl Rng) -> Result<Self> {
        let Sizes { dim, channels, hidden, heads, distances, .. } = *sizes;
        // Each layer adds little at first, the less the more layers there are, so that none drowns out those before it.
        let small = 1.0 / (2.0 * sizes.layers.len() as f32).sqrt();
        let layer = Self {
            mix_norm: Norm::new(dim)?,
            mix_in: Dense::new(3 * channels, dim, 1.0, rng)?,
            mix_out: Dense::new(dim, channels, small, rng)?,
            step_norm: Norm::new(dim)?,
            up: Dense::new(hidden, dim, 1.0, rng)?,
            down: Dense::new(dim, hidden, small, rng)?,
            mixing: match mixer {
                Mixer::Recurrence => Mixing::Recurrence,
                Mixer::Attention => {
                    let biases = first_distances(heads, distances);
                    let biases = Tensor::from_vec(biases, (heads, distances), &Device::Cpu)?;
                    Mixing::Attention { distance_bias: Var::from_tensor(&biases)? }
                }
            },
        };
        if mixer == Mixer::Recurrence {
            layer.mix_in.bias.set(&Tensor::from_vec(first_gates(channels), 3 * channels, &Device::Cpu)?)?;
        }
        Ok(layer)
    }
}

/// The first biases of the recurrence's three parts. The channels forget over 1.2 to 150 steps, spread evenly by their
/// logarithm, and the output gates are open for the most part.
fn first_gates(channels: usize) -> Vec<f32> {
    let forget = (0..channels).map(|channel| {
        let steps = 1.2 * (150.0_f32 / 1.2).powf(channel as f32 / channels.saturating_sub(1).max(1) as f32);
        // An exponential decay by 1/e over so many steps: a = e^(−1/steps), and its logit.
        let keep = (-1.0 / steps).exp();
        (keep / (1.0 - keep)).ln()
    });
    vec![0.0; channels].into_iter().chain(forget).chain(vec![1.0; channels]).collect()
}

/// The first biases of attention's distances: each head has its own slope, so that the first head looks at few steps
/// and the last at all alike (Press, Smith and Lewis, *Train Short, Test Long*, ICLR 2022).
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
        ensure!(
            heads > 0 && channels.is_multiple_of(heads),
            "{heads} heads can't share {channels} channels evenly. Choose channels that are a multiple of the heads."
        );
        Ok(Self {
            sizes: sizes.clone(),
            embedding: initial::uniform((movies, dim), 0.05, rng)?,
            movie_bias: initial::filled(movies, 0.0)?,
            input_norm: Norm::new(dim)?,
            output_norm: Norm::new(dim)?,
            layers: sizes.layers.iter().map(|mixer| Layer::new(*mixer, sizes, rng)).collect::<Result<_>>()?,
        })
    }

    /// All parameters by name, in a fixed order.
    pub fn parameters(&self) -> Vec<(String, &Var)> {
        let own = [
            ("embedding", &self.embedding),
            ("movie_bias", &self.movie_bias),
            ("input_norm_scale", &self.input_norm.scale),
            ("input_norm_bias", &self.input_norm.bias),
            ("output_norm_scale", &self.output_norm.scale),
            ("output_norm_bias", &self.output_norm.bias),
        ];
        let own = own.into_iter().map(|(name, var)| (name.to_owned(), var));
        let of_layers = self.layers.iter().enumerate().flat_map(|(at, layer)| {
            layer.parameters().into_iter().map(move |(name, var)| (format!("layer{at}.{name}"), var))
        });
        own.chain(of_layers).collect()
    }

    /// Sets every parameter from the tensor named `prefix` and the parameter's name.
    ///
    /// # Errors
    /// A parameter that is missing or has another shape.
    pub fn restore(&self, tensors: &HashMap<String, Tensor>, prefix: &str) -> Result<()> {
        for (name, var) in self.parameters() {
            let name = format!("{prefix}{name}");
            let tensor = tensors.get(&name).with_context(|| format!("the checkpoint has no {name}"))?;
            let tensor =
                tensor.reshape(var.shape()).with_context(|| format!("the checkpoint's {name} has another shape"))?;
            var.set(&tensor)?;
        }
        Ok(())
    }

    /// The vectors `[steps, dim]` that meet the embeddings, one for each step. `dropout` gets all values that may be
    /// dropped.
    fn vectors_with(&self, steps: &Steps, mut dropout: impl FnMut(Tensor) -> Result<Tensor>) -> Result<Tensor> {
        let picks = Tensor::from_slice(&steps.movies, steps.movies.len(), &Device::Cpu)?;
        let looked_up = self.embedding.index_select(&picks, 0)?;
        let mut x = dropout(self.input_norm.apply(&looked_up)?)?;
        for layer in &self.layers {
            let read = layer.mix_in.apply(&layer.mix_norm.apply(&x)?)?;
            let mixed = match &layer.mixing {
                Mixing::Recurrence => read.apply_op1(GatedRecurrence::new(steps.lengths.clone()))?,
                Mixing::Attention { distance_bias } => {
                    read.apply_op2(distance_bias, CausalAttention::new(steps.lengths.clone()))?
                }
            };
            let added = layer.mix_out.apply(&dropout(mixed)?)?;
            x = (x + dropout(added)?)?;
            let hidden = dropout(layer.up.apply(&layer.step_norm.apply(&x)?)?.relu()?)?;
            let added = layer.down.apply(&hidden)?;
            x = (x + dropout(added)?)?;
        }
        self.output_norm.apply(&x)
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
        let vectors = self.vectors_with(steps, |values| dropout_by_halves(&values, share, rng))?;
        let loss = vectors.apply_op3(&self.embedding, &self.movie_bias, SoftmaxCrossEntropy::new(targets))?;
        Ok((loss.to_scalar()?, loss.backward()?))
    }
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

    /// Later steps, and other sequences of the batch, must not change a step.
    #[test]
    fn a_step_knows_only_its_own_past() {
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
    fn impossible_sizes_are_refused() {
        let sizes = Sizes { layers: vec![Mixer::Attention], dim: 8, channels: 6, hidden: 10, heads: 4, distances: 4 };
        let error = SequenceNetwork::new(9, &sizes, &mut ChaCha8Rng::seed_from_u64(1)).unwrap_err().to_string();
        assert!(error.contains("4 heads"), "{error}");
    }
}
