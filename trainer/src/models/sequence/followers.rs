//! Which movies follow which, as a linear model. A ridge regression in closed form predicts the next movie from those
//! before it (Choi et al., *Session-aware Linear Item-Item Models for Session-based Recommendation*, WWW 2021). Its
//! weights are kept in few columns.
//!
//! A movie counts less the longer ago it was watched. There are several rates side by side, each with its own weights,
//! because the latest movie alone says something else than the last dozen.

use anyhow::{Context, Result, ensure};
use faer::linalg::matmul::matmul;
use faer::linalg::solvers::Solve;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use ndarray::Array2;

use super::data::Sequences;
use super::evaluate::MovieTable;
use crate::math::eigen::decompose;
use crate::math::solve::cholesky;

/// A movie that counts less than this is forgotten.
const FORGOTTEN: f32 = 1e-6;

/// A step counts with this power of the number of the user's steps, so that those who watched most don't dominate.
const USER_POWER: f32 = -0.25;

/// The model's settings.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FollowersConfig {
    /// For each way of counting: how much a movie counts relative to the one watched after it, above 0 and below 1.
    pub decays: Vec<f32>,
    /// The penalty of the regression.
    pub ridge: f32,
    /// How many columns are kept.
    pub rank: usize,
    /// How many of a user's last steps train at most, and how many of a history's last movies count at most.
    pub window: usize,
}

/// The fitted tables. A history's vector is the sum of its movies' left rows, in each way of counting, weighted by how
/// long ago the movie was watched. A score is its product with a movie's right row.
#[derive(Debug, Clone, PartialEq)]
pub struct Followers {
    /// For each way of counting: how much a movie counts relative to the one watched after it, and the left rows,
    /// `[movies, rank]`.
    pub left: Vec<(f32, Array2<f32>)>,
    /// `[movies, rank]`.
    pub right: Array2<f32>,
}

/// How much a history's movies count, the latest first, until they are forgotten.
fn counts(decay: f32) -> impl Iterator<Item = f32> {
    std::iter::successors(Some(1.0_f32), move |count| Some(count * decay)).take_while(|count| *count >= FORGOTTEN)
}

/// The regression's sums, as blocks by ways of counting, row by row.
struct Sums {
    /// The number of movies.
    movies: usize,
    /// `[ways · movies, ways · movies]`: the features' inner products.
    gram: Mat<f32>,
    /// `[ways · movies, movies]`: the features' inner products with the next movies.
    products: Mat<f32>,
}

impl Sums {
    /// Adds a user's steps. Only the user's movies take part, so small matrices are computed and added where they
    /// belong.
    fn add(&mut self, watched: &[u32], decays: &[f32]) {
        let Some((_, movies)) = watched.split_last() else { return };
        let Some((_, next)) = watched.split_first() else { return };
        let (steps, ways) = (movies.len(), decays.len());
        let width = ways * steps;
        // A row for each step: how much each movie up to it counts.
        let mut features = vec![0.0_f32; steps * width];
        for (step, row) in features.chunks_exact_mut(width.max(1)).enumerate() {
            for (part, decay) in row.chunks_exact_mut(steps).zip(decays) {
                let past = part.iter_mut().take(step + 1).rev();
                past.zip(counts(*decay)).for_each(|(feature, count)| *feature = count);
            }
        }
        let weight = (steps as f32).powf(USER_POWER);
        let features_of = MatRef::from_row_major_slice(&features, steps, width);
        let mut gram = vec![0.0_f32; width * width];
        let made = MatMut::from_row_major_slice_mut(&mut gram, width, width);
        matmul(made, Accum::Replace, features_of.transpose(), features_of, weight, Par::Seq);
        let place = |at: usize| Some((at / steps) * self.movies + *movies.get(at % steps)? as usize);
        for (at, row) in gram.chunks_exact(width.max(1)).enumerate() {
            // The matrix is symmetric, and its columns are contiguous in memory.
            let Some(column) = place(at) else { continue };
            let sums = self.gram.col_as_slice_mut(column);
            for (other, value) in row.iter().enumerate() {
                if let Some(sum) = place(other).and_then(|place| sums.get_mut(place)) {
                    *sum += value;
                }
            }
        }
        for (row, next) in features.chunks_exact(width.max(1)).zip(next) {
            let sums = self.products.col_as_slice_mut(*next as usize);
            for (at, value) in row.iter().enumerate().filter(|(_, value)| **value != 0.0) {
                if let Some(sum) = place(at).and_then(|place| sums.get_mut(place)) {
                    *sum += weight * value;
                }
            }
        }
    }
}

