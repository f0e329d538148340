//! RP3β: a random walk of three steps, from the visitor to a watched movie, to a user who has it, and to another movie
//! of that user. Its probabilities are taken to a power (Cooper et al., *Random Walks in Recommender Systems*, WWW
//! 2014), and popular ends are divided down (Paudel, Christoffel, Newell and Bernstein, *Updatable, Accurate, Diverse,
//! and Scalable Recommendations for Interactive Applications*, TiiS 2017). Here both have their own power, as in
//! Ferrari Dacrema et al., *Are We Really Making Much Progress?* (RecSys 2019).

use std::fmt;
use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::*;

use super::Recency;
use super::counts::Counts;
use super::neighbours::{Neighbours, keep_nearest};
use super::prior::Prior;
use crate::data::cooccurrence::CoOccurrence;
use crate::data::incidence::Signal;
use crate::data::timed_popularity::Season;
use crate::evaluate::method::Selection;
use crate::evaluate::scorer::Scorer;
use crate::evaluate::tune::{Axis, Family, axis};

/// The family of random walks.
#[derive(Debug)]
pub struct Rp3Beta;

/// `score(j) = Σ_i weight(i) · c_ij · n_i^−α · n_j^−β + prior · ln(1 + n_j)` over the watched movies `i`. `n_i` users
/// have `i`, and `c_ij` is the sum of `length^−α` over the lists that hold both movies, scaled to a mean of 1 for all
/// events' lists.
///
/// The counts in the sum are in units of the mean event's movie's. So, unlike the paper's, a score keeps its size
/// whatever the powers are, and so does what a prior means. The order without a prior is the paper's. The walk's first
/// step is the same for all movies, and is left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rp3BetaParameters {
    /// Which events count.
    pub signal: Signal,
    /// The power of the walk's probabilities. The greater it is, the less long lists and popular watched movies count.
    pub alpha: f32,
    /// The power of the suggested movie's popularity that the score is divided by.
    pub beta: f32,
    /// The weight of popularity.
    pub prior: f32,
    /// The number k of a watched movie's neighbours that count; `None` for all.
    pub neighbours: Option<usize>,
    /// How fast watched movies are forgotten.
    pub recency: Recency,
}

impl fmt::Display for Rp3BetaParameters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { signal, alpha, beta, prior, neighbours, recency } = self;
        write!(formatter, "{signal}, α {alpha}, β {beta}, prior {prior}")?;
        if let Some(neighbours) = neighbours {
            write!(formatter, ", {neighbours} neighbours")?;
        }
        write!(formatter, ", {recency}")
    }
}

impl Family for Rp3Beta {
    type Parameters = Rp3BetaParameters;
    type Statistics = Counts;

    fn id(&self) -> &'static str {
        "rp3beta"
    }

    fn name(&self) -> &'static str {
        "RP3β"
    }

    fn start(&self) -> Rp3BetaParameters {
        let (signal, recency) = (Signal::Likes, Recency::default());
        Rp3BetaParameters { signal, alpha: 0.5, beta: 0.4, prior: 0.04, neighbours: None, recency }
    }

    fn axes(&self, selection: &Selection) -> Vec<Axis<Rp3BetaParameters>> {
        vec![
            axis(&Recency::choices(selection), |parameters, recency| parameters.recency = recency),
            axis(&Signal::ALL, |parameters, signal| parameters.signal = signal),
            axis(&[0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8], |parameters, beta| parameters.beta = beta),
            axis(&[0.0, 0.01, 0.02, 0.04, 0.08, 0.16], |parameters, prior| parameters.prior = prior),
            axis(&[0.25, 0.5, 0.75, 1.0], |parameters, alpha| parameters.alpha = alpha),
            axis(&[None, Some(1000), Some(300), Some(100)], |parameters, count| parameters.neighbours = count),
        ]
    }

    fn scorer(&self, counts: &Arc<Counts>, parameters: &Rp3BetaParameters) -> Result<Box<dyn Scorer>> {
        Ok(Box::new(walk(counts, parameters)))
    }
}

