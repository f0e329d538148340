//! Protocol P4, discovery: protocol P2 without the movies that everybody knows. Of what the user liked besides the
//! clicked movies, those that aren't among the 100 best known should be suggested.

use std::collections::BTreeSet;

use anyhow::Result;
use rayon::prelude::*;
use serde::Serialize;
use watchnext::catalog::{Catalog, MovieIndex};

use super::bootstrap::{Figure, Share, interval};
use super::draws::{AfterClicks, CLICKS, Draw, draws, is_measured};
use super::ranking::{LONG_LIST, judge};
use super::scorer::{Scorer, finite};
use crate::data::User;

/// How many of the best-known movies are neither candidates nor targets. They may be clicked.
pub const BEST_KNOWN: usize = 100;

/// Draws that leave fewer targets aren't measured.
const LEAST_TARGETS: usize = 5;

/// The [`BEST_KNOWN`] movies with the most ratings by the training users, ties by index.
pub(super) fn best_known(catalog: &Catalog) -> &[MovieIndex] {
    let all = catalog.best_known();
    all.get(..BEST_KNOWN).unwrap_or(all)
}

/// One user's figures, means over the draws that were measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UserFigures {
    /// The user's id.
    pub user: u32,
    /// Normalised discounted cumulative gain of the best 10.
    pub ndcg10: f64,
    /// Targets among the best 20, over the smaller of 20 and the number of targets.
    pub recall20: f64,
}

/// A method's results on some users, to be merged over folds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    by_clicks: [Vec<UserFigures>; CLICKS.len()],
}

/// Protocol P4's figures of one method with one number of clicks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Discovery {
    /// How many movies were clicked.
    pub clicks: usize,
    /// How many users were measured.
    pub users: usize,
    /// Normalised discounted cumulative gain of the best 10; the ideal list has as many hits as it can.
    pub ndcg10: Figure,
    /// Targets among the best 20, over the smaller of 20 and the number of targets.
    pub recall20: Figure,
    /// Each user's figures by ascending id, for comparing methods user by user.
    #[serde(skip)]
    pub by_user: Vec<UserFigures>,
}

impl AfterClicks for Discovery {
    fn clicks(&self) -> usize {
        self.clicks
    }
}

impl Discovery {
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
            ours.extend(theirs);
        }
    }

    /// The figure that hyper-parameters maximise: NDCG@10, the mean over users and numbers of clicks.
    pub fn objective(&self) -> f64 {
        let users: usize = self.by_clicks.iter().map(Vec::len).sum();
        self.by_clicks.iter().flatten().map(|user| user.ndcg10).sum::<f64>() / users.max(1) as f64
    }

    /// The figures for each number of clicks.
    pub fn summarise(self) -> Vec<Discovery> {
        let row = |(clicks, mut by_user): (usize, Vec<UserFigures>)| {
            by_user.sort_by_key(|user| user.user);
            let figure = |value: fn(&UserFigures) -> f64| {
                interval(&by_user.iter().map(|user| Share::once(value(user))).collect::<Vec<_>>())
            };
            let (ndcg10, recall20) = (figure(|user| user.ndcg10), figure(|user| user.recall20));
            Discovery { clicks, users: by_user.len(), ndcg10, recall20, by_user }
        };
        CLICKS.into_iter().zip(self.by_clicks).map(row).collect()
    }
}

/// Protocol P4 on those of `users` whom P2 measures and who liked enough movies that aren't well known. `catalog` has
/// the counts of the training users.
///
/// # Errors
/// If the scorer fails, or a score isn't finite.
pub fn discovery(scorer: &dyn Scorer, users: &[User], catalog: &Catalog) -> Result<Outcome> {
    let best_known = best_known(catalog);
    let measured = users.par_iter().filter(|user| is_measured(user));
    let figures: Vec<_> = measured.map(|user| of_user(scorer, user, best_known)).collect::<Result<_>>()?;
    let mut outcome = Outcome::default();
    for user in figures {
        for (found, user) in outcome.by_clicks.iter_mut().zip(user) {
            found.extend(user);
        }
    }
    Ok(outcome)
}

