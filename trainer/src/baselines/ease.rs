//! EASE: a linear autoencoder with a zero diagonal, in closed form (Steck, *Embarrassingly Shallow Autoencoders for
//! Sparse Data*, WWW 2019). And EDLAE, the emphasised denoising one: it learns to predict movies that were dropped out
//! of the input (Steck, *Autoencoders that don't overfit towards the Identity*, NeurIPS 2020). Its closed form has one
//! more penalty, which grows with a movie's popularity. Without dropout it is EASE.
//!
//! The papers invert `XᵀWX + Λ`, here 9,724²: `X` is `[users, movies]`, `W` are the users' weights, and `Λ` is the
//! diagonal penalty. There are far fewer users. By Woodbury's identity `P = (XᵀWX + Λ)⁻¹ = Λ⁻¹ − Λ⁻¹XᵀKXΛ⁻¹` with
//! `K = (W⁻¹ + XΛ⁻¹Xᵀ)⁻¹`, `[users, users]`. The score of a movie `j` that isn't in the history `h` needs little of it:
//! `−(hᵀP)_j / P_jj = (hᵀΛ⁻¹XᵀKX)_j / (1 − (Λ⁻¹XᵀKX)_jj)`.

use std::fmt;
use std::sync::Arc;

use anyhow::{Context, Result};
use faer::Mat;
use faer::linalg::solvers::DenseSolveCore;
use rayon::prelude::*;
use watchnext::features::LocalTime;
use watchnext::history::History;

use super::Recency;
use super::counts::{Counts, users_in_words};
use super::prior::Prior;
use crate::data::incidence::{Incidence, Signal};
use crate::data::timed_popularity::Season;
use crate::evaluate::method::Selection;
use crate::evaluate::scorer::{Scorer, unseen};
use crate::evaluate::tune::{Axis, Family, axis};
use crate::math::solve::cholesky;

/// The values to try for λ. The least hardly regularises 610 users; the greatest leaves little but the counts of
/// shared users.
const LAMBDAS: [f64; 9] = [100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0, 6400.0, 12800.0, 25600.0];

/// The shares of dropped movies to try for EDLAE. None is EASE, which is a method of its own.
const DROPOUTS: [f64; 5] = [0.1, 0.25, 0.5, 0.75, 0.9];

/// The family of EASE models, or that of EDLAE.
#[derive(Debug)]
pub struct Ease {
    /// Whether movies are dropped out of the input, as EDLAE does.
    pub denoising: bool,
}

/// `score(j) = Σ_i weight(i) · B_ij + prior · s · ln(1 + n_j)` over the watched movies `i`. `B` are the autoencoder's
/// weights, and `n_j` users have `j`. The factor `s` is how far the penalty shrinks weights, so a prior means about the
/// same whatever the penalty is. The papers have λ and the dropout alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EaseParameters {
    /// Which events count.
    pub signal: Signal,
    /// Whether a user's error weighs one over the square root of the length of the user's list, or 1.
    pub weighted_users: bool,
    /// The L2 regularisation.
    pub lambda: f64,
    /// The share `p` of movies that are dropped, below 1. It adds `p / (1 − p)` of a movie's users to its penalty.
    pub dropout: f64,
    /// The weight of popularity.
    pub prior: f32,
    /// How fast watched movies are forgotten.
    pub recency: Recency,
}

impl fmt::Display for EaseParameters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, {}, λ {}", self.signal, users_in_words(self.weighted_users), self.lambda)?;
        if self.dropout > 0.0 {
            write!(formatter, ", dropout {}", self.dropout)?;
        }
        write!(formatter, ", prior {}, {}", self.prior, self.recency)
    }
}

impl Family for Ease {
    type Parameters = EaseParameters;
    type Statistics = Counts;

