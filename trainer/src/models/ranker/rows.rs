//! The ranker's training rows: every rating of every user, seen from just before it. A click has no reaction to learn
//! from, so it only counts in histories.

use anyhow::Result;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use watchnext::catalog::Catalog;
use watchnext::features::LocalTime;
use watchnext::features::reaction::{REACTION_WIDTH, ReactionHistory};
use watchnext::history::{DISLIKED_STARS, LIKED_STARS, Watch};
use watchnext::traits::MovieTraits;

use super::traits::TraitTables;
use crate::data::User;
use crate::data::split::watches;
use crate::math::embeddings::EmbeddingTable;
use crate::math::random::stream;

/// Groups of users. A row's traits are learnt from the other groups, so that they know nothing of the row's user, as
/// they know nothing of a visitor.
pub const GROUPS: usize = 5;

/// The share of rows that are also seen with some of the ratings, as of a visitor who rates some movies.
const PARTLY_KNOWN: f64 = 0.25;

/// A row counts with this power of the number of the user's rows: those who rated much say more, but not in proportion.
const LENGTH_POWER: f32 = -0.3;

/// The ratings of its history that a row sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// All of them.
    All,
    /// None: clicks alone.
    None,
    /// Some.
    Some,
}

/// A rating of a user, with the features from just before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The user's id.
    pub user: u32,
    /// How many events of the user come before it.
    pub before: usize,
    /// The ratings of its history that it sees.
    pub known: Known,
    /// The library's columns.
    pub features: [f32; REACTION_WIDTH],
    /// 0 for a dislike, 1 for neither, 2 for a like.
    pub reaction: u32,
    /// How much the row counts in the loss.
    pub weight: f32,
    /// Whether the user is of a further file, whose users may be more generous.
    pub further: bool,
    /// The user's group.
    pub group: usize,
}

/// 0 for a dislike, 1 for neither, 2 for a like.
const fn reaction(stars: f32) -> u32 {
    if stars >= LIKED_STARS {
        2
    } else if stars <= DISLIKED_STARS {
        0
    } else {
        1
    }
}

/// The rows of `users`. The first `main` of them are people like the users who will be measured. Each rating gives a
/// row with the history's ratings and one with clicks alone, and some give one in between.
///
/// # Errors
/// Traits that can't be learnt, and a timestamp outside the calendar.
pub fn cross_fitted(
    catalog: &Catalog,
    users: &[User],
    main: usize,
    titles: Option<&EmbeddingTable>,
    seed: u64,
    mut progress: impl FnMut(),
) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for group in 0..GROUPS {
        let others: Vec<User> =
            users.iter().enumerate().filter(|(at, _)| at % GROUPS != group).map(|(_, user)| user.clone()).collect();
        let traits = TraitTables::new(catalog, &others, titles, seed)?.load(catalog)?;
        let own: Vec<(usize, &User)> = users.iter().enumerate().filter(|(at, _)| at % GROUPS == group).collect();
        let of_user = |(at, user): &(usize, &User)| {
            let mut rows = of_user(catalog, &traits, user, &mut stream(seed, *at as u64))?;
            for row in &mut rows {
                (row.further, row.group) = (*at >= main, group);
            }
            Ok(rows)
        };
        let found: Vec<Vec<Row>> = own.par_iter().map(of_user).collect::<Result<_>>()?;
        rows.extend(found.into_iter().flatten());
        progress();
    }
    Ok(rows)
}

/// The rows of users from whom `traits` weren't learnt, as in protocol P3.
///
/// # Errors
/// A timestamp outside the calendar.
pub fn held_out(catalog: &Catalog, traits: &MovieTraits, users: &[User]) -> Result<Vec<Row>> {
    let of_user = |user: &User| of_user(catalog, traits, user, &mut ChaCha8Rng::seed_from_u64(0));
    let rows: Vec<Vec<Row>> = users.par_iter().map(of_user).collect::<Result<_>>()?;
    Ok(rows.into_iter().flatten().collect())
}

fn of_user(catalog: &Catalog, traits: &MovieTraits, user: &User, rng: &mut ChaCha8Rng) -> Result<Vec<Row>> {
    let known = watches(&user.events);
    let unknown: Vec<Watch> = known.iter().map(|watch| Watch { rating: None, ..*watch }).collect();
    let weight = (user.events.len().max(1) as f32).powf(LENGTH_POWER);
    let mut rows = Vec::new();
    for (at, event) in user.events.iter().enumerate() {
        let Some(rating) = event.rating else { continue };
        let moment = LocalTime::from_unix(event.timestamp, 0)?;
        let mut push = |known: Known, watches: &[Watch]| {
            let history = ReactionHistory::new(catalog, traits, watches.get(..at).unwrap_or_default());
            let features = history.features(event.movie, &moment);
            let reaction = reaction(rating.stars());
            rows.push(Row { user: user.id, before: at, known, features, reaction, weight, further: false, group: 0 });
        };
        push(Known::All, &known);
        push(Known::None, &unknown);
        if rng.random_bool(PARTLY_KNOWN) {
            let share = rng.random_range(0.05..0.95);
            let partly: Vec<Watch> = known
                .iter()
                .map(|watch| Watch { rating: watch.rating.filter(|_| rng.random_bool(share)), ..*watch })
                .collect();
            push(Known::Some, &partly);
        }
    }
    Ok(rows)
}
