//! The order of a list: good suggestions that are new to the visitor and unlike each other.
//!
//! A list is picked one by one. Each time the candidate with the largest gain comes next:
//!
//! ```text
//! gain = score − novelty · seen · (Σ seen of the earlier picks − 1) − diversity · largest likeness to an earlier pick
//! ```
//!
//! The middle term, where the bracket is above 0, is greedy for a list whose scores' sum is large and whose expected
//! number of movies that the visitor has seen already is small: half the square of what that number exceeds 1 by is
//! taken off. So the first famous movies cost nothing, and each further one more. The last term is maximal marginal
//! relevance (Carbonell and Goldstein, *The Use of MMR, Diversity-Based Reranking*, SIGIR 1998).

use std::cmp::Ordering;

/// How many candidates may change places. Those ranked behind them keep theirs.
pub const WINDOW: usize = 200;

/// How many are picked one by one. Those that are left follow by their scores, so that a long list costs no more.
pub const PICKS: usize = 50;

/// So many movies of a list may have been seen already, in expectation, before any costs something. A list without a
/// movie that the visitor knows looks as if it weren't for them.
const FAMILIAR: f32 = 1.0;

/// A candidate to be reordered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The model's score, in logits.
    pub score: f32,
    /// The chance that the visitor has seen it, 0 to 1.
    pub seen: f32,
}

/// What a list is picked for besides the scores, in logits.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Weights {
    /// The weight of movies that the visitor has seen already.
    pub novelty: f32,
    /// The weight of likeness.
    pub diversity: f32,
}

