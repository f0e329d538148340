//! Helpers of several tests.
#![allow(clippy::unwrap_used)]

use watchnext::catalog::{Catalog, Movie, MovieId};

/// A catalogue of movies with these ids, titled "Movie 1" and so on, each with one rating and without a year or genres.
pub fn catalog(ids: &[u32]) -> Catalog {
    let movie = |id: &u32| Movie {
        id: MovieId(*id),
        key: None,
        title: format!("Movie {id}"),
        year: None,
        genres: Vec::new(),
        ratings: 1,
    };
    Catalog::new(Vec::new(), ids.iter().map(movie).collect()).unwrap()
}