impl Followers {
    /// Fits the model to the users' training movies.
    ///
    /// # Errors
    /// A decay that isn't between 0 and 1, a ridge that isn't above 0, and equations that can't be solved.
    pub fn fit(sequences: &Sequences, config: &FollowersConfig) -> Result<Self> {
        let is_share = |decay: &f32| *decay > 0.0 && *decay < 1.0;
        ensure!(
            !config.decays.is_empty() && config.decays.iter().all(is_share),
            "a decay must be between 0 and 1, and there must be at least one"
        );
        ensure!(config.ridge > 0.0, "the ridge must be above 0");
        let (movies, ways) = (sequences.len(), config.decays.len());
        let size = ways * movies;
        let mut sums = Sums { movies, gram: Mat::zeros(size, size), products: Mat::zeros(size, movies) };
        for user in &sequences.users {
            let watched = user.training();
            let from = watched.len().saturating_sub(config.window + 1);
            sums.add(watched.get(from..).unwrap_or_default(), &config.decays);
        }
        let Sums { mut gram, products: mut weights, .. } = sums;
        let products = weights.clone();
        for at in 0..size {
            gram[(at, at)] += config.ridge;
        }
        let factor = cholesky(gram.as_ref()).context("the regression has no solution")?;
        drop(gram);
        factor.solve_in_place(&mut weights);
        reduced(&products, &weights, config, movies)
    }

    /// A history's vector, `[rank]`.
    pub fn vector(&self, history: &[u32]) -> Vec<f32> {
        let mut vector = vec![0.0; self.right.ncols()];
        for (decay, left) in &self.left {
            for (movie, count) in history.iter().rev().zip(counts(*decay)) {
                for (sum, value) in vector.iter_mut().zip(left.row(*movie as usize)) {
                    *sum += count * value;
                }
            }
        }
        vector
    }

    /// The vectors of several histories, `[histories, rank]`.
    ///
    /// # Errors
    /// None: all vectors have one length.
    pub fn vectors(&self, histories: &[&[u32]]) -> Result<Array2<f32>> {
        let values: Vec<f32> = histories.iter().flat_map(|history| self.vector(history)).collect();
        Array2::from_shape_vec((histories.len(), self.right.ncols()), values).context("vectors of one width")
    }

    /// The movies' side of the scores.
    pub fn table(&self) -> MovieTable {
        MovieTable { vectors: self.right.clone(), bias: vec![0.0; self.right.nrows()] }
    }
}

