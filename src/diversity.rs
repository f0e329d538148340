//! Diversity: a list of suggestions that are good, unlike each other, and not what everybody gets.
//!
//! Maximal marginal relevance (Carbonell and Goldstein, *The Use of MMR, Diversity-Based Reranking*, SIGIR 1998) builds
//! the list one by one. Each time it picks the candidate with the largest relevance less likeness to the earlier picks.
//!
//! The lists of different visitors resemble each other for another reason: popular movies are in all of them. So the
//! same knob takes a part of a movie's popularity from its relevance, in full only for visitors who clicked a few
//! movies.

use std::cmp::Ordering;

/// How many candidates may change places. Those ranked behind them keep theirs, so that a long list costs no more.
pub const WINDOW: usize = 100;

/// How much of its popularity a movie's score loses at a diversity of 1.
const NOVELTY: f32 = 0.5;

/// A candidate to be reordered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The model's score.
    pub score: f32,
    /// The part of it that is the same for every visitor.
    pub popularity: f32,
}

/// The order in which to take candidates, as indices into `candidates`; a permutation of all of them.
///
/// The candidates come best first; the first [`WINDOW`] are reordered. `likeness(i, j)`, from −1 to 1, is how similar
/// two are. `diversity` is from 0 (the order stays) to 1 (relevance doesn't count). Relevance is the score less its
/// part of popularity, scaled to the window's lowest and highest, so that the knob means the same for every visitor.
/// Equal gains go to the better score.
pub fn maximal_marginal_relevance(
    candidates: &[Candidate],
    diversity: f32,
    likeness: impl Fn(usize, usize) -> f32,
) -> Vec<usize> {
    let window: Vec<f32> = candidates
        .iter()
        .take(WINDOW)
        .map(|candidate| candidate.score - diversity * NOVELTY * candidate.popularity)
        .collect();
    let highest = window.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let lowest = window.iter().copied().fold(f32::INFINITY, f32::min);
    let spread = (highest - lowest).max(f32::MIN_POSITIVE);
    // The candidates that are left, each with its relevance and its largest likeness to the picked ones.
    let mut left: Vec<(usize, f32, f32)> =
        window.iter().enumerate().map(|(at, score)| (at, (score - lowest) / spread, 0.0)).collect();
    let mut order = Vec::with_capacity(candidates.len());
    let gain = |candidate: &(usize, f32, f32)| (1.0 - diversity) * candidate.1 - diversity * candidate.2;
    while let Some(place) = (0..left.len()).max_by(|one, other| match (left.get(*one), left.get(*other)) {
        (Some(one), Some(other)) => gain(one).total_cmp(&gain(other)).then(other.0.cmp(&one.0)),
        _ => Ordering::Equal,
    }) {
        let (picked, ..) = left.remove(place);
        order.push(picked);
        left.iter_mut().for_each(|(at, _, likest)| *likest = likest.max(likeness(picked, *at)));
    }
    order.extend(window.len()..candidates.len());
    order
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;
    use crate::random::Random;

    /// Candidates 0, 1 and 2 are the same movie in three cuts; 3 and 4 are others.
    fn cuts(one: usize, other: usize) -> f32 {
        if one < 3 && other < 3 { 1.0 } else { 0.0 }
    }

    /// Candidates with these scores, all equally popular.
    fn of(scores: &[f32]) -> Vec<Candidate> {
        scores.iter().map(|score| Candidate { score: *score, popularity: 1.0 }).collect()
    }

    #[test]
    fn without_diversity_the_order_stays() {
        assert_eq!(maximal_marginal_relevance(&of(&[5.0, 4.0, 4.0, 1.0]), 0.0, cuts), [0, 1, 2, 3]);
        assert!(maximal_marginal_relevance(&[], 0.5, cuts).is_empty());
    }

    #[test]
    fn similar_movies_move_back() {
        assert_eq!(maximal_marginal_relevance(&of(&[5.0, 4.9, 4.8, 4.0, 3.0]), 0.5, cuts), [0, 3, 4, 1, 2]);
    }

    /// The second is nearly as good and far less popular.
    #[test]
    fn popular_movies_move_back() {
        let pair = [Candidate { score: 5.0, popularity: 4.0 }, Candidate { score: 4.8, popularity: 1.0 }];
        assert_eq!(maximal_marginal_relevance(&pair, 0.1, |_, _| 0.0), [0, 1]);
        assert_eq!(maximal_marginal_relevance(&pair, 0.2, |_, _| 0.0), [1, 0]);
    }

    #[test]
    fn equal_scores_stay_in_order_and_what_is_behind_the_window_too() {
        let order = maximal_marginal_relevance(&of(&[1.0; WINDOW + 3]), 0.3, |_, _| 0.5);
        assert_eq!(order, (0..WINDOW + 3).collect::<Vec<_>>());
    }

    /// The formula in the module's documentation, in double precision, with a full search for each pick.
    fn plain(candidates: &[Candidate], diversity: f64, likeness: impl Fn(usize, usize) -> f64) -> Vec<usize> {
        let score = |at: usize| {
            f64::from(candidates[at].score) - diversity * f64::from(NOVELTY) * f64::from(candidates[at].popularity)
        };
        let scores: Vec<f64> = (0..candidates.len()).map(score).collect();
        let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let lowest = scores.iter().copied().fold(f64::INFINITY, f64::min);
        let mut picked: Vec<usize> = Vec::new();
        while picked.len() < candidates.len() {
            let gain = |at: usize| {
                let likest = picked.iter().map(|other| likeness(*other, at)).fold(0.0, f64::max);
                (1.0 - diversity) * (scores[at] - lowest) / (highest - lowest) - diversity * likest
            };
            let left = (0..candidates.len()).filter(|at| !picked.contains(at));
            let best = left.max_by(|one, other| gain(*one).total_cmp(&gain(*other)).then(other.cmp(one)));
            picked.extend(best);
        }
        picked
    }

    /// Scores far from 0 and of either sign, popularities that matter, likenesses from −1 to 1, for the knob's whole
    /// range.
    #[test]
    fn the_order_is_that_of_the_definition() {
        let mut random = Random::new(9);
        let mut next = || random.unit();
        for number in 0..60 {
            let (least, spread) = ([-9.0, 3.0, 40.0][number % 3], [0.5, 7.0][number % 2]);
            let candidates: Vec<Candidate> =
                (0..30).map(|_| Candidate { score: least + spread * next(), popularity: 6.0 * next() - 3.0 }).collect();
            let places: Vec<f32> = (0..30).map(|_| 3.0 * next()).collect();
            let likeness = |one: usize, other: usize| (places[one] - places[other]).cos();
            let diversity = number as f32 / 59.0;
            let found = maximal_marginal_relevance(&candidates, diversity, likeness);
            let expected = plain(&candidates, f64::from(diversity), |one, other| f64::from(likeness(one, other)));
            assert_eq!(found, expected, "at a diversity of {diversity}");
        }
    }
}
