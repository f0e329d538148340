//! Who has which movie, and which movies are had together: the counts under every neighbourhood method.

use std::fmt;
use std::sync::OnceLock;

use anyhow::Result;
use rayon::prelude::*;
use watchnext::features::LocalTime;

use super::timed_popularity::{Season, TimedEvent, TimedPopularity};
use crate::dataset::{Event, User};
use crate::methods::TrainingSet;

/// Which events say that a user has a movie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ratings of 4.0 and up.
    Likes,
    /// All ratings.
    Ratings,
}

impl Signal {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Likes, Self::Ratings];
}

impl Signal {
    /// The events of `user` that say so.
    fn events(self, user: &User) -> impl Iterator<Item = &Event> {
        user.events.iter().filter(move |event| self == Self::Ratings || event.liked())
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Likes => "likes",
            Self::Ratings => "all ratings",
        })
    }
}

/// The binary matrix of users and movies, by its rows and by its columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Incidence {
    /// Each user's movies, `[users]` lists of dense indices.
    pub movies_of: Vec<Vec<u32>>,
    /// Each movie's users, `[movies]` lists of places in `movies_of`, ascending.
    pub users_of: Vec<Vec<u32>>,
}

impl Incidence {
    /// The incidence of `users` and `movies` movies.
    pub fn new(movies: usize, users: &[User], signal: Signal) -> Self {
        let movies_of: Vec<Vec<u32>> =
            users.iter().map(|user| signal.events(user).map(|event| event.movie.get()).collect()).collect();
        let mut users_of = vec![Vec::new(); movies];
        for (user, had) in (0_u32..).zip(&movies_of) {
            for movie in had {
                if let Some(users) = users_of.get_mut(*movie as usize) {
                    users.push(user);
                }
            }
        }
        Self { movies_of, users_of }
    }

    /// How many users have each movie, `[movies]`.
    pub fn counts(&self) -> Vec<f32> {
        self.users_of.iter().map(|users| users.len() as f32).collect()
    }
}

/// How often movies are had together, every user weighing what the length of the user's list allows.
#[derive(Debug, Clone, PartialEq)]
pub struct CoOccurrence {
    /// The weight of the users who have each movie, `[movies]`.
    pub totals: Vec<f32>,
    /// For each movie, by index, the other movies that share users with it and the weight of those users.
    pub rows: Vec<Vec<(u32, f32)>>,
}

impl CoOccurrence {
    /// Counts with users weighing `1 / length^power`, scaled to a mean of 1 over all events, so that a constant which is added to a
    /// count means the same for every power.
    pub fn new(incidence: &Incidence, power: f32) -> Self {
        let lengths = || incidence.movies_of.iter().map(|movies| movies.len() as f32);
        let raw: Vec<f32> = lengths().map(|length| if length > 0.0 { length.powf(-power) } else { 0.0 }).collect();
        let total: f32 = raw.iter().zip(lengths()).map(|(weight, length)| weight * length).sum();
        let scale = if total > 0.0 { lengths().sum::<f32>() / total } else { 0.0 };
        let weights: Vec<f32> = raw.into_iter().map(|weight| weight * scale).collect();
        let weight_of = |user: &u32| weights.get(*user as usize).copied().unwrap_or_default();
        let movies = incidence.users_of.len();
        let row = |sums: &mut Vec<f32>, (movie, users): (usize, &Vec<u32>)| {
            sums.clear();
            sums.resize(movies, 0.0);
            for user in users {
                let weight = weight_of(user);
                for other in incidence.movies_of.get(*user as usize).into_iter().flatten() {
                    if let Some(sum) = sums.get_mut(*other as usize) {
                        *sum += weight;
                    }
                }
            }
            let shared = (0_u32..).zip(sums.iter().copied());
            shared.filter(|(other, sum)| *sum > 0.0 && *other as usize != movie).collect()
        };
        Self {
            totals: incidence.users_of.iter().map(|users| users.iter().map(weight_of).sum()).collect(),
            rows: incidence.users_of.par_iter().enumerate().map_init(Vec::new, row).collect(),
        }
    }
}

/// The incidences of a training set by both signals, and the co-occurrences that were asked for.
#[derive(Debug)]
pub struct Counts {
    likes: Incidence,
    ratings: Incidence,
    timed: [Vec<TimedEvent>; 2],
    together: [[OnceLock<CoOccurrence>; LENGTH_POWERS.len()]; 2],
}

