//! What is watched after what, as a linear model: the next movie is predicted from the movies before it, each counting by how long ago it
//! was, by a ridge regression in closed form (Choi et al., *Session-aware Linear Item-Item Models for Session-based
//! Recommendation*, WWW 2021), and kept in few columns.

use anyhow::{Context, Result, anyhow, ensure};
use faer::linalg::matmul::matmul;
use faer::linalg::solvers::Solve;
use faer::{Accum, Mat, Par, Side};
use ndarray::Array2;

use super::data::Sequences;
use super::evaluate::MovieTable;

/// A movie that counts less than this is forgotten.
const FORGOTTEN: f32 = 0.01;

/// The model's settings.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct FollowersConfig {
    /// What a movie counts against the one watched after it, above 0 and below 1.
    pub decay: f32,
    /// The penalty of the regression.
    pub ridge: f64,
    /// Columns that are kept.
    pub rank: usize,
}

/// Two tables: a history's vector is the sum of its movies' left rows, by how long ago they were, and meets the movies' right rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Followers {
    /// What a movie counts against the one watched after it.
    pub decay: f32,
    /// `[movies, rank]`.
    pub left: Array2<f32>,
    /// `[movies, rank]`.
    pub right: Array2<f32>,
}

/// The movies of a history that aren't forgotten, the latest first, with what each counts.
fn remembered(history: &[u32], decay: f32) -> impl Iterator<Item = (usize, f32)> {
    let counts = std::iter::successors(Some(1.0_f32), move |count| Some(count * decay));
    history.iter().rev().map(|movie| *movie as usize).zip(counts.take_while(|count| *count >= FORGOTTEN))
}

impl Followers {
    /// Fits the model to the users' training movies. A user counts with one over the root of their number.
    ///
    /// # Errors
    /// A decay that isn't between 0 and 1, a ridge that isn't above 0, and what can't be decomposed.
    pub fn fit(sequences: &Sequences, config: &FollowersConfig) -> Result<Self> {
        ensure!(config.decay > 0.0 && config.decay < 1.0, "the decay is between 0 and 1");
        ensure!(config.ridge > 0.0, "the ridge is above 0");
        let movies = sequences.len();
        let mut gram: Mat<f32> = Mat::zeros(movies, movies);
        let mut products: Mat<f32> = Mat::zeros(movies, movies);
        for user in &sequences.users {
            let watched = user.training();
            let weight = 1.0 / (watched.len() as f32).sqrt();
            for end in 1..watched.len() {
                let Some((history, next)) = watched.split_at_checked(end) else { continue };
                let next = next.first().copied().unwrap_or_default() as usize;
                for (movie, count) in remembered(history, config.decay) {
                    products[(movie, next)] += weight * count;
                    for (other, other_count) in remembered(history, config.decay) {
                        gram[(movie, other)] += weight * count * other_count;
                    }
                }
            }
        }
        let mut penalised = gram.clone();
        for movie in 0..movies {
            penalised[(movie, movie)] += config.ridge as f32;
        }
        let factor = penalised.llt(Side::Lower).map_err(|error| anyhow!("the regression has no solution: {error:?}"))?;
        let mut weights = products;
        factor.solve_in_place(&mut weights);
        reduced(&gram, &weights, config)
    }

    /// A history's vector, `[rank]`.
    pub fn vector(&self, history: &[u32]) -> Vec<f32> {
        let mut vector = vec![0.0; self.left.ncols()];
        for (movie, count) in remembered(history, self.decay) {
            for (sum, value) in vector.iter_mut().zip(self.left.row(movie)) {
                *sum += count * value;
            }
        }
        vector
    }

    /// The vectors of several histories, `[histories, rank]`.
    ///
    /// # Errors
    /// None that can happen.
    pub fn vectors(&self, histories: &[&[u32]]) -> Result<Array2<f32>> {
        let values: Vec<f32> = histories.iter().flat_map(|history| self.vector(history)).collect();
        Array2::from_shape_vec((histories.len(), self.left.ncols()), values).context("vectors of one width")
    }

