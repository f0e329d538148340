//! Protocol P2, a few clicks, as a visitor makes them. Of the movies that a held-out user liked, 1, 3, 5 or 10 are
//! clicked in random order and without ratings. The others should be suggested.

use std::collections::BTreeSet;

use anyhow::Result;
use rayon::prelude::*;
use serde::Serialize;
use watchnext::catalog::Catalog;

use super::bootstrap::{Figure, Share, interval};
use super::draws::{AfterClicks, CLICKS, DRAWS, draws, is_measured};
use super::ranking::{LONG_LIST, judge};
use super::scorer::{Scorer, finite};
use crate::data::User;

/// The folds of the cross-validation over users.
pub const FOLDS: usize = 5;

/// The seed of the split of users into folds.
pub const FOLD_SEED: u64 = 20_250_101;

/// One user's figures, means over the draws.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UserFigures {
    /// The user's id.
    pub user: u32,
    /// Normalised discounted cumulative gain of the best 10.
    pub ndcg10: f64,
    /// Targets among the best 20, over the smaller of 20 and the number of targets.
    pub recall20: f64,
    /// The mean popularity rank of the best 10; 1 is the most popular movie.
    pub popularity10: f64,
}

/// The results with one number of clicks.
#[derive(Debug, Clone, Default, PartialEq)]
struct ByClicks {
    users: Vec<UserFigures>,
    suggested: BTreeSet<usize>,
}

/// A method's results on some users, to be merged over folds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    by_clicks: [ByClicks; CLICKS.len()],
}

/// Protocol P2's figures of one method with one number of clicks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FewClicks {
    /// How many movies were clicked.
    pub clicks: usize,
    /// How many users were measured.
    pub users: usize,
    /// Normalised discounted cumulative gain of the best 10; the ideal list has as many hits as it can.
    pub ndcg10: Figure,
    /// Targets among the best 20, over the smaller of 20 and the number of targets.
    pub recall20: Figure,
    /// The share of the catalogue's movies that appear in anyone's best 10. It has no interval, since it depends on
    /// how many users there are.
    pub coverage10: f64,
    /// The mean popularity rank of the best 10; 1 is the most popular movie of the training users.
    pub popularity10: Figure,
    /// Each user's figures by ascending id, for comparing methods user by user.
    #[serde(skip)]
    pub by_user: Vec<UserFigures>,
}

impl AfterClicks for FewClicks {
    fn clicks(&self) -> usize {
        self.clicks
    }
}

impl FewClicks {
    /// Each user's gain.
    pub fn ndcg10_by_user(&self) -> Vec<Share> {
        self.by_user.iter().map(|user| Share::once(user.ndcg10)).collect()
    }

    /// Each user's recall.
    pub fn recall20_by_user(&self) -> Vec<Share> {
        self.by_user.iter().map(|user| Share::once(user.recall20)).collect()
    }
}

impl Outcome {
    /// Adds another fold's users.
    pub fn merge(&mut self, other: Self) {
        for (ours, theirs) in self.by_clicks.iter_mut().zip(other.by_clicks) {
            ours.users.extend(theirs.users);
            ours.suggested.extend(theirs.suggested);
        }
    }

    /// The figure that hyper-parameters maximise: NDCG@10, the mean over users and numbers of clicks.
    pub fn objective(&self) -> f64 {
        let (sum, count) = self
            .by_clicks
            .iter()
            .flat_map(|clicks| &clicks.users)
            .fold((0.0, 0_usize), |(sum, count), user| (sum + user.ndcg10, count + 1));
        sum / count.max(1) as f64
    }

    /// The figures for each number of clicks, over a catalogue of `movies` movies.
    pub fn summarise(mut self, movies: usize) -> Vec<FewClicks> {
        let row = |(clicks, found): (usize, &mut ByClicks)| {
            let mut by_user = std::mem::take(&mut found.users);
            by_user.sort_by_key(|user| user.user);
            let figure = |value: fn(&UserFigures) -> f64| {
                interval(&by_user.iter().map(|user| Share::once(value(user))).collect::<Vec<_>>())
            };
            FewClicks {
                clicks,
                users: by_user.len(),
                ndcg10: figure(|user| user.ndcg10),
                recall20: figure(|user| user.recall20),
                coverage10: found.suggested.len() as f64 / movies.max(1) as f64,
                popularity10: figure(|user| user.popularity10),
                by_user,
            }
        };
        CLICKS.into_iter().zip(&mut self.by_clicks).map(row).collect()
    }
}

/// Each movie's popularity rank from 1, `[movies]`: by how often it was rated, then by index.
#[derive(Debug, Clone, PartialEq)]
pub struct PopularityRanks(Vec<usize>);

impl PopularityRanks {
    /// The ranks by a catalogue's counts of ratings.
    pub fn of_catalog(catalog: &Catalog) -> Self {
        Self::of_counts(&catalog.movies().iter().map(|movie| movie.ratings).collect::<Vec<u32>>())
    }

