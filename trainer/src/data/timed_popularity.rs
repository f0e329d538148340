//! Popularity at the moment of a visit: what is new is watched more than what was new once (Ji et al., *A Re-visit of the
//! Popularity Baseline in Recommender Systems*, SIGIR 2020).

use std::fmt;

use watchnext::features::LocalTime;

/// Years from one table to the next.
const STEP: f32 = 0.5;

/// An event that says that somebody has a movie: the movie, and the year with its fraction.
pub type TimedEvent = (u32, f32);

/// How far in time an event counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Season(pub Option<f32>);

impl Season {
    /// What to try: all times alike, and, where the moment may count, events that fade over so many years.
    pub const fn choices(uses_time: bool) -> &'static [Self] {
        if uses_time {
            &[Self(None), Self(Some(0.5)), Self(Some(1.0)), Self(Some(2.0)), Self(Some(4.0))]
        } else {
            &[Self(None)]
        }
    }
}

impl fmt::Display for Season {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(years) => write!(formatter, "fading over {years} years from the visit"),
            None => write!(formatter, "of all times"),
        }
    }
}

/// How many users have each movie, as seen from any moment.
#[derive(Debug, Clone, PartialEq)]
pub struct TimedPopularity {
    first: f32,
    /// One for each step of time from `first` on, `[movies]`. There is one alone if all times count alike.
    tables: Vec<Vec<f32>>,
}

impl TimedPopularity {
    /// Counts `events` of `movies` movies. Each moment's counts are scaled to the sum of all events', so that a logarithm of
    /// them means the same for every season.
    pub fn new(movies: usize, events: &[TimedEvent], season: Season) -> Self {
        let years = || events.iter().map(|(_, year)| *year);
        let first = years().reduce(f32::min).unwrap_or_default();
        let last = years().reduce(f32::max).unwrap_or_default();
        let moments = season.0.map_or(1, |_| ((last - first) / STEP) as usize + 1);
        let table = |moment: usize| {
            let at = first + STEP * moment as f32;
            let weight = |year: f32| season.0.map_or(1.0, |width| (-(year - at).abs() / width).exp());
            let scale = events.len() as f32 / years().map(weight).sum::<f32>().max(f32::MIN_POSITIVE);
            let mut counts = vec![0.0; movies];
            for (movie, year) in events {
                if let Some(count) = counts.get_mut(*movie as usize) {
                    *count += scale * weight(*year);
                }
            }
            counts
        };
        Self { first, tables: (0..moments).map(table).collect() }
    }

    /// The counts at a moment, `[movies]`.
    pub fn at(&self, moment: &LocalTime) -> &[f32] {
        self.at_year(moment.year_with_fraction())
    }

    /// The counts in a year with its fraction, `[movies]`.
    pub fn at_year(&self, year: f32) -> &[f32] {
        let steps = ((year - self.first) / STEP).round().max(0.0) as usize;
        self.tables.get(steps.min(self.tables.len().saturating_sub(1))).map(Vec::as_slice).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    /// Movie 0 was had in 2000 and movie 1 twenty years later, when of movie 0 nothing is left.
    #[test]
    fn a_moment_sees_what_was_new_then() {
        let events = [(0, 2000.0), (1, 2020.0), (1, 2020.0)];
        let moment = |year: i64| LocalTime::from_unix((year - 1970) * 31_556_952, 0).unwrap();
        let timed = TimedPopularity::new(2, &events, Season(Some(1.0)));
        let close = |found: &[f32], expected: [f32; 2]| {
            assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-3), "{found:?}");
        };
        close(timed.at(&moment(2000)), [3.0, 0.0]);
        close(timed.at(&moment(2020)), [0.0, 3.0]);
        // Before and after all events it is as it was at the first and at the last.
        close(timed.at(&moment(1980)), [3.0, 0.0]);
        close(timed.at(&moment(2030)), [0.0, 3.0]);
        close(TimedPopularity::new(2, &events, Season(None)).at(&moment(2010)), [1.0, 2.0]);
    }
}