/// The regression's weights `[ways · movies, movies]` in few columns.
///
/// A history's scores are features times weights. So with `G` the features' Gram matrix and its ridge, the best columns
/// are the first eigenvectors of `weightsᵀ · G · weights` (Eckart and Young 1936), onto which the weights are
/// projected. The weights solve `G · weights = products`, so that matrix is `weightsᵀ · products`.
fn reduced(products: &Mat<f32>, weights: &Mat<f32>, config: &FollowersConfig, movies: usize) -> Result<Followers> {
    let rank = config.rank.min(movies);
    let mut metric: Mat<f32> = Mat::zeros(movies, movies);
    matmul(metric.as_mut(), Accum::Replace, weights.transpose(), products.as_ref(), 1.0, Par::Seq);
    let eigen = decompose(metric.as_ref())?;
    // Eigenvalues ascend.
    let right = Mat::from_fn(movies, rank, |row, column| eigen.U()[(row, movies - 1 - column)]);
    let mut left: Mat<f32> = Mat::zeros(weights.nrows(), rank);
    matmul(left.as_mut(), Accum::Replace, weights.as_ref(), right.as_ref(), 1.0, Par::Seq);
    let table = |matrix: &Mat<f32>, from: usize| {
        Array2::from_shape_fn((movies, rank), |(row, column)| matrix[(from + row, column)])
    };
    let ways = config.decays.iter().enumerate();
    Ok(Followers {
        left: ways.map(|(way, decay)| (*decay, table(&left, way * movies))).collect(),
        right: table(&right, 0),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::models::sequence::evaluate::scores;

    /// All users go round the same circle of six movies from different starts: after each movie comes the next.
    #[test]
    fn the_next_movie_is_learnt() {
        let lines: Vec<String> = (0..6)
            .map(|user| {
                let movies: Vec<String> = (0..6).map(|step| (10 + (user + step) % 6).to_string()).collect();
                format!("{} {}", user + 1, movies.join(" "))
            })
            .collect();
        let sequences = Sequences::parse(&lines.join("\n")).unwrap();
        let config = FollowersConfig { decays: vec![0.3, 0.9], ridge: 0.01, rank: 6, window: 10 };
        let followers = Followers::fit(&sequences, &config).unwrap();
        for movie in 0..6_u32 {
            let scores = scores(&followers.vector(&[(movie + 5) % 6, movie]), &followers.table());
            let best = (0..6).max_by(|one, other| scores[*one].total_cmp(&scores[*other])).unwrap();
            assert_eq!(best, (movie as usize + 1) % 6, "{scores:?}");
        }
        let narrow = Followers::fit(&sequences, &FollowersConfig { rank: 2, ..config }).unwrap();
        assert_eq!((narrow.left[1].1.dim(), narrow.right.dim()), ((6, 2), (6, 2)));
    }

    /// The sums of two users with a movie in common, compared with the features written out.
    #[test]
    fn sums_are_those_of_all_steps() {
        let mut sums = Sums { movies: 4, gram: Mat::zeros(8, 8), products: Mat::zeros(8, 4) };
        let (decays, users) = ([0.5, 0.25], [vec![2, 0, 3], vec![0, 1]]);
        users.iter().for_each(|watched| sums.add(watched, &decays));
        let (mut gram, mut products) = ([[0.0_f32; 8]; 8], [[0.0_f32; 4]; 8]);
        for watched in &users {
            let weight = (watched.len() as f32 - 1.0).powf(USER_POWER);
            for step in 0..watched.len() - 1 {
                let mut features = [0.0_f32; 8];
                for (way, decay) in decays.iter().enumerate() {
                    for past in 0..=step {
                        features[way * 4 + watched[past] as usize] = f32::powi(*decay, (step - past) as i32);
                    }
                }
                for row in 0..8 {
                    for column in 0..8 {
                        gram[row][column] += weight * features[row] * features[column];
                    }
                    products[row][watched[step + 1] as usize] += weight * features[row];
                }
            }
        }
        for (row, (gram, products)) in gram.iter().zip(&products).enumerate() {
            for (column, expected) in gram.iter().enumerate() {
                assert!((sums.gram[(row, column)] - expected).abs() < 1e-6);
            }
            for (column, expected) in products.iter().enumerate() {
                assert!((sums.products[(row, column)] - expected).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn the_latest_movie_counts_1_and_the_forgotten_nothing() {
        let found: Vec<f32> = counts(0.05).collect();
        assert_eq!((found[0], found[1], found.len()), (1.0, 0.05, 5));
    }

    #[test]
    fn impossible_settings_are_refused() {
        let sequences = Sequences::parse("1 10 20 30 40").unwrap();
        let config = FollowersConfig { decays: vec![1.0], ridge: 1.0, rank: 2, window: 10 };
        assert!(Followers::fit(&sequences, &config).is_err());
        let without_ridge = FollowersConfig { decays: vec![0.5], ridge: 0.0, ..config };
        assert!(Followers::fit(&sequences, &without_ridge).is_err());
    }
}