    fn of_counts(counts: &[u32]) -> Self {
        let mut order: Vec<(usize, u32)> = counts.iter().copied().enumerate().collect();
        order.sort_by_key(|(movie, count)| (std::cmp::Reverse(*count), *movie));
        let mut ranks = vec![0; counts.len()];
        for (place, (movie, _)) in order.into_iter().enumerate() {
            if let Some(rank) = ranks.get_mut(movie) {
                *rank = place + 1;
            }
        }
        Self(ranks)
    }

    fn mean(&self, movies: &[usize]) -> f64 {
        let sum: usize = movies.iter().filter_map(|movie| self.0.get(*movie)).sum();
        sum as f64 / movies.len().max(1) as f64
    }
}

/// Protocol P2 on those of `users` who liked enough movies.
///
/// # Errors
/// If the scorer fails, or a score isn't finite.
pub fn few_clicks(scorer: &dyn Scorer, users: &[User], popularity: &PopularityRanks) -> Result<Outcome> {
    let outcomes: Vec<Outcome> = users
        .par_iter()
        .filter(|user| is_measured(user))
        .map(|user| user_outcome(scorer, user, popularity))
        .collect::<Result<_>>()?;
    let mut all = Outcome::default();
    outcomes.into_iter().for_each(|outcome| all.merge(outcome));
    Ok(all)
}

fn user_outcome(scorer: &dyn Scorer, user: &User, popularity: &PopularityRanks) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut sums = [UserFigures { user: user.id, ndcg10: 0.0, recall20: 0.0, popularity10: 0.0 }; CLICKS.len()];
    for draw in draws(user) {
        for ((clicks, sum), found) in CLICKS.into_iter().zip(&mut sums).zip(&mut outcome.by_clicks) {
            let Some(visit) = draw.after(clicks) else { continue };
            let history = visit.history();
            let scores = scorer.best_scores(&history, &visit.moment()?, &[], LONG_LIST)?;
            let judged = judge(&finite(scores, &history)?, &visit.targets());
            sum.ndcg10 += judged.ndcg10 / DRAWS as f64;
            sum.recall20 += judged.recall20 / DRAWS as f64;
            sum.popularity10 += popularity.mean(&judged.suggested) / DRAWS as f64;
            found.suggested.extend(judged.suggested);
        }
    }
    for (found, sum) in outcome.by_clicks.iter_mut().zip(sums) {
        found.users.push(sum);
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::data::Event;
    use watchnext::catalog::MovieIndex;
    use watchnext::features::LocalTime;
    use watchnext::history::History;

    fn close(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-12, "{left} against {right}");
    }

    fn user(id: u32, likes: usize) -> User {
        let event = |movie: usize| Event {
            movie: MovieIndex::new(movie).unwrap(),
            rating: watchnext::history::Rating::new(if movie < likes { 4.0 } else { 3.5 }),
            timestamp: movie as i64,
        };
        User { id, events: (0..likes + 5).map(event).collect() }
    }

    /// Scores a movie by its index, and records the clicks.
    #[derive(Default)]
    struct Recorder(std::sync::Mutex<Vec<Vec<usize>>>);

    impl Scorer for Recorder {
        fn scores(&self, history: &History, _: &LocalTime) -> Result<Vec<(usize, f32)>> {
            let clicked: Vec<usize> = history.watches().iter().map(|watch| watch.movie.as_usize()).collect();
            assert!(history.watches().iter().all(|watch| watch.rating.is_none()));
            let scores = (0..100).filter(|movie| !clicked.contains(movie)).map(|movie| (movie, movie as f32)).collect();
            self.0.lock().unwrap().push(clicked);
            Ok(scores)
        }
    }

    /// One user liked 19 movies, too few; the other 20, five draws of four lists of clicks.
    #[test]
    fn clicks_are_liked_movies_and_the_same_for_every_method() {
        let users = [user(1, 19), user(2, 20)];
        let ranks = PopularityRanks::of_counts(&[0; 100]);
        let run = || {
            let recorder = Recorder::default();
            let outcome = few_clicks(&recorder, &users, &ranks).unwrap();
            (outcome, recorder.0.into_inner().unwrap())
        };
        let ((outcome, clicked), (again, clicked_again)) = (run(), run());
        assert_eq!((&outcome, &clicked), (&again, &clicked_again));
        assert_eq!(clicked.iter().map(Vec::len).collect::<Vec<_>>(), [1, 3, 5, 10].repeat(5));
        assert!(clicked.iter().flatten().all(|movie| *movie < 20));
        assert_ne!(clicked[3], clicked[7]);
        let rows = outcome.summarise(100);
        assert_eq!(
            rows.iter().map(|row| (row.clicks, row.users)).collect::<Vec<_>>(),
            [(1, 1), (3, 1), (5, 1), (10, 1)]
        );
        // Everyone is suggested the ten highest indices, which nobody rated, so that they rank by index.
        close(rows[0].coverage10, 0.1);
        close(rows[0].popularity10.mean, 95.5);
        close(rows[0].ndcg10.mean, 0.0);
    }

    #[test]
    fn popularity_ranks_go_by_ratings_then_by_index() {
        let ranks = PopularityRanks::of_counts(&[2, 5, 2, 0]);
        assert_eq!(ranks.0, [2, 1, 3, 4]);
        close(ranks.mean(&[1, 3]), 2.5);
    }
}
