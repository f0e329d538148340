//! Popularity: the same list for everybody, less what was seen.

use std::fmt;
use std::sync::Arc;

use anyhow::Result;
use watchnext::catalog::Catalog;
use watchnext::features::LocalTime;
use watchnext::history::History;

use super::incidence::{Counts, Signal};
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
pub struct ByPopularity;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counted(Signal);

impl fmt::Display for Counted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

impl Family for ByPopularity {
    type Parameters = Counted;
    type Statistics = Counts;

    fn id(&self) -> &'static str {
        "popularity"
    }

    fn name(&self) -> &'static str {
        "popularity"
    }

    fn start(&self) -> Counted {
        Counted(Signal::Ratings)
    }

    fn axes(&self, _selection: &Selection) -> Vec<Axis<Counted>> {
        vec![axis(&Signal::ALL, |counted, signal| counted.0 = signal)]
    }

    fn statistics(&self, training: &TrainingSet) -> Counts {
        Counts::new(training)
    }

    fn scorer(&self, counts: &Arc<Counts>, counted: &Counted) -> Result<Box<dyn Scorer>> {
        Ok(Box::new(Popularity { counts: counts.incidence(counted.0).counts() }))
    }
}
