//! Adam (Kingma and Ba, *Adam: A Method for Stochastic Optimization*, ICLR 2015) with its state in the open.
//!
//! candle-nn's Adam keeps its moments private, but a run can only resume to the same bundle if a checkpoint has them.

use std::borrow::Cow;
use std::collections::HashMap;

use anyhow::{Context, Result};
use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};
use rayon::prelude::*;

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// One parameter with its moments.
#[derive(Debug)]
struct Slot {
    name: Cow<'static, str>,
    parameter: Var,
    first_moment: Vec<f32>,
    second_moment: Vec<f32>,
}

/// The optimiser's state over all parameters.
#[derive(Debug)]
pub struct Adam {
    slots: Vec<Slot>,
    /// Steps taken so far.
    pub steps: i32,
    weight_decay: f32,
    decoupled_decay: f32,
}

impl Adam {
    /// Adam over `parameters`, with the names that they have in a checkpoint.
    pub fn new<'var, Name: Into<Cow<'static, str>>>(parameters: impl IntoIterator<Item = (Name, &'var Var)>) -> Self {
        let slots = parameters.into_iter().map(|(name, parameter)| {
            let zeros = vec![0.0; parameter.elem_count()];
            Slot { name: name.into(), parameter: parameter.clone(), first_moment: zeros.clone(), second_moment: zeros }
        });
        Self { slots: slots.collect(), steps: 0, weight_decay: 0.0, decoupled_decay: 0.0 }
    }

    /// Adds `weight_decay` times each parameter to its gradient: the L2 penalty of Adam's paper and of PyTorch's
    /// `Adam`. It pulls hardest where gradients are small, on the movies that few users rated.
    pub fn with_weight_decay(self, weight_decay: f32) -> Self {
        Self { weight_decay, ..self }
    }

    /// Shrinks all parameters except biases by `decay` times the learning rate at every step, independently of the
    /// gradient (Loshchilov and Hutter, *Decoupled Weight Decay Regularization*, ICLR 2019).
    pub fn with_decoupled_decay(self, decay: f32) -> Self {
        Self { decoupled_decay: decay, ..self }
    }

    /// Moves every parameter against its gradient.
    ///
    /// # Errors
    /// A parameter without a gradient, which is a defect of the network.
    pub fn step(&mut self, gradients: &GradStore, learning_rate: f64) -> Result<()> {
        self.steps += 1;
        let correction_1 = 1.0 - f64::from(BETA_1).powi(self.steps);
        let correction_2 = 1.0 - f64::from(BETA_2).powi(self.steps);
        let rate = (learning_rate / correction_1) as f32;
        let root = (1.0 / correction_2.sqrt()) as f32;
        let weight_decay = self.weight_decay;
        for slot in &mut self.slots {
            let gradient = gradients.get(&slot.parameter).with_context(|| format!("{} has no gradient", slot.name))?;
            let gradient = gradient.flatten_all()?.to_vec1::<f32>()?;
            let mut values = slot.parameter.flatten_all()?.to_vec1::<f32>()?;
            let decay = if slot.name.ends_with("bias") { 0.0 } else { learning_rate as f32 * self.decoupled_decay };
            let moments = slot.first_moment.par_iter_mut().zip(slot.second_moment.par_iter_mut());
            values.par_iter_mut().with_min_len(16_384).zip(gradient).zip(moments).for_each(
                |((value, gradient), (first, second))| {
                    let gradient = gradient + weight_decay * *value;
                    *first = BETA_1 * *first + (1.0 - BETA_1) * gradient;
                    *second = BETA_2 * *second + (1.0 - BETA_2) * gradient * gradient;
                    *value -= rate * *first / (second.sqrt() * root + EPSILON) + decay * *value;
                },
            );
            slot.parameter.set(&Tensor::from_vec(values, slot.parameter.shape(), slot.parameter.device())?)?;
        }
        Ok(())
    }

    /// The moments as tensors `NAME.first_moment` and `NAME.second_moment`.
    pub fn tensors(&self) -> Result<HashMap<String, Tensor>> {
        let mut tensors = HashMap::new();
        for slot in &self.slots {
            for (moment, values) in [("first_moment", &slot.first_moment), ("second_moment", &slot.second_moment)] {
                let tensor = Tensor::from_slice(values, values.len(), slot.parameter.device())?;
                tensors.insert(format!("{}.{moment}", slot.name), tensor);
            }
        }
        Ok(tensors)
    }

    /// Restores the moments from [`Adam::tensors`].
    ///
    /// # Errors
    /// A moment that is missing or has another length.
    pub fn restore(&mut self, tensors: &HashMap<String, Tensor>, steps: i32) -> Result<()> {
        for slot in &mut self.slots {
            let moments = [("first_moment", &mut slot.first_moment), ("second_moment", &mut slot.second_moment)];
            for (moment, values) in moments {
                let name = format!("{}.{moment}", slot.name);
                let tensor = tensors.get(&name).with_context(|| format!("the checkpoint has no {name}"))?;
                let restored = tensor.to_vec1::<f32>()?;
                anyhow::ensure!(restored.len() == values.len(), "the checkpoint's {name} has another length");
                *values = restored;
            }
        }
        self.steps = steps;
        Ok(())
    }
}

/// Divides the learning rate by ten if the training loss hasn't fallen by 0.01 % for more than two epochs, as PyTorch's
/// `ReduceLROnPlateau(factor=0.1, patience=2)` does in the notebook.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PlateauSchedule {
    /// The rate of the next epoch.
    pub learning_rate: f64,
    best_loss: f64,
    epochs_without_gain: u32,
}

