//! Users' events in the order of time, each with the history before it.

use anyhow::Result;
use rayon::prelude::*;
use watchnext::history::History;

use crate::data::split::watches;
use crate::data::{Event, User};

/// Calls `measure` for each event of each user, with the history before the event. A user's first `skipped` events, and
/// those that aren't `measured`, are part of histories alone. Histories bear ratings only if `ratings_known`.
///
/// # Errors
/// If `measure` fails.
pub fn replay<T: Send>(
    users: &[User],
    ratings_known: bool,
    skipped: usize,
    measured: impl Fn(&Event) -> bool + Sync,
    measure: impl Fn(&History, &Event) -> Result<T> + Sync,
) -> Result<Vec<Vec<T>>> {
    let of_user = |user: &User| -> Result<Vec<T>> {
        let mut watched = watches(&user.events);
        if !ratings_known {
            watched.iter_mut().for_each(|watch| watch.rating = None);
        }
        let at_event = |(at, event): (usize, &Event)| {
            measure(&History::new(watched.get(..at).unwrap_or_default().iter().copied()), event)
        };
        // Users' lists differ a hundredfold in length, so one user's events are split between threads as well.
        let events = user.events.par_iter().enumerate().skip(skipped).with_min_len(16);
        events.filter(|(_, event)| measured(event)).map(at_event).collect()
    };
    users.par_iter().map(of_user).collect()
}
