//! The ranker's network: its training, its calibration and its ONNX graph.

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor, Var};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use watchnext::features::reaction::{REACTION_FEATURES, REACTION_WIDTH};
use watchnext::ranker::{CANDIDATES, RANKER_INPUT, RANKER_OUTPUT};

use super::rows::Row;
use crate::nn::adam::Adam;
use crate::nn::initial;
use crate::nn::ops::{RowTargets, SoftmaxCrossEntropy};
use crate::onnx::graph::Graph;
use crate::onnx::model;

/// The hidden layers' units.
const HIDDEN: [usize; 2] = [64, 32];

/// The number of reactions.
const CLASSES: usize = 3;

/// The library's columns, and whether the user is of a further file.
const INPUTS: usize = REACTION_WIDTH + 1;

/// Passes over the rows, and the least number of steps. Small data are passed over more often.
const EPOCHS: usize = 5;
const LEAST_STEPS: usize = 600;
/// Rows of a step, and the least for small data.
const BATCH: usize = 1024;
const LEAST_BATCH: usize = 64;
const LEARNING_RATE: f64 = 2e-3;
const WARM_UP: usize = 100;

/// Adam's decoupled decay, as a multiple of the learning rate.
const DECAY: f32 = 1.0;

/// Columns that the network sees less another column. Clicks move the expected rating by a tenth of the differences
/// between movies, which would be lost among the two columns.
const DIFFERENCES: [(&str, &str); 1] = [("taste_rating", "expected_rating")];

/// Columns are clamped to so many standard deviations.
const MOST_DEVIATIONS: f32 = 4.0;

/// The group of users that chooses the temperature.
const CALIBRATING: usize = 0;

/// The layers' names in the graph.
const LAYERS: [&str; 3] = ["first", "second", "third"];

/// A trained network as plain numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// Each column's mean and the inverse of its standard deviation, after [`differences`].
    scaling: Vec<(f32, f32)>,
    /// Weights `[outputs, inputs]` and biases `[outputs]` of the layers.
    layers: Vec<(Vec<f32>, Vec<f32>)>,
    /// The logits are divided by it.
    pub temperature: f32,
}

/// Trains a network on `rows` twice: once without one group of users, who then choose its temperature (Guo et al., *On
/// Calibration of Modern Neural Networks*, ICML 2017), and once on all rows.
///
/// # Errors
/// No rows, and a loss that isn't finite.
pub fn train(rows: &[Row], seed: u64, mut progress: impl FnMut()) -> Result<Network> {
    let (calibrating, others): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.group == CALIBRATING);
    let calibrating: Vec<&Row> = calibrating.into_iter().filter(|row| !row.further).collect();
    let temperature = if others.is_empty() || calibrating.is_empty() {
        1.0
    } else {
        best_temperature(&fit(&others, seed, &mut progress)?, &calibrating)
    };
    let all: Vec<&Row> = rows.iter().collect();
    Ok(Network { temperature, ..fit(&all, seed, &mut progress)? })
}

/// The features, with the first column of each of [`DIFFERENCES`] less the second.
fn differences(features: &[f32; REACTION_WIDTH]) -> [f32; REACTION_WIDTH] {
    let mut differences = *features;
    for (from, less) in places_of_differences() {
        let less = features.get(less).copied().unwrap_or_default();
        differences.get_mut(from).into_iter().for_each(|value| *value -= less);
    }
    differences
}

/// The places of the columns of [`DIFFERENCES`].
fn places_of_differences() -> impl Iterator<Item = (usize, usize)> {
    let place = |name: &str| REACTION_FEATURES.iter().position(|feature| *feature == name);
    DIFFERENCES.iter().filter_map(move |(from, less)| Some((place(from)?, place(less)?)))
}

fn scaling(rows: &[&Row]) -> Vec<(f32, f32)> {
    let count = rows.len().max(1) as f64;
    let rows: Vec<[f32; REACTION_WIDTH]> = rows.iter().map(|row| differences(&row.features)).collect();
    let column = |at: usize| {
        let values = || rows.iter().filter_map(|row| row.get(at)).map(|value| f64::from(*value));
        let mean = values().sum::<f64>() / count;
        let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        (mean as f32, (1.0 / (variance.sqrt() + 1e-6)) as f32)
    };
    (0..REACTION_WIDTH).map(column).collect()
}