/// The walk's two last steps from every movie, divided by the popularity of their ends.
fn walk(counts: &Counts, parameters: &Rp3BetaParameters) -> Neighbours {
    let Rp3BetaParameters { signal, alpha, beta, prior, neighbours, recency } = *parameters;
    let incidence = counts.incidence(signal);
    // Not kept for the next parameters: each power has its own, and a large data set's are large.
    let together = CoOccurrence::new(incidence, alpha);
    let users = incidence.counts();
    let events: f32 = users.iter().sum();
    let unit = users.iter().map(|count| count * count).sum::<f32>() / events.max(1.0);
    let divisors: Vec<f32> = users.iter().map(|count| (count / unit).powf(beta)).collect();
    let row = |(shared, count): (&Vec<(u32, f32)>, &f32)| {
        let start = (count / unit).powf(alpha) * unit;
        let similarity = |(other, together): &(u32, f32)| {
            let divisor = divisors.get(*other as usize).copied().unwrap_or(1.0);
            (*other, together / (start * divisor))
        };
        let mut row: Vec<(u32, f32)> = shared.iter().map(similarity).collect();
        keep_nearest(&mut row, neighbours);
        row
    };
    let rows = together.rows.par_iter().zip(&users).map(row).collect();
    Neighbours { rows, prior: Prior::new(counts, signal, Season(None), prior), recency }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::baselines::checkerboard;
    use watchnext::catalog::MovieIndex;
    use watchnext::features::LocalTime;
    use watchnext::history::{History, Watch};

    /// The scores of movies 1, 2 and 3 after a click on movie 0.
    fn scores(parameters: Rp3BetaParameters) -> [f32; 3] {
        let counts = Arc::new(checkerboard::counts_of(4, &[&[0, 1], &[0, 1, 2], &[1, 2], &[0, 3], &[3]]));
        let scorer = Rp3Beta.scorer(&counts, &parameters).unwrap();
        let clicked = [Watch { movie: MovieIndex::new(0).unwrap(), rating: None }];
        let scores = scorer.scores(&History::new(clicked), &LocalTime::from_unix(0, 0).unwrap()).unwrap();
        assert!(scores.iter().map(|(movie, _)| *movie).eq(1..4));
        std::array::from_fn(|place| scores.get(place).unwrap().1)
    }

    /// Three users have movie 0, and their lists have 2, 3 and 2 movies. The walk ends at movie 1 by way of the first
    /// two, ⅓ (½ + ⅓) = 5/18, at movie 2 by the second, ⅓ · ⅓ = 2/18, and at movie 3 by the third, ⅓ · ½ = 3/18.
    #[test]
    fn scores_are_in_the_proportions_of_the_walk() {
        let plain = Rp3BetaParameters { alpha: 1.0, beta: 0.0, prior: 0.0, ..Rp3Beta.start() };
        let proportions = |parameters: Rp3BetaParameters, expected: [f32; 3]| {
            let (scores, total) = (scores(parameters), expected.iter().sum::<f32>());
            let sum: f32 = scores.iter().sum();
            for (score, share) in scores.iter().zip(expected) {
                assert!((score / sum - share / total).abs() < 1e-6, "{parameters}: {scores:?}, not {expected:?}");
            }
        };
        proportions(plain, [5.0, 2.0, 3.0]);
        // ¼ + ⅑, ⅑ and ¼.
        proportions(Rp3BetaParameters { alpha: 2.0, ..plain }, [13.0, 4.0, 9.0]);
        // Three users have movie 1, two have movie 2, and two have movie 3.
        proportions(Rp3BetaParameters { beta: 1.0, ..plain }, [5.0 / 3.0, 2.0 / 2.0, 3.0 / 2.0]);
        proportions(Rp3BetaParameters { neighbours: Some(2), ..plain }, [5.0, 0.0, 3.0]);
    }

    /// The ten events are of movies that 3, 3, 2 and 2 users have, so the unit is 26/10. All lists count 1 without
    /// powers, and movie 0 shares two, one and one with the others.
    #[test]
    fn counts_are_in_units_of_the_mean_events_movie() {
        let plain = Rp3BetaParameters { alpha: 0.0, beta: 0.0, prior: 0.5, ..Rp3Beta.start() };
        let expected = [(2.0, 3.0), (1.0, 2.0), (1.0, 2.0)]
            .map(|(shared, users): (f32, f32)| shared / 2.6 + 0.5 * (1.0 + users).ln());
        for (score, expected) in scores(plain).iter().zip(expected) {
            assert!((score - expected).abs() < 1e-6, "{score} against {expected}");
        }
    }
}
