//! Protocol P5, the next visit: from all that a held-out user rated in one go, what they liked when they came back. It
//! is the visitor who imports a list, so histories are long.

use std::collections::BTreeSet;

use anyhow::Result;
use rayon::prelude::*;
use serde::Serialize;
use watchnext::catalog::MovieIndex;
use watchnext::features::LocalTime;
use watchnext::history::History;

use super::bootstrap::{Figure, Share, interval};
use super::ranking::{LONG_LIST, judge};
use super::scorer::{Scorer, finite};
use crate::data::split::watches;
use crate::data::{Event, User};

/// A visit ends where nothing is rated for longer than this, in seconds: 30 days.
const GAP: i64 = 30 * 24 * 3600;

/// Users who rated fewer movies in their first visit aren't measured.
const LEAST_RATED: usize = 5;

/// Users who liked fewer movies after it aren't measured.
const LEAST_LIKED: usize = 5;

/// One user's figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UserFigures {
    /// The user's id.
    pub user: u32,
    /// Normalised discounted cumulative gain of the best 10.
    pub ndcg10: f64,
    /// 1 if there is a target among the best 20, or else 0.
    pub hit20: f64,
}

/// Protocol P5's figures of one method with one kind of history.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct NextVisit {
    /// How many users were measured.
    pub users: usize,
    /// Normalised discounted cumulative gain of the best 10; the ideal list has as many hits as it can.
    pub ndcg10: Figure,
    /// The share of users for whom there is a target among the best 20.
    pub hit20: Figure,
    /// Each user's figures by ascending id, for comparing methods user by user.
    #[serde(skip)]
    pub by_user: Vec<UserFigures>,
}

impl NextVisit {
    fn new(mut by_user: Vec<UserFigures>) -> Self {
        by_user.sort_by_key(|user| user.user);
        let figure = |value: fn(&UserFigures) -> f64| {
            interval(&by_user.iter().map(|user| Share::once(value(user))).collect::<Vec<_>>())
        };
        let (ndcg10, hit20) = (figure(|user| user.ndcg10), figure(|user| user.hit20));
        Self { users: by_user.len(), ndcg10, hit20, by_user }
    }

    /// Each user's gain.
    pub fn ndcg10_by_user(&self) -> Vec<Share> {
        self.by_user.iter().map(|user| Share::once(user.ndcg10)).collect()
    }

    /// The figures with their names in JSON.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, Figure)> {
        [("ndcg10", self.ndcg10), ("hit20", self.hit20)].into_iter()
    }
}

/// A method's results on some users, to be merged over folds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// With the liked movies as clicks.
    clicks: Vec<UserFigures>,
    /// With all movies and their ratings.
    rated: Vec<UserFigures>,
}

impl Outcome {
    /// Adds another fold's users.
    pub fn merge(&mut self, other: Self) {
        self.clicks.extend(other.clicks);
        self.rated.extend(other.rated);
    }

    /// The figure that hyper-parameters maximise: NDCG@10, the mean over users and the two kinds of histories.
    pub fn objective(&self) -> f64 {
        let both = || self.clicks.iter().chain(&self.rated);
        both().map(|user| user.ndcg10).sum::<f64>() / both().count().max(1) as f64
    }

    /// The figures with the liked movies as clicks, and with all movies and their ratings.
    pub fn summarise(self) -> [NextVisit; 2] {
        [NextVisit::new(self.clicks), NextVisit::new(self.rated)]
    }
}

/// A user who came back.
struct Returned<'user> {
    /// The first visit, in time order.
    first: &'user [Event],
    /// The dense indices of what was liked after it.
    targets: BTreeSet<usize>,
}

impl<'user> Returned<'user> {
    /// `None` for a user who never came back, or rated too little.
    fn new(user: &'user User) -> Option<Self> {
        let gap = user.events.array_windows().position(|[before, after]| after.timestamp - before.timestamp > GAP)?;
        let (first, later) = user.events.split_at_checked(gap + 1)?;
        let mut targets: BTreeSet<usize> =
            later.iter().filter(|event| event.liked()).map(|event| event.movie.as_usize()).collect();
        for event in first {
            targets.remove(&event.movie.as_usize());
        }
        (first.len() >= LEAST_RATED && targets.len() >= LEAST_LIKED).then_some(Self { first, targets })
    }

    /// The figures after `history`, a part of the first visit. What was rated in it and isn't in the history is no
    /// candidate either.
    fn measure(&self, scorer: &dyn Scorer, user: u32, history: &History) -> Result<UserFigures> {
        let last = self.first.last().map(|event| event.timestamp);
        let moment = LocalTime::from_unix(last.unwrap_or_default(), 0)?;
        let rated: Vec<MovieIndex> = self.first.iter().map(|event| event.movie).collect();
        let scores = scorer.best_scores(history, &moment, &rated, LONG_LIST)?;
        let judged = judge(&finite(scores, history)?, &self.targets);
        Ok(UserFigures { user, ndcg10: judged.ndcg10, hit20: f64::from(u8::from(judged.hit20)) })
    }
}

/// Whether protocol P5 measures a user.
pub fn is_measured(user: &User) -> bool {
    Returned::new(user).is_some()
}

