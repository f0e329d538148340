//! Naive Bayes: how likely users who have a movie are to have the history's movies. The conditional probabilities are
//! shrunk towards independence.

use std::fmt;
use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::*;
use watchnext::features::LocalTime;
use watchnext::history::History;

use super::Recency;
use super::counts::Counts;
use crate::data::incidence::Signal;
use crate::evaluate::method::Selection;
use crate::evaluate::scorer::{Scorer, unseen};
use crate::evaluate::tune::{Axis, Family, axis};

/// The family of naive Bayes scores.
#[derive(Debug)]
pub struct NaiveBayes;

/// `score(j) = ln(n_j + 1) + γ / |H|^δ · Σ_i weight(i) · ln (P(i | j) / p_i)` over the watched movies `i` of the
/// history `H`. `P(i | j) = (c_ij + s · p_i) / (n_j + s)`, where `c_ij` users have both movies, `n_j` have `j`, and
/// `p_i` is the share of users who have `i`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NaiveBayesParameters {
    /// Which events count.
    pub signal: Signal,
    /// `s`, the shrinkage: how many users are added to every movie, whose movies are independent of it.
    pub shrink: f32,
    /// `γ`: the weight of the history, compared with popularity.
    pub gamma: f32,
    /// `δ`, the damping: how much less each movie of a longer history counts, since movies aren't independent.
    pub damping: f32,
    /// How fast watched movies are forgotten.
    pub recency: Recency,
}

impl fmt::Display for NaiveBayesParameters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { signal, shrink, gamma, damping, recency } = self;
        write!(formatter, "{signal}, shrink {shrink}, γ {gamma}, δ {damping}, {recency}")
    }
}

impl Family for NaiveBayes {
    type Parameters = NaiveBayesParameters;
    type Statistics = Counts;

    fn id(&self) -> &'static str {
        "naive-bayes"
    }

    fn name(&self) -> &'static str {
        "naive Bayes"
    }

    fn start(&self) -> NaiveBayesParameters {
        let (signal, recency) = (Signal::Likes, Recency::default());
        NaiveBayesParameters { signal, shrink: 5.0, gamma: 0.7, damping: 0.75, recency }
    }

    fn axes(&self, selection: &Selection) -> Vec<Axis<NaiveBayesParameters>> {
        let dampings = [0.25, 0.5, 0.75, 1.0];
        let pairs: Vec<(f32, f32)> =
            [0.3, 0.5, 0.7, 1.0, 1.4].into_iter().flat_map(|gamma| dampings.map(|damping| (gamma, damping))).collect();
        vec![
            axis(&Recency::choices(selection), |parameters, recency| parameters.recency = recency),
            axis(&Signal::ALL, |parameters, signal| parameters.signal = signal),
            // These two interact too strongly to be tuned one after the other.
            axis(&pairs, |parameters, (gamma, damping)| (parameters.gamma, parameters.damping) = (gamma, damping)),
            axis(&[1.2, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0], |parameters, shrink| parameters.shrink = shrink),
        ]
    }

    fn scorer(&self, counts: &Arc<Counts>, parameters: &NaiveBayesParameters) -> Result<Box<dyn Scorer>> {
        Ok(Box::new(LogRatios::new(counts, parameters)))
    }
}

/// The score in parts. The logarithm of two movies without shared users depends on the suggested movie alone, so the
/// rows only hold by how much movies with shared users exceed it.
struct LogRatios {
    /// `[movies]`, `ln(n_j + 1)`.
    prior: Vec<f32>,
    /// `[movies]`, `ln(s / (n_j + s))`.
    apart: Vec<f32>,
    /// `[movies]` lists of `(j, ln(1 + c_ij / (p_i · s)))`.
    together: Vec<Vec<(u32, f32)>>,
    gamma: f32,
    damping: f32,
    recency: Recency,
}

impl LogRatios {
    fn new(counts: &Counts, parameters: &NaiveBayesParameters) -> Self {
        let together = counts.co_occurrence(parameters.signal, false);
        let users = counts.incidence(parameters.signal).movies_of.len() as f32;
        let shrink = parameters.shrink;
        let row = |(shared, total): (&Vec<(u32, f32)>, &f32)| {
            let scale = users / (total * shrink);
            shared.iter().map(|(other, together)| (*other, (together * scale).ln_1p())).collect()
        };
        Self {
            prior: together.totals.iter().map(|total| total.ln_1p()).collect(),
            apart: together.totals.iter().map(|total| (shrink / (total + shrink)).ln()).collect(),
            together: together.rows.par_iter().zip(&together.totals).map(row).collect(),
            gamma: parameters.gamma,
            damping: parameters.damping,
            recency: parameters.recency,
        }
    }
}

impl Scorer for LogRatios {
    fn scores(&self, history: &History, _moment: &LocalTime) -> Result<Vec<(usize, f32)>> {
        let mut evidence = vec![0.0; self.prior.len()];
        let mut weights = 0.0;
        for (movie, weight) in self.recency.weigh(history) {
            let row = self.together.get(movie).map(Vec::as_slice).unwrap_or_default();
            // A movie without shared users is no evidence: its share is unknown.
            if row.is_empty() {
                continue;
            }
            weights += weight;
            for (other, ratio) in row {
                if let Some(sum) = evidence.get_mut(*other as usize) {
                    *sum += weight * ratio;
                }
            }
        }
        let factor = if weights > 0.0 { self.gamma / weights.powf(self.damping) } else { 0.0 };
        let parts = self.prior.iter().zip(&self.apart).zip(&evidence);
        let scores = parts.map(|((prior, apart), evidence)| prior + factor * (weights * apart + evidence)).collect();
        Ok(unseen(scores, history))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::baselines::checkerboard;
    use watchnext::catalog::MovieIndex;
    use watchnext::history::Watch;

    /// Five users and four movies, small enough to write the formula out for every movie.
    #[test]
    fn the_score_is_the_formula() {
        let lists: [&[usize]; 5] = [&[0, 1], &[0, 1, 2], &[1, 2], &[0, 3], &[3]];
        let counts = Arc::new(checkerboard::counts_of(4, &lists));
        let parameters = NaiveBayesParameters { shrink: 2.0, gamma: 0.8, damping: 0.5, ..NaiveBayes.start() };
        let scorer = NaiveBayes.scorer(&counts, &parameters).unwrap();
        let watched = [0, 1].map(|row| Watch { movie: MovieIndex::new(row).unwrap(), rating: None });
        let scores = scorer.scores(&History::new(watched), &LocalTime::from_unix(0, 0).unwrap()).unwrap();
        let count = |movie: usize| lists.iter().filter(|list| list.contains(&movie)).count() as f32;
        let both = |left: usize, right: usize| {
            lists.iter().filter(|list| list.contains(&left) && list.contains(&right)).count() as f32
        };
        assert_eq!(scores.len(), 2);
        for (movie, score) in scores {
            let ratio = |watched: usize| {
                let share = count(watched) / 5.0;
                ((both(watched, movie) + 2.0 * share) / (count(movie) + 2.0) / share).ln()
            };
            let expected = (count(movie) + 1.0).ln() + 0.8 / 2f32.sqrt() * (ratio(0) + ratio(1));
            assert!((score - expected).abs() < 1e-5, "movie {movie}: {score} against {expected}");
        }
    }
}
