//! The settings of the seed network, which `train` and `evaluate` share.

use clap::Args;

use crate::models::seed_network::train::TrainConfig;

/// The settings of the seed network. The other models take the seed alone.
#[derive(Debug, Args)]
pub(crate) struct NetworkOptions {
    /// Passes of the seed network over the ratings.
    #[arg(long, default_value_t = TrainConfig::default().epochs)]
    epochs: usize,
    /// Ratings in a batch of the seed network.
    #[arg(long, default_value_t = TrainConfig::default().batch)]
    batch: usize,
    /// Adam's learning rate at the start, for the seed network.
    #[arg(long, default_value_t = TrainConfig::default().learning_rate)]
    learning_rate: f64,
    /// Share of the seed network's training histories that keep their ratings, from 0 to 1; the others become clicks.
    #[arg(long, default_value_t = TrainConfig::default().ratings_known)]
    ratings_known: f64,
    /// Seed of all random numbers.
    #[arg(long, default_value_t = TrainConfig::default().seed)]
    pub(crate) seed: u64,
}

impl NetworkOptions {
    pub(crate) const fn config(&self) -> TrainConfig {
        let Self { epochs, batch, learning_rate, ratings_known, seed } = *self;
        TrainConfig { epochs, batch, learning_rate, ratings_known, seed }
    }
}
