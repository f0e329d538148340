//! Implicit alternating least squares (Hu, Koren and Volinsky, *Collaborative Filtering for Implicit Feedback Datasets*, ICDM
//! 2008). A visitor is folded in: the history's factors are solved for against the movies', as a training user's are.

use std::fmt;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use faer::linalg::matmul::matmul;
use faer::prelude::Solve;
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use watchnext::features::LocalTime;
use watchnext::history::History;

use super::incidence::{Counts, Incidence, Signal};
use super::{Recency, unseen};
use crate::evaluate::Scorer;
use crate::methods::{Axis, Family, Selection, TrainingSet, axis};

/// The seed of the factors before the first iteration.
const SEED: u64 = 20_080_101;

/// The family of factorisations.
#[derive(Debug)]
pub struct Als;

/// Minimises `Σ c_ui (p_ui − x_u·y_i)² + λ (Σ |x_u|² + Σ |y_i|²)` with `p_ui` whether user `u` has movie `i` and `c_ui = 1 + α p_ui`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlsParameters {
    /// Which events count.
    pub signal: Signal,
    /// The vectors' length.
    pub factors: usize,
    /// How much more a movie that a user has counts than one that the user hasn't.
    pub alpha: f32,
    /// The L2 regularisation.
    pub lambda: f32,
    /// How often movies and then users are solved for.
    pub iterations: usize,
    /// How fast watched movies are forgotten.
    pub recency: Recency,
}

impl fmt::Display for AlsParameters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { signal, factors, alpha, lambda, iterations, recency } = self;
        write!(formatter, "{signal}, {factors} factors, α {alpha}, λ {lambda}, {iterations} iterations, {recency}")
    }
}

impl Family for Als {
    type Parameters = AlsParameters;
    type Statistics = Counts;

    fn id(&self) -> &'static str {
        "als"
    }

    fn name(&self) -> &'static str {
        "implicit ALS"
    }

    fn start(&self) -> AlsParameters {
        let (signal, recency) = (Signal::Likes, Recency::default());
        AlsParameters { signal, factors: 16, alpha: 0.5, lambda: 20.0, iterations: 6, recency }
    }

    fn axes(&self, selection: &Selection) -> Vec<Axis<AlsParameters>> {
        vec![
            axis(&Recency::choices(selection), |parameters, recency| parameters.recency = recency),
            axis(&Signal::ALL, |parameters, signal| parameters.signal = signal),
            axis(&[8, 16, 32, 48], |parameters, factors| parameters.factors = factors),
            axis(&[0.2, 0.5, 1.0, 2.0, 5.0], |parameters, alpha| parameters.alpha = alpha),
            axis(&[5.0, 10.0, 20.0, 40.0], |parameters, lambda| parameters.lambda = lambda),
            axis(&[3, 6, 12], |parameters, iterations| parameters.iterations = iterations),
        ]
    }

    fn statistics(&self, training: &TrainingSet) -> Result<Counts> {
        Counts::new(training)
    }

    fn scorer(&self, counts: &Arc<Counts>, parameters: &AlsParameters) -> Result<Box<dyn Scorer>> {
        let (_, movies) = alternate(counts.incidence(parameters.signal), parameters)?;
        Ok(Box::new(Factors::new(movies, parameters)))
    }
}

/// One side's vectors, `[rows, factors]` row by row.
#[derive(Debug, Clone, PartialEq)]
struct Table {
    values: Vec<f32>,
    factors: usize,
}

impl Table {
    fn row(&self, row: usize) -> &[f32] {
        self.values.get(row * self.factors..(row + 1) * self.factors).unwrap_or_default()
    }

    /// `YᵀY + λI`, `[factors, factors]`.
    fn gram(&self, lambda: f32) -> Vec<f32> {
        let rows = self.values.len() / self.factors;
        let table = MatRef::from_row_major_slice(&self.values, rows, self.factors);
        let mut gram = vec![0.0; self.factors * self.factors];
        let product = MatMut::from_row_major_slice_mut(&mut gram, self.factors, self.factors);
        matmul(product, Accum::Replace, table.transpose(), table, 1.0, Par::Seq);
        gram.iter_mut().step_by(self.factors + 1).for_each(|diagonal| *diagonal += lambda);
        gram
    }

    /// The vector that fits best to having the rows of `had`, each with the weight that scales `alpha`.
    fn solve(&self, gram: &[f32], alpha: f32, had: impl Iterator<Item = (usize, f32)>) -> Result<Vec<f32>> {
        let mut normal = gram.to_vec();
        let mut right = vec![0.0_f32; self.factors];
        let mut any = false;
        for (row, weight) in had {
            let vector = self.row(row);
            let confidence = alpha * weight;
            for (line, left) in normal.chunks_exact_mut(self.factors).zip(vector) {
                let scaled = confidence * left;
                for (entry, value) in line.iter_mut().zip(vector) {
                    *entry += scaled * value;
                }
            }
            // A weight below 1 says how far the movie was had at all, so it scales the preference too.
            for (sum, value) in right.iter_mut().zip(vector) {
                *sum += (weight + confidence) * value;
            }
            any = true;
        }
        if !any {
            return Ok(right);
        }
        let normal = MatRef::from_row_major_slice(&normal, self.factors, self.factors);
        let cholesky = normal.llt(Side::Lower).map_err(|error| anyhow!("ALS can't solve for a vector: {error:?}"))?;
        let mut solution = Mat::from_fn(self.factors, 1, |row, _| right.get(row).copied().unwrap_or_default());
        cholesky.solve_in_place(&mut solution);
        Ok(solution.col(0).iter().copied().collect())
    }

