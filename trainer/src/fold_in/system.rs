//! The equations of a visitor's vector, and their direct solution.

use anyhow::{Context, Result, ensure};
use faer::Mat;
use faer::prelude::Solve;
use ndarray::{Array1, Array2};

use crate::math::eigen::eigen;
use crate::math::embeddings::EmbeddingTable;
use crate::math::solve::cholesky;

/// How a movie of the history enters the equations, with its confidence `c` and its right side `d`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Feedback {
    /// Watching counts, and a rating of `r` stars says how surely: `c = α r` and `d = 1 + c`, with `G`. This is Spark's
    /// `implicitPrefs`.
    Implicit {
        /// How much a star adds to the confidence.
        alpha: f32,
    },
    /// Ratings are predicted: `c = 1` and `d = r`, without `G`.
    Explicit,
    /// Likes count, and a click is a like: `c = α w` and `d = w + c` for a weight of `w`, 1 for a click
    /// ([`rating_weight`](watchnext::features::rating_weight)), with `G`. The project's own ALS trains by these.
    Clicks {
        /// How much a click adds to the confidence.
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
    /// Whether the regularisation is multiplied by the number of movies in the history, as Spark does it (Zhou,
    /// Wilkinson, Schreiber and Pan, *Large-Scale Parallel Collaborative Filtering for the Netflix Prize*, AAIM 2008).
    pub by_count: bool,
}

impl Equations {
    /// `λ` after so many movies. No movies count as one, so that nothing is divided by 0.
    fn regularisation(&self, movies: usize) -> f64 {
        f64::from(self.lambda) * if self.by_count { movies.max(1) as f64 } else { 1.0 }
    }
}

/// A history's equations in as many unknowns as it has movies.
pub(super) struct Dual {
    /// `√c y M^(−½)`, a row a movie.
    rows: Array2<f64>,
    /// `d / √c`.
    pub(super) right: Array1<f64>,
    /// `M^½`.
    divisor: Array1<f64>,
}

impl Dual {
    /// `I + √c F Fᵀ √c`.
    pub(super) fn matrix(&self) -> Array2<f64> {
        Array2::eye(self.rows.nrows()) + self.rows.dot(&self.rows.t())
    }

    /// `x M^½` of a solution.
    pub(super) fn scaled(&self, solution: &Array1<f64>) -> Array1<f64> {
        self.rows.t().dot(solution)
    }

    /// The solution by Cholesky's factorisation.
    pub(super) fn solution(&self) -> Result<Array1<f64>> {
        let matrix = self.matrix();
        let (size, _) = matrix.dim();
        let dense = Mat::from_fn(size, size, |row, column| matrix.get((row, column)).copied().unwrap_or_default());
        let mut solution = Mat::from_fn(size, 1, |row, _| self.right.get(row).copied().unwrap_or_default());
        cholesky(dense.as_ref()).context("a history can't be folded in")?.solve_in_place(&mut solution);
        Ok(solution.col(0).iter().copied().collect())
    }
}

/// Item factors with the equations that they enter.
#[derive(Debug, Clone)]
pub(super) struct System {
    /// The item factors as they are kept.
    pub(super) items: EmbeddingTable,
    pub(super) equations: Equations,
    /// The eigenvalues of `G` and, by column, its eigenvectors, if the equations have `G`.
    pub(super) whole: Option<(Array1<f64>, Array2<f64>)>,
}

impl System {
    /// See [`FoldIn::new`](super::FoldIn::new).
    pub(super) fn new(items: &Array2<f32>, equations: Equations, as_floats: bool) -> Result<Self> {
        let is_positive = |value: f32| value.is_finite() && value > 0.0;
        let Equations { feedback, lambda, .. } = equations;
        ensure!(is_positive(lambda), "the regularisation is {lambda}. Give a number above 0.");
        if let Some(alpha) = feedback.alpha() {
            ensure!(is_positive(alpha), "α is {alpha}. Give a number above 0, or the history counts for nothing.");
        }
        let whole = if feedback.alpha().is_some() {
            let doubles = items.mapv(f64::from);
            let (values, vectors) = eigen(&doubles.t().dot(&doubles))?;
            // Rounding leaves small eigenvalues of a singular matrix below 0.
            Some((values.into_iter().map(|value| value.max(0.0)).collect(), vectors))
        } else {
            None
        };
        let items = if as_floats { EmbeddingTable::Float(items.clone()) } else { EmbeddingTable::fine(items) };
        Ok(Self { items, equations, whole })
    }

    /// The vector's length.
    pub(super) fn dim(&self) -> usize {
        self.items.dim().1
    }

    /// The equations after movies with their weights. Movies that the table doesn't have are left out.
    pub(super) fn dual(&self, watched: &[(usize, f32)]) -> Dual {
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

    /// See [`FoldIn::solve`](super::FoldIn::solve).
    pub(super) fn solve(&self, watched: &[(usize, f32)]) -> Result<Vec<f64>> {
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
}
