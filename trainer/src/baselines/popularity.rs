//! Popularity: the same list for everybody, less what was seen.

use std::fmt;
use std::sync::Arc;

use anyhow::Result;
use watchnext::catalog::Catalog;
use watchnext::features::LocalTime;
use watchnext::history::History;

use super::incidence::{Counts, Signal};
use super::timed_popularity::{Season, TimedPopularity};
use super::unseen;
use crate::dataset::User;
use crate::evaluate::Scorer;
use crate::methods::{Axis, Family, Selection, TrainingSet, axis};

/// How many users have each movie.
#[derive(Debug, Clone, PartialEq)]
pub struct Popularity {
    /// `[movies]`.
    counts: Vec<f32>,
}

impl Popularity {
    /// How many of `train` rated each of `movies` movies.
    pub fn new(movies: usize, train: &[User]) -> Self {
        Self { counts: super::incidence::Incidence::new(movies, train, Signal::Ratings).counts() }
    }

    /// How many ratings a catalogue's training data held.
    pub fn of_catalog(catalog: &Catalog) -> Self {
        Self { counts: catalog.movies().iter().map(|movie| movie.ratings as f32).collect() }
    }
}

impl Scorer for Popularity {
    fn scores(&self, history: &History, _moment: &LocalTime) -> Result<Vec<(usize, f32)>> {
        Ok(unseen(self.counts.clone(), history))
    }
}

/// Popularity by likes or by ratings.
#[derive(Debug)]
pub struct ByPopularity {
    /// Whether what counts is the time around the visit; else it is all times alike, as this baseline is usually meant.
    pub of_moment: bool,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counted {
    signal: Signal,
    season: Season,
}

impl fmt::Display for Counted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, {}", self.signal, self.season)
    }
}

impl Scorer for TimedPopularity {
    fn scores(&self, history: &History, moment: &LocalTime) -> Result<Vec<(usize, f32)>> {
        Ok(unseen(self.at(moment).to_vec(), history))
    }
}

impl Family for ByPopularity {
    type Parameters = Counted;
    type Statistics = Counts;

    fn id(&self) -> &'static str {
        if self.of_moment { "popularity-of-moment" } else { "popularity" }
    }

    fn name(&self) -> &'static str {
        if self.of_moment { "popularity of the moment" } else { "popularity" }
    }

    fn of_moment(&self) -> bool {
        self.of_moment
    }

    fn start(&self) -> Counted {
        Counted { signal: Signal::Ratings, season: Season(None) }
    }

    fn axes(&self, _selection: &Selection) -> Vec<Axis<Counted>> {
        vec![
            axis(&Signal::ALL, |counted, signal| counted.signal = signal),
            axis(Season::choices(self.of_moment), |counted, season| counted.season = season),
        ]
    }

    fn statistics(&self, training: &TrainingSet) -> Result<Counts> {
        Counts::new(training)
    }

    fn scorer(&self, counts: &Arc<Counts>, counted: &Counted) -> Result<Box<dyn Scorer>> {
        Ok(Box::new(counts.popularity(counted.signal, counted.season)))
    }
}
