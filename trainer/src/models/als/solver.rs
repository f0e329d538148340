//! The alternation: solves for one side's vectors against the other's, row by row, on all threads.

use anyhow::{Context, Result};
use faer::linalg::matmul::matmul;
use faer::prelude::Solve;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::data::incidence::Incidence;
use crate::math::solve::cholesky;

/// The settings that determine a factorisation, apart from the data.
///
/// It minimises `Σ c_ui (p_ui − x_u·y_i)² + λ (Σ |x_u|² + Σ |y_i|²)`, where `p_ui` is 1 if user `u` has movie `i` and 0
/// if not, and `c_ui = 1 + α p_ui`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// The vectors' length.
    pub factors: usize,
    /// How much more a movie counts if the user has it.
    pub alpha: f32,
    /// The L2 regularisation.
    pub lambda: f32,
    /// How often to solve for the movies and then for the users.
    pub iterations: usize,
    /// The seed of the users' vectors before the first iteration.
    pub seed: u64,
}

/// One side's vectors, `[rows, factors]` row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors {
    values: Vec<f32>,
    factors: usize,
}

impl Vectors {
    /// The vector of a row, empty if there is no such row.
    pub fn row(&self, row: usize) -> &[f32] {
        self.values.get(row * self.factors..(row + 1) * self.factors).unwrap_or_default()
    }

    /// The vectors in the rows' order.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.factors)
    }

    /// The vectors as a matrix.
    ///
    /// # Errors
    /// None: the values fill their shape.
    pub fn into_matrix(self) -> Result<Array2<f32>> {
        Ok(Array2::from_shape_vec((self.values.len() / self.factors, self.factors), self.values)?)
    }

    /// `YᵀY + λI`, `[factors, factors]`.
    pub fn gram(&self, lambda: f32) -> Vec<f32> {
        let rows = self.values.len() / self.factors;
        let table = MatRef::from_row_major_slice(&self.values, rows, self.factors);
        let mut gram = vec![0.0; self.factors * self.factors];
        let product = MatMut::from_row_major_slice_mut(&mut gram, self.factors, self.factors);
        matmul(product, Accum::Replace, table.transpose(), table, 1.0, Par::Seq);
        gram.iter_mut().step_by(self.factors + 1).for_each(|diagonal| *diagonal += lambda);
        gram
    }

    /// The other side's vector that fits best, if it has these rows, each with a weight that scales `alpha`. `gram` is
    /// [`Vectors::gram`].
    ///
    /// # Errors
    /// A system that isn't positive definite, which can happen without regularisation.
    pub fn solve(&self, gram: &[f32], alpha: f32, rows: impl Iterator<Item = (usize, f32)>) -> Result<Vec<f32>> {
        let mut normal = gram.to_vec();
        let mut right = vec![0.0_f32; self.factors];
        let mut any = false;
        for (row, weight) in rows {
            let vector = self.row(row);
            let confidence = alpha * weight;
            // The factorisation reads the lower triangle alone.
            for (at, (line, left)) in normal.chunks_exact_mut(self.factors).zip(vector).enumerate() {
                let scaled = confidence * left;
                for (entry, value) in line.iter_mut().zip(vector).take(at + 1) {
                    *entry += scaled * value;
                }
            }
            // A weight below 1 says that the row belongs here only in part, so it scales the preference too.
            for (sum, value) in right.iter_mut().zip(vector) {
                *sum += (weight + confidence) * value;
            }
            any = true;
        }
        if !any {
            return Ok(right);
        }
        let normal = MatRef::from_row_major_slice(&normal, self.factors, self.factors);
        let factor = cholesky(normal).context("ALS can't solve for a vector")?;
        let mut solution = Mat::from_fn(self.factors, 1, |row, _| right.get(row).copied().unwrap_or_default());
        factor.solve_in_place(&mut solution);
        Ok(solution.col(0).iter().copied().collect())
    }

    /// The other side's vectors, given each of its rows' lists.
    fn solve_all(&self, lists: &[Vec<u32>], settings: &Settings) -> Result<Self> {
        let gram = self.gram(settings.lambda);
        let mut values = vec![0.0; lists.len() * self.factors];
        let rows = values.par_chunks_exact_mut(self.factors).zip(lists).with_min_len(16);
        rows.try_for_each(|(vector, list)| -> Result<()> {
            let solution = self.solve(&gram, settings.alpha, list.iter().map(|row| (*row as usize, 1.0)))?;
            vector.copy_from_slice(&solution);
            Ok(())
        })?;
        Ok(Self { values, factors: self.factors })
    }
}

/// The users' and the movies' vectors. The users come last, so that folding in a training user gives back that user's
/// own vector. `progress` gets the number of each iteration.
///
/// # Errors
/// As [`Vectors::solve`].
pub fn alternate(
    incidence: &Incidence,
    settings: &Settings,
    mut progress: impl FnMut(usize),
) -> Result<(Vectors, Vectors)> {
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    let factors = settings.factors;
    let scale = 1.0 / (factors as f32).sqrt();
    let random = (0..incidence.movies_of.len() * factors).map(|_| scale * rng.random_range(-1.0..1.0_f32)).collect();
    let mut users = Vectors { values: random, factors };
    let mut movies = Vectors { values: Vec::new(), factors };
    for iteration in 0..settings.iterations {
        movies = users.solve_all(&incidence.users_of, settings)?;
        users = movies.solve_all(&incidence.movies_of, settings)?;
        progress(iteration + 1);
    }
    Ok((users, movies))
}
