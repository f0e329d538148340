//! This project's trainer.

use anyhow::Result;
use rand_chacha::ChaCha8Rng;
use trainer::nn::adam::Adam;
use trainer::models::seed_network::network::Network;
use trainer::models::seed_network::rows::TrainingRows;

use crate::Contender;
use crate::batch::LEARNING_RATE;

/// The trainer's network and optimiser, as `trainer::models::seed_network::train` uses them.
pub struct Ours {
    network: Network,
    adam: Adam,
    rows: TrainingRows,
    rng: ChaCha8Rng,
}

impl Ours {
    /// Trains `network` on `rows`.
    pub fn new(network: Network, rows: TrainingRows, rng: ChaCha8Rng) -> Self {
        Self { adam: Adam::new(network.parameters()), network, rows, rng }
    }
}

impl Contender for Ours {
    fn name(&self) -> &'static str {
        "trainer"
    }

    fn version(&self) -> String {
        crate::version_of("trainer")
    }

    fn step(&mut self) -> Result<f32> {
        let (loss, gradients) = self.network.loss(&self.rows, self.rows.rated_weights.clone(), &mut self.rng)?;
        self.adam.step(&gradients, LEARNING_RATE)?;
        Ok(loss)
    }
}
