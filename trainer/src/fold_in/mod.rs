//! The fold-in of alternating least squares as a user tower.
//!
//! A visitor's vector solves the equations of that visitor's history against the finished item factors. A training
//! user's vector does the same after the last half-iteration (Hu, Koren and Volinsky, *Collaborative Filtering for
//! Implicit Feedback Datasets*, ICDM 2008):
//!
//! `(G + Σ c y yᵀ + λI) x = Σ d y`, over the history's movies with their factors `y`.
//!
//! `G = YᵀY` sums over all movies, and is absent where ratings are predicted. ONNX has no solver, so the graph takes a
//! fixed number of steps of conjugate gradients (Hestenes and Stiefel 1952). Two changes of variables keep that number
//! small and the arithmetic of 32 bits exact:
//!
//! - In the principal axes of `G` the matrix `M = G + λI` is diagonal for every `λ`, so it is divided by first. The
//!   rest differs from the identity by one direction a movie.
//! - With `F` the rows `y M^(−½)` of the history, the vector is `x = M^(−½) Fᵀ √c v`, where `v` solves
//!   `(I + √c F Fᵀ √c) v = d / √c` (Woodbury's identity). That system has as many unknowns as there are slots, not as
//!   there are factors. The solution stays within the span of the history's movies. Outside it, small regularisation
//!   would let rounding errors grow.
//!
//! `system` holds the equations, `graph` writes them as ONNX, [`steps`] finds out how many steps they take, and
//! [`check`] compares the graph with vectors that another program recorded.

pub mod check;
mod graph;
pub mod steps;
mod system;

use anyhow::Result;
use ndarray::Array2;
use watchnext::model::TowerInputs;

pub use self::system::{Equations, Feedback};

use self::system::System;
use crate::math::embeddings::EmbeddingTable;

/// Item factors and equations, from which a visitor's vector follows.
#[derive(Debug, Clone)]
pub struct FoldIn {
    system: System,
    /// The largest relative error over made-up histories after each number of steps.
    errors: Vec<f64>,
}

impl FoldIn {
    /// A fold-in against `items`, `[items, factors]`, kept in 8 bits with a scale an item, or as floats.
    ///
    /// # Errors
    /// Regularisation or α that isn't above 0, and factors without finite eigenvalues.
    pub fn new(items: &Array2<f32>, equations: Equations, as_floats: bool) -> Result<Self> {
        let system = System::new(items, equations, as_floats)?;
        let errors = steps::largest_errors(&system, steps::MOST)?;
        Ok(Self { system, errors })
    }

    /// The item factors as they are kept.
    pub const fn items(&self) -> &EmbeddingTable {
        &self.system.items
    }

    /// The equations.
    pub const fn equations(&self) -> &Equations {
        &self.system.equations
    }

    /// How many steps of conjugate gradients the graph takes.
    pub fn steps(&self) -> usize {
        steps::needed(&self.errors)
    }

    /// The largest relative error of a vector over made-up histories after 1 to [`steps::MOST`] steps.
    pub fn errors(&self) -> &[f64] {
        &self.errors
    }

    /// The vector's length.
    pub fn dim(&self) -> usize {
        self.system.dim()
    }

    /// A visitor's vector `[dim]` by a direct solution in 64 bits, for movies with their weights, all above 0. Movies
    /// that the table doesn't have are left out.
    ///
    /// # Errors
    /// Factors so large that the equations overflow.
    pub fn solve(&self, watched: &[(usize, f32)]) -> Result<Vec<f64>> {
        self.system.solve(watched)
    }

    /// The vector for a tower's inputs. Only the history and its weights count.
    ///
    /// # Errors
    /// As [`FoldIn::solve`].
    pub fn user_vector(&self, inputs: &TowerInputs) -> Result<Vec<f32>> {
        let slots = inputs.history.movies.iter().zip(inputs.history.weights.iter());
        let watched: Vec<(usize, f32)> = slots
            .filter(|(_, weight)| **weight > 0.0)
            .filter_map(|(movie, weight)| Some((usize::try_from(*movie).ok()?, *weight)))
            .collect();
        Ok(self.solve(&watched)?.into_iter().map(|value| value as f32).collect())
    }
}
