//! The fold-in of alternating least squares as a user tower.
//!
//! A visitor's vector is the solution for that visitor's history against the finished item factors, which is what a training user's
//! vector is after the last half-iteration (Hu, Koren and Volinsky, *Collaborative Filtering for Implicit Feedback Datasets*, ICDM
//! 2008):
//!
//! `(G + Σ c y yᵀ + λI) x = Σ d y`, over the history's movies with their factors `y`,
//!
//! where `G = YᵀY` is of all movies, and absent if ratings are to be predicted. ONNX has no solver, so the graph takes a fixed
//! number of steps of conjugate gradients (Hestenes and Stiefel 1952). Two changes of variables keep that number small and the
//! arithmetic of 32 bits exact:
//!
//! - In the principal axes of `G` the matrix `M = G + λI` is diagonal, whatever `λ` is after how many movies, and so is divided by
//!   before anything else. What is left differs from the identity by one direction a movie.
//! - With `F` the rows `y M^(−½)` of the history, the vector is `x = M^(−½) Fᵀ √c v` for the solution `v` of
//!   `(I + √c F Fᵀ √c) v = d / √c`, a system of as many unknowns as there are slots and not as there are factors (Woodbury's
//!   identity). Rounding can't lead out of what the history's movies span, which is where small regularisation would blow it up.
//!
//! [`graph`] writes it down, [`steps`] says how many steps it takes, and [`check`] holds it to vectors that were recorded
//! elsewhere.

pub mod check;
mod graph;
pub mod steps;

use anyhow::{Result, anyhow, ensure};
use faer::prelude::Solve;
use faer::{Mat, Side};
use ndarray::{Array1, Array2};
use watchnext::model::TowerInputs;

use crate::math::eigen::eigen;
use crate::math::embeddings::EmbeddingTable;

/// How a movie of the history enters the equations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Feedback {
    /// Whether movies are watched, ratings saying how surely: `c = α r` and `d = 1 + c` for a rating of `r` stars, with `G`. It is
    /// Spark's `implicitPrefs`.
    Implicit {
        /// What a star adds to the confidence.
        alpha: f32,
    },
    /// Ratings: `c = 1` and `d = r`, without `G`.
    Explicit,
    /// Whether movies are liked, a click being a like: `c = α w` and `d = w + c` for a weight of `w`, 1 for a click
    /// ([`rating_weight`](watchnext::features::rating_weight)), with `G`. It is what [`crate::models::als`] trains.
    Clicks {
        /// What a click adds to the confidence.
        alpha: f32,
    },
}

impl Feedback {
    /// `c` and `d` of a movie of this weight.
    fn terms(self, weight: f64) -> (f64, f64) {
        let stars = weight * f64::from(watchnext::features::NEUTRAL_RATING);
        match self {
            Self::Implicit { alpha } => (f64::from(alpha) * stars, 1.0 + f64::from(alpha) * stars),
            Self::Explicit => (1.0, stars),
            Self::Clicks { alpha } => (f64::from(alpha) * weight, weight + f64::from(alpha) * weight),
        }
    }

    const fn alpha(self) -> Option<f32> {
        match self {
            Self::Implicit { alpha } | Self::Clicks { alpha } => Some(alpha),
            Self::Explicit => None,
        }
    }
}

/// The equations of a visitor's vector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Equations {
    /// How a movie of the history enters them.
    pub feedback: Feedback,
    /// The L2 regularisation.
    pub lambda: f32,
    /// Whether the regularisation counts once for each movie of the history, as in Spark (Zhou, Wilkinson, Schreiber and Pan,
    /// *Large-Scale Parallel Collaborative Filtering for the Netflix Prize*, AAIM 2008), or once alone.
    pub by_count: bool,
}

impl Equations {
    /// `λ` after so many movies; after none as after one, which leaves nothing to divide by zero.
    fn regularisation(&self, movies: usize) -> f64 {
        f64::from(self.lambda) * if self.by_count { movies.max(1) as f64 } else { 1.0 }
    }
}

/// Item factors and equations, from which a visitor's vector follows.
#[derive(Debug, Clone)]
pub struct FoldIn {
    items: EmbeddingTable,
    equations: Equations,
    /// The eigenvalues and, by column, eigenvectors of `G`, if the equations have it.
    whole: Option<(Array1<f64>, Array2<f64>)>,
    /// The largest relative error over made-up histories after each number of steps.
    errors: Vec<f64>,
}

/// A history's equations in as many unknowns as it has movies.
struct Dual {
    /// `√c y M^(−½)`, a row a movie.
    rows: Array2<f64>,
    /// `d / √c`.
    right: Array1<f64>,
    /// `M^½`.
    divisor: Array1<f64>,
}

