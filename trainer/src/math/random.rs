//! Seeded random numbers.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One of the independent streams of random numbers that a seed has.
pub(crate) fn stream(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

// `rand_distr` has a normal distribution too, but it draws other numbers, so it would change every trained model. Let
// it replace these two at the next retraining.

/// A number from the normal distribution about 0 with this standard deviation (Box and Muller, 1958).
pub(crate) fn normal(rng: &mut (impl Rng + ?Sized), deviation: f32) -> f32 {
    let (radius, angle): (f32, f32) = (1.0 - rng.random::<f32>(), rng.random());
    deviation * (-2.0 * radius.ln()).sqrt() * (std::f32::consts::TAU * angle).cos()
}

/// A number from the standard normal distribution in 64 bits; see [`normal`].
pub(crate) fn standard_normal(rng: &mut (impl Rng + ?Sized)) -> f64 {
    let (radius, angle): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean and the deviation of ten thousand draws, within five of their own standard errors.
    #[test]
    fn normal_numbers_have_their_mean_and_their_deviation() {
        let moments = |values: Vec<f64>| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
            (mean, variance.sqrt())
        };
        let mut rng = stream(1, 0);
        let (mean, deviation) = moments((0..10_000).map(|_| f64::from(normal(&mut rng, 3.0))).collect());
        assert!(mean.abs() < 0.15 && (deviation - 3.0).abs() < 0.11, "{mean}, {deviation}");
        let (mean, deviation) = moments((0..10_000).map(|_| standard_normal(&mut rng)).collect());
        assert!(mean.abs() < 0.05 && (deviation - 1.0).abs() < 0.036, "{mean}, {deviation}");
    }

    #[test]
    fn streams_differ_and_repeat() {
        let first = |seed, number| stream(seed, number).next_u64();
        assert_eq!(first(1, 2), first(1, 2));
        assert_ne!(first(1, 2), first(1, 3));
        assert_ne!(first(1, 2), first(2, 2));
        // Stream 0 is that of the plain seed.
        assert_eq!(first(1, 0), ChaCha8Rng::seed_from_u64(1).next_u64());
    }
}
