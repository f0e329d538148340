//! The made-up batch that every contender trains on.

use anyhow::Result;
use rand::{Rng, RngExt};
use trainer::models::seed_network::network::Network;
use trainer::models::seed_network::rows::TrainingRows;
use watchnext::features::{HISTORY_LEN, TIME_FEATURES};

/// The movies of the notebook's data set: the classes of the softmax and, with one more row for padding, the
/// embeddings.
pub const MOVIES: usize = 9724;
/// Adam's learning rate in the notebook.
pub const LEARNING_RATE: f64 = 0.01;
/// The share of numbers that dropout sets to zero in the notebook. The trainer's own constant is private.
pub const DROPOUT: f64 = 0.3;
/// How many of the time features are 1, about as many as in real rows.
const ONES: usize = 5;

/// Random rows with the shapes of the notebook's data. The values don't affect a step's time, but the padding does,
/// because the trainer doesn't look padding up. So half of the histories are partly padding.
pub fn rows(count: usize, rng: &mut impl Rng) -> TrainingRows {
    let mut rows = TrainingRows::default();
    let padding = MOVIES as i64;
    for row in 0..count {
        let used = if row % 2 == 0 { HISTORY_LEN } else { rng.random_range(0..HISTORY_LEN) };
        for slot in 0..HISTORY_LEN {
            rows.history.push(if slot < used { rng.random_range(0..padding) } else { padding });
            rows.rated_weights.push(if slot < used { 1.0 } else { 0.0 });
        }
        let ones: [usize; ONES] = std::array::from_fn(|_| rng.random_range(0..TIME_FEATURES));
        rows.time.extend((0..TIME_FEATURES).map(|feature| if ones.contains(&feature) { 1.0 } else { 0.0 }));
        rows.target.push(rng.random_range(0..MOVIES as u32));
    }
    rows
}

/// The parameters that every contender starts from, as plain numbers in the order of [`Network::parameters`].
pub struct Parameters {
    /// `[MOVIES, EMBEDDING_DIM]`.
    pub embedding: Vec<f32>,
    /// The weight, `[outputs, inputs]`, and the bias of the first layer.
    pub hidden: (Vec<f32>, Vec<f32>),
    /// The weight and the bias of the second layer.
    pub state: (Vec<f32>, Vec<f32>),
    /// The weight and the bias of the softmax.
    pub movies: (Vec<f32>, Vec<f32>),
}

impl Parameters {
    /// Copies the parameters of `network`.
    pub fn of(network: &Network) -> Result<Self> {
        let numbers = |parameter: &candle_core::Var| parameter.flatten_all()?.to_vec1::<f32>();
        Ok(Self {
            embedding: numbers(&network.embedding)?,
            hidden: (numbers(&network.hidden_weight)?, numbers(&network.hidden_bias)?),
            state: (numbers(&network.state_weight)?, numbers(&network.state_bias)?),
            movies: (numbers(&network.movie_weight)?, numbers(&network.movie_bias)?),
        })
    }

    /// All of them in order, for the pipe to PyTorch.
    pub fn in_order(&self) -> [&[f32]; 7] {
        let Self { embedding, hidden, state, movies } = self;
        [embedding, &hidden.0, &hidden.1, &state.0, &state.1, &movies.0, &movies.1]
    }
}
