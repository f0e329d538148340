//! Users' events in the order of time, each with the history before it.

use anyhow::Result;
use rayon::prelude::*;
use watchnext::history::History;

use super::sample::sample;
use crate::data::split::watches;
use crate::data::{Event, User};

/// Which events are replayed, and how.
#[derive(Debug, Clone, Copy, Default)]
pub struct Replay {
    /// Whether histories bear ratings.
    pub ratings_known: bool,
    /// How many of a user's first events are part of histories alone.
    pub skipped: usize,
    /// How many events of each user are measured at most, evenly spread; all if there is no limit.
    pub most: Option<usize>,
}

/// Calls `measure` for each event of each user, with the history before the event. Events that aren't `measured` are
/// part of histories alone.
///
/// # Errors
/// If `measure` fails.
pub fn replay<T: Send>(
    users: &[User],
    replay: Replay,
    measured: impl Fn(&Event) -> bool + Sync,
    measure: impl Fn(&History, &Event) -> Result<T> + Sync,
) -> Result<Vec<Vec<T>>> {
    let of_user = |user: &User| -> Result<Vec<T>> {
        let mut watched = watches(&user.events);
        if !replay.ratings_known {
            watched.iter_mut().for_each(|watch| watch.rating = None);
        }
        let events: Vec<(usize, &Event)> =
            user.events.iter().enumerate().skip(replay.skipped).filter(|(_, event)| measured(event)).collect();
        let events = sample(&events, replay.most.unwrap_or(usize::MAX));
        let at_event = |(at, event): (usize, &Event)| {
            measure(&History::new(watched.get(..at).unwrap_or_default().iter().copied()), event)
        };
        // Users' lists differ a hundredfold in length, so one user's events are split between threads as well.
        events.into_par_iter().with_min_len(16).map(at_event).collect()
    };
    users.par_iter().map(of_user).collect()
}
