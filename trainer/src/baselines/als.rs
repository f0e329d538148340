//! Implicit ALS ([`crate::models::als`]; Hu, Koren and Volinsky 2008) with its parameters tuned. A visitor is folded
//! in: the visitor's factors solve the same least squares as a training user's, with the movies' factors fixed.

use std::fmt;
use std::sync::Arc;

use anyhow::Result;
use watchnext::features::LocalTime;
use watchnext::history::History;

use super::Recency;
use super::counts::Counts;
use crate::data::incidence::Signal;
use crate::evaluate::method::Selection;
use crate::evaluate::scorer::{Scorer, unseen};
use crate::evaluate::tune::{Axis, Family, axis};
use crate::models::als::solver::{Settings, Vectors, alternate};

/// The seed of the factors before the first iteration.
const SEED: u64 = 20_080_101;

/// The family of factorisations.
#[derive(Debug)]
pub struct Als;

/// The hyper-parameters; see [`Settings`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlsParameters {
    /// Which events count.
    pub signal: Signal,
    /// The length of a factor vector.
    pub factors: usize,
    /// How much more a movie counts that the user has; one that the user doesn't have counts 1.
    pub alpha: f32,
    /// The L2 regularisation.
    pub lambda: f32,
    /// How often the movies' and then the users' factors are solved for.
    pub iterations: usize,
    /// How fast watched movies are forgotten.
    pub recency: Recency,
}

impl AlsParameters {
    fn settings(&self) -> Settings {
        let Self { factors, alpha, lambda, iterations, .. } = *self;
        Settings { factors, alpha, lambda, iterations, seed: SEED }
    }
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

    fn scorer(&self, counts: &Arc<Counts>, parameters: &AlsParameters) -> Result<Box<dyn Scorer>> {
        let (_, movies) = alternate(counts.incidence(parameters.signal), &parameters.settings(), |_| {})?;
        Ok(Box::new(Factors::new(movies, parameters)))
    }
}

/// The movies' factors, to fold in visitors.
struct Factors {
    movies: Vectors,
    /// [`Vectors::gram`] of the movies.
    gram: Vec<f32>,
    alpha: f32,
    recency: Recency,
}

impl Factors {
    fn new(movies: Vectors, parameters: &AlsParameters) -> Self {
        let gram = movies.gram(parameters.lambda);
        Self { movies, gram, alpha: parameters.alpha, recency: parameters.recency }
    }
}

impl Scorer for Factors {
    fn scores(&self, history: &History, _moment: &LocalTime) -> Result<Vec<(usize, f32)>> {
        let visitor = self.movies.solve(&self.gram, self.alpha, self.recency.weigh(history))?;
        let score = |row: &[f32]| row.iter().zip(&visitor).map(|(left, right)| left * right).sum();
        Ok(unseen(self.movies.rows().map(score).collect(), history))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::baselines::checkerboard;
    use crate::evaluate::tune::Statistics;

    #[test]
    fn folding_in_a_training_user_gives_the_users_own_vector() {
        let training = checkerboard::training();
        let counts = Counts::new(&training).unwrap();
        let incidence = counts.incidence(Signal::Likes);
        let parameters = AlsParameters { factors: 4, lambda: 0.5, ..Als.start() };
        let (users, movies) = alternate(incidence, &parameters.settings(), |_| {}).unwrap();
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
        let counts = Counts::new(&training).unwrap();
        let incidence = counts.incidence(Signal::Likes);
        let loss = |iterations: usize| {
            let parameters = AlsParameters { factors: 3, lambda: 0.5, iterations, ..Als.start() };
            let (users, movies) = alternate(incidence, &parameters.settings(), |_| {}).unwrap();
            let mut loss: f32 = users.rows().chain(movies.rows()).flatten().map(|value| 0.5 * value * value).sum();
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
