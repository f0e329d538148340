//! Splits users into those who train, validate and test.

use anyhow::{Result, ensure};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use watchnext::history::Watch;

use super::user::{Event, User};

/// The users of protocol P1 who validate: the first by ascending id.
const VALIDATION_USERS: usize = 40;
/// The users of protocol P1 who test: the next by ascending id. All others train.
const TEST_USERS: usize = 40;

/// Users of a data set, split by user (protocol P1).
#[derive(Debug, Clone, Copy)]
pub struct Split<'data> {
    /// Users whose figures choose the hyper-parameters.
    pub validation: &'data [User],
    /// Users whose figures are reported.
    pub test: &'data [User],
    /// Users who train the model.
    pub train: &'data [User],
}

impl<'data> Split<'data> {
    /// Splits `users`, sorted by id, by protocol P1. Of fewer than 400 users, a tenth validates and a tenth tests.
    ///
    /// # Errors
    /// Fewer than 10 users: none could validate or test.
    pub fn by_user(users: &'data [User]) -> Result<Self> {
        ensure!(users.len() >= 10, "the ratings are by {} users; a split by user needs at least 10", users.len());
        let tenth = users.len() / 10;
        let (validation, rest) = users.split_at(VALIDATION_USERS.min(tenth));
        let (test, train) = rest.split_at(TEST_USERS.min(tenth));
        Ok(Self { validation, test, train })
    }
}

/// One fold of a cross-validation over users.
#[derive(Debug, Clone)]
pub struct Fold {
    /// Users to train on: main users first, then those who always train.
    pub train: Vec<User>,
    /// How many of `train` are main users.
    pub main: usize,
    /// Users to measure, in the order of the data.
    pub held_out: Vec<User>,
}

/// Deals the first `main` of `users` out to `parts` folds after a shuffle. The other users train in every fold.
///
/// The shuffle depends on `seed` and `main` alone, so further training users don't move anyone to another fold.
pub fn folds(users: &[User], main: usize, parts: usize, seed: u64) -> Vec<Fold> {
    let (own, further) = users.split_at_checked(main).unwrap_or((users, &[]));
    let mut order: Vec<usize> = (0..own.len()).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let mut part_of = vec![0; own.len()];
    for (place, user) in order.into_iter().enumerate() {
        if let Some(part) = part_of.get_mut(user) {
            *part = place % parts.max(1);
        }
    }
    let fold = |fold: usize| {
        let of = |held_out: bool| {
            let members = own.iter().zip(&part_of).filter(move |(_, part)| (**part == fold) == held_out);
            members.map(|(user, _)| user.clone()).collect::<Vec<User>>()
        };
        let mut train = of(false);
        let main = train.len();
        train.extend_from_slice(further);
        Fold { train, main, held_out: of(true) }
    };
    (0..parts.max(1)).map(fold).collect()
}

/// A user's events as watches, ratings included.
pub fn watches(events: &[Event]) -> Vec<Watch> {
    events.iter().map(|event| Watch { movie: event.movie, rating: event.rating }).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn users(ids: std::ops::Range<u32>) -> Vec<User> {
        ids.map(|id| User { id, events: Vec::new() }).collect()
    }

    /// 23 isn't divisible by 5, so the folds differ in size. The further users have ids above those of the main ones.
    #[test]
    fn every_main_user_is_held_out_once_and_further_users_never() {
        let all: Vec<User> = users(1..24).into_iter().chain(users(100..110)).collect();
        let folds = folds(&all, 23, 5, 1);
        let mut held_out: Vec<u32> = folds.iter().flat_map(|fold| &fold.held_out).map(|user| user.id).collect();
        held_out.sort_unstable();
        assert_eq!(held_out, (1..24).collect::<Vec<u32>>());
        for fold in &folds {
            assert!(fold.held_out.len() == 4 || fold.held_out.len() == 5);
            assert_eq!(fold.main + fold.held_out.len(), 23);
            assert!(fold.train[..fold.main].iter().all(|user| user.id < 24 && !fold.held_out.contains(user)));
            assert_eq!(fold.train[fold.main..], all[23..]);
        }
    }

    #[test]
    fn further_users_move_nobody_to_another_fold() {
        let (alone, joined) = (users(1..24), users(1..40));
        let held_out = |users: &[User]| -> Vec<Vec<User>> {
            folds(users, 23, 5, 1).into_iter().map(|fold| fold.held_out).collect()
        };
        assert_eq!(held_out(&alone), held_out(&joined));
    }
}