impl PlateauSchedule {
    const FACTOR: f64 = 0.1;
    const PATIENCE: u32 = 2;
    const THRESHOLD: f64 = 1e-4;

    /// A schedule that starts at `learning_rate`.
    pub const fn new(learning_rate: f64) -> Self {
        Self { learning_rate, best_loss: f64::MAX, epochs_without_gain: 0 }
    }

    /// Adapts the rate to an epoch's mean training loss.
    pub fn epoch(&mut self, loss: f64) {
        if loss < self.best_loss * (1.0 - Self::THRESHOLD) {
            self.best_loss = loss;
            self.epochs_without_gain = 0;
        } else {
            self.epochs_without_gain += 1;
        }
        if self.epochs_without_gain > Self::PATIENCE {
            self.learning_rate *= Self::FACTOR;
            self.epochs_without_gain = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use candle_core::Device;

    /// Values by PyTorch 2's `torch.optim.Adam(lr=0.1)` on the loss `x²` from 1.0, to six digits: the first steps are
    /// the rate itself, since the moments' ratio is then one.
    #[test]
    fn steps_as_pytorch_does() {
        let parameter = Var::from_tensor(&Tensor::new(&[1.0_f32], &Device::Cpu).unwrap()).unwrap();
        let mut adam = Adam::new([("x", &parameter)]);
        let mut path = Vec::new();
        for _ in 0..3 {
            let loss = parameter.sqr().unwrap().sum_all().unwrap();
            adam.step(&loss.backward().unwrap(), 0.1).unwrap();
            path.push(parameter.to_vec1::<f32>().unwrap()[0]);
        }
        let expected = [0.9, 0.800_412, 0.701_586];
        assert!(path.iter().zip(expected).all(|(value, expected)| (value - expected).abs() < 1e-4), "{path:?}");
    }

    #[test]
    fn the_rate_falls_after_three_epochs_without_gain() {
        let mut schedule = PlateauSchedule::new(0.01);
        for (loss, rate) in [(5.0, 0.01), (4.0, 0.01), (4.0, 0.01), (4.0, 0.01), (4.0, 0.001), (3.0, 0.001)] {
            schedule.epoch(loss);
            assert!((schedule.learning_rate - rate).abs() < 1e-12, "after {loss}: {}", schedule.learning_rate);
        }
    }
}
