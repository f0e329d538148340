//! The weights of the channels and of plain popularity, by the number of watched movies.

use watchnext::features::HISTORY_LEN;

/// Lengths of histories are told apart in half powers of two: 1, then 2, 3, 4, 6, 8, 11, 16, 23, 32, 45.
pub const BUCKETS: usize = 12;

/// Up to this many movies, a history is a visitor's clicks, and their order means nothing.
const CLICKS: usize = 10;

/// This many movies after the first, the confidence in the channels is full.
const SOME: usize = 4;

/// From this many movies on, the end of a history says what comes next.
const SEQUENCE: usize = 15;

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
}

/// The factors at each length from 0 to [`HISTORY_LEN`].
///
/// - Up to ten movies, the click channel's factor is 1. The sequence channel's grows from 0, since one movie is no
///   sequence, to `sequence_in_clicks` at five movies.
/// - From fifteen movies on, the sequence channel's factor is 1 and the click channel's is `clicks_in_sequence`.
/// - In between they change gradually, so that one more click never turns the list over.
///
/// The networks make too much of one click, so the confidence grows from `first_click` to 1 at five movies.
pub fn by_length(first_click: f32, sequence_in_clicks: f32, clicks_in_sequence: f32) -> Vec<Gains> {
    (0..=HISTORY_LEN)
        .map(|watched| {
            let along = watched.saturating_sub(CLICKS) as f32 / (SEQUENCE - CLICKS) as f32;
            let along = along.min(1.0);
            let some = (watched.saturating_sub(1) as f32 / SOME as f32).min(1.0);
            let few = sequence_in_clicks * some;
            Gains {
                clicks: 1.0 - along * (1.0 - clicks_in_sequence),
                sequence: few + along * (1.0 - few),
                confidence: first_click + some * (1.0 - first_click),
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
        let gains = by_length(0.6, 0.05, 0.1);
        assert_eq!(gains.len(), HISTORY_LEN + 1);
        assert_eq!(gains[10], Gains { clicks: 1.0, sequence: 0.05, confidence: 1.0 });
        assert_eq!((gains[1].confidence, gains[3].confidence, gains[5].confidence), (0.6, 0.8, 1.0));
        assert_eq!((gains[1].sequence, gains[50].sequence), (0.0, 1.0));
        assert!(gains.windows(2).all(|pair| (pair[0].sequence - pair[1].sequence).abs() < 0.21));
    }

    #[test]
    fn buckets_are_half_powers_of_two() {
        assert_eq!([0, 1, 2, 3, 4, 10, 20, 50, 5000].map(bucket), [0, 0, 2, 3, 4, 7, 9, 11, 11]);
    }
}
