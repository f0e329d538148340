//! Taste from clicks alone, before a visitor rates anything.
//!
//! A ridge regression predicts the users' tastes, as [`taste`](super::taste) estimates them from ratings, from the
//! audience vectors of the movies that they had watched at some moments. A regression on the movies themselves predicts
//! less: there are more movies than users to learn from, and it would need a table of its own.

use anyhow::{Context, Result};
use faer::Mat;
use faer::linalg::solvers::Solve;
use ndarray::{Array2, Axis};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use watchnext::traits::TASTES;

use crate::math::solve::cholesky;

/// Random moments at which a user's history is taken, in addition to its end.
const MOMENTS: usize = 4;

/// The ridge, as a multiple of the mean of the regression's diagonal.
const RIDGE: f64 = 0.1;

/// The regression's matrix, `[audience columns, TASTES]`, for
/// [`MovieTraits::lean`](watchnext::traits::MovieTraits::lean).
///
/// `lists` are each user's movies, oldest first. `audience` has the movies' vectors, `[movies, columns]`, and `tastes`
/// the users'. There is no intercept, so an empty history has no leaning.
///
/// # Errors
/// Equations that can't be solved, which the ridge rules out.
pub fn fit(lists: &[Vec<u32>], audience: &Array2<f32>, tastes: &[[f32; TASTES]], seed: u64) -> Result<Array2<f32>> {
    let columns = audience.ncols();
    let mut left = Array2::<f64>::zeros((columns, columns));
    let mut right = Array2::<f64>::zeros((columns, TASTES));
    let tastes = about_mean(tastes);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for (list, taste) in lists.iter().zip(tastes.rows()) {
        let mut pooled = Array2::<f64>::zeros((columns, 1));
        let moments = moments(list.len(), &mut rng);
        for (before, movie) in (1..).zip(list) {
            let row = audience.index_axis(Axis(0), *movie as usize);
            pooled.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
            let times = moments.iter().filter(|moment| **moment == before).count() as f64;
            if times > 0.0 {
                // Pooled as in `ReactionHistory`.
                let scaled = &pooled / (before as f64 + 1.0).sqrt();
                left.scaled_add(times, &scaled.dot(&scaled.t()));
                right.scaled_add(times, &scaled.dot(&taste.insert_axis(Axis(0))));
            }
        }
    }
    let ridge = (RIDGE * left.diag().sum() / columns.max(1) as f64).max(f64::MIN_POSITIVE);
    let entry = |matrix: &Array2<f64>, at: (usize, usize)| matrix.get(at).copied().unwrap_or_default();
    let matrix = Mat::from_fn(columns, columns, |row, column| {
        entry(&left, (row, column)) + if row == column { ridge } else { 0.0 }
    });
    let factor = cholesky(matrix.as_ref()).context("leanings can't be solved for")?;
    let solution = factor.solve(Mat::from_fn(columns, TASTES, |row, column| entry(&right, (row, column))));
    Ok(Array2::from_shape_fn((columns, TASTES), |(row, column)| solution[(row, column)] as f32))
}

/// The tastes less their mean, which is already part of the movies' expected ratings.
fn about_mean(tastes: &[[f32; TASTES]]) -> Array2<f64> {
    let values = Array2::from_shape_fn((tastes.len(), TASTES), |(user, at)| {
        tastes.get(user).and_then(|taste| taste.get(at)).copied().map_or(0.0, f64::from)
    });
    let mean = values.mean_axis(Axis(0)).unwrap_or_default();
    values - mean
}

/// How many movies were watched at each moment: random numbers, evenly spread by their logarithm, and at last all
/// `len`.
fn moments(len: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let mut drawn = || ((len as f64).ln() * rng.random::<f64>()).exp().round() as usize;
    let some: Vec<usize> = (0..MOMENTS).map(|_| drawn()).collect();
    some.into_iter().chain([len]).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    /// Generous users watch movies whose audience lies one way, and the others movies whose audience lies the other
    /// way. All watch a third movie. Only the first of the tastes differs.
    #[test]
    fn the_watched_movies_tell_who_is_generous() {
        let audience = ndarray::arr2(&[[1.0_f32, 0.2], [-1.0, 0.2], [0.0, 1.0]]);
        let list = |user: u32| [user % 2, 2].repeat(1 + user as usize % 5);
        let lists: Vec<Vec<u32>> = (0..40).map(list).collect();
        let mut tastes = [[0.7; TASTES]; 40];
        (0..40).for_each(|user| tastes[user][0] = if user % 2 == 0 { 1.5 } else { -0.5 });
        let leaning = fit(&lists, &audience, &tastes, 1).unwrap();
        let leanings = audience.dot(&leaning);
        assert!(leanings[[0, 0]] > 0.3 && leanings[[1, 0]] < -0.3 && leanings[[2, 0]].abs() < 0.05, "{leanings}");
        assert!(
            (1..TASTES).all(|at| leanings.column(at).iter().all(|value| value.abs() < 1e-5)),
            "a taste that all users share has no leaning"
        );
        assert_eq!(leaning, fit(&lists, &audience, &tastes, 1).unwrap());
    }

    #[test]
    fn moments_are_within_the_history() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for len in [1, 2, 700] {
            let moments = moments(len, &mut rng);
            assert_eq!(moments.len(), MOMENTS + 1);
            assert!(moments.iter().all(|moment| (1..=len).contains(moment)), "{moments:?}");
            assert_eq!(moments.last(), Some(&len));
        }
    }
}