    fn id(&self) -> &'static str {
        if self.denoising { "edlae" } else { "ease" }
    }

    fn name(&self) -> &'static str {
        if self.denoising { "EDLAE" } else { "EASE" }
    }

    fn start(&self) -> EaseParameters {
        EaseParameters {
            signal: Signal::Likes,
            weighted_users: false,
            lambda: 400.0,
            dropout: if self.denoising { 0.5 } else { 0.0 },
            prior: 0.08,
            recency: Recency::default(),
        }
    }

    fn axes(&self, selection: &Selection) -> Vec<Axis<EaseParameters>> {
        let dropouts: &[f64] = if self.denoising { &DROPOUTS } else { &[0.0] };
        vec![
            axis(&Recency::choices(selection), |parameters, recency| parameters.recency = recency),
            axis(&Signal::ALL, |parameters, signal| parameters.signal = signal),
            axis(&LAMBDAS, |parameters, lambda| parameters.lambda = lambda),
            axis(dropouts, |parameters, dropout| parameters.dropout = dropout),
            axis(&[0.0, 0.02, 0.04, 0.08, 0.16, 0.32], |parameters, prior| parameters.prior = prior),
            axis(&[false, true], |parameters, weighted| parameters.weighted_users = weighted),
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
    /// `KXΛ⁻¹` by columns, `[movies][users]`.
    columns: Vec<Vec<f32>>,
    /// `[movies]`, `1 / (1 − (Λ⁻¹XᵀKX)_jj)`.
    factors: Vec<f32>,
    prior: Prior,
    recency: Recency,
}

impl DualEase {
    fn new(counts: &Arc<Counts>, parameters: &EaseParameters) -> Result<Self> {
        let EaseParameters { signal, weighted_users, lambda, dropout, prior, recency } = *parameters;
        let incidence = counts.incidence(signal);
        let weights = user_weights(incidence, weighted_users);
        let totals = totals(incidence, &weights);
        // A share p of dropped inputs is a penalty of p / (1 − p) times the diagonal of XᵀWX.
        let penalties: Vec<f64> = totals.iter().map(|total| lambda + dropout / (1.0 - dropout) * total).collect();
        let kernel = kernel(incidence, &weights, &penalties)
            .with_context(|| format!("EASE can't invert its kernel with {parameters}"))?;
        let column = |(users, penalty): (&Vec<u32>, &f64)| {
            let mut column = vec![0.0_f64; kernel.nrows()];
            for user in users {
                let shared = kernel.col(*user as usize);
                for (sum, value) in column.iter_mut().zip(shared.iter()) {
                    *sum += value;
                }
            }
            column.iter_mut().for_each(|value| *value /= penalty);
            let diagonal: f64 = users.iter().filter_map(|user| column.get(*user as usize)).sum();
            let column: Vec<f32> = column.into_iter().map(|value| value as f32).collect();
            (column, (1.0 / (1.0 - diagonal)) as f32)
        };
        let (columns, factors) = incidence.users_of.par_iter().zip(&penalties).map(column).unzip();
        let prior = Prior::new(counts, signal, Season(None), prior * shrinkage(&totals, &penalties) as f32);
        Ok(Self { counts: Arc::clone(counts), signal, columns, factors, prior, recency })
    }
}

/// `W`, `[users]`: the users' weights, scaled to a mean of 1 over all events, so that λ means the same for both.
fn user_weights(incidence: &Incidence, weighted: bool) -> Vec<f64> {
    if !weighted {
        return vec![1.0; incidence.movies_of.len()];
    }
    // A user without movies changes nothing, but a weight must not be infinite.
    let roots = || incidence.movies_of.iter().map(|movies| (movies.len().max(1) as f64).sqrt());
    let scale = roots().map(|root| root * root).sum::<f64>() / roots().sum::<f64>();
    roots().map(|root| scale / root).collect()
}

/// The diagonal of `XᵀWX`, `[movies]`: the weight of each movie's users.
fn totals(incidence: &Incidence, weights: &[f64]) -> Vec<f64> {
    let total = |users: &Vec<u32>| users.iter().filter_map(|user| weights.get(*user as usize)).sum();
    incidence.users_of.iter().map(total).collect()
}

/// How far the penalties shrink a weight, from 0 to 1, the mean over all events. A movie that predicts alone has its
/// weights shrunk by `n / (n + Λ)`, where `n` is its total.
fn shrinkage(totals: &[f64], penalties: &[f64]) -> f64 {
    let shrunk: f64 = totals.iter().zip(penalties).map(|(total, penalty)| total * total / (total + penalty)).sum();
    shrunk / totals.iter().sum::<f64>().max(f64::MIN_POSITIVE)
}

/// `(W⁻¹ + XΛ⁻¹Xᵀ)⁻¹`, `[users, users]`.
fn kernel(incidence: &Incidence, weights: &[f64], penalties: &[f64]) -> Result<Mat<f64>> {
    let users = weights.len();
    let mut gram = Mat::<f64>::zeros(users, users);
    for (raters, penalty) in incidence.users_of.iter().zip(penalties) {
        let share = 1.0 / penalty;
        // The factorisation reads the lower triangle alone.
        for (place, right) in raters.iter().enumerate() {
            for left in raters.iter().skip(place) {
                *gram.get_mut(*left as usize, *right as usize) += share;
            }
        }
    }
    for (user, weight) in weights.iter().enumerate() {
        *gram.get_mut(user, user) += 1.0 / weight;
    }
    Ok(cholesky(gram.as_ref())?.inverse())
}

impl Scorer for DualEase {
    fn scores(&self, history: &History, moment: &LocalTime) -> Result<Vec<(usize, f32)>> {
        let incidence = self.counts.incidence(self.signal);
        let mut users = vec![0.0_f32; incidence.movies_of.len()];
        for (movie, weight) in self.recency.weigh(history) {
            for (sum, value) in users.iter_mut().zip(self.columns.get(movie).into_iter().flatten()) {
                *sum += weight * value;
            }
        }
        let mut scores = self.prior.at(moment);
        for ((score, raters), factor) in scores.iter_mut().zip(&incidence.users_of).zip(&self.factors) {
            *score += factor * raters.iter().filter_map(|user| users.get(*user as usize)).sum::<f32>();
        }
        Ok(unseen(scores, history))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::baselines::checkerboard;
    use crate::evaluate::tune::Statistics;
    use faer::Side;
    use watchnext::catalog::MovieIndex;
    use watchnext::history::Watch;

    const EASE: Ease = Ease { denoising: false };

    /// The scores after clicks, by movie.
    fn scores(counts: Counts, parameters: &EaseParameters, clicked: &[usize]) -> Vec<(usize, f32)> {
        let scorer = EASE.scorer(&Arc::new(counts), parameters).unwrap();
        let watch = |row: &usize| Watch { movie: MovieIndex::new(*row).unwrap(), rating: None };
        scorer.scores(&History::new(clicked.iter().map(watch)), &LocalTime::from_unix(0, 0).unwrap()).unwrap()
    }

    /// The papers' form on a small matrix: B = −P / diag(P) with a zero diagonal, and scores h·B.
    #[test]
    fn the_dual_form_equals_the_direct_inverse() {
        let training = checkerboard::training();
        let movies = training.catalog.len();
        let watched = [1_usize, 4, 10];
        for (weighted_users, dropout) in [(false, 0.0), (false, 0.5), (true, 0.0), (true, 0.5)] {
            let parameters = EaseParameters { lambda: 3.0, weighted_users, dropout, prior: 0.0, ..EASE.start() };
            let counts = Counts::new(&training).unwrap();
            let lists = &counts.incidence(Signal::Likes).movies_of;
            let roots: f64 = lists.iter().map(|list| (list.len() as f64).sqrt()).sum();
            let events: f64 = lists.iter().map(|list| list.len() as f64).sum();
            let mut gram = Mat::<f64>::zeros(movies, movies);
            for list in lists {
                let weight = if weighted_users { events / roots / (list.len() as f64).sqrt() } else { 1.0 };
                for left in list {
                    for right in list {
                        *gram.get_mut(*left as usize, *right as usize) += weight;
                    }
                }
            }
            for movie in 0..movies {
                let entry = gram.get_mut(movie, movie);
                *entry += 3.0 + dropout / (1.0 - dropout) * *entry;
            }
            let inverse = gram.llt(Side::Lower).unwrap().inverse();
            let scores = scores(counts, &parameters, &watched);
            assert_eq!(scores.len(), movies - 3);
            for (movie, score) in scores {
                let sum: f64 = watched.iter().map(|row| *inverse.get(*row, movie)).sum();
                let expected = -sum / inverse.get(movie, movie);
                assert!((f64::from(score) - expected).abs() < 1e-5, "{parameters}, {movie}: {score}, not {expected}");
            }
        }
    }

    /// Two users have one of two movies each and one has both. So the Gram matrix is [[2, 1], [1, 2]], and λ and the
    /// dropout are added to its diagonal. The weight from one movie to the other is 1 over that diagonal.
    #[test]
    fn the_weights_of_two_movies_are_those_by_hand() {
        let start = EaseParameters { lambda: 1.0, prior: 0.0, ..EASE.start() };
        let score = |parameters: &EaseParameters| {
            let scores = scores(checkerboard::counts_of(2, &[&[0, 1], &[0], &[1]]), parameters, &[0]);
            let [(1, score)] = scores.as_slice() else { panic!("{scores:?}") };
            *score
        };
        assert!((score(&start) - 1.0 / 3.0).abs() < 1e-6);
        // A half dropped adds as much as the movie's two users, and a third dropped adds half of it.
        assert!((score(&EaseParameters { dropout: 0.5, ..start }) - 1.0 / 5.0).abs() < 1e-6);
        assert!((score(&EaseParameters { dropout: 1.0 / 3.0, ..start }) - 1.0 / 4.0).abs() < 1e-6);
        // λ shrinks the weights of a movie that two users have to 2/3.
        let with_prior = score(&EaseParameters { prior: 0.1, ..start });
        assert!((with_prior - 1.0 / 3.0 - 0.1 * 2.0 / 3.0 * 3.0_f32.ln()).abs() < 1e-6);
    }
}
