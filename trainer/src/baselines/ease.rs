//! EASE: a linear autoencoder with a zero diagonal, in closed form (Steck, *Embarrassingly Shallow Autoencoders for
//! Sparse Data*, WWW 2019).
//!
//! The paper inverts the movies' Gram matrix `G + λI`, here 9,724². There are far fewer users. By Woodbury's identity
//! `P = (XᵀX + λI)⁻¹ = (I − XᵀKX) / λ` with `K = (XXᵀ + λI)⁻¹`, `[users, users]`. The score of a movie `j` that isn't
//! in the history `h` needs little of it: `−(P h)_j / P_jj = (Xᵀ K X h)_j / (1 − (XᵀKX)_jj)`.

use std::fmt;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use faer::linalg::solvers::DenseSolveCore;
use faer::{Mat, Side};
use rayon::prelude::*;
use watchnext::features::LocalTime;
use watchnext::history::History;

use super::Recency;
use super::counts::Counts;
use crate::data::incidence::{Incidence, Signal};
use crate::evaluate::method::Selection;
use crate::evaluate::scorer::{Scorer, unseen};
use crate::evaluate::tune::{Axis, Family, axis};

/// The values to try for λ. The least hardly regularises 610 users; the greatest leaves little but the counts of
/// shared users.
const LAMBDAS: [f64; 9] = [100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0, 6400.0, 12800.0, 25600.0];

/// The family of EASE models.
#[derive(Debug)]
pub struct Ease;

/// The hyper-parameters; the paper has λ alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EaseParameters {
    /// Which events count.
    pub signal: Signal,
    /// The L2 regularisation.
    pub lambda: f64,
    /// How fast watched movies are forgotten.
    pub recency: Recency,
}

impl fmt::Display for EaseParameters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, λ {}, {}", self.signal, self.lambda, self.recency)
    }
}

impl Family for Ease {
    type Parameters = EaseParameters;
    type Statistics = Counts;

    fn id(&self) -> &'static str {
        "ease"
    }

    fn name(&self) -> &'static str {
        "EASE"
    }

    fn start(&self) -> EaseParameters {
        EaseParameters { signal: Signal::Likes, lambda: 200.0, recency: Recency::default() }
    }

    fn axes(&self, selection: &Selection) -> Vec<Axis<EaseParameters>> {
        vec![
            axis(&Recency::choices(selection), |parameters, recency| parameters.recency = recency),
            axis(&Signal::ALL, |parameters, signal| parameters.signal = signal),
            axis(&LAMBDAS, |parameters, lambda| parameters.lambda = lambda),
        ]
    }

    fn scorer(&self, counts: &Arc<Counts>, parameters: &EaseParameters) -> Result<Box<dyn Scorer>> {
        Ok(Box::new(DualEase::new(counts, parameters)?))
    }
}

/// EASE in its dual form, over users.
struct DualEase {
    counts: Arc<Counts>,
    signal: Signal,
    /// `KX` by columns, `[movies][users]`.
    columns: Vec<Vec<f32>>,
    /// `[movies]`, `1 / (1 − (XᵀKX)_jj)`.
    factors: Vec<f32>,
    recency: Recency,
}

impl DualEase {
    fn new(counts: &Arc<Counts>, parameters: &EaseParameters) -> Result<Self> {
        let incidence = counts.incidence(parameters.signal);
        let kernel = kernel(incidence, parameters.lambda)?;
        let column = |users: &Vec<u32>| {
            let mut column = vec![0.0_f64; kernel.nrows()];
            for user in users {
                let shared = kernel.col(*user as usize);
                for (sum, value) in column.iter_mut().zip(shared.iter()) {
                    *sum += value;
                }
            }
            let diagonal: f64 = users.iter().filter_map(|user| column.get(*user as usize)).sum();
            let column: Vec<f32> = column.into_iter().map(|value| value as f32).collect();
            (column, (1.0 / (1.0 - diagonal)) as f32)
        };
        let (columns, factors) = incidence.users_of.par_iter().map(column).unzip();
        let (signal, recency) = (parameters.signal, parameters.recency);
        Ok(Self { counts: Arc::clone(counts), signal, columns, factors, recency })
    }
}

/// `(XXᵀ + λI)⁻¹`, `[users, users]`.
fn kernel(incidence: &Incidence, lambda: f64) -> Result<Mat<f64>> {
    let users = incidence.movies_of.len();
    let mut gram = Mat::<f64>::zeros(users, users);
    for raters in &incidence.users_of {
        for left in raters {
            for right in raters {
                *gram.get_mut(*left as usize, *right as usize) += 1.0;
            }
        }
    }
    for user in 0..users {
        *gram.get_mut(user, user) += lambda;
    }
    let refusal = || anyhow!("EASE can't invert its kernel at λ = {lambda}, since it isn't positive definite");
    Ok(gram.llt(Side::Lower).map_err(|_| refusal())?.inverse())
}

impl Scorer for DualEase {
    fn scores(&self, history: &History, _moment: &LocalTime) -> Result<Vec<(usize, f32)>> {
        let incidence = self.counts.incidence(self.signal);
        let mut users = vec![0.0_f32; incidence.movies_of.len()];
        for (movie, weight) in self.recency.weigh(history) {
            for (sum, value) in users.iter_mut().zip(self.columns.get(movie).into_iter().flatten()) {
                *sum += weight * value;
            }
        }
        let score = |(raters, factor): (&Vec<u32>, &f32)| {
            factor * raters.iter().filter_map(|user| users.get(*user as usize)).sum::<f32>()
        };
        Ok(unseen(incidence.users_of.iter().zip(&self.factors).map(score).collect(), history))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::baselines::checkerboard;
    use crate::evaluate::tune::Statistics;
    use watchnext::catalog::MovieIndex;
    use watchnext::history::Watch;

    /// The paper's form on a small matrix: B = −P / diag(P) with a zero diagonal, and scores h·B.
    #[test]
    fn the_dual_form_equals_the_direct_inverse() {
        let training = checkerboard::training();
        let movies = training.catalog.len();
        let counts = Arc::new(Counts::new(&training).unwrap());
        let parameters = EaseParameters { lambda: 3.0, ..Ease.start() };
        let scorer = Ease.scorer(&counts, &parameters).unwrap();
        let mut gram = Mat::<f64>::zeros(movies, movies);
        for list in &counts.incidence(Signal::Likes).movies_of {
            for left in list {
                for right in list {
                    *gram.get_mut(*left as usize, *right as usize) += 1.0;
                }
            }
        }
        for movie in 0..movies {
            *gram.get_mut(movie, movie) += 3.0;
        }
        let inverse = gram.llt(Side::Lower).unwrap().inverse();
        let watched = [1_usize, 4, 10];
        let history = History::new(watched.map(|row| Watch { movie: MovieIndex::new(row).unwrap(), rating: None }));
        let scores = scorer.scores(&history, &LocalTime::from_unix(0, 0).unwrap()).unwrap();
        assert_eq!(scores.len(), movies - 3);
        for (movie, score) in scores {
            let expected: f64 = watched.iter().map(|row| -inverse.get(*row, movie) / inverse.get(movie, movie)).sum();
            assert!((f64::from(score) - expected).abs() < 1e-5, "movie {movie}: {score} against {expected}");
        }
    }
}
