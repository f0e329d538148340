//! The check of an operation's gradient, for tests.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use candle_core::{Device, Tensor, Var};

/// A variable of these values.
pub fn var(values: Vec<f32>, shape: &[usize]) -> Var {
    Var::from_tensor(&Tensor::from_vec(values, shape, &Device::Cpu).unwrap()).unwrap()
}

/// Numbers between −1 and 1 without a pattern that could hide a mistake.
pub fn wave(count: usize, step: f32) -> Vec<f32> {
    (0..count).map(|i| (i as f32 * step + 0.4).sin()).collect()
}

/// Compares an operation's gradient of `argument` with the differences that small steps make. The results count with
/// different weights, so that mistakes can't cancel out.
pub fn check_gradient(argument: &Var, operation: &dyn Fn(&Tensor) -> Tensor) {
    const STEP: f32 = 1e-2;
    let loss = |argument: &Tensor| {
        let result = operation(argument);
        let weights = wave(result.elem_count(), 2.3);
        let weights = Tensor::from_vec(weights, result.shape(), result.device()).unwrap();
        (result * weights).unwrap().sum_all().unwrap()
    };
    let gradient = loss(argument).backward().unwrap();
    let gradient = gradient.get(argument).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let values = argument.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    for (at, expected) in gradient.iter().enumerate() {
        let moved = |by: f32| {
            let mut values = values.clone();
            values[at] += by;
            let moved = Tensor::from_vec(values, argument.shape(), argument.device()).unwrap();
            f64::from(loss(&moved).to_scalar::<f32>().unwrap())
        };
        let difference = (moved(STEP) - moved(-STEP)) / f64::from(2.0 * STEP);
        assert!(
            (difference - f64::from(*expected)).abs() < 2e-3 * (1.0 + difference.abs()),
            "number {at}: {expected} where differences say {difference}"
        );
    }
}
