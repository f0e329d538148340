//! Visits made up of what held-out users liked: some movies are clicked in random order, and the others are what the
//! visitor would like besides. P2, P4, the lists and the wall share them.

use std::collections::BTreeSet;

use anyhow::Result;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use watchnext::features::LocalTime;
use watchnext::history::{History, Watch};

use crate::data::{Event, User};

/// How many movies are clicked.
pub const CLICKS: [usize; 4] = [1, 3, 5, 10];

/// Random draws of the clicked movies for each user.
pub(super) const DRAWS: usize = 5;

/// The draws' seed. Every user has a separate stream, so that all methods, folds and data sets see the same clicks.
const DRAW_SEED: u64 = 20_250_202;

/// Users with fewer liked movies aren't measured: too few would be left to suggest.
const LEAST_LIKED: usize = 20;

/// Figures after some clicks.
pub trait AfterClicks {
    /// How many movies were clicked.
    fn clicks(&self) -> usize;
}

/// A user's liked movies in a random order, which is that of the clicks.
pub(super) struct Draw(Vec<Event>);

/// A visit after some clicks.
pub(super) struct Visit<'draw> {
    clicked: &'draw [Event],
    /// The liked movies that weren't clicked.
    others: &'draw [Event],
}

/// Whether a user liked enough movies to be measured.
pub(super) fn is_measured(user: &User) -> bool {
    user.events.iter().filter(|event| event.liked()).count() >= LEAST_LIKED
}

/// A user's [`DRAWS`] draws.
pub(super) fn draws(user: &User) -> impl Iterator<Item = Draw> {
    let mut liked: Vec<Event> = user.events.iter().filter(|event| event.liked()).copied().collect();
    let mut rng = ChaCha8Rng::seed_from_u64(DRAW_SEED);
    rng.set_stream(u64::from(user.id));
    (0..DRAWS).map(move |_| {
        liked.shuffle(&mut rng);
        Draw(liked.clone())
    })
}

impl Draw {
    /// The visit after this many clicks; none if the user liked fewer movies.
    pub(super) fn after(&self, clicks: usize) -> Option<Visit<'_>> {
        let (clicked, others) = self.0.split_at_checked(clicks)?;
        Some(Visit { clicked, others })
    }
}

impl Visit<'_> {
    /// The clicked movies, without ratings.
    pub(super) fn history(&self) -> History {
        History::new(self.clicked.iter().map(|event| Watch { movie: event.movie, rating: None }))
    }

    /// The dense indices of the liked movies that weren't clicked.
    pub(super) fn targets(&self) -> BTreeSet<usize> {
        self.others.iter().map(|event| event.movie.as_usize()).collect()
    }

    /// When the latest of the clicked movies was rated, in UTC. A MovieLens rating's time is when the user told the
    /// site about the movie, like a click. The movies to be suggested have no part in it.
    ///
    /// # Errors
    /// A timestamp outside the calendar; the reader rejects such data.
    pub(super) fn moment(&self) -> Result<LocalTime> {
        let latest = self.clicked.iter().map(|event| event.timestamp).max();
        Ok(LocalTime::from_unix(latest.unwrap_or_default(), 0)?)
    }
}

/// Users for the tests of what the draws are for.
#[cfg(test)]
pub(super) mod made_up {
    #![allow(clippy::unwrap_used)]
    use watchnext::catalog::{Catalog, Movie, MovieId, MovieIndex};
    use watchnext::history::Rating;

    use crate::data::{Event, User};

    /// A user who liked these movies in this order, one a second.
    pub fn user(id: u32, liked: impl IntoIterator<Item = usize>) -> User {
        let event = |(at, movie): (usize, usize)| Event {
            movie: MovieIndex::new(movie).unwrap(),
            rating: Rating::new(4.0),
            timestamp: at as i64,
        };
        User { id, events: liked.into_iter().enumerate().map(event).collect() }
    }

    /// A catalogue whose movies are the better known the lower their index.
    pub fn catalog(movies: u32) -> Catalog {
        let movie = |row: u32| Movie {
            id: MovieId(row + 1),
            key: None,
            title: format!("Movie {row}"),
            year: None,
            genres: Vec::new(),
            ratings: movies - row,
        };
        Catalog::new(Vec::new(), (0..movies).map(movie).collect()).unwrap()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    /// Movie 12 was rated last, though it isn't the last click.
    #[test]
    fn the_visit_is_when_the_latest_click_was_rated() {
        let events = made_up::user(1, 0..20).events;
        let draw = Draw(vec![events[3], events[12], events[7], events[19]]);
        let visit = draw.after(3).unwrap();
        assert_eq!(visit.moment().unwrap(), LocalTime::from_unix(12, 0).unwrap());
        assert_eq!((visit.history().len(), visit.targets()), (3, BTreeSet::from([19])));
        assert!(draw.after(5).is_none());
    }
}
