//! Popularity: how many users have each movie.

use watchnext::catalog::Catalog;

use super::incidence::{Incidence, Signal};
use super::user::User;

/// How many users have each movie.
#[derive(Debug, Clone, PartialEq)]
pub struct Popularity {
    /// `[movies]`, in users.
    counts: Vec<f32>,
}

impl Popularity {
    /// How many of `train` rated each of `movies` movies.
    pub fn new(movies: usize, train: &[User]) -> Self {
        Self { counts: Incidence::new(movies, train, Signal::Ratings).counts() }
    }

    /// How many ratings each movie had in the training data of a catalogue.
    pub fn of_catalog(catalog: &Catalog) -> Self {
        Self { counts: catalog.movies().iter().map(|movie| movie.ratings as f32).collect() }
    }

    /// `[movies]`, in users.
    pub fn counts(&self) -> &[f32] {
        &self.counts
    }
}