    /// The other side's vectors, given each of its rows' lists.
    fn solve_all(&self, lists: &[Vec<u32>], parameters: &AlsParameters) -> Result<Self> {
        let gram = self.gram(parameters.lambda);
        let solve = |list: &Vec<u32>| self.solve(&gram, parameters.alpha, list.iter().map(|row| (*row as usize, 1.0)));
        let rows: Vec<Vec<f32>> = lists.par_iter().with_min_len(16).map(solve).collect::<Result<_>>()?;
        Ok(Self { values: rows.concat(), factors: self.factors })
    }
}

/// The users' and the movies' vectors. The users are solved for last, so that folding in a training user gives back that
/// user's own vector.
fn alternate(incidence: &Incidence, parameters: &AlsParameters) -> Result<(Table, Table)> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let factors = parameters.factors;
    let scale = 1.0 / (factors as f32).sqrt();
    let random = (0..incidence.movies_of.len() * factors).map(|_| scale * rng.random_range(-1.0..1.0_f32)).collect();
    let mut users = Table { values: random, factors };
    let mut movies = Table { values: Vec::new(), factors };
    for _ in 0..parameters.iterations {
        movies = users.solve_all(&incidence.users_of, parameters)?;
        users = movies.solve_all(&incidence.movies_of, parameters)?;
    }
    Ok((users, movies))
}

/// A fitted factorisation: what it takes to fold in a visitor.
struct Factors {
    movies: Table,
    /// [`Table::gram`] of the movies.
    gram: Vec<f32>,
    alpha: f32,
    recency: Recency,
}

impl Factors {
    fn new(movies: Table, parameters: &AlsParameters) -> Self {
        let gram = movies.gram(parameters.lambda);
        Self { movies, gram, alpha: parameters.alpha, recency: parameters.recency }
    }
}

impl Scorer for Factors {
    fn scores(&self, history: &History, _moment: &LocalTime) -> Result<Vec<(usize, f32)>> {
        let visitor = self.movies.solve(&self.gram, self.alpha, self.recency.weigh(history))?;
        let score = |row: &[f32]| row.iter().zip(&visitor).map(|(left, right)| left * right).sum();
        Ok(unseen(self.movies.values.chunks_exact(self.movies.factors).map(score).collect(), history))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::baselines::checkerboard;

    #[test]
    fn folding_in_a_training_user_gives_the_users_own_vector() {
        let training = checkerboard::training();
        let counts = Als.statistics(&training).unwrap();
        let incidence = counts.incidence(Signal::Likes);
        let parameters = AlsParameters { factors: 4, lambda: 0.5, ..Als.start() };
        let (users, movies) = alternate(incidence, &parameters).unwrap();
        let fitted = Factors::new(movies, &parameters);
        for (user, list) in incidence.movies_of.iter().enumerate() {
            let had = list.iter().map(|movie| (*movie as usize, 1.0));
            let folded = fitted.movies.solve(&fitted.gram, fitted.alpha, had).unwrap();
            for (folded, own) in folded.iter().zip(users.row(user)) {
                assert!((folded - own).abs() < 1e-5, "user {user}: {folded} against {own}");
            }
        }
    }

    /// Each half-step is an exact minimum, so the loss can't rise.
    #[test]
    fn iterations_lower_the_loss() {
        let training = checkerboard::training();
        let counts = Als.statistics(&training).unwrap();
        let incidence = counts.incidence(Signal::Likes);
        let loss = |iterations: usize| {
            let parameters = AlsParameters { factors: 3, lambda: 0.5, iterations, ..Als.start() };
            let (users, movies) = alternate(incidence, &parameters).unwrap();
            let mut loss: f32 = users.values.iter().chain(&movies.values).map(|value| 0.5 * value * value).sum();
            for (user, list) in incidence.movies_of.iter().enumerate() {
                for movie in 0..training.catalog.len() {
                    let has = list.contains(&u32::try_from(movie).unwrap());
                    let dot: f32 =
                        users.row(user).iter().zip(movies.row(movie)).map(|(left, right)| left * right).sum();
                    let (preference, confidence) = if has { (1.0, 1.0 + parameters.alpha) } else { (0.0, 1.0) };
                    loss += confidence * (preference - dot).powi(2);
                }
            }
            loss
        };
        let losses = [1, 2, 4, 8].map(loss);
        assert!(losses.is_sorted_by(|left, right| *left + 1e-4 >= *right), "{losses:?}");
    }
}