/// The order in which to take candidates, as indices into `candidates`; a permutation of all of them.
///
/// The candidates come best first. At most [`PICKS`] and `limit` are picked from the first [`WINDOW`]; the first of a
/// longer list are those of a shorter one. `likeness(i, j)`, from −1 to 1, is how similar two are. Equal gains go to
/// the better candidate.
pub fn pick(
    candidates: &[Candidate],
    limit: usize,
    weights: Weights,
    likeness: impl Fn(usize, usize) -> f32,
) -> Vec<usize> {
    // The candidates that are left, each with its place and its largest likeness to the picked ones.
    let mut left: Vec<(usize, Candidate, f32)> =
        candidates.iter().take(WINDOW).enumerate().map(|(at, candidate)| (at, *candidate, 0.0)).collect();
    let mut order = Vec::with_capacity(candidates.len());
    let mut seen = 0.0_f32;
    while order.len() < limit.min(PICKS) {
        let gain = |(_, candidate, likest): &(usize, Candidate, f32)| {
            let too_familiar = (seen - FAMILIAR).max(0.0);
            candidate.score - weights.novelty * candidate.seen * too_familiar - weights.diversity * likest
        };
        let best = (0..left.len()).max_by(|one, other| match (left.get(*one), left.get(*other)) {
            (Some(one), Some(other)) => gain(one).total_cmp(&gain(other)).then(other.0.cmp(&one.0)),
            _ => Ordering::Equal,
        });
        let Some(best) = best else { break };
        let (picked, candidate, _) = left.remove(best);
        order.push(picked);
        seen += candidate.seen;
        if weights.diversity > 0.0 {
            left.iter_mut().for_each(|(at, _, likest)| *likest = likest.max(likeness(picked, *at)));
        }
    }
    order.extend(left.into_iter().map(|(at, ..)| at));
    order.extend(WINDOW.min(candidates.len())..candidates.len());
    order
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;
    use crate::random::Random;

    const DIVERSE: Weights = Weights { novelty: 0.0, diversity: 2.0 };
    const NEW: Weights = Weights { novelty: 2.0, diversity: 0.0 };

    /// Candidates 0, 1 and 2 are the same movie in three cuts; 3 and 4 are others.
    fn cuts(one: usize, other: usize) -> f32 {
        if one < 3 && other < 3 { 1.0 } else { 0.0 }
    }

    /// Candidates with these scores that nobody has seen.
    fn of(scores: &[f32]) -> Vec<Candidate> {
        scores.iter().map(|score| Candidate { score: *score, seen: 0.0 }).collect()
    }

    #[test]
    fn without_weights_the_order_stays() {
        assert_eq!(pick(&of(&[5.0, 4.0, 4.0, 1.0]), 9, Weights::default(), cuts), [0, 1, 2, 3]);
        assert!(pick(&[], 9, DIVERSE, cuts).is_empty());
    }

    #[test]
    fn similar_movies_move_back() {
        assert_eq!(pick(&of(&[5.0, 4.9, 4.8, 4.0, 3.0]), 9, DIVERSE, cuts), [0, 3, 4, 1, 2]);
    }

    /// The first two famous movies cost nothing, since one of them alone isn't surely known. With both in the list, the
    /// third goes behind an unknown one.
    #[test]
    fn a_list_has_few_movies_that_were_seen_already() {
        let candidate = |score, seen| Candidate { score, seen };
        let candidates = [candidate(5.0, 0.8), candidate(4.9, 0.9), candidate(4.8, 0.8), candidate(4.0, 0.1)];
        assert_eq!(pick(&candidates, 9, NEW, |_, _| 0.0), [0, 1, 3, 2]);
    }

    #[test]
    fn equal_scores_stay_in_order_and_what_is_behind_the_window_too() {
        let order = pick(&of(&[1.0; WINDOW + 3]), WINDOW + 3, DIVERSE, |_, _| 0.5);
        assert_eq!(order, (0..WINDOW + 3).collect::<Vec<_>>());
    }

    /// The formula in the module's documentation, in double precision, with a full search for each pick.
    fn plain(candidates: &[Candidate], weights: Weights, likeness: impl Fn(usize, usize) -> f64) -> Vec<usize> {
        let mut picked: Vec<usize> = Vec::new();
        while picked.len() < candidates.len() {
            let gain = |at: usize| {
                let likest = picked.iter().map(|other| likeness(*other, at)).fold(0.0, f64::max);
                let seen: f64 = picked.iter().map(|other| f64::from(candidates[*other].seen)).sum();
                f64::from(candidates[at].score)
                    - f64::from(weights.novelty) * f64::from(candidates[at].seen) * (seen - 1.0).max(0.0)
                    - f64::from(weights.diversity) * likest
            };
            let left = (0..candidates.len()).filter(|at| !picked.contains(at));
            let best = left.max_by(|one, other| gain(*one).total_cmp(&gain(*other)).then(other.cmp(one)));
            picked.extend(best);
        }
        picked
    }

    /// Scores far from 0 and of either sign, chances over the whole range, likenesses from −1 to 1. A shorter list is
    /// the beginning of a longer one.
    #[test]
    fn the_order_is_that_of_the_definition() {
        let mut random = Random::new(9);
        let mut next = || random.unit();
        for number in 0..60 {
            let (least, spread) = ([-9.0, 3.0, 40.0][number % 3], [0.5, 7.0][number % 2]);
            let mut candidates: Vec<Candidate> =
                (0..30).map(|_| Candidate { score: least + spread * next(), seen: next() }).collect();
            candidates.sort_by(|one, other| other.score.total_cmp(&one.score));
            let places: Vec<f32> = (0..30).map(|_| 3.0 * next()).collect();
            let likeness = |one: usize, other: usize| (places[one] - places[other]).cos();
            let weights = Weights { novelty: number as f32 / 20.0, diversity: (number % 7) as f32 / 3.0 };
            let found = pick(&candidates, 30, weights, likeness);
            let expected = plain(&candidates, weights, |one, other| f64::from(likeness(one, other)));
            assert_eq!(found, expected, "with {weights:?}");
            assert_eq!(pick(&candidates, 5, weights, likeness)[..5], expected[..5]);
        }
    }
}