    /// The movies' side of the scores.
    pub fn table(&self) -> MovieTable {
        MovieTable { vectors: self.right.clone(), bias: vec![0.0; self.right.nrows()] }
    }
}

/// The regression's weights `[movies, movies]` in few columns. A history's vector is a row of weights, so errors count as histories do:
/// with a root of their Gram matrix, `gram = L · Lᵀ`, the best columns are the first right singular vectors of `Lᵀ · weights` (Eckart
/// and Young 1936), onto which the weights are projected.
fn reduced(gram: &Mat<f32>, weights: &Mat<f32>, config: &FollowersConfig) -> Result<Followers> {
    let movies = gram.nrows();
    let rank = config.rank.min(movies);
    let mut seen: Mat<f32> = Mat::zeros(movies, movies);
    matmul(seen.as_mut(), Accum::Replace, gram.as_ref(), weights.as_ref(), 1.0, Par::Seq);
    let mut metric: Mat<f32> = Mat::zeros(movies, movies);
    matmul(metric.as_mut(), Accum::Replace, weights.transpose(), seen.as_ref(), 1.0, Par::Seq);
    let eigen =
        metric.self_adjoint_eigen(Side::Lower).map_err(|error| anyhow!("eigenvalues don't converge: {error:?}"))?;
    // Eigenvalues ascend.
    let right = Mat::from_fn(movies, rank, |row, column| eigen.U()[(row, movies - 1 - column)]);
    let mut left: Mat<f32> = Mat::zeros(movies, rank);
    matmul(left.as_mut(), Accum::Replace, weights.as_ref(), right.as_ref(), 1.0, Par::Seq);
    let table = |matrix: &Mat<f32>| Array2::from_shape_fn((movies, rank), |(row, column)| matrix[(row, column)]);
    Ok(Followers { decay: config.decay, left: table(&left), right: table(&right) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::sequence::evaluate::scores;

    /// Everybody goes round the same circle of six movies from another start: after each movie comes the next.
    #[test]
    fn what_follows_is_learnt() {
        let lines: Vec<String> = (0..6)
            .map(|user| {
                let movies: Vec<String> = (0..6).map(|step| (10 + (user + step) % 6).to_string()).collect();
                format!("{} {}", user + 1, movies.join(" "))
            })
            .collect();
        let sequences = Sequences::parse(&lines.join("\n")).unwrap();
        let config = FollowersConfig { decay: 0.5, ridge: 0.01, rank: 6 };
        let followers = Followers::fit(&sequences, &config).unwrap();
        for movie in 0..6_u32 {
            let scores = scores(&followers.vector(&[(movie + 5) % 6, movie]), &followers.table());
            let best = (0..6).max_by(|one, other| scores[*one].total_cmp(&scores[*other])).unwrap();
            assert_eq!(best, (movie as usize + 1) % 6, "{scores:?}");
        }
        let narrow = Followers::fit(&sequences, &FollowersConfig { rank: 2, ..config }).unwrap();
        assert_eq!(narrow.left.dim(), (6, 2));
    }

    #[test]
    fn the_latest_movie_counts_1_and_the_forgotten_nothing() {
        let found: Vec<(usize, f32)> = remembered(&[7, 8, 9], 0.1).collect();
        assert_eq!(found[0], (9, 1.0));
        assert_eq!(found.iter().map(|(movie, _)| *movie).collect::<Vec<_>>(), [9, 8, 7]);
        assert_eq!(remembered(&[1; 100], 0.1).count(), 3);
    }

    #[test]
    fn settings_that_cannot_be_are_refused() {
        let sequences = Sequences::parse("1 10 20 30 40").unwrap();
        let config = FollowersConfig { decay: 1.0, ridge: 1.0, rank: 2 };
        assert!(Followers::fit(&sequences, &config).is_err());
        assert!(Followers::fit(&sequences, &FollowersConfig { decay: 0.5, ridge: 0.0, ..config }).is_err());
    }
}
