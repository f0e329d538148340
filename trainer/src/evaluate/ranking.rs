//! Orders of scores, and the gain of a place in them.

use std::cmp::Ordering;

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

#[cfg(test)]
mod tests {
    use super::*;

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