/// A row's inputs, standardised and clamped.
fn inputs(scaling: &[(f32, f32)], features: &[f32; REACTION_WIDTH], further: bool) -> impl Iterator<Item = f32> {
    let scaled = differences(features)
        .into_iter()
        .zip(scaling)
        .map(|(value, (mean, factor))| ((value - mean) * factor).clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS));
    scaled.chain([if further { 1.0 } else { 0.0 }])
}

fn fit(rows: &[&Row], seed: u64, mut progress: impl FnMut()) -> Result<Network> {
    ensure!(!rows.is_empty(), "there are no ratings to train the ranker on");
    let scaling = scaling(rows);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let device = &Device::Cpu;
    let sizes = [INPUTS, HIDDEN[0], HIDDEN[1], CLASSES];
    let mut weights = Vec::new();
    for (at, pair) in sizes.windows(2).enumerate() {
        let [from, to] = *pair else { continue };
        // He et al.'s initialisation (2015). The last layer starts small, so that the first predictions are even.
        let spread = (2.0 / from as f32).sqrt() * if at + 2 == sizes.len() { 0.3 } else { 1.0 };
        weights.push((initial::normal((to, from), spread, &mut rng)?, initial::filled(to, 0.0)?));
    }
    let names = [["first_weight", "first_bias"], ["second_weight", "second_bias"], ["third_weight", "third_bias"]];
    let named = weights
        .iter()
        .zip(names)
        .flat_map(|((weight, bias), [of_weight, of_bias])| [(of_weight, weight), (of_bias, bias)]);
    let mut adam = Adam::new(named).with_decoupled_decay(DECAY);
    let mean_weight = rows.iter().map(|row| row.weight).sum::<f32>() / rows.len() as f32;
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let size = BATCH.min((rows.len() / 32).max(LEAST_BATCH));
    let batches = rows.len().div_ceil(size);
    let steps = (EPOCHS * batches).max(LEAST_STEPS);
    for epoch in 0..steps.div_ceil(batches) {
        order.shuffle(&mut rng);
        for (number, batch) in order.chunks(size).enumerate() {
            let step = epoch * batches + number;
            let rows: Vec<&Row> = batch.iter().filter_map(|at| rows.get(*at).copied()).collect();
            let values: Vec<f32> = rows.iter().flat_map(|row| inputs(&scaling, &row.features, row.further)).collect();
            let mut hidden = Tensor::from_vec(values, (rows.len(), INPUTS), device)?;
            let (last, before) = weights.split_last().context("the ranker has no layers")?;
            for (weight, bias) in before {
                hidden = hidden.matmul(&weight.t()?)?.broadcast_add(bias)?.relu()?;
            }
            let targets = rows.iter().map(|row| RowTargets {
                classes: vec![(row.reaction, row.weight / mean_weight)],
                excluded: Vec::new(),
            });
            let loss = hidden.contiguous()?.apply_op3(&last.0, &last.1, SoftmaxCrossEntropy::new(targets))?;
            let value = loss.to_scalar::<f32>()?;
            ensure!(
                value.is_finite(),
                "the ranker's loss of step {} isn't finite. Check the ratings and the titles' embeddings.",
                step + 1
            );
            let along = (step as f64 / steps as f64).min(1.0);
            let warm = ((step + 1) as f64 / WARM_UP as f64).min(1.0);
            let rate = LEARNING_RATE * warm * (1.0 + (std::f64::consts::PI * along).cos()) / 2.0;
            adam.step(&loss.backward()?, rate)?;
        }
    }
    progress();
    let plain = |var: &Var| -> Result<Vec<f32>> { Ok(var.flatten_all()?.to_vec1()?) };
    let layers = weights.iter().map(|(weight, bias)| Ok((plain(weight)?, plain(bias)?))).collect::<Result<_>>()?;
    Ok(Network { scaling, layers, temperature: 1.0 })
}