/// The powers of a list's length by which a user may weigh less.
pub const LENGTH_POWERS: [f32; 2] = [0.0, 0.5];

impl Counts {
    /// Counts over a training set.
    ///
    /// # Errors
    /// A timestamp outside the calendar, which the reader refuses.
    pub fn new(training: &TrainingSet) -> Result<Self> {
        let incidence = |signal| Incidence::new(training.catalog.len(), &training.users, signal);
        let timed = |event: &Event| -> Result<TimedEvent> {
            Ok((event.movie.get(), LocalTime::from_unix(event.timestamp, 0)?.year_with_fraction()))
        };
        let events = |signal: Signal| -> Result<Vec<TimedEvent>> {
            training.users.iter().flat_map(|user| signal.events(user)).map(timed).collect()
        };
        Ok(Self {
            likes: incidence(Signal::Likes),
            ratings: incidence(Signal::Ratings),
            timed: [events(Signal::Likes)?, events(Signal::Ratings)?],
            together: Default::default(),
        })
    }

    /// How many users have each movie by one signal, as seen from any moment.
    pub fn popularity(&self, signal: Signal, season: Season) -> TimedPopularity {
        let [likes, ratings] = &self.timed;
        let events = if signal == Signal::Likes { likes } else { ratings };
        TimedPopularity::new(self.likes.users_of.len(), events, season)
    }

    /// The incidence by one signal.
    pub const fn incidence(&self, signal: Signal) -> &Incidence {
        match signal {
            Signal::Likes => &self.likes,
            Signal::Ratings => &self.ratings,
        }
    }

    /// The co-occurrence by one signal, users weighted by [`LENGTH_POWERS`]' first power, none, or by its second.
    pub fn co_occurrence(&self, signal: Signal, weighted: bool) -> &CoOccurrence {
        let [likes, ratings] = &self.together;
        let [plain, by_length] = match signal {
            Signal::Likes => likes,
            Signal::Ratings => ratings,
        };
        let [none, half] = LENGTH_POWERS;
        let (cell, power) = if weighted { (by_length, half) } else { (plain, none) };
        cell.get_or_init(|| CoOccurrence::new(self.incidence(signal), power))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn user(id: u32, movies: &[(usize, f32)]) -> User {
        let event = |(movie, stars): &(usize, f32)| Event {
            movie: watchnext::catalog::MovieIndex::new(*movie).unwrap(),
            rating: watchnext::history::Rating::new(*stars),
            timestamp: 0,
        };
        User { id, events: movies.iter().map(event).collect() }
    }

    #[test]
    fn likes_and_ratings_are_told_apart() {
        let users = [user(1, &[(0, 5.0), (2, 3.0)]), user(2, &[(2, 4.0)])];
        let likes = Incidence::new(3, &users, Signal::Likes);
        assert_eq!((likes.counts(), &likes.users_of[2]), (vec![1.0, 0.0, 1.0], &vec![1]));
        assert_eq!(Incidence::new(3, &users, Signal::Ratings).counts(), [1.0, 0.0, 2.0]);
    }

    /// The second user has four movies and the first one: by the square root of the length, four events of weight ½ and one
    /// of weight 1, scaled by 5/3.
    #[test]
    fn long_lists_weigh_less_and_the_mean_weight_stays_one() {
        let users = [user(1, &[(0, 5.0)]), user(2, &[(0, 5.0), (1, 5.0), (2, 5.0), (3, 5.0)])];
        let incidence = Incidence::new(4, &users, Signal::Likes);
        let plain = CoOccurrence::new(&incidence, 0.0);
        assert_eq!(plain.totals, [2.0, 1.0, 1.0, 1.0]);
        assert_eq!(plain.rows[1], [(0, 1.0), (2, 1.0), (3, 1.0)]);
        let weighted = CoOccurrence::new(&incidence, 0.5);
        assert!((weighted.totals[0] - 2.5).abs() < 1e-6 && (weighted.rows[1][0].1 - 5.0 / 6.0).abs() < 1e-6);
        assert!((weighted.totals.iter().sum::<f32>() - 5.0).abs() < 1e-5);
    }
}