/// Protocol P5 on those of `users` who came back. The moment is that of the first visit's last rating, in UTC.
///
/// # Errors
/// If the scorer fails, or a score isn't finite.
pub fn next_visit(scorer: &dyn Scorer, users: &[User]) -> Result<Outcome> {
    let of_user = |(user, returned): (u32, Returned)| {
        let rated = watches(returned.first);
        let mut liked: Vec<Event> = returned.first.to_vec();
        liked.retain(Event::liked);
        let mut liked = watches(&liked);
        liked.iter_mut().for_each(|watch| watch.rating = None);
        let clicks = returned.measure(scorer, user, &History::new(liked))?;
        Ok((clicks, returned.measure(scorer, user, &History::new(rated))?))
    };
    let returned = users.par_iter().filter_map(|user| Some((user.id, Returned::new(user)?)));
    let figures: Vec<(UserFigures, UserFigures)> = returned.map(of_user).collect::<Result<_>>()?;
    let (clicks, rated) = figures.into_iter().unzip();
    Ok(Outcome { clicks, rated })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use std::sync::Mutex;
    use watchnext::history::Rating;

    const DAY: i64 = 24 * 3600;

    /// Movies with their stars and days.
    fn user(id: u32, events: &[(usize, f32, i64)]) -> User {
        let event = |(movie, stars, day): &(usize, f32, i64)| Event {
            movie: MovieIndex::new(*movie).unwrap(),
            rating: Rating::new(*stars),
            timestamp: day * DAY,
        };
        User { id, events: events.iter().map(event).collect() }
    }

    /// Movies 0 to 5 on days 0 to 2, of which 1 and 4 aren't liked; 29 days later nothing; after 31 days more the liked
    /// movies 6, 8, 10, 12 and 40, and 7, which isn't liked.
    fn returned() -> User {
        let first = [(0, 5.0, 0), (1, 2.0, 0), (2, 4.0, 1), (3, 4.5, 1), (4, 3.5, 2), (5, 4.0, 2)];
        let later = [(6, 4.0, 33), (7, 1.0, 33), (8, 4.0, 33), (10, 5.0, 34), (12, 4.0, 34), (40, 4.0, 200)];
        user(7, &[first, later].concat())
    }

    /// The movies of a history, and whether they have ratings; and the day of the month.
    type Asked = (Vec<(usize, bool)>, i32);

    /// Scores 50 movies by their index, the lowest first, and records what it is asked.
    #[derive(Default)]
    struct ByIndex(Mutex<Vec<Asked>>);

    impl Scorer for ByIndex {
        fn scores(&self, history: &History, moment: &LocalTime) -> Result<Vec<(usize, f32)>> {
            let watches = history.watches().iter().map(|watch| (watch.movie.as_usize(), watch.rating.is_some()));
            let day = i32::from(moment.day);
            self.0.lock().unwrap().push((watches.collect(), day));
            let seen = history.seen(50);
            Ok((0..50).filter(|movie| !seen[*movie]).map(|movie| (movie, -(movie as f32))).collect())
        }
    }

    /// Movies 6, 8, 10 and 12 are in places 1, 3, 5 and 7 for both histories, since the movies 1 and 4 that weren't
    /// clicked are no candidates.
    #[test]
    fn what_was_rated_but_not_clicked_is_no_candidate() {
        let scorer = ByIndex::default();
        let [clicks, rated] = next_visit(&scorer, &[returned()]).unwrap().summarise();
        let places = |places: &[u32]| places.iter().map(|place| 1.0 / f64::from(place + 1).log2()).sum::<f64>();
        let expected = places(&[1, 3, 5, 7]) / places(&[1, 2, 3, 4, 5]);
        for figures in [&clicks, &rated] {
            assert_eq!((figures.users, figures.hit20.mean), (1, 1.0));
            assert!((figures.ndcg10.mean - expected).abs() < 1e-12, "{figures:?}");
        }
        let asked = scorer.0.into_inner().unwrap();
        let liked = [0, 2, 3, 5].map(|movie| (movie, false)).to_vec();
        let all = (0..6).map(|movie| (movie, true)).collect();
        // The last rating of the first visit is from the third of January 1970.
        assert_eq!(asked, [(liked, 3), (all, 3)]);
    }

    /// A gap of 30 days to the second is none. A shorter first visit, and fewer likes after it, leave nothing to
    /// measure.
    #[test]
    fn users_who_rated_too_little_or_stayed_are_left_out() {
        let whole = returned();
        assert!(is_measured(&whole));
        let changed = |change: fn(&mut Vec<Event>)| {
            let mut user = whole.clone();
            change(&mut user.events);
            is_measured(&user)
        };
        assert!(!changed(|events| events.iter_mut().skip(6).for_each(|event| event.timestamp -= DAY)));
        assert!(changed(|events| _ = events.remove(0)));
        assert!(!changed(|events| _ = events.drain(..2)));
        assert!(!changed(|events| _ = events.pop()));
        assert!(!is_measured(&user(1, &[])));
    }

    /// One of two users has a target among the best 20.
    #[test]
    fn a_hit_is_counted_once_a_user() {
        let far = [(0, 5.0, 0), (1, 5.0, 0), (2, 5.0, 0), (3, 5.0, 0), (4, 5.0, 0)];
        let later = [(40, 5.0, 99), (41, 5.0, 99), (42, 5.0, 99), (43, 5.0, 99), (44, 5.0, 99)];
        let users = [returned(), user(8, &[far, later].concat())];
        let mut outcome = next_visit(&ByIndex::default(), &users[..1]).unwrap();
        outcome.merge(next_visit(&ByIndex::default(), &users[1..]).unwrap());
        let gain = outcome.objective();
        let [clicks, rated] = outcome.summarise();
        assert_eq!((clicks.users, clicks.hit20.mean, rated.hit20.mean), (2, 0.5, 0.5));
        assert!((gain - clicks.ndcg10.mean).abs() < 1e-12);
    }
}