impl Dual {
    /// `I + √c F Fᵀ √c`.
    fn matrix(&self) -> Array2<f64> {
        Array2::eye(self.rows.nrows()) + self.rows.dot(&self.rows.t())
    }

    /// `x M^½` of a solution.
    fn scaled(&self, solution: &Array1<f64>) -> Array1<f64> {
        self.rows.t().dot(solution)
    }

    /// The solution by Cholesky's factorisation.
    fn solution(&self) -> Result<Array1<f64>> {
        let matrix = self.matrix();
        let (size, _) = matrix.dim();
        let dense = Mat::from_fn(size, size, |row, column| matrix.get((row, column)).copied().unwrap_or_default());
        let mut solution = Mat::from_fn(size, 1, |row, _| self.right.get(row).copied().unwrap_or_default());
        let cholesky = dense.llt(Side::Lower).map_err(|error| anyhow!("a history can't be folded in: {error:?}"))?;
        cholesky.solve_in_place(&mut solution);
        Ok(solution.col(0).iter().copied().collect())
    }
}

impl FoldIn {
    /// A fold-in against `items`, `[items, factors]`, kept in 8 bits with a scale an item, or as floats.
    ///
    /// # Errors
    /// Regularisation or α that isn't above 0, and factors without finite eigenvalues.
    pub fn new(items: &Array2<f32>, equations: Equations, as_floats: bool) -> Result<Self> {
        let is_positive = |value: f32| value.is_finite() && value > 0.0;
        let Equations { feedback, lambda, .. } = equations;
        ensure!(is_positive(lambda), "the regularisation is {lambda}; the equations need one above 0");
        if let Some(alpha) = feedback.alpha() {
            ensure!(is_positive(alpha), "α is {alpha}; a history counts by an α above 0");
        }
        let whole = if feedback.alpha().is_some() {
            let doubles = items.mapv(f64::from);
            let (values, vectors) = eigen(&doubles.t().dot(&doubles))?;
            // Rounding leaves small eigenvalues of a singular matrix below 0.
            Some((values.into_iter().map(|value| value.max(0.0)).collect(), vectors))
        } else {
            None
        };
        let table = if as_floats { EmbeddingTable::Float(items.clone()) } else { EmbeddingTable::fine(items) };
        let mut fold_in = Self { items: table, equations, whole, errors: Vec::new() };
        fold_in.errors = steps::largest_errors(&fold_in, steps::MOST)?;
        Ok(fold_in)
    }

    /// The item factors as they are kept.
    pub const fn items(&self) -> &EmbeddingTable {
        &self.items
    }

    /// The equations.
    pub const fn equations(&self) -> &Equations {
        &self.equations
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
        self.items.dim().1
    }

    fn dual(&self, watched: &[(usize, f32)]) -> Dual {
        let watched: Vec<(Vec<f32>, f64)> =
            watched.iter().filter_map(|(movie, weight)| Some((self.items.row(*movie)?, f64::from(*weight)))).collect();
        let lambda = self.equations.regularisation(watched.len());
        let divisor: Array1<f64> = match &self.whole {
            Some((values, _)) => values.mapv(|value| (value + lambda).sqrt()),
            None => Array1::from_elem(self.dim(), lambda.sqrt()),
        };
        let mut rows = Array2::zeros((watched.len(), self.dim()));
        for (mut row, (factors, _)) in rows.rows_mut().into_iter().zip(&watched) {
            row.iter_mut().zip(factors).for_each(|(to, from)| *to = f64::from(*from));
        }
        if let Some((_, axes)) = &self.whole {
            rows = rows.dot(axes);
        }
        let mut right = Array1::zeros(watched.len());
        for ((mut row, right), (_, weight)) in rows.rows_mut().into_iter().zip(&mut right).zip(&watched) {
            let (confidence, preference) = self.equations.feedback.terms(*weight);
            let root = confidence.sqrt();
            row.zip_mut_with(&divisor, |value, divisor| *value *= root / divisor);
            *right = preference / root;
        }
        Dual { rows, right, divisor }
    }

    /// A visitor's vector `[dim]` by a direct solution in 64 bits, for movies with their weights, all above 0. Movies that the
    /// table lacks are left out.
    ///
    /// # Errors
    /// Factors so large that the equations overflow.
    pub fn solve(&self, watched: &[(usize, f32)]) -> Result<Vec<f64>> {
        let dual = self.dual(watched);
        let vector = if dual.right.is_empty() {
            Array1::zeros(self.dim())
        } else {
            dual.scaled(&dual.solution()?) / &dual.divisor
        };
        let vector = match &self.whole {
            Some((_, axes)) => axes.dot(&vector),
            None => vector,
        };
        Ok(vector.to_vec())
    }

    /// The vector for a tower's inputs, of which only the history and its weights count.
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
