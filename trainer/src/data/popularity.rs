//! Popularity.

use watchnext::catalog::Catalog;

use super::User;
use super::incidence::Signal;

/// How many users have each movie.
#[derive(Debug, Clone, PartialEq)]
pub struct Popularity {
    /// `[movies]`.
    counts: Vec<f32>,
}

impl Popularity {
    /// `[movies]`, in users.
    pub fn counts(&self) -> &[f32] {
        &self.counts
    }

    /// How many of `train` rated each of `movies` movies.
    pub fn new(movies: usize, train: &[User]) -> Self {
        Self { counts: crate::data::incidence::Incidence::new(movies, train, Signal::Ratings).counts() }
    }

    /// How many ratings a catalogue's training data held.
    pub fn of_catalog(catalog: &Catalog) -> Self {
        Self { counts: catalog.movies().iter().map(|movie| movie.ratings as f32).collect() }
    }
}
