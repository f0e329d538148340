//! Training one causal tower: epochs over windows of the users' sequences, the mean of the weights over the last steps,
//! and checkpoints from which an interrupted run resumes to the same network.

use std::collections::HashMap;
use std::time::Instant;

use anyhow::{Result, ensure};
use candle_core::{Device, Tensor};
use ndarray::Array2;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::data::{Sequences, Target};
use super::evaluate::{MovieTable, mean_ndcg, ranks};
use super::network::{SequenceNetwork, Sizes, Steps};
use crate::math::random::stream;
use crate::nn::adam::Adam;
use crate::nn::checkpoint::Checkpoint;
use crate::nn::ops::RowTargets;

/// The largest share of its past that the mean of the weights keeps at a step.
const MEAN_DECAY: f32 = 0.999;

/// The share of the run in which the learning rate rises.
const WARM_UP: f64 = 0.03;

/// The share of the learning rate that is left at the end.
const LAST_RATE: f64 = 0.02;

/// How strongly weights shrink, as a multiple of the learning rate.
const WEIGHT_DECAY: f32 = 0.01;

/// The most movies ahead that a step may have as its targets.
const MOVIES_AHEAD: usize = 5;

/// Steps that go through a network at once without training.
const BLOCK_STEPS: usize = 8_192;

/// The settings that determine a run, apart from its data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SequenceConfig {
    /// The network.
    pub sizes: Sizes,
    /// The share of numbers that is dropped between layers.
    pub dropout: f64,
    /// The most movies of a history that the network is given.
    pub window: usize,
    /// Passes over the users.
    pub epochs: usize,
    /// The least number of steps in a batch.
    pub batch: usize,
    /// Adam's rate at its highest.
    pub learning_rate: f64,
    /// How much each movie ahead counts, as a share of the one before it. With 0 only the next movie is a target.
    pub ahead: f32,
    /// Whether watched movies take part in the softmax, though they can't be targets.
    pub watched_compete: bool,
    /// The seed of every random number.
    pub seed: u64,
}

/// An epoch's figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EpochFigures {
    /// From 1.
    pub epoch: usize,
    /// The mean cross entropy of the training steps, with dropout.
    pub training_loss: f64,
    /// NDCG@10 of the validation targets.
    pub validation_ndcg10: f64,
    /// Seconds since the run began or resumed.
    pub seconds: f64,
}

/// A run's progress apart from its tensors.
#[derive(Debug, Serialize, Deserialize)]
struct Progress {
    steps: i32,
    history: Vec<EpochFigures>,
}

/// A part of a user's training sequence: the steps `from..to`, with targets one step later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    user: usize,
    from: usize,
    to: usize,
}

/// A trained network with the weights of its best epoch.
#[derive(Debug)]
pub struct Trained {
    /// The network.
    pub network: SequenceNetwork,
    /// Its settings.
    pub config: SequenceConfig,
    /// Each epoch's figures.
    pub history: Vec<EpochFigures>,
}

impl Trained {
    /// The best epoch's figures by the validation targets.
    pub fn best(&self) -> Option<&EpochFigures> {
        best(&self.history)
    }
}

fn best(history: &[EpochFigures]) -> Option<&EpochFigures> {
    // The first of several equal ones, so that a resumed run finds the same one.
    history.iter().rev().max_by(|one, other| one.validation_ndcg10.total_cmp(&other.validation_ndcg10))
}

/// One window of each user, in random order, so that the users who watched most don't fill the batches. A short
/// sequence is taken whole. Half of the windows of a long one are its end, and the others begin anywhere.
fn windows(sequences: &Sequences, length: usize, rng: &mut ChaCha8Rng) -> Vec<Window> {
    let mut windows: Vec<Window> = Vec::with_capacity(sequences.users.len());
    for (user, sequence) in sequences.users.iter().enumerate() {
        let steps = sequence.training().len().saturating_sub(1);
        let latest = steps.saturating_sub(length);
        let from = if latest > 0 && rng.random_bool(0.5) { rng.random_range(0..latest) } else { latest };
        windows.push(Window { user, from, to: (from + length).min(steps) });
    }
    windows.shuffle(rng);
    windows
}

/// Cuts windows into batches of at least `steps` steps, but for the last.
fn batches(windows: &[Window], steps: usize) -> Vec<&[Window]> {
    let mut batches = Vec::new();
    let (mut start, mut held) = (0, 0);
    for (at, window) in windows.iter().enumerate() {
        held += window.to - window.from;
        if held >= steps || at + 1 == windows.len() {
            batches.extend(windows.get(start..=at));
            (start, held) = (at + 1, 0);
        }
    }
    batches
}

