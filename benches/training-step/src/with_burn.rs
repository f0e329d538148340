//! burn on each of its backends for processors, with burn's own layers, loss and optimiser.

use anyhow::{Context, Result, anyhow};
use burn::module::{Module, Param};
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::nn::{Dropout, DropoutConfig, Linear};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::activation::leaky_relu;
use burn::tensor::module::embedding;
use burn::tensor::{Device, Int, Tensor, TensorData};
use trainer::models::seed_network::network::{EMBEDDING_DIM, HIDDEN_DIM, STATE_DIM};
use trainer::nn::leaky_relu::NEGATIVE_SLOPE;
use trainer::models::seed_network::rows::TrainingRows;
use watchnext::features::{HISTORY_LEN, TIME_FEATURES};

use crate::Contender;
use crate::batch::{DROPOUT, LEARNING_RATE, MOVIES, Parameters};

#[derive(Module, Debug)]
struct Network {
    embedding: Param<Tensor<2>>,
    hidden: Linear,
    state: Linear,
    movies: Linear,
    dropout: Dropout,
}

impl Network {
    fn new(parameters: &Parameters, device: &Device) -> Self {
        let table = TensorData::new(parameters.embedding.clone(), [MOVIES, EMBEDDING_DIM]);
        Self {
            embedding: Param::from_tensor(Tensor::from_data(table, device)),
            hidden: linear(&parameters.hidden, TIME_FEATURES + EMBEDDING_DIM, HIDDEN_DIM, device),
            state: linear(&parameters.state, HIDDEN_DIM, STATE_DIM, device),
            movies: linear(&parameters.movies, STATE_DIM, MOVIES, device),
            dropout: DropoutConfig::new(DROPOUT).init(),
        }
    }

    fn forward(&self, history: Tensor<2, Int>, time: Tensor<2>) -> Tensor<2> {
        // burn's embedding has no padding row that stays at zero. Appending a row of zeros is the cheapest substitute.
        let padding = Tensor::zeros([1, EMBEDDING_DIM], &time.device());
        let table = Tensor::cat(vec![self.embedding.val(), padding], 0);
        let mean = embedding(table, history).mean_dim(1).squeeze_dim::<2>(1);
        let hidden = leaky_relu(self.hidden.forward(Tensor::cat(vec![time, mean], 1)), NEGATIVE_SLOPE);
        let state = leaky_relu(self.state.forward(self.dropout.forward(hidden)), NEGATIVE_SLOPE);
        self.movies.forward(self.dropout.forward(state))
    }
}

/// burn's layer, whose weight is transposed compared with PyTorch's.
fn linear((weight, bias): &(Vec<f32>, Vec<f32>), inputs: usize, outputs: usize, device: &Device) -> Linear {
    let mut transposed: Vec<f32> = Vec::with_capacity(weight.len());
    for input in 0..inputs {
        transposed.extend(weight.iter().skip(input).step_by(inputs));
    }
    let weight = Tensor::from_data(TensorData::new(transposed, [inputs, outputs]), device);
    let bias = Tensor::from_data(TensorData::new(bias.clone(), [outputs]), device);
    Linear { weight: Param::from_tensor(weight), bias: Some(Param::from_tensor(bias)) }
}

/// burn's compiled backend, if this build has it.
fn cubecl() -> Option<Device> {
    #[cfg(feature = "cubecl")]
    return Some(Device::cpu());
    #[cfg(not(feature = "cubecl"))]
    None
}

/// The network on one of burn's backends.
pub struct WithBurn {
    name: &'static str,
    device: Device,
    /// `None` only during a step, because burn's optimiser takes the network and returns it.
    network: Option<Network>,
    optimizer: ModuleOptimizer,
    entropy: CrossEntropyLoss,
    history: Tensor<2, Int>,
    time: Tensor<2>,
    target: Tensor<1, Int>,
}

impl WithBurn {
    /// The backends that this build has, by name.
    pub fn backends() -> Vec<(&'static str, Device)> {
        // Deprecated in favour of flex, but the only backend whose matrix product isn't the crate that candle uses.
        #[expect(deprecated)]
        let ndarray = Device::ndarray();
        let mut backends = vec![("burn-flex", Device::flex()), ("burn-ndarray", ndarray)];
        if let Some(device) = cubecl() {
            backends.push(("burn-cpu", device));
        }
        backends
    }

    /// Starts from `parameters` and trains on `rows`.
    pub fn new(name: &'static str, device: Device, parameters: &Parameters, rows: &TrainingRows) -> Self {
        let device = device.autodiff();
        let target: Vec<i64> = rows.target.iter().map(|target| i64::from(*target)).collect();
        Self {
            name,
            network: Some(Network::new(parameters, &device)),
            // burn's default is 1e-5. The other contenders and the notebook use PyTorch's.
            optimizer: AdamConfig::new().with_epsilon(1e-8).init(),
            entropy: CrossEntropyLossConfig::new().init(&device),
            history: Tensor::from_data(TensorData::new(rows.history.clone(), [rows.len(), HISTORY_LEN]), &device),
            time: Tensor::from_data(TensorData::new(rows.time.clone(), [rows.len(), TIME_FEATURES]), &device),
            target: Tensor::from_data(TensorData::new(target, [rows.len()]), &device),
            device,
        }
    }
}

impl Contender for WithBurn {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> String {
        crate::version_of("burn")
    }

    fn step(&mut self) -> Result<f32> {
        let network = self.network.take().context("an earlier step of burn failed")?;
        let loss = self.entropy.forward(network.forward(self.history.clone(), self.time.clone()), self.target.clone());
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        self.network = Some(self.optimizer.step(LEARNING_RATE, network, gradients));
        let loss = loss.try_into_scalar::<f32>().map_err(|error| anyhow!("burn's loss can't be read: {error:?}"))?;
        // The compiled backend queues its work. A step is over when the parameters have changed.
        self.device.sync().map_err(|error| anyhow!("burn's step failed: {error:?}"))?;
        Ok(loss)
    }
}
