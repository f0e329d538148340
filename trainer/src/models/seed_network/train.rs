//! The training loop: epochs, progress, and checkpoints from which an interrupted run goes on to the same bundle.

use anyhow::{Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use watchnext::features::HISTORY_LEN;

use super::network::Network;
use super::rows::{TrainingRows, forget_ratings};
use crate::nn::adam::{Adam, PlateauSchedule};
use crate::nn::checkpoint::Checkpoint;
use crate::nn::curve::EpochFigures;

/// What determines a training run besides its rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TrainConfig {
    /// Passes over the rows.
    pub epochs: usize,
    /// Rows in a batch.
    pub batch: usize,
    /// Adam's rate at the start.
    pub learning_rate: f64,
    /// How often, from 0 to 1, a row is trained with the ratings of its history known (seed row 8); otherwise as clicks alone.
    pub ratings_known: f64,
    /// The seed of every random number.
    pub seed: u64,
}

impl Default for TrainConfig {
    /// The seed notebook's settings (seed row 11), with every other history's ratings known, so that the model meets both what a
    /// click alone says and what a like or a dislike adds.
    fn default() -> Self {
        Self { epochs: 20, batch: 5000, learning_rate: 0.01, ratings_known: 0.5, seed: 1 }
    }
}

/// How far a run is, besides its tensors.
#[derive(Debug, Serialize, Deserialize)]
struct Progress {
    steps: i32,
    schedule: PlateauSchedule,
    history: Vec<EpochFigures>,
}

/// The weights of a batch's history slots: a row's ratings are known with the probability `ratings_known`.
fn batch_weights(rows: &TrainingRows, ratings_known: f64, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let mut weights = rows.rated_weights.clone();
    for row in weights.chunks_mut(HISTORY_LEN) {
        if !rng.random_bool(ratings_known) {
            forget_ratings(row);
        }
    }
    weights
}

/// Trains a network over `movies` movies on `rows`, reporting on `held_out` after each epoch, and returns it with each epoch's
/// figures. With a `checkpoint` the run goes on where an earlier one of the same configuration and data stopped.
///
/// # Errors
/// No rows, a loss that isn't finite, a checkpoint that can't be written or read.
pub fn train(
    movies: usize,
    rows: &TrainingRows,
    held_out: &TrainingRows,
    config: &TrainConfig,
    checkpoint: Option<&Checkpoint>,
) -> Result<(Network, Vec<EpochFigures>)> {
    ensure!(!rows.is_empty(), "there are no ratings to train on");
    ensure!(config.batch > 0 && config.epochs > 0, "--batch and --epochs must be at least 1");
    ensure!((0.0..=1.0).contains(&config.ratings_known), "--ratings-known is a share, from 0 to 1");
    let network = Network::new(movies, &mut ChaCha8Rng::seed_from_u64(config.seed))?;
    let mut adam = Adam::new(network.parameters());
    let mut schedule = PlateauSchedule::new(config.learning_rate);
    let mut history: Vec<EpochFigures> = Vec::new();
    let batches = rows.len().div_ceil(config.batch);
    let bar = ProgressBar::new((config.epochs * batches) as u64);
    bar.set_style(ProgressStyle::with_template("training {bar:32} {percent:>3} % · {eta} left · {msg}")?);
    let found = checkpoint.map(|checkpoint| checkpoint.load::<_, Progress>(config)).transpose()?.flatten();
    if let Some((tensors, progress)) = found {
        network.restore(&tensors)?;
        adam.restore(&tensors, progress.steps)?;
        schedule = progress.schedule;
        history = progress.history;
        bar.println(format!("going on after epoch {} of an interrupted run", history.len()));
        bar.set_position((history.len() * batches) as u64);
        bar.reset_eta();
    }
    let mut message = String::new();
    for epoch in history.len() + 1..=config.epochs {
        // Every epoch has a generator of its own, so that a resumed run draws what an uninterrupted one would have.
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
        rng.set_stream(epoch as u64);
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.shuffle(&mut rng);
        let mut losses = Vec::with_capacity(batches);
        for picks in order.chunks(config.batch) {
            let batch = rows.gather(picks);
            let weights = batch_weights(&batch, config.ratings_known, &mut rng);
            let (loss, gradients) = network.loss(&batch, weights, &mut rng)?;
            ensure!(loss.is_finite(), "the loss of epoch {epoch} isn't finite. Try a smaller --learning-rate.");
            adam.step(&gradients, schedule.learning_rate)?;
            losses.push(f64::from(loss));
            bar.set_message(format!("epoch {epoch} of {} · loss {loss:.3}{message}", config.epochs));
            bar.inc(1);
        }
        let training_loss = losses.iter().sum::<f64>() / losses.len() as f64;
        schedule.epoch(training_loss);
        let held_out_hit100 = hit_rate(&network, held_out, 100)?;
        if !held_out.is_empty() {
            message = format!(" · held-out hit@100 {held_out_hit100:.3}");
        }
        history.push(EpochFigures { epoch, training_loss, held_out_hit100 });
        if bar.is_hidden() {
            // A log file gets a line an epoch instead of a bar.
            eprintln!("epoch {epoch} of {} · loss {training_loss:.4}{message}", config.epochs);
        }
        if let Some(checkpoint) = checkpoint {
            let mut tensors = adam.tensors()?;
            let parameters = network.parameters().map(|(name, var)| (name.to_owned(), var.as_tensor().clone()));
            tensors.extend(parameters);
            checkpoint.save(&tensors, config, &Progress { steps: adam.steps, schedule, history: history.clone() })?;
        }
    }
    bar.finish_and_clear();
    Ok((network, history))
}

/// How often the softmax ranks the target among the best `k` of the movies outside the row's history; ties count against it.
/// This is the quick figure of the progress bar; the evaluator's goes through the shipped path.
fn hit_rate(network: &Network, rows: &TrainingRows, k: usize) -> Result<f64> {
    const BLOCK: usize = 500;
    let mut hits = 0_usize;
    let picks: Vec<usize> = (0..rows.len()).collect();
    for picks in picks.chunks(BLOCK) {
        let block = rows.gather(picks);
        let mut weights = block.rated_weights.clone();
        forget_ratings(&mut weights);
        let vectors = network.user_vectors(&block, weights)?;
        let logits = vectors.matmul(&network.movie_weight.t()?)?.broadcast_add(&network.movie_bias)?;
        for ((logits, target), watched) in
            logits.to_vec2::<f32>()?.into_iter().zip(&block.target).zip(block.history.chunks(HISTORY_LEN))
        {
            let mut scores = logits;
            let goal = scores.get(*target as usize).copied().unwrap_or(f32::NEG_INFINITY);
            for movie in watched {
                if let Some(score) = usize::try_from(*movie).ok().and_then(|movie| scores.get_mut(movie)) {
                    *score = f32::NEG_INFINITY;
                }
            }
            hits += usize::from(scores.iter().filter(|score| **score >= goal).count() <= k);
        }
    }
    Ok(hits as f64 / rows.len().max(1) as f64)
}
