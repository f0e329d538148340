//! The year of a visit, as the networks see it.
//!
//! People watch what is new, so the year says something that the clicked movies don't. The networks learn a vector for
//! each of a few knots and interpolate between them (a linear spline). Years before the first or after the last knot
//! count as that knot: today's visitors are treated like the latest users who trained the tower.

use anyhow::Result;
use ndarray::Array2;

use super::compress::reduce;
use crate::data::timed_popularity::{Season, TimedEvent, TimedPopularity};

/// How many knots there are.
pub const KNOTS: usize = 24;

/// The number of years over which a like fades from popularity.
const FADING_YEARS: f32 = 2.0;

/// Likes added to every movie, at all times alike, so that few likes say little.
const PRIOR_LIKES: f32 = 2.0;

/// The least distance of two knots in years, for data of a single moment.
const LEAST_APART: f32 = 1.0 / 12.0;

/// The knots' years.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Eras {
    /// The first knot's year.
    pub first: f32,
    /// Years from one knot to the next.
    pub apart: f32,
}

impl Eras {
    /// Knots spread evenly from the earliest to the latest of `years`, which have fractions.
    pub fn spanning(years: impl IntoIterator<Item = f32>) -> Self {
        let range =
            years.into_iter().map(|year| (year, year)).reduce(|range, year| (range.0.min(year.0), range.1.max(year.1)));
        let (first, last) = range.unwrap_or_default();
        Self { first, apart: ((last - first) / (KNOTS - 1) as f32).max(LEAST_APART) }
    }

    /// The share of each knot in `year`. At most two are above 0, and they add up to 1.
    pub fn shares(&self, year: f32) -> [f32; KNOTS] {
        let place = ((year - self.first) / self.apart).clamp(0.0, (KNOTS - 1) as f32);
        std::array::from_fn(|knot| (1.0 - (place - knot as f32).abs()).max(0.0))
    }
}

/// How a movie's popularity in each era differs from its popularity at all times, in few numbers:
/// `ln p(movie, era) − ln p(movie) ≈ movies · erasᵀ`.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// `[KNOTS, dim]`.
    pub eras: Array2<f32>,
    /// `[movies, dim]`.
    pub movies: Array2<f32>,
}

impl Drift {
    /// No drift, for ratings without times: one number that is 0.
    pub fn none(movies: usize) -> Self {
        Self { eras: Array2::zeros((KNOTS, 1)), movies: Array2::zeros((movies, 1)) }
    }

    /// The drift of `movies` movies in `dim` numbers, by the likes in `events`. A movie's errors count by its likes.
    ///
    /// # Errors
    /// Eigenvalues that don't converge.
    pub fn new(movies: usize, events: &[TimedEvent], eras: &Eras, dim: usize) -> Result<Self> {
        let of_all_times = TimedPopularity::new(movies, events, Season(None));
        let of_era = TimedPopularity::new(movies, events, Season(Some(FADING_YEARS)));
        let counts: Vec<f32> = of_all_times.at_year(eras.first).iter().map(|likes| likes + PRIOR_LIKES).collect();
        let mut table = Array2::zeros((movies, KNOTS));
        for (knot, mut column) in table.columns_mut().into_iter().enumerate() {
            let likes = of_era.at_year(eras.first + eras.apart * knot as f32);
            for ((entry, likes), all) in column.iter_mut().zip(likes).zip(&counts) {
                *entry = ((likes + PRIOR_LIKES) / all).ln();
            }
        }
        let reduced = reduce(&table, &counts, &Array2::eye(KNOTS), dim)?;
        Ok(Self { eras: reduced.decoder.reversed_axes(), movies: reduced.table })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_year_lies_between_two_knots() {
        let eras = Eras::spanning([2019.0, 1996.0, 2001.0]);
        assert_eq!(eras, Eras { first: 1996.0, apart: 1.0 });
        let shares_of = |year| eras.shares(year);
        assert_eq!(shares_of(1996.0)[0], 1.0);
        assert_eq!((shares_of(1999.75)[3], shares_of(1999.75)[4]), (0.25, 0.75));
        assert_eq!((shares_of(1990.0)[0], shares_of(2026.9)[KNOTS - 1]), (1.0, 1.0));
        for year in [1990.0, 1996.3, 2004.0, 2017.9, 2026.0] {
            assert!((shares_of(year).iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
    }

    /// Movie 0 is liked in 2000 and movie 1 in 2020, and movie 2 all the time.
    #[test]
    fn what_is_new_is_more_popular_than_at_other_times() {
        let mut events: Vec<TimedEvent> = (0..40).map(|_| (0, 2000.0)).chain((0..40).map(|_| (1, 2020.0))).collect();
        events.extend((0..200).map(|number| (2, 2000.0 + number as f32 / 10.0)));
        let eras = Eras::spanning(events.iter().map(|(_, year)| *year));
        let drift = Drift::new(3, &events, &eras, 3).unwrap();
        let table = drift.movies.dot(&drift.eras.t());
        assert!(table[[0, 0]] > 0.5 && table[[0, KNOTS - 1]] < -1.5, "{table}");
        assert!(table[[1, 0]] < -1.5 && table[[1, KNOTS - 1]] > 0.5, "{table}");
        assert!(table.row(2).iter().all(|drift| drift.abs() < 1.0), "{table}");
    }

    /// Ratings without times are all of 1970.
    #[test]
    fn data_of_a_single_moment_have_knots_too() {
        let eras = Eras::spanning([1970.0, 1970.0]);
        assert_eq!((eras.shares(1970.0)[0], eras.shares(2026.0)[KNOTS - 1]), (1.0, 1.0));
    }
}