impl Network {
    /// The logits of a visitor's features, before the temperature.
    fn logits(&self, features: &[f32; REACTION_WIDTH]) -> Vec<f32> {
        let mut hidden: Vec<f32> = inputs(&self.scaling, features, false).collect();
        for (at, (weight, bias)) in self.layers.iter().enumerate() {
            let is_last = at + 1 == self.layers.len();
            let unit = |(line, bias): (&[f32], &f32)| {
                let value = watchnext::traits::dot(line, &hidden) + bias;
                if is_last { value } else { value.max(0.0) }
            };
            hidden = weight.chunks_exact(hidden.len().max(1)).zip(bias).map(unit).collect();
        }
        hidden
    }

    /// The probability of each reaction, by the trainer's own arithmetic: dislike, neither, like.
    pub fn reactions(&self, features: &[f32; REACTION_WIDTH]) -> [f32; CLASSES] {
        softmax(&self.logits(features), self.temperature)
    }

    /// The ONNX model. Visitors aren't users of a further file, so that input is left out.
    pub fn onnx(&self) -> Vec<u8> {
        // One matrix does the differences and the scaling.
        let mut scaling = vec![0.0; REACTION_WIDTH * REACTION_WIDTH];
        let mut put = |row: usize, column: usize, value: f32| {
            scaling.get_mut(row * REACTION_WIDTH + column).into_iter().for_each(|entry| *entry = value);
        };
        self.scaling.iter().enumerate().for_each(|(at, (_, factor))| put(at, at, *factor));
        for (from, less) in places_of_differences() {
            self.scaling.get(from).into_iter().for_each(|(_, factor)| put(from, less, -factor));
        }
        let offsets = self.scaling.iter().map(|(mean, factor)| -mean * factor);
        let mut graph = Graph::default();
        graph.floats("scaling_weight", &[REACTION_WIDTH, REACTION_WIDTH], scaling);
        graph.floats("scaling_bias", &[REACTION_WIDTH], offsets);
        graph.number("most", MOST_DEVIATIONS);
        graph.number("least", -MOST_DEVIATIONS);
        graph.number("sharpness", 1.0 / self.temperature);
        graph.dense(RANKER_INPUT, "scaling", "scaled");
        graph.add("Min", &["scaled", "most"], "below");
        let mut from = graph.add("Max", &["below", "least"], "inputs");
        for (at, ((weight, bias), name)) in self.layers.iter().zip(LAYERS).enumerate() {
            let width = weight.len() / bias.len().max(1);
            let kept = if at == 0 { REACTION_WIDTH } else { width };
            let lines = weight.chunks_exact(width).flat_map(|line| line.iter().take(kept).copied());
            graph.floats(&format!("{name}_weight"), &[bias.len(), kept], lines);
            graph.floats(&format!("{name}_bias"), &[bias.len()], bias.iter().copied());
            from = graph.dense(&from, name, format!("{name}_units"));
            if at + 1 < self.layers.len() {
                from = graph.add("Relu", &[&from], format!("{name}_active"));
            }
        }
        graph.add("Mul", &[&from, "sharpness"], "logits");
        graph.softmax("logits", 1, RANKER_OUTPUT);
        model::ranker(graph, CANDIDATES, REACTION_WIDTH, CLASSES)
    }
}

fn softmax(logits: &[f32], temperature: f32) -> [f32; CLASSES] {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = logits.iter().map(|logit| ((logit - most) / temperature).exp()).collect();
    let sum: f32 = powers.iter().sum();
    std::array::from_fn(|at| powers.get(at).copied().unwrap_or_default() / sum)
}

/// The temperature of the least log loss on `rows`, in steps of 0.02.
fn best_temperature(network: &Network, rows: &[&Row]) -> f32 {
    let logits: Vec<(Vec<f32>, u32)> = rows.iter().map(|row| (network.logits(&row.features), row.reaction)).collect();
    let loss = |temperature: f32| -> f64 {
        let of_row = |(logits, reaction): &(Vec<f32>, u32)| {
            let chance = softmax(logits, temperature).get(*reaction as usize).copied().unwrap_or_default();
            -f64::from(chance.max(f32::MIN_POSITIVE).ln())
        };
        logits.iter().map(of_row).sum()
    };
    let tried = (50..=200).step_by(2).map(|percent| percent as f32 / 100.0).map(|value| (value, loss(value)));
    tried.min_by(|one, other| one.1.total_cmp(&other.1)).map_or(1.0, |(temperature, _)| temperature)
}
