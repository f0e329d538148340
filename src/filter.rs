//! A visitor's filter for the suggestions: genres, decades, fame, and movies that they dismissed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::catalog::{Catalog, Movie, MovieId};
use crate::error::{Error, Result};

/// The percentage of all ratings that belong to the famous movies.
const FAMOUS_PERCENT: u64 = 50;

/// The percentage of all ratings that belong to the famous and the known movies together.
const KNOWN_PERCENT: u64 = 85;

/// How well known a movie is, by its place when all movies are sorted by their numbers of ratings, ties by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fame {
    /// The movies with the first half of all ratings.
    Famous,
    /// Those with the next 35 %.
    Known,
    /// All others.
    Gems,
}

impl Fame {
    /// The fame of each movie of a catalogue, in its order. A movie belongs where its first rating falls. So some movie
    /// is famous if there is any rating at all; without ratings, all are gems.
    pub fn of_all(catalog: &Catalog) -> Vec<Self> {
        let movies = catalog.movies();
        let total: u64 = movies.iter().map(|movie| u64::from(movie.ratings)).sum();
        let mut fame = vec![Self::Gems; movies.len()];
        let mut before = 0_u64;
        for index in catalog.best_known() {
            let own = match before * 100 {
                part if part < total * FAMOUS_PERCENT => Self::Famous,
                part if part < total * KNOWN_PERCENT => Self::Known,
                _ => break,
            };
            if let Some(slot) = fame.get_mut(index.as_usize()) {
                *slot = own;
            }
            before += catalog.movie(*index).map_or(0, |movie| u64::from(movie.ratings));
        }
        fame
    }
}

/// Which movies may be suggested: those that meet every condition. All movies meet an empty condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Names of the catalogue's genres. A movie must have one of them.
    pub genres: Vec<String>,
    /// Decades by their first year (1990 is 1990 to 1999). A movie must be from one of them; one without a year is from
    /// none.
    pub decades: Vec<u16>,
    /// How well known a movie must be.
    pub fame: Option<Fame>,
    /// Movies that must not be suggested. Unknown ids are ignored.
    pub exclude: Vec<MovieId>,
}

impl Filter {
    /// A mask over the catalogue, true for each movie that meets the conditions; `fame` is [`Fame::of_all`]'s.
    ///
    /// # Errors
    /// [`Error::GenreUnknown`] for a genre that the catalogue doesn't have.
    pub fn mask(&self, catalog: &Catalog, fame: &[Fame]) -> Result<Vec<bool>> {
        let number = |name: &String| {
            let at = catalog.genres().iter().position(|genre| genre == name);
            at.ok_or_else(|| Error::GenreUnknown { genre: name.clone(), known: catalog.genres().join(", ") })
        };
        let genres: Vec<usize> = self.genres.iter().map(number).collect::<Result<_>>()?;
        let exclude: BTreeSet<MovieId> = self.exclude.iter().copied().collect();
        let meets = |(movie, fame): (&Movie, &Fame)| {
            let is_of_genre =
                genres.is_empty() || movie.genres.iter().any(|genre| genres.contains(&usize::from(*genre)));
            let is_of_decade = self.decades.is_empty()
                || movie.year.is_some_and(|year| self.decades.iter().any(|decade| decade / 10 == year / 10));
            let is_as_known = self.fame.is_none_or(|wanted| wanted == *fame);
            is_of_genre && is_of_decade && is_as_known && !exclude.contains(&movie.id)
        };
        Ok(catalog.movies().iter().zip(fame).map(meets).collect())
    }
}
