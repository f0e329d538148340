//! A user's movies as lists of dense indices.

use anyhow::Result;
use watchnext::features::LocalTime;

use super::user::{Event, User};

/// A user's movies as dense indices, with the years in which they were rated. A year has its fraction: 2015.5 is July
/// 2015.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UserMovies {
    /// All rated movies, `[rated]`, oldest first.
    pub rated: Vec<u32>,
    /// The liked ones (see [`Event::liked`]), `[liked]`, oldest first.
    pub liked: Vec<u32>,
    /// The year in which each of `liked` was rated, `[liked]`.
    pub liked_years: Vec<f32>,
    /// The year in which each of `rated` was rated, `[rated]`.
    pub years: Vec<f32>,
}

impl UserMovies {
    /// The movies of one user.
    ///
    /// # Errors
    /// A timestamp outside the calendar. The readers reject those.
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
