//! The networks' training rows: random handfuls of liked movies, as a visitor clicks them, and stretches of histories.

use anyhow::{Result, ensure};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use watchnext::features::HISTORY_LEN;
use watchnext::history::LIKED_STARS;

use super::gains::MOST_CLICKS;
use super::member::{Row, Task};
use crate::data::user_movies::UserMovies;
use crate::nn::ops::RowTargets;

/// Users with fewer liked movies don't train the click networks: too little would be left to predict.
const FEWEST_LIKED: usize = 5;

/// The memory of the sequence channel, in watches: a movie this many places ago weighs `1/e`.
pub const MEMORY: f32 = 6.0;

/// How far ahead the sequence network looks.
const AHEAD: usize = 10;

/// How fast the targets fade with their distance, in watches.
const AHEAD_MEMORY: f32 = 5.0;

/// Rows of a step of the sequence network.
const SEQUENCE_ROWS: usize = 1000;

/// A random handful of each user's liked movies, from which the network predicts the others. A visitor's clicks are of
/// this kind, and so are the questions of protocol P2.
#[derive(Debug)]
pub struct Clicks<'users> {
    users: Vec<&'users UserMovies>,
    /// How much a movie that was rated below [`LIKED_STARS`] counts as a target. A liked one counts 1.
    rated: f32,
}

impl<'users> Clicks<'users> {
    /// Over the users with enough liked movies.
    ///
    /// # Errors
    /// No such user.
    pub fn new(users: &'users [UserMovies], rated: f32) -> Result<Self> {
        let users: Vec<&UserMovies> = users.iter().filter(|user| user.liked.len() >= FEWEST_LIKED).collect();
        ensure!(
            !users.is_empty(),
            "no user has {FEWEST_LIKED} movies with {LIKED_STARS} stars or more, so the click networks can't train. \
             Give more ratings."
        );
        Ok(Self { users, rated })
    }

    fn row(&self, user: &UserMovies, rng: &mut ChaCha8Rng) -> (Row, f32) {
        // The number of clicks is uniform on a logarithmic scale: one click matters as much as two, or ten against
        // twenty.
        let most = ((MOST_CLICKS + 1) as f32).ln();
        let count = (rng.random_range(0.0..most)).exp() as usize;
        let count = count.clamp(1, user.liked.len().saturating_sub(2).max(1));
        let mut liked: Vec<(u32, f32)> = user.liked.iter().copied().zip(user.liked_years.iter().copied()).collect();
        liked.shuffle(rng);
        let (clicked, others) = liked.split_at(count.min(liked.len()));
        // The visit takes place at the latest of the clicked movies' years.
        let year = clicked.iter().map(|(_, year)| *year).fold(0.0, f32::max);
        let clicked: Vec<u32> = clicked.iter().map(|(movie, _)| *movie).collect();
        let mut classes: Vec<(u32, f32)> = others.iter().map(|(movie, _)| (*movie, 1.0)).collect();
        if self.rated > 0.0 {
            let like: std::collections::BTreeSet<u32> = user.liked.iter().copied().collect();
            classes.extend(user.rated.iter().filter(|movie| !like.contains(movie)).map(|movie| (*movie, self.rated)));
        }
        let total: f32 = classes.iter().map(|(_, share)| share).sum();
        let pooled = 1.0 / (count as f32).sqrt();
        let row = Row {
            slots: clicked.iter().map(|movie| (*movie, pooled)).collect(),
            watched: count,
            year,
            targets: RowTargets { classes, excluded: clicked },
        };
        (row, total)
    }
}

impl Task for Clicks<'_> {
    /// One row for each user. A user counts with the root of the sum of their targets: those who liked much say more,
    /// but not in proportion.
    fn rows(&mut self, rng: &mut ChaCha8Rng) -> Vec<Row> {
        let mut rows: Vec<(Row, f32)> = self.users.iter().map(|user| self.row(user, rng)).collect();
        let mean = rows.iter().map(|(_, total)| total.sqrt()).sum::<f32>() / rows.len() as f32;
        for (row, total) in &mut rows {
            let factor = total.sqrt() / mean / *total;
            row.targets.classes.iter_mut().for_each(|(_, share)| *share *= factor);
        }
        rows.into_iter().map(|(row, _)| row).collect()
    }
}

/// The movies up to a random place of a user's history, fading with their distance, from which the network predicts the
/// next movies.
#[derive(Debug)]
pub struct Sequences<'users> {
    users: Vec<&'users UserMovies>,
    /// The running sum of the roots of the histories' lengths. Long histories are drawn more often, but not in
    /// proportion.
    ends: Vec<f64>,
}

