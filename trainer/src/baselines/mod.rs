//! The methods to beat, each with its parameters tuned on the training users.
//!
//! | file | method |
//! |---|---|
//! | [`popularity`] | how many users have a movie |
//! | [`item_knn`] | item-based k-nearest-neighbours by a shrunk cosine |
//! | [`rp3beta`] | RP3β, a random walk of three steps (Paudel et al. 2017) |
//! | [`naive_bayes`] | naive Bayes, shrunk towards independence |
//! | [`ease`] | EASE (Steck 2019), and EDLAE with its dropout (Steck 2020) |
//! | [`als`] | implicit alternating least squares (Hu, Koren and Volinsky 2008) |
//! | [`reaction`] | predictions of stars, compared with our second stage |
//!
//! All but the last share [`counts`]: which users have which movie, and how many users two movies share. The first two
//! can use the time of the visit by [`crate::data::timed_popularity`]. Item kNN and RP3β share [`neighbours`], and both
//! and EASE a [`prior`].

pub mod als;
#[cfg(test)]
mod checkerboard;
mod counts;
pub mod ease;
pub mod item_knn;
pub mod naive_bayes;
mod neighbours;
pub mod popularity;
mod prior;
pub mod reaction;
pub mod rp3beta;

use std::fmt;

use watchnext::history::History;

use crate::evaluate::method::Selection;

/// How much less a movie counts the longer ago it was watched.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Recency {
    /// After how many further movies a movie counts half; `None` if all count the same.
    pub half_life: Option<f32>,
}

impl Recency {
    /// Movies that count less than this are left out.
    const LEAST_WEIGHT: f32 = 0.01;

    /// The values to try: half-lives only if histories have an order.
    fn choices(selection: &Selection) -> Vec<Self> {
        let half_lives: &[Option<f32>] = if selection.is_sequential() {
            &[None, Some(50.0), Some(20.0), Some(10.0), Some(5.0), Some(2.5)]
        } else {
            &[None]
        };
        half_lives.iter().map(|half_life| Self { half_life: *half_life }).collect()
    }

    /// The watched movies by dense index, latest first, each with its weight, at most 1.
    fn weigh<'history>(&self, history: &'history History) -> impl Iterator<Item = (usize, f32)> + 'history {
        let decay = self.half_life.map_or(1.0, |half_life| 0.5_f32.powf(1.0 / half_life));
        let latest_first = history.watches().iter().rev().map(|watch| watch.movie.as_usize());
        let weights = std::iter::successors(Some(1.0_f32), move |weight| Some(weight * decay));
        latest_first.zip(weights).take_while(|(_, weight)| *weight >= Self::LEAST_WEIGHT)
    }
}

impl fmt::Display for Recency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.half_life {
            Some(half_life) => write!(formatter, "half-life {half_life} movies"),
            None => write!(formatter, "no decay"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use watchnext::catalog::MovieIndex;
    use watchnext::history::Watch;

    #[test]
    fn the_latest_movie_counts_most_and_the_oldest_not_at_all() {
        let history = History::new((0..10).map(|row| Watch { movie: MovieIndex::new(row).unwrap(), rating: None }));
        let weighed: Vec<(usize, f32)> = Recency { half_life: Some(1.0) }.weigh(&history).collect();
        // 2⁻⁶ is above a hundredth and 2⁻⁷ below.
        assert_eq!(weighed.len(), 7);
        assert_eq!(weighed.first(), Some(&(9, 1.0)));
        assert!((weighed.get(1).unwrap().1 - 0.5).abs() < 1e-6);
        assert!(Recency::default().weigh(&history).all(|(_, weight)| weight == 1.0));
    }
}
