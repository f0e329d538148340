//! The weights of the channels and of plain popularity, by the number of watched movies.

use watchnext::features::HISTORY_LEN;

/// Lengths of histories are told apart in half powers of two: 1, then 2, 3, 4, 6, 8, 11, 16, 23, 32, 45.
pub const BUCKETS: usize = 12;

/// Up to this many movies, a history is a visitor's clicks, and their order means little.
const CLICKS: usize = 10;

/// This many movies after the first, the confidence in the channels is full.
const SOME: usize = 4;

/// From this many movies on, the order of a list means nothing if nobody says so, and its end says what comes next if
/// somebody does.
const SEQUENCE: usize = 15;

/// The most clicks of a training row of the click networks. Their weights for longer histories are those for this one.
pub const MOST_CLICKS: usize = 20;

/// The bucket of a history of `watched` movies.
pub fn bucket(watched: usize) -> usize {
    let half_powers = (watched.max(1) as f32).log2() * 2.0;
    (half_powers.round() as usize).min(BUCKETS - 1)
}

/// The channels' factors at a history's length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gains {
    /// The click channel's.
    pub clicks: f32,
    /// The sequence channel's.
    pub sequence: f32,
    /// How much both count against popularity.
    pub confidence: f32,
    /// The bucket of the networks' weights of popularity.
    pub bucket: usize,
}

/// The factors at each length from 0 to [`HISTORY_LEN`], which are those of every longer history too.
///
/// If `in_order`, the question is what comes next in the history's order:
///
/// - Up to ten movies, the click channel's factor is 1. The sequence channel's grows from 0, since one movie is no
///   sequence, to `sequence_in_clicks` at five movies.
/// - From fifteen movies on, the sequence channel's factor is 1 and the click channel's is `clicks_in_sequence`.
/// - In between they change gradually, so that one more click never turns the list over.
///
/// Or else, it is what is liked by those who like these movies. The click channel's factor is 1 at all lengths. The
/// sequence channel's is the same up to ten movies, a sitting of clicks, and falls to 0 at fifteen.
///
/// The networks make too much of one click, so the confidence grows from `first_click` to 1 at five movies.
pub fn by_length(first_click: f32, sequence_in_clicks: f32, clicks_in_sequence: f32, in_order: bool) -> Vec<Gains> {
    (0..=HISTORY_LEN)
        .map(|watched| {
            let along = watched.saturating_sub(CLICKS) as f32 / (SEQUENCE - CLICKS) as f32;
            let along = along.min(1.0);
            let some = (watched.saturating_sub(1) as f32 / SOME as f32).min(1.0);
            let few = sequence_in_clicks * some;
            let confidence = first_click + some * (1.0 - first_click);
            if in_order {
                Gains {
                    clicks: 1.0 - along * (1.0 - clicks_in_sequence),
                    sequence: few + along * (1.0 - few),
                    confidence,
                    bucket: bucket(watched),
                }
            } else {
                let bucket = bucket(watched.min(MOST_CLICKS));
                Gains { clicks: 1.0, sequence: few * (1.0 - along), confidence, bucket }
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn the_channels_change_over_without_a_step() {
        let gains = by_length(0.6, 0.05, 0.1, true);
        assert_eq!(gains.len(), HISTORY_LEN + 1);
        assert_eq!(gains[10], Gains { clicks: 1.0, sequence: 0.05, confidence: 1.0, bucket: bucket(10) });
        assert_eq!((gains[1].confidence, gains[3].confidence, gains[5].confidence), (0.6, 0.8, 1.0));
        assert_eq!((gains[1].sequence, gains[50].sequence), (0.0, 1.0));
        assert!(gains.windows(2).all(|pair| (pair[0].sequence - pair[1].sequence).abs() < 0.21));
    }

    #[test]
    fn the_order_of_a_long_list_counts_only_if_it_is_asked_for() {
        let (in_order, in_none) = (by_length(0.6, 0.05, 0.1, true), by_length(0.6, 0.05, 0.1, false));
        assert_eq!(in_order[..=10], in_none[..=10]);
        assert_eq!((in_none[15].sequence, in_none[50].sequence, in_none[50].clicks), (0.0, 0.0, 1.0));
        assert_eq!((in_none[50].bucket, in_order[50].bucket), (bucket(MOST_CLICKS), bucket(50)));
    }

    #[test]
    fn buckets_are_half_powers_of_two() {
        assert_eq!([0, 1, 2, 3, 4, 10, 20, 50, 5000].map(bucket), [0, 0, 2, 3, 4, 7, 9, 11, 11]);
    }
}
