//! Counts over a training set, which the baselines share.

use std::sync::OnceLock;

use anyhow::Result;
use watchnext::features::LocalTime;

use crate::data::Event;
use crate::data::cooccurrence::CoOccurrence;
use crate::data::incidence::{Incidence, Signal};
use crate::data::timed_popularity::{Season, TimedEvent, TimedPopularity};
use crate::data::training_set::TrainingSet;
use crate::evaluate::tune::Statistics;

/// The incidences of a training set by both signals, and the co-occurrences, computed when first used.
#[derive(Debug)]
pub struct Counts {
    likes: Incidence,
    ratings: Incidence,
    timed: [Vec<TimedEvent>; 2],
    together: [[OnceLock<CoOccurrence>; LENGTH_POWERS.len()]; 2],
}

/// A user's weight is the length of the user's list to minus one of these powers.
pub const LENGTH_POWERS: [f32; 2] = [0.0, 0.5];

/// How users weigh: by one over the square root of the length of their lists if `weighted`.
pub const fn users_in_words(weighted: bool) -> &'static str {
    if weighted { "users by 1/√length" } else { "users alike" }
}

impl Counts {
    /// How many users have each movie by one signal, at any time of a visit.
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

    /// The co-occurrence by one signal. Users weigh alike, or by one over the square root of their lists' lengths if
    /// `weighted`.
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

impl Statistics for Counts {
    fn new(training: &TrainingSet) -> Result<Self> {
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
}