/// A batch's steps, with their targets.
fn batch_of(sequences: &Sequences, windows: &[Window], config: &SequenceConfig) -> (Steps, Vec<RowTargets>) {
    let mut steps = Steps::default();
    let mut targets = Vec::new();
    for window in windows {
        let Some(sequence) = sequences.users.get(window.user) else { continue };
        let movies = sequence.training();
        steps.push(movies.get(window.from..window.to).unwrap_or_default());
        for at in window.from..window.to {
            let Some((watched, ahead)) = movies.split_at_checked(at + 1) else { continue };
            let count = if config.ahead > 0.0 { MOVIES_AHEAD } else { 1 };
            let shares = std::iter::successors(Some(1.0_f32), |share| Some(share * config.ahead));
            let classes: Vec<(u32, f32)> = ahead.iter().take(count).copied().zip(shares).collect();
            let sum: f32 = classes.iter().map(|(_, share)| share).sum();
            let classes = classes.into_iter().map(|(movie, share)| (movie, share / sum)).collect();
            let excluded = if config.watched_compete { Vec::new() } else { watched.to_vec() };
            targets.push(RowTargets { classes, excluded });
        }
    }
    (steps, targets)
}

/// The learning rate when this share of the run is done: up in a line, then down along a cosine (Loshchilov and Hutter,
/// *SGDR*, ICLR 2017).
fn rate(highest: f64, done: f64) -> f64 {
    if done < WARM_UP {
        return highest * (done / WARM_UP).max(0.02);
    }
    let falling = (1.0 + (std::f64::consts::PI * (done - WARM_UP) / (1.0 - WARM_UP)).cos()) / 2.0;
    highest * (LAST_RATE + (1.0 - LAST_RATE) * falling)
}

/// A network's vectors `[histories, dim]` after the last `window` movies of each history.
///
/// # Errors
/// An empty history, and movies that the network doesn't know.
pub fn vectors(network: &SequenceNetwork, histories: &[&[u32]], window: usize) -> Result<Array2<f32>> {
    let dim = network.sizes.dim;
    let mut values: Vec<f32> = Vec::with_capacity(histories.len() * dim);
    let mut steps = Steps::default();
    for (at, history) in histories.iter().enumerate() {
        ensure!(!history.is_empty(), "a history is empty");
        steps.push(history.get(history.len().saturating_sub(window)..).unwrap_or_default());
        if steps.movies.len() >= BLOCK_STEPS || at + 1 == histories.len() {
            values.extend(network.last_vectors(&steps)?.flatten_all()?.to_vec1::<f32>()?);
            steps = Steps::default();
        }
    }
    Ok(Array2::from_shape_vec((histories.len(), dim), values)?)
}

/// The movies' side of a network's scores.
///
/// # Errors
/// Parameters that can't be read.
pub fn table(network: &SequenceNetwork) -> Result<MovieTable> {
    let vectors = network.embedding.flatten_all()?.to_vec1::<f32>()?;
    let bias = network.movie_bias.to_vec1::<f32>()?;
    Ok(MovieTable { vectors: Array2::from_shape_vec((bias.len(), network.sizes.dim), vectors)?, bias })
}

/// The ranks of a network's targets.
fn network_ranks(network: &SequenceNetwork, questions: &[(&[u32], u32)], window: usize) -> Result<Vec<usize>> {
    let histories: Vec<&[u32]> = questions.iter().map(|(history, _)| *history).collect();
    ranks(questions, &vectors(network, &histories, window)?, &table(network)?)
}

/// The running mean of all parameters.
struct WeightMean {
    values: Vec<(String, Vec<f32>)>,
}

impl WeightMean {
    fn new(network: &SequenceNetwork) -> Result<Self> {
        let values = network.parameters().into_iter().map(|(name, var)| Ok((name, var.flatten_all()?.to_vec1()?)));
        Ok(Self { values: values.collect::<Result<_>>()? })
    }

    /// Adds the weights after so many steps. Early steps fade faster, or the mean would be that of the start for long.
    fn add(&mut self, network: &SequenceNetwork, steps: i32) -> Result<()> {
        let decay = MEAN_DECAY.min((1.0 + steps as f32) / (10.0 + steps as f32));
        for ((_, mean), (_, var)) in self.values.iter_mut().zip(network.parameters()) {
            let values = var.flatten_all()?.to_vec1::<f32>()?;
            for (mean, value) in mean.iter_mut().zip(values) {
                *mean = decay * *mean + (1.0 - decay) * value;
            }
        }
        Ok(())
    }

    fn tensors(&self, prefix: &str) -> Result<HashMap<String, Tensor>> {
        let tensor = |(name, values): &(String, Vec<f32>)| {
            Ok((format!("{prefix}{name}"), Tensor::from_slice(values, values.len(), &Device::Cpu)?))
        };
        self.values.iter().map(tensor).collect()
    }
}

