//! Samples of long lists, which measure nearly as well in less time.

/// The places of `most` of `all` items, evenly spread; all places if there are no more. It is the same at every call.
pub(super) fn evenly(all: usize, most: usize) -> impl Iterator<Item = usize> {
    let count = all.min(most);
    // Each place is in the middle of its stretch, so that neither end counts for more.
    (0..count).map(move |at| (2 * at + 1) * all / (2 * count))
}

/// `most` of `items`, evenly spread.
pub(super) fn sample<T: Clone>(items: &[T], most: usize) -> Vec<T> {
    evenly(items.len(), most).filter_map(|place| items.get(place)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_evenly_and_a_short_list_whole() {
        assert_eq!(evenly(9, 3).collect::<Vec<_>>(), [1, 4, 7]);
        assert_eq!(evenly(10, 4).collect::<Vec<_>>(), [1, 3, 6, 8]);
        assert_eq!(evenly(3, 3).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(evenly(2, 20).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(evenly(0, 5).count() + evenly(5, 0).count(), 0);
        assert_eq!(sample(&["a", "b", "c", "d", "e", "f"], 2), ["b", "e"]);
    }
}
