//! A user's movies.

use anyhow::Result;
use watchnext::features::LocalTime;

use super::{Event, User};

/// A user's movies, dense.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UserMovies {
    /// All rated movies, oldest first.
    pub rated: Vec<u32>,
    /// Those with at least [`LIKED_STARS`].
    pub liked: Vec<u32>,
    /// The years, with their fractions, in which the liked movies were rated.
    pub liked_years: Vec<f32>,
    /// The years, with their fractions, in which the rated movies were rated.
    pub years: Vec<f32>,
}

impl UserMovies {
    /// The movies of one user.
    ///
    /// # Errors
    /// A timestamp outside the calendar, which the reader refuses.
    pub fn new(user: &User) -> Result<Self> {
        let liked = || user.events.iter().filter(|event| event.liked());
        let year = |event: &Event| Ok(LocalTime::from_unix(event.timestamp, 0)?.year_with_fraction());
        Ok(Self {
            rated: user.events.iter().map(|event| event.movie.get()).collect(),
            liked: liked().map(|event| event.movie.get()).collect(),
            liked_years: liked().map(year).collect::<Result<_>>()?,
            years: user.events.iter().map(year).collect::<Result<_>>()?,
        })
    }
}