/// A run in progress.
struct Run<'run> {
    sequences: &'run Sequences,
    config: &'run SequenceConfig,
    network: SequenceNetwork,
    /// The same network with the mean of the weights, on which the validation targets are measured.
    averaged: SequenceNetwork,
    adam: Adam,
    mean: WeightMean,
    /// The weights of the best epoch so far.
    best: HashMap<String, Tensor>,
    history: Vec<EpochFigures>,
}

impl<'run> Run<'run> {
    fn new(sequences: &'run Sequences, config: &'run SequenceConfig) -> Result<Self> {
        let network = || SequenceNetwork::new(sequences.len(), &config.sizes, &mut stream(config.seed, 0));
        let (network, averaged) = (network()?, network()?);
        let adam = Adam::new(network.parameters()).with_decoupled_decay(WEIGHT_DECAY);
        let mean = WeightMean::new(&network)?;
        let best = mean.tensors("best.")?;
        Ok(Self { sequences, config, network, averaged, adam, mean, best, history: Vec::new() })
    }

    /// Resumes from the checkpoint if it is of the same configuration and data.
    fn resume(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let Some((tensors, progress)) = checkpoint.load::<_, Progress>(self.config)? else { return Ok(()) };
        self.network.restore(&tensors, "")?;
        self.adam.restore(&tensors, progress.steps)?;
        self.averaged.restore(&tensors, "mean.")?;
        self.mean = WeightMean::new(&self.averaged)?;
        self.averaged.restore(&tensors, "best.")?;
        self.best = WeightMean::new(&self.averaged)?.tensors("best.")?;
        self.history = progress.history;
        eprintln!("resuming after epoch {} of {}", self.history.len(), self.config.epochs);
        Ok(())
    }

    fn save(&self, checkpoint: &Checkpoint) -> Result<()> {
        let mut tensors = self.adam.tensors()?;
        tensors.extend(self.network.parameters().into_iter().map(|(name, var)| (name, var.as_tensor().clone())));
        tensors.extend(self.mean.tensors("mean.")?);
        tensors.extend(self.best.clone());
        let progress = Progress { steps: self.adam.steps, history: self.history.clone() };
        checkpoint.save(&tensors, self.config, &progress)
    }

    /// One pass over the users. Returns the mean loss.
    fn epoch(&mut self, epoch: usize) -> Result<f64> {
        let config = self.config;
        // Every epoch has its own generator, so that a resumed run draws the same numbers as an uninterrupted one.
        let mut rng = stream(config.seed, epoch as u64);
        let windows = windows(self.sequences, config.window, &mut rng);
        let batches = batches(&windows, config.batch);
        let (mut losses, mut rows) = (0.0, 0.0);
        for (at, windows) in batches.iter().enumerate() {
            let (steps, targets) = batch_of(self.sequences, windows, config);
            let count = targets.len() as f64;
            let (loss, gradients) = self.network.loss(&steps, targets, config.dropout, &mut rng)?;
            ensure!(loss.is_finite(), "the loss of epoch {epoch} isn't finite. Try a smaller --learning-rate.");
            let done = (epoch as f64 - 1.0 + at as f64 / batches.len() as f64) / config.epochs as f64;
            self.adam.step(&gradients, rate(config.learning_rate, done))?;
            self.mean.add(&self.network, self.adam.steps)?;
            losses += f64::from(loss) * count;
            rows += count;
        }
        Ok(losses / rows)
    }
}