/// The user's figures for each number of clicks; none where no draw leaves enough targets.
fn of_user(scorer: &dyn Scorer, user: &User, best_known: &[MovieIndex]) -> Result<[Option<UserFigures>; CLICKS.len()]> {
    let draws: Vec<Draw> = draws(user).collect();
    let mut figures = [None; CLICKS.len()];
    for (clicks, figures) in CLICKS.into_iter().zip(&mut figures) {
        let (mut ndcg10, mut recall20, mut measured) = (0.0, 0.0, 0_usize);
        for visit in draws.iter().filter_map(|draw| draw.after(clicks)) {
            let mut targets: BTreeSet<usize> = visit.targets();
            for movie in best_known {
                targets.remove(&movie.as_usize());
            }
            if targets.len() < LEAST_TARGETS {
                continue;
            }
            let history = visit.history();
            let scores = scorer.best_scores(&history, &visit.moment()?, best_known, LONG_LIST)?;
            let judged = judge(&finite(scores, &history)?, &targets);
            ndcg10 += judged.ndcg10;
            recall20 += judged.recall20;
            measured += 1;
        }
        if measured > 0 {
            let mean = |sum: f64| sum / measured as f64;
            *figures = Some(UserFigures { user: user.id, ndcg10: mean(ndcg10), recall20: mean(recall20) });
        }
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::evaluate::draws::made_up::{catalog, user};
    use watchnext::features::LocalTime;
    use watchnext::history::History;

    /// Scores the movies of a catalogue of 140 by their index, the best known first, watched ones left out.
    struct ByFame;

    impl Scorer for ByFame {
        fn scores(&self, history: &History, _: &LocalTime) -> Result<Vec<(usize, f32)>> {
            let seen = history.seen(140);
            Ok((0..140).filter(|movie| !seen[*movie]).map(|movie| (movie, -(movie as f32))).collect())
        }
    }

    fn close(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-12, "{left} against {right}");
    }

    /// The first user liked movies 0 to 14 of the best known, and 100, 102, 104, 106 and 139. With one of these
    /// clicked, too few would be left, so only draws that click the best known count. The four first are in places 1,
    /// 3, 5 and 7 of what is left, and 139 is far behind. The second user liked the best known alone.
    #[test]
    fn the_best_known_are_neither_candidates_nor_targets() {
        let users = [user(1, (0..15).chain([100, 102, 104, 106, 139])), user(2, 0..30)];
        let rows = discovery(&ByFame, &users, &catalog(140)).unwrap().summarise();
        let found = |draw: &Draw| draw.after(1).is_some_and(|visit| visit.history().watches()[0].movie.get() < 100);
        assert!(draws(&users[0]).any(|draw| found(&draw)), "the seed's draws are of no use to this test");
        let places = |places: &[u32]| places.iter().map(|place| 1.0 / f64::from(place + 1).log2()).sum::<f64>();
        assert_eq!((rows[0].clicks, rows[0].users), (1, 1));
        close(rows[0].ndcg10.mean, places(&[1, 3, 5, 7]) / places(&[1, 2, 3, 4, 5]));
        close(rows[0].recall20.mean, 4.0 / 5.0);
        assert_eq!(rows[0].by_user[0].user, 1);
    }

    /// Of 25 liked movies that aren't well known, ten clicks leave 15: the best suggestions are all right.
    #[test]
    fn clicked_movies_are_no_targets() {
        let rows = discovery(&ByFame, &[user(1, 100..125)], &catalog(140)).unwrap().summarise();
        assert_eq!(rows.iter().map(|row| row.users).collect::<Vec<_>>(), [1; 4]);
        rows.iter().for_each(|row| close(row.ndcg10.mean, 1.0));
        close(rows[3].recall20.mean, 1.0);
        let outcome = discovery(&ByFame, &[user(1, 100..125)], &catalog(140)).unwrap();
        close(outcome.objective(), 1.0);
    }
}
