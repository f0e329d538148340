//! Orders of scores, the gain of a place in them, and how good a list is.

use std::cmp::Ordering;
use std::collections::BTreeSet;

/// The length of the list for gain, coverage and popularity.
const SHORT_LIST: usize = 10;

/// The length of the list for recall and hits.
pub(super) const LONG_LIST: usize = 20;

/// Descending order of scores, which must be finite.
pub(crate) fn descending(left: f32, right: f32) -> Ordering {
    right.partial_cmp(&left).unwrap_or(Ordering::Equal)
}

/// The first `k` items in `order`, sorted. Nearly every item costs one comparison if `k` is far below their number.
pub(super) fn top_k_by<T>(items: impl Iterator<Item = T>, k: usize, order: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    let mut first: Vec<T> = Vec::with_capacity(k + 1);
    for item in items {
        if first.len() == k && first.last().is_none_or(|last| order(&item, last).is_ge()) {
            continue;
        }
        let place = first.partition_point(|kept| order(kept, &item).is_lt());
        first.insert(place, item);
        first.truncate(k);
    }
    first
}

/// The gain of a hit at `rank`, from 0, in a discounted cumulative gain (Järvelin and Kekäläinen 2002).
pub(super) fn discount(rank: usize) -> f64 {
    1.0 / (rank as f64 + 2.0).log2()
}

/// One list of suggestions, measured by what the user liked.
pub(super) struct Judged {
    /// Normalised discounted cumulative gain of the best 10; the ideal list has as many hits as it can.
    pub(super) ndcg10: f64,
    /// Targets among the best 20, over the smaller of 20 and the number of targets.
    pub(super) recall20: f64,
    /// Whether there is any.
    pub(super) hit20: bool,
    /// The best 10 by dense index, as a visitor sees them.
    pub(super) suggested: Vec<usize>,
}

/// Measures the order of `scores`, `(dense index, score)`. Ties count against the method.
pub(super) fn judge(scores: &[(usize, f32)], targets: &BTreeSet<usize>) -> Judged {
    let mut is_target = vec![false; targets.last().map_or(0, |last| last + 1)];
    for target in targets {
        if let Some(flag) = is_target.get_mut(*target) {
            *flag = true;
        }
    }
    let flagged = |(movie, score): &(usize, f32)| (*movie, *score, is_target.get(*movie).copied().unwrap_or_default());
    // Among equal scores targets come last, so that ties count against the method.
    let hits = top_k_by(scores.iter().map(flagged), LONG_LIST, |left, right| {
        descending(left.1, right.1).then(left.2.cmp(&right.2)).then(left.0.cmp(&right.0))
    });
    let hits: Vec<bool> = hits.into_iter().map(|(_, _, target)| target).collect();
    let gain: f64 =
        hits.iter().take(SHORT_LIST).enumerate().filter(|(_, hit)| **hit).map(|(rank, _)| discount(rank)).sum();
    let ideal: f64 = (0..SHORT_LIST.min(targets.len())).map(discount).sum();
    let found = hits.iter().filter(|hit| **hit).count();
    Judged {
        ndcg10: if ideal > 0.0 { gain / ideal } else { 0.0 },
        recall20: found as f64 / LONG_LIST.min(targets.len()).max(1) as f64,
        hit20: found > 0,
        suggested: best(scores, SHORT_LIST),
    }
}

/// The best `limit` movies by dense index. Visitors see equal scores in the order of the movies' indices.
pub(super) fn best(scores: &[(usize, f32)], limit: usize) -> Vec<usize> {
    let best = top_k_by(scores.iter(), limit, |left, right| descending(left.1, right.1).then(left.0.cmp(&right.0)));
    best.into_iter().map(|(movie, _)| *movie).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-12, "{left} against {right}");
    }

    /// Three targets: in place 1, in place 3, and one that the method doesn't score.
    #[test]
    fn gain_and_recall_follow_from_the_places() {
        let scores: Vec<(usize, f32)> = (0..30).map(|movie| (movie, -(movie as f32))).collect();
        let judged = judge(&scores, &BTreeSet::from([0, 2, 99]));
        let ideal = 1.0 + 1.0 / 3f64.log2() + 0.5;
        close(judged.ndcg10, (1.0 + 0.5) / ideal);
        close(judged.recall20, 2.0 / 3.0);
        assert_eq!(judged.suggested, (0..10).collect::<Vec<_>>());
        // Place 20 is the last that counts.
        let hit = |target: usize| judge(&scores, &BTreeSet::from([target])).hit20;
        assert!(hit(19) && !hit(20));
    }

    /// Of 30 equal scores 25 are targets. The five others come first, and recall is over 20, not over 25. The list
    /// that a visitor sees ignores targets.
    #[test]
    fn ties_count_against_the_method_and_show_in_order() {
        let judged = judge(&(0..30).map(|movie| (movie, 0.0)).collect::<Vec<_>>(), &(0..25).collect());
        close(judged.recall20, 15.0 / 20.0);
        let gain: f64 = (5..10).map(discount).sum();
        close(judged.ndcg10, gain / (0..10).map(discount).sum::<f64>());
        assert_eq!(judged.suggested, (0..10).collect::<Vec<_>>());
    }

    /// 37 is coprime to 101, so the multiples are all residues in a scrambled order.
    #[test]
    fn the_top_k_are_those_of_a_sort() {
        let items: Vec<u32> = (0..101).map(|i| i * 37 % 101).collect();
        for k in [0, 1, 20, 101, 200] {
            let expected: Vec<u32> = (0..101).take(k).collect();
            assert_eq!(top_k_by(items.iter().copied(), k, u32::cmp), expected);
        }
    }
}