/// Trains a network on all users' training movies and keeps the epoch that is best by the validation targets. Progress
/// goes to standard error.
///
/// With a `last_epoch` before the configured last one the run stops early. Up to there it equals the whole run. With a
/// `checkpoint` the run resumes where an earlier one of the same configuration and data stopped.
///
/// # Errors
/// Settings of 0, a loss that isn't finite, a checkpoint that can't be written or read.
pub fn train(
    sequences: &Sequences,
    config: &SequenceConfig,
    last_epoch: Option<usize>,
    checkpoint: Option<&Checkpoint>,
) -> Result<Trained> {
    ensure!(
        config.epochs > 0 && config.batch > 0 && config.window > 0,
        "--epochs, --batch and --window must be at least 1"
    );
    ensure!((0.0..1.0).contains(&config.dropout), "--dropout is a share, from 0 to below 1");
    ensure!((0.0..1.0).contains(&config.ahead), "--ahead is a share, from 0 to below 1");
    let started = Instant::now();
    let mut run = Run::new(sequences, config)?;
    if let Some(checkpoint) = checkpoint {
        run.resume(checkpoint)?;
    }
    let questions = sequences.questions(Target::Validation);
    let last_epoch = last_epoch.unwrap_or(config.epochs).min(config.epochs);
    // The best epoch of a checkpoint from further on may be one that this run doesn't reach.
    ensure!(
        run.history.len() <= last_epoch,
        "the checkpoint is of epoch {}, and this run ends after epoch {last_epoch}. Remove the checkpoint's folder, \
         or raise the last epoch.",
        run.history.len()
    );
    for epoch in run.history.len() + 1..=last_epoch {
        let training_loss = run.epoch(epoch)?;
        run.averaged.restore(&run.mean.tensors("")?, "")?;
        let validation_ndcg10 = mean_ndcg(&network_ranks(&run.averaged, &questions, config.window)?);
        let seconds = started.elapsed().as_secs_f64();
        run.history.push(EpochFigures { epoch, training_loss, validation_ndcg10, seconds });
        eprintln!(
            "epoch {epoch} of {} · loss {training_loss:.4} · validation NDCG@10 {validation_ndcg10:.4} · \
             {seconds:.0} s",
            config.epochs
        );
        if best(&run.history).is_some_and(|best| best.epoch == epoch) {
            run.best = run.mean.tensors("best.")?;
        }
        if let Some(checkpoint) = checkpoint {
            run.save(checkpoint)?;
        }
    }
    run.averaged.restore(&run.best, "best.")?;
    Ok(Trained { network: run.averaged, config: config.clone(), history: run.history })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::models::sequence::network::Mixer;
    use rand::SeedableRng;

    fn config() -> SequenceConfig {
        let sizes = Sizes { layers: vec![Mixer::Recurrence], dim: 4, channels: 4, hidden: 4, heads: 1, distances: 4 };
        SequenceConfig {
            sizes,
            dropout: 0.0,
            window: 3,
            epochs: 1,
            batch: 4,
            learning_rate: 0.01,
            ahead: 0.5,
            watched_compete: false,
            seed: 1,
        }
    }

    fn sequences() -> Sequences {
        Sequences::parse("1 10 20 30 40 50 60 70 80\n2 10 30 50 70\n3 20 40 60 80 10\n").unwrap()
    }

    #[test]
    fn each_user_has_one_window_of_their_training_movies() {
        let sequences = sequences();
        let mut starts = Vec::new();
        for seed in 0..40 {
            let windows = windows(&sequences, 3, &mut ChaCha8Rng::seed_from_u64(seed));
            let mut users: Vec<usize> = windows.iter().map(|window| window.user).collect();
            users.sort_unstable();
            assert_eq!(users, [0, 1, 2]);
            for window in windows {
                let steps = sequences.users[window.user].training().len() - 1;
                assert!(window.to <= steps && window.to - window.from == steps.min(3), "{window:?}");
                starts.extend((window.user == 0).then_some(window.from));
            }
        }
        // Six movies train, which are five steps; a window of three begins at the first, second or third.
        starts.sort_unstable();
        starts.dedup();
        assert_eq!(starts, [0, 1, 2]);
    }

    #[test]
    fn no_window_is_lost_between_batches() {
        let windows: Vec<Window> =
            [3, 2, 1, 5, 1].into_iter().enumerate().map(|(user, to)| Window { user, from: 0, to }).collect();
        let sizes: Vec<usize> = batches(&windows, 5).iter().map(|batch| batch.len()).collect();
        assert_eq!(sizes, [2, 2, 1]);
    }

    /// The targets never include the movies that are kept back, which for the first user are 70 and 80.
    #[test]
    fn a_steps_targets_come_after_it_and_what_came_before_is_excluded() {
        let window = Window { user: 0, from: 2, to: 5 };
        let (steps, targets) = batch_of(&sequences(), &[window], &config());
        assert_eq!((steps.movies, steps.lengths), (vec![2, 3, 4], vec![3]));
        assert_eq!(targets[0].excluded, [0, 1, 2]);
        let of_first: Vec<u32> = targets[0].classes.iter().map(|(movie, _)| *movie).collect();
        assert_eq!(of_first, [3, 4, 5]);
        let shares: Vec<f32> = targets[0].classes.iter().map(|(_, share)| *share).collect();
        assert!((shares[0] - 4.0 / 7.0).abs() < 1e-6 && (shares[2] - 1.0 / 7.0).abs() < 1e-6, "{shares:?}");
        assert_eq!(targets[2].classes, [(5, 1.0)]);
    }

    #[test]
    fn the_rate_rises_and_falls() {
        assert!(rate(1.0, 0.0) < 0.03 && (rate(1.0, WARM_UP) - 1.0).abs() < 1e-9);
        assert!((rate(1.0, 1.0) - LAST_RATE).abs() < 1e-9 && rate(1.0, 0.5) < rate(1.0, 0.4));
    }
}