impl<'users> Sequences<'users> {
    /// Over the users with two movies or more.
    ///
    /// # Errors
    /// No such user.
    pub fn new(users: &'users [UserMovies]) -> Result<Self> {
        let users: Vec<&UserMovies> = users.iter().filter(|user| user.rated.len() > 1).collect();
        ensure!(
            !users.is_empty(),
            "no user rated two movies, so the sequence networks can't train. Give more ratings."
        );
        let mut sum = 0.0;
        let ends = users.iter().map(|user| {
            sum += (user.rated.len() as f64).sqrt();
            sum
        });
        Ok(Self { ends: ends.collect(), users })
    }
}

/// The weight of a movie `ago` watches back in the sequence channel.
pub fn fading(ago: usize) -> f32 {
    (-(ago as f32) / MEMORY).exp()
}

impl Task for Sequences<'_> {
    fn rows(&mut self, rng: &mut ChaCha8Rng) -> Vec<Row> {
        let all = self.ends.last().copied().unwrap_or(1.0);
        let row = |rng: &mut ChaCha8Rng| {
            let drawn = rng.random_range(0.0..all);
            let user = self.users.get(self.ends.partition_point(|end| *end <= drawn))?;
            let at = rng.random_range(1..user.rated.len());
            let (before, after) = user.rated.split_at_checked(at)?;
            let recent: Vec<u32> = before.iter().rev().take(HISTORY_LEN).copied().collect();
            let total: f32 = (0..recent.len()).map(fading).sum();
            let slots = recent.iter().enumerate().map(|(ago, movie)| (*movie, fading(ago) / total.sqrt())).collect();
            let ahead = after.iter().take(AHEAD).enumerate();
            let mut classes: Vec<(u32, f32)> =
                ahead.map(|(ahead, movie)| (*movie, (-(ahead as f32) / AHEAD_MEMORY).exp())).collect();
            let shares: f32 = classes.iter().map(|(_, share)| share).sum();
            classes.iter_mut().for_each(|(_, share)| *share /= shares);
            let year = user.years.get(at).copied()?;
            let targets = RowTargets { classes, excluded: before.to_vec() };
            Some(Row { slots, watched: recent.len(), year, targets })
        };
        (0..SEQUENCE_ROWS).filter_map(|_| row(rng)).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use rand::SeedableRng;

    fn user() -> UserMovies {
        let years: Vec<f32> = (0..40).map(|place| 2000.0 + place as f32).collect();
        UserMovies {
            rated: (0..40).collect(),
            liked: (0..30).collect(),
            liked_years: years.iter().copied().take(30).collect(),
            years,
        }
    }

    #[test]
    fn clicks_and_targets_share_out_the_liked_movies() {
        let users = [user()];
        let mut clicks = Clicks::new(&users, 0.25).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for _ in 0..50 {
            let rows = clicks.rows(&mut rng);
            let row = &rows[0];
            let mut all: Vec<u32> = row.slots.iter().map(|slot| slot.0).collect();
            assert!((1..=MOST_CLICKS).contains(&all.len()) && all.iter().all(|movie| *movie < 30));
            assert_eq!(all, row.targets.excluded);
            all.extend(row.targets.classes.iter().map(|class| class.0));
            all.sort_unstable();
            assert_eq!(all, (0..40).collect::<Vec<_>>());
            // The one user's weight is the mean weight.
            let total: f32 = row.targets.classes.iter().map(|class| class.1).sum();
            assert!((total - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn a_sequence_predicts_only_what_came_after() {
        let users = [user()];
        let mut sequences = Sequences::new(&users).unwrap();
        for row in sequences.rows(&mut ChaCha8Rng::seed_from_u64(3)) {
            let last = row.slots[0].0;
            assert_eq!(row.targets.classes[0].0, last + 1);
            // The year is that of the movie to predict.
            assert_eq!(row.year, 2001.0 + last as f32);
            assert!(row.targets.excluded.iter().all(|movie| *movie <= last));
            assert!(row.slots.windows(2).all(|pair| pair[0].0 == pair[1].0 + 1 && pair[0].1 > pair[1].1));
        }
    }

    #[test]
    fn data_without_likes_are_refused() {
        let users = [UserMovies { rated: vec![0, 1], years: vec![2000.0; 2], ..UserMovies::default() }];
        assert!(Clicks::new(&users, 0.0).unwrap_err().to_string().contains("no user has 5 movies"));
        assert!(Sequences::new(&[]).unwrap_err().to_string().contains("two movies"));
    }
}
