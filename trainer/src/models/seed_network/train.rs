//! The training loop: epochs, progress, and checkpoints from which an interrupted run resumes to the same bundle.

use anyhow::{Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use watchnext::features::HISTORY_LEN;

use super::network::Network;
use super::rows::{TrainingRows, forget_ratings};
use crate::math::random::stream;
use crate::nn::adam::{Adam, PlateauSchedule};
use crate::nn::checkpoint::Checkpoint;
use crate::nn::curve::EpochFigures;

/// The settings that determine a run, apart from its rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TrainConfig {
    /// Passes over the rows.
    pub epochs: usize,
    /// Rows in a batch.
    pub batch: usize,
    /// Adam's rate at the start.
    pub learning_rate: f64,
    /// The share of rows that are trained with the ratings of their history. The others see clicks alone.
    pub ratings_known: f64,
    /// The seed of every random number.
    pub seed: u64,
}

impl Default for TrainConfig {
    /// The notebook's settings. Every other history has its ratings, so that the model learns from clicks alone as well
    /// as from likes and dislikes.
    fn default() -> Self {
        Self { epochs: 20, batch: 5000, learning_rate: 0.01, ratings_known: 0.5, seed: 1 }
    }
}

/// A run's progress apart from its tensors.
#[derive(Debug, Serialize, Deserialize)]
struct Progress {
    steps: i32,
    schedule: PlateauSchedule,
    history: Vec<EpochFigures>,
}

/// The weights of a batch's history slots. A row's ratings are known with the probability `ratings_known`.
fn batch_weights(rows: &TrainingRows, ratings_known: f64, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let mut weights = rows.rated_weights.clone();
    for row in weights.chunks_mut(HISTORY_LEN) {
        if !rng.random_bool(ratings_known) {
            forget_ratings(row);
        }
    }
    weights
}

/// A run in progress.
struct Run<'run> {
    config: &'run TrainConfig,
    network: Network,
    adam: Adam,
    schedule: PlateauSchedule,
    history: Vec<EpochFigures>,
    bar: ProgressBar,
    /// The held-out figure of the last epoch, for the progress bar.
    figure: String,
}

impl<'run> Run<'run> {
    fn new(movies: usize, config: &'run TrainConfig, batches: usize) -> Result<Self> {
        let network = Network::new(movies, &mut stream(config.seed, 0))?;
        let adam = Adam::new(network.parameters());
        let bar = ProgressBar::new((config.epochs * batches) as u64);
        bar.set_style(ProgressStyle::with_template("training {bar:32} {percent:>3} % · {eta} left · {msg}")?);
        Ok(Self {
            config,
            network,
            adam,
            schedule: PlateauSchedule::new(config.learning_rate),
            history: Vec::new(),
            bar,
            figure: String::new(),
        })
    }

    /// Resumes from the checkpoint if it is of the same configuration and data.
    fn resume(&mut self, checkpoint: &Checkpoint, batches: usize) -> Result<()> {
        let Some((tensors, progress)) = checkpoint.load::<_, Progress>(self.config)? else { return Ok(()) };
        self.network.restore(&tensors)?;
        self.adam.restore(&tensors, progress.steps)?;
        self.schedule = progress.schedule;
        self.history = progress.history;
        self.bar.println(format!("resuming after epoch {} of an interrupted run", self.history.len()));
        self.bar.set_position((self.history.len() * batches) as u64);
        self.bar.reset_eta();
        Ok(())
    }

    fn save(&self, checkpoint: &Checkpoint) -> Result<()> {
        let mut tensors = self.adam.tensors()?;
        let parameters = self.network.parameters().map(|(name, var)| (name.to_owned(), var.as_tensor().clone()));
        tensors.extend(parameters);
        let history = self.history.clone();
        checkpoint.save(&tensors, self.config, &Progress { steps: self.adam.steps, schedule: self.schedule, history })
    }

    /// One pass over the rows. Returns the mean loss.
    fn epoch(&mut self, epoch: usize, rows: &TrainingRows) -> Result<f64> {
        let Self { config, network, bar, figure, .. } = self;
        // Every epoch has its own generator, so that a resumed run draws the same numbers as an uninterrupted one.
        let mut rng = stream(config.seed, epoch as u64);
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.shuffle(&mut rng);
        let mut losses = Vec::with_capacity(rows.len().div_ceil(config.batch));
        for picks in order.chunks(config.batch) {
            let batch = rows.gather(picks);
            let weights = batch_weights(&batch, config.ratings_known, &mut rng);
            let (loss, gradients) = network.loss(&batch, weights, &mut rng)?;
            ensure!(loss.is_finite(), "the loss of epoch {epoch} isn't finite. Try a smaller --learning-rate.");
            self.adam.step(&gradients, self.schedule.learning_rate)?;
            losses.push(f64::from(loss));
            bar.set_message(format!("epoch {epoch} of {} · loss {loss:.3}{figure}", config.epochs));
            bar.inc(1);
        }
        Ok(losses.iter().sum::<f64>() / losses.len() as f64)
    }
}

/// Trains a network over `movies` movies on `rows`, measures it on `held_out` after each epoch, and returns it with
/// each epoch's figures. With a `checkpoint` the run resumes where an earlier one of the same configuration and data
/// stopped.
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
    let batches = rows.len().div_ceil(config.batch);
    let mut run = Run::new(movies, config, batches)?;
    if let Some(checkpoint) = checkpoint {
        run.resume(checkpoint, batches)?;
    }
    for epoch in run.history.len() + 1..=config.epochs {
        let training_loss = run.epoch(epoch, rows)?;
        run.schedule.epoch(training_loss);
        let held_out_hit100 = hit_rate(&run.network, held_out, 100)?;
        if !held_out.is_empty() {
            run.figure = format!(" · held-out hit@100 {held_out_hit100:.3}");
        }
        run.history.push(EpochFigures { epoch, training_loss, held_out_hit100 });
        if run.bar.is_hidden() {
            // A log file gets a line an epoch instead of a bar.
            eprintln!("epoch {epoch} of {} · loss {training_loss:.4}{}", config.epochs, run.figure);
        }
        if let Some(checkpoint) = checkpoint {
            run.save(checkpoint)?;
        }
    }
    run.bar.finish_and_clear();
    Ok((run.network, run.history))
}

/// How often the target is among the softmax's best `k` movies outside the row's history. Ties count against it. This
/// is the quick figure of the progress bar. The evaluator's figure goes through the shipped path.
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
