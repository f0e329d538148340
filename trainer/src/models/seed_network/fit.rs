//! From a data set to a packed bundle in one call.

use anyhow::Result;
use ndarray::Array2;
use rand::SeedableRng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use watchnext::bundle::Training;

use super::network::Network;
use super::rows::TrainingRows;
use super::states::{self, EncodedStates, click_vectors};
use super::train::{TrainConfig, train};
use crate::bundle::packed::Packed;
use crate::data::split::Split;
use crate::data::{Dataset, User};
use crate::nn::checkpoint::Checkpoint;
use crate::nn::curve::EpochFigures;

/// How many held-out states compare the encoded states with the exact scan.
const RECALL_QUERIES: usize = 400;

/// A trained and packed model with the figures of its held-out users.
#[derive(Debug)]
pub struct Fitted {
    /// The bundle.
    pub packed: Packed,
    /// Each epoch's figures.
    pub epochs: Vec<EpochFigures>,
    /// The encoded states, if they were asked for.
    pub states: Option<EncodedStates>,
    /// Their recall at 100 against the exact scan, on held-out users.
    pub recall: Option<f64>,
}

/// Trains on the split's training users and packs the result. `dataset_name` and `command` are its origin in the
/// manifest.
///
/// # Errors
/// As [`train`] and [`Packed::new`].
pub fn fit(
    dataset: &Dataset,
    config: &TrainConfig,
    with_states: bool,
    dataset_name: &str,
    command: &str,
    checkpoint: Option<&Checkpoint>,
) -> Result<Fitted> {
    let split = Split::by_user(&dataset.users)?;
    let rows = |users: &[User]| TrainingRows::new(&dataset.catalog, users, |_| true);
    let (train_rows, held_out) = (rows(split.train)?, rows(split.validation)?);
    let (network, epochs) = train(dataset.catalog.len(), &train_rows, &held_out, config, checkpoint)?;
    let encoded = with_states
        .then(|| encoded_states(&network, &train_rows, &held_out, dataset.catalog.len(), config.seed))
        .transpose()?;
    let (states, recall) = encoded.unzip();
    let training = Training {
        command: command.to_owned(),
        seed: config.seed,
        dataset: dataset_name.to_owned(),
        sources: dataset.sources.clone(),
        users: split.train.len(),
        ratings: train_rows.len(),
    };
    let mut packed = Packed::new(&network, &dataset.catalog, "seed-network", training)?;
    states.iter().for_each(|states| packed.add(states.file()));
    Ok(Fitted { packed, epochs, states, recall })
}

/// The training states, and their recall on held-out states.
fn encoded_states(
    network: &Network,
    train: &TrainingRows,
    held_out: &TrainingRows,
    movies: usize,
    seed: u64,
) -> Result<(EncodedStates, f64)> {
    let vectors = click_vectors(network, train)?;
    let encoded = states::encode(&vectors, &train.target, seed)?;
    let queries: Array2<f32> = click_vectors(network, held_out)?;
    let picks = sample(&mut ChaCha8Rng::seed_from_u64(seed), queries.nrows(), RECALL_QUERIES.min(queries.nrows()));
    let queries = queries.select(ndarray::Axis(0), &picks.into_vec());
    let recall = states::recall(&vectors, &encoded, movies, &queries)?;
    Ok((encoded, recall))
}
