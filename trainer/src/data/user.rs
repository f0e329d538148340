//! Users with the movies that they rated or clicked.

use watchnext::catalog::MovieIndex;
use watchnext::history::{LIKED_STARS, Rating};

/// Ratings that a second stage needs to learn from, if some of the rows are clicks.
pub(super) const MIN_RATED: usize = 1000;

/// One rating or click.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// The movie.
    pub movie: MovieIndex,
    /// Its stars; none for a click.
    pub rating: Option<Rating>,
    /// Seconds since 1970-01-01T00:00:00Z.
    pub timestamp: i64,
}

impl Event {
    /// Whether the movie got at least [`LIKED_STARS`]. A click counts as a like.
    pub fn liked(&self) -> bool {
        self.rating.is_none_or(|rating| rating.stars() >= LIKED_STARS)
    }
}

/// One user's events in time order. Events of the same second stay in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// The id in the file. If the file's ids aren't numbers, users are numbered from 1 in its order.
    pub id: u32,
    /// The events, oldest first.
    pub events: Vec<Event>,
}

/// How much is known about the times of the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Times {
    /// Each event has its own.
    #[default]
    Known,
    /// Only their order, which is that of the file.
    Order,
    /// Nothing. Each user's events are shuffled, so no method can learn from the order of the file.
    Unknown,
}

/// Whether a second stage can learn from the users' ratings: all of their events are ratings, or enough of them are.
pub fn has_reactions(users: &[User]) -> bool {
    let (rated, all) = (count_rated(users), users.iter().map(|user| user.events.len()).sum::<usize>());
    rated > 0 && (rated == all || rated >= MIN_RATED)
}

/// How many of the users' events are ratings.
pub(super) fn count_rated(users: &[User]) -> usize {
    users.iter().flat_map(|user| &user.events).filter(|event| event.rating.is_some()).count()
}

/// A user who gave each movie these stars, all at the same time.
#[cfg(test)]
pub(super) fn user_with_stars(id: u32, movies: &[(usize, f32)]) -> User {
    let event = |(movie, stars): &(usize, f32)| {
        MovieIndex::new(*movie).map(|movie| Event { movie, rating: Rating::new(*stars), timestamp: 0 })
    };
    User { id, events: movies.iter().filter_map(event).collect() }
}
