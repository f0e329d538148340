//! The movies' numbers elsewhere, at IMDb and TMDB.
//!
//! `links.json` is an object of two columns, `{"imdb":[114709,…],"tmdb":[862,…]}`: one number for each movie, in the
//! catalogue's order, 0 if there is none. IMDb's `tt0114709` is the number 114709.

use serde::{Deserialize, Serialize};

use crate::bundle::Role;
use crate::catalog::{Catalog, MovieIndex};
use crate::error::{Error, Result};

/// `links.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinksFile {
    imdb: Vec<u32>,
    tmdb: Vec<u32>,
}

/// A movie's numbers elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Link {
    /// IMDb's, the digits after `tt`.
    pub imdb: Option<u32>,
    /// TMDB's.
    pub tmdb: Option<u32>,
}

/// The links of all movies of a catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    columns: LinksFile,
    /// Pairs of IMDb's number and the movie, sorted.
    by_imdb: Vec<(u32, MovieIndex)>,
}

impl Links {
    /// The links of `catalog`'s movies, in its order; 0 stands for none.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] unless each column has a number for each movie.
    pub fn new(imdb: Vec<u32>, tmdb: Vec<u32>, catalog: &Catalog) -> Result<Self> {
        for (column, len) in [("imdb", imdb.len()), ("tmdb", tmdb.len())] {
            if len != catalog.len() {
                return Err(Error::ShapeMismatch {
                    place: format!("{}: {column}", Role::Links),
                    expected: format!("[{}]", catalog.len()),
                    found: format!("[{len}]"),
                });
            }
        }
        let numbered = imdb.iter().enumerate().filter(|(_, number)| **number != 0);
        let mut by_imdb: Vec<(u32, MovieIndex)> =
            numbered.filter_map(|(row, number)| Some((*number, MovieIndex::new(row)?))).collect();
        by_imdb.sort_unstable();
        Ok(Self { columns: LinksFile { imdb, tmdb }, by_imdb })
    }

    /// Reads `links.json` of a bundle with this catalogue.
    ///
    /// # Errors
    /// [`Error::LinksInvalid`] for other JSON, and those of [`Links::new`].
    pub fn from_json(bytes: &[u8], catalog: &Catalog) -> Result<Self> {
        let file: LinksFile = serde_json::from_slice(bytes).map_err(invalid)?;
        Self::new(file.imdb, file.tmdb, catalog)
    }

    /// Writes `links.json`.
    ///
    /// # Errors
    /// [`Error::LinksInvalid`] if the JSON can't be written, which doesn't happen for columns of numbers.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(&self.columns).map_err(invalid)
    }

    /// A movie's numbers; none for a movie that doesn't exist.
    pub fn of(&self, movie: MovieIndex) -> Link {
        let number = |column: &[u32]| column.get(movie.as_usize()).copied().filter(|number| *number != 0);
        Link { imdb: number(&self.columns.imdb), tmdb: number(&self.columns.tmdb) }
    }

    /// The movie with this number at IMDb, the catalogue's first if there are several.
    pub fn movie_of_imdb(&self, imdb: u32) -> Option<MovieIndex> {
        let at = self.by_imdb.partition_point(|(number, _)| *number < imdb);
        self.by_imdb.get(at).filter(|(number, _)| *number == imdb).map(|(_, movie)| *movie)
    }
}

fn invalid(error: serde_json::Error) -> Error {
    Error::LinksInvalid { reason: error.to_string() }
}
