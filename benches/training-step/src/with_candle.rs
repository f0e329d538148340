//! candle, with only what candle-core and candle-nn export.

use anyhow::Result;
use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{AdamW, Dropout, Linear, Module, Optimizer, ParamsAdamW};
use trainer::models::seed_network::network::{EMBEDDING_DIM, HIDDEN_DIM, STATE_DIM};
use trainer::nn::leaky_relu::NEGATIVE_SLOPE;
use trainer::models::seed_network::rows::TrainingRows;
use watchnext::features::{HISTORY_LEN, TIME_FEATURES};

use crate::Contender;
use crate::batch::{DROPOUT, LEARNING_RATE, MOVIES, Parameters};

/// The network in candle's layers.
pub struct WithCandle {
    embedding: Var,
    padding: Tensor,
    hidden: Linear,
    state: Linear,
    movies: Linear,
    dropout: Dropout,
    optimizer: AdamW,
    history: Tensor,
    time: Tensor,
    target: Tensor,
}

impl WithCandle {
    /// Starts from `parameters` and trains on `rows`.
    pub fn new(parameters: &Parameters, rows: &TrainingRows) -> Result<Self> {
        let mut vars = Vec::new();
        let mut var = |values: &[f32], shape: &[usize]| -> Result<Var> {
            let var = Var::from_tensor(&Tensor::from_slice(values, shape, &Device::Cpu)?)?;
            vars.push(var.clone());
            Ok(var)
        };
        let embedding = var(&parameters.embedding, &[MOVIES, EMBEDDING_DIM])?;
        let mut linear = |(weight, bias): &(Vec<f32>, Vec<f32>), inputs: usize, outputs: usize| -> Result<Linear> {
            let weight = var(weight, &[outputs, inputs])?;
            Ok(Linear::new(weight.as_tensor().clone(), Some(var(bias, &[outputs])?.as_tensor().clone())))
        };
        let hidden = linear(&parameters.hidden, TIME_FEATURES + EMBEDDING_DIM, HIDDEN_DIM)?;
        let state = linear(&parameters.state, HIDDEN_DIM, STATE_DIM)?;
        let movies = linear(&parameters.movies, STATE_DIM, MOVIES)?;
        // Without weight decay this is Adam, which candle-nn doesn't have separately.
        let params = ParamsAdamW { lr: LEARNING_RATE, weight_decay: 0.0, ..ParamsAdamW::default() };
        // candle looks rows up by unsigned numbers.
        let history: Vec<u32> = rows.history.iter().map(|movie| u32::try_from(*movie)).collect::<Result<_, _>>()?;
        Ok(Self {
            embedding,
            padding: Tensor::zeros((1, EMBEDDING_DIM), DType::F32, &Device::Cpu)?,
            hidden,
            state,
            movies,
            dropout: Dropout::new(DROPOUT as f32),
            optimizer: AdamW::new(vars, params)?,
            history: Tensor::from_vec(history, rows.len() * HISTORY_LEN, &Device::Cpu)?,
            time: Tensor::from_slice(&rows.time, (rows.len(), TIME_FEATURES), &Device::Cpu)?,
            target: Tensor::from_slice(&rows.target, rows.len(), &Device::Cpu)?,
        })
    }
}

impl Contender for WithCandle {
    fn name(&self) -> &'static str {
        "candle"
    }

    fn version(&self) -> String {
        crate::version_of("candle-core")
    }

    fn step(&mut self) -> Result<f32> {
        // candle's embedding has no padding row that stays at zero. Appending a row of zeros is the cheapest
        // substitute.
        let table = Tensor::cat(&[self.embedding.as_tensor(), &self.padding], 0)?;
        let slots = table.index_select(&self.history, 0)?;
        let mean = slots.reshape(((), HISTORY_LEN, EMBEDDING_DIM))?.mean(1)?;
        let inputs = Tensor::cat(&[&self.time, &mean], 1)?;
        let hidden = candle_nn::ops::leaky_relu(&self.hidden.forward(&inputs)?, NEGATIVE_SLOPE)?;
        let state = self.state.forward(&self.dropout.forward(&hidden, true)?)?;
        let state = self.dropout.forward(&candle_nn::ops::leaky_relu(&state, NEGATIVE_SLOPE)?, true)?;
        let loss = candle_nn::loss::cross_entropy(&self.movies.forward(&state)?, &self.target)?;
        self.optimizer.backward_step(&loss)?;
        Ok(loss.to_scalar()?)
    }
}
