//! A visitor's watch history: validated and ordered, with each movie once.

use crate::catalog::{Catalog, MovieId, MovieIndex};
use crate::error::{Error, Result};

/// The most movies of a history, more than anyone clicks or imports. A longer list is refused before it costs memory.
pub const MAX_HISTORY: usize = 100_000;

/// Ratings from here on are likes.
pub const LIKED_STARS: f32 = 4.0;

/// Ratings up to here are dislikes. Those between dislike and like are neutral.
pub const DISLIKED_STARS: f32 = 3.0;

/// A rating on MovieLens's scale, 0.5 to 5 stars.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rating(f32);

impl Rating {
    /// `stars` as a rating, `None` outside 0.5 to 5 and for NaN.
    pub fn new(stars: f32) -> Option<Self> {
        (Self::LOWEST.0..=Self::HIGHEST.0).contains(&stars).then_some(Self(stars))
    }

    /// The rating in stars, 0.5 to 5.
    pub const fn stars(self) -> f32 {
        self.0
    }

    /// The lowest rating.
    pub const LOWEST: Self = Self(0.5);

    /// The highest rating.
    pub const HIGHEST: Self = Self(5.0);
}

/// One watched movie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Watch {
    /// The movie.
    pub movie: MovieIndex,
    /// How it was liked, where that is known.
    pub rating: Option<Rating>,
}

/// The movies that a visitor watched, oldest first, each once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    watches: Vec<Watch>,
}

impl History {
    /// A history of watches, oldest first. If a movie is watched twice, the later watch counts.
    pub fn new(watches: impl IntoIterator<Item = Watch>) -> Self {
        let mut latest_first: Vec<Watch> = watches.into_iter().collect();
        latest_first.reverse();
        let mut seen = std::collections::BTreeSet::new();
        latest_first.retain(|watch| seen.insert(watch.movie));
        latest_first.reverse();
        Self { watches: latest_first }
    }

    /// A history from outside: ids with optional stars, oldest first. Also returns the ids that the catalogue doesn't
    /// have, in order, so that the caller can tell the visitor.
    ///
    /// # Errors
    /// [`Error::RatingInvalid`] for stars outside 0.5 to 5, [`Error::HistoryInvalid`] for more than [`MAX_HISTORY`]
    /// movies.
    pub fn from_ids(
        catalog: &Catalog,
        watched: impl IntoIterator<Item = (MovieId, Option<f32>)>,
    ) -> Result<(Self, Vec<MovieId>)> {
        let mut watches = Vec::new();
        let mut unknown = Vec::new();
        for (id, stars) in watched {
            if watches.len() + unknown.len() >= MAX_HISTORY {
                return Err(Error::HistoryInvalid { reason: format!("it has more than {MAX_HISTORY} movies") });
            }
            let rating = stars
                .map(|stars| Rating::new(stars).ok_or(Error::RatingInvalid { movie_id: id.0, rating: stars }))
                .transpose()?;
            match catalog.index_of(id) {
                Some(movie) => watches.push(Watch { movie, rating }),
                None => unknown.push(id),
            }
        }
        Ok((Self::new(watches), unknown))
    }

    /// The watches, oldest first.
    pub fn watches(&self) -> &[Watch] {
        &self.watches
    }

    /// How many movies were watched.
    pub fn len(&self) -> usize {
        self.watches.len()
    }

    /// Whether nothing was watched yet.
    pub fn is_empty(&self) -> bool {
        self.watches.is_empty()
    }

    /// A mask over the catalogue, true for each movie of this history.
    pub fn seen(&self, catalog_len: usize) -> Vec<bool> {
        let mut seen = vec![false; catalog_len];
        for watch in &self.watches {
            if let Some(flag) = seen.get_mut(watch.movie.as_usize()) {
                *flag = true;
            }
        }
        seen
    }
}
