//! The network's training rows.

use anyhow::Result;
use watchnext::catalog::Catalog;
use watchnext::features::{HISTORY_LEN, LocalTime, TIME_FEATURES, history_inputs, time_features};

use crate::data::split::watches;
use crate::data::{Event, User};

/// For each event, everything that was known just before it, and the movie.
#[derive(Debug, Clone, Default)]
pub struct TrainingRows {
    /// `[rows, HISTORY_LEN]`, dense indices. Padding is the catalogue's length.
    pub history: Vec<i64>,
    /// `[rows, HISTORY_LEN]`, the slots' weights with the ratings known.
    pub rated_weights: Vec<f32>,
    /// `[rows, TIME_FEATURES]`.
    pub time: Vec<f32>,
    /// `[rows]`, the movie that was watched.
    pub target: Vec<u32>,
}

impl TrainingRows {
    /// One row for each event of `users` for which `keep` is true, in order of users and time.
    ///
    /// # Errors
    /// A timestamp outside the calendar, which the reader refuses.
    pub fn new(catalog: &Catalog, users: &[User], keep: impl Fn(&Event) -> bool) -> Result<Self> {
        let mut rows = Self::default();
        for user in users {
            let watched = watches(&user.events);
            for (at, event) in user.events.iter().enumerate().filter(|(_, event)| keep(event)) {
                let inputs = history_inputs(watched.get(..at).unwrap_or_default(), catalog.len(), HISTORY_LEN);
                rows.history.extend(inputs.movies);
                rows.rated_weights.extend(inputs.weights);
                rows.time.extend(time_features(&LocalTime::from_unix(event.timestamp, 0)?));
                rows.target.push(event.movie.get());
            }
        }
        Ok(rows)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.target.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.target.is_empty()
    }

    /// The rows numbered `picks`, in that order.
    pub fn gather(&self, picks: &[usize]) -> Self {
        let mut rows = Self::default();
        for pick in picks {
            let history = pick * HISTORY_LEN..(pick + 1) * HISTORY_LEN;
            let time = pick * TIME_FEATURES..(pick + 1) * TIME_FEATURES;
            rows.history.extend_from_slice(self.history.get(history.clone()).unwrap_or_default());
            rows.rated_weights.extend_from_slice(self.rated_weights.get(history).unwrap_or_default());
            rows.time.extend_from_slice(self.time.get(time).unwrap_or_default());
            rows.target.extend(self.target.get(*pick));
        }
        rows
    }
}

/// The weights of a history of clicks alone: 1 for each movie, 0 for padding.
pub fn forget_ratings(weights: &mut [f32]) {
    for weight in weights.iter_mut().filter(|weight| **weight != 0.0) {
        *weight = 1.0;
    }
}
