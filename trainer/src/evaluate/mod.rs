//! The evaluator: every model and every baseline is measured by the same code, through the path that ships.
//!
//! | protocol | asks |
//! |---|---|
//! | P1, [`next_movie`] | which movie a held-out user rated next |
//! | P2, [`few_clicks`] | what else somebody likes who clicked one to ten movies |
//! | P3, [`reaction`] | whether somebody likes a movie that they watch |
//! | P1-leaky, [`leaky`] | nothing: it reproduces the seed's published figure and shows that it is a leak |
//!
//! [`run`] puts methods through the protocols, [`bootstrap`] says how sure one can be of the figures.

pub mod bootstrap;
pub mod bundle_scorer;
pub mod evaluation;
pub mod few_clicks;
pub mod held_out;
pub mod leaky;
pub mod method;
pub mod next_movie;
pub mod protocol;
pub mod reaction;
pub mod run;
pub mod scorer;
pub mod tune;

use std::cmp::Ordering;

/// The first `k` in `order`, sorted. For a `k` far below the number of items: nearly all of them cost one comparison.
fn first_by<T>(items: impl Iterator<Item = T>, k: usize, order: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
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

/// What a hit at `rank`, from 0, adds to a discounted cumulative gain (Järvelin and Kekäläinen 2002).
fn discount(rank: usize) -> f64 {
    1.0 / (rank as f64 + 2.0).log2()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 37 is coprime to 101, so the multiples are all residues in a scrambled order.
    #[test]
    fn the_first_are_those_of_a_sort() {
        let items: Vec<u32> = (0..101).map(|i| i * 37 % 101).collect();
        for k in [0, 1, 20, 101, 200] {
            let expected: Vec<u32> = (0..101).take(k).collect();
            assert_eq!(first_by(items.iter().copied(), k, u32::cmp), expected);
        }
    }
}
