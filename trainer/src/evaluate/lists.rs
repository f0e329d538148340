//! How the lists that visitors see look: how much two visitors' lists have in common, how many of the movies
//! everybody knows, how many have a reason, and how much of the catalogue appears. The clicks are P2's, one draw for
//! each user. All visitors come on the last day of the data, as all of today's do: lists of different years differ
//! for that alone.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use rayon::prelude::*;
use serde::Serialize;
use watchnext::catalog::{Catalog, MovieIndex};
use watchnext::features::LocalTime;
use watchnext::history::History;
use watchnext::recommend::DEFAULT_LIMIT;

use super::bootstrap::{Figure, Share, interval, interval_of};
use super::discovery::best_known;
use super::draws::{AfterClicks, CLICKS, draws, is_measured};
use super::ranking::best;
use super::scorer::{Scorer, finite};
use crate::data::User;

/// One user's list.
#[derive(Debug, Clone, PartialEq)]
struct List {
    /// Its movies by dense index.
    movies: Vec<usize>,
    /// How many of them are among the best known.
    best_known: usize,
    /// How many have a reason, if the method gives any.
    reasons: Option<usize>,
}

/// A method's lists for some users, to be merged over folds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    by_clicks: [Vec<List>; CLICKS.len()],
}

/// How the lists of [`DEFAULT_LIMIT`] look that a method makes after one number of clicks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lists {
    /// How many movies were clicked.
    pub clicks: usize,
    /// How many users' lists there are.
    pub users: usize,
    /// How many movies the lists of two different users have in common, the mean over all pairs.
    pub shared: Figure,
    /// How many of a list's movies are among the 100 with the most ratings by the training users.
    pub best_known: Figure,
    /// How many of a list's movies have a reason; `None` if the method gives none.
    pub reasons: Option<Figure>,
    /// The share of the catalogue's movies that appear in anyone's list. It has no interval, since it depends on how
    /// many users there are.
    pub coverage: f64,
}

impl AfterClicks for Lists {
    fn clicks(&self) -> usize {
        self.clicks
    }
}

impl Lists {
    /// The figures with their names in JSON; those without reasons have three.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let always = [("shared", self.shared.mean), ("best_known", self.best_known.mean), ("coverage", self.coverage)];
        always.into_iter().chain(self.reasons.map(|reasons| ("reasons", reasons.mean)))
    }
}

impl Outcome {
    /// Adds another fold's users.
    pub fn merge(&mut self, other: Self) {
        for (ours, theirs) in self.by_clicks.iter_mut().zip(other.by_clicks) {
            ours.extend(theirs);
        }
    }

    /// The figures for each number of clicks, over a catalogue of `movies` movies.
    pub fn summarise(&self, movies: usize) -> Vec<Lists> {
        let row = |(clicks, lists): (usize, &Vec<List>)| {
            let suggested: BTreeSet<usize> = lists.iter().flat_map(|list| list.movies.iter().copied()).collect();
            let best_known: Vec<Share> = lists.iter().map(|list| Share::once(list.best_known as f64)).collect();
            let reasons: Option<Vec<Share>> =
                lists.iter().map(|list| Some(Share::once(list.reasons? as f64))).collect();
            Lists {
                clicks,
                users: lists.len(),
                shared: shared(lists),
                best_known: interval(&best_known),
                reasons: reasons.map(|users| interval(&users)),
                coverage: suggested.len() as f64 / movies.max(1) as f64,
            }
        };
        CLICKS.into_iter().zip(&self.by_clicks).map(row).collect()
    }
}

/// How many movies two different users' lists have in common, the mean over all pairs. A movie that `n` lists hold is
/// shared by `n (n − 1)` ordered pairs, so that no pair needs to be compared.
fn shared(lists: &[List]) -> Figure {
    let mut places: BTreeMap<usize, usize> = BTreeMap::new();
    for movie in lists.iter().flat_map(|list| &list.movies) {
        let next = places.len();
        places.entry(*movie).or_insert(next);
    }
    let rows: Vec<Vec<usize>> =
        lists.iter().map(|list| list.movies.iter().filter_map(|movie| places.get(movie).copied()).collect()).collect();
    interval_of(lists.len(), &|picks| {
        let mut times = vec![0.0; rows.len()];
        for pick in picks {
            times.get_mut(*pick).into_iter().for_each(|times| *times += 1.0);
        }
        // Pairs of a user with themselves, whom a resample may draw twice, are taken away again.
        let mut holding = vec![(0.0, 0.0); places.len()];
        for (row, times) in rows.iter().zip(&times) {
            for place in row {
                if let Some((all, same)) = holding.get_mut(*place) {
                    *all += *times;
                    *same += *times * *times;
                }
            }
        }
        let (all, same) = times.iter().fold((0.0, 0.0), |(all, same), times| (all + times, same + times * times));
        let pairs: f64 = holding.iter().map(|(all, same)| all * all - same).sum();
        pairs / (all * all - same).max(1.0)
    })
}

/// The list of [`DEFAULT_LIMIT`] that a visitor sees, by dense index, best first.
pub(super) fn list(scorer: &dyn Scorer, history: &History, moment: &LocalTime) -> Result<Vec<MovieIndex>> {
    let scores = finite(scorer.best_scores(history, moment, &[], DEFAULT_LIMIT)?, history)?;
    Ok(best(&scores, DEFAULT_LIMIT).into_iter().filter_map(MovieIndex::new).collect())
}

/// The lists for those of `users` whom P2 measures. `catalog` has the counts of the training users.
///
/// # Errors
/// If the scorer fails, or a score isn't finite.
pub fn lists(scorer: &dyn Scorer, users: &[User], catalog: &Catalog) -> Result<Outcome> {
    let best_known: BTreeSet<MovieIndex> = best_known(catalog).iter().copied().collect();
    let last = users.iter().flat_map(|user| &user.events).map(|event| event.timestamp).max();
    let moment = LocalTime::from_unix(last.unwrap_or_default(), 0)?;
    let of_user = |user: &User| -> Result<Vec<Option<List>>> {
        let draw = draws(user).next();
        let after = |clicks: usize| {
            let Some(visit) = draw.as_ref().and_then(|draw| draw.after(clicks)) else { return Ok(None) };
            let history = visit.history();
            let movies = list(scorer, &history, &moment)?;
            Ok(Some(List {
                best_known: movies.iter().filter(|movie| best_known.contains(movie)).count(),
                reasons: scorer.reasons(&history, &moment, &movies)?,
                movies: movies.into_iter().map(MovieIndex::as_usize).collect(),
            }))
        };
        CLICKS.into_iter().map(after).collect()
    };
    let measured = users.par_iter().filter(|user| is_measured(user));
    let found: Vec<Vec<Option<List>>> = measured.map(of_user).collect::<Result<_>>()?;
    let mut outcome = Outcome::default();
    for user in found {
        for (lists, list) in outcome.by_clicks.iter_mut().zip(user) {
            lists.extend(list);
        }
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::evaluate::draws::made_up::{catalog, user};

    fn list_of(movies: &[usize]) -> List {
        List { movies: movies.to_vec(), best_known: 0, reasons: None }
    }

    /// Of three pairs one shares two movies, one shares one and one none.
    #[test]
    fn what_two_lists_share_is_the_mean_over_all_pairs() {
        let lists = [list_of(&[1, 2, 3]), list_of(&[2, 3, 4]), list_of(&[4, 5, 6])];
        let figure = shared(&lists);
        assert!((figure.mean - 1.0).abs() < 1e-12, "{figure:?}");
        // A resample of one user alone has no pair.
        assert!(figure.low >= 0.0 && figure.high <= 2.0, "{figure:?}");
        assert_eq!(shared(&[list_of(&[1])]).mean, 0.0);
        assert_eq!(shared(&[]), Figure::default());
    }

    /// Suggests a clicked movie's neighbours from the user's own end of the catalogue, with a reason for seven.
    struct Neighbours;

    impl Scorer for Neighbours {
        fn scores(&self, history: &History, _: &LocalTime) -> Result<Vec<(usize, f32)>> {
            let seen = history.seen(400);
            let far = history.watches()[0].movie.get() >= 200;
            let place = |movie: usize| if far { movie as f32 } else { -(movie as f32) };
            Ok((0..400).filter(|movie| !seen[*movie]).map(|movie| (movie, place(movie))).collect())
        }

        fn reasons(&self, _: &History, _: &LocalTime, movies: &[MovieIndex]) -> Result<Option<usize>> {
            assert_eq!(movies.len(), 12);
            Ok(Some(7))
        }
    }

    /// Two users see the 12 best known movies, which all are among the 100; the third sees the 12 last ones.
    #[test]
    fn lists_are_counted_over_users() {
        let users = [user(1, 100..120), user(2, 110..130), user(3, 300..320), user(4, 0..19)];
        let mut outcome = lists(&Neighbours, &users[..1], &catalog(400)).unwrap();
        outcome.merge(lists(&Neighbours, &users[1..], &catalog(400)).unwrap());
        let rows = outcome.summarise(400);
        assert_eq!(
            rows.iter().map(|row| (row.clicks, row.users)).collect::<Vec<_>>(),
            [(1, 3), (3, 3), (5, 3), (10, 3)]
        );
        for row in &rows {
            assert!((row.shared.mean - 12.0 / 3.0).abs() < 1e-12, "{row:?}");
            assert!((row.best_known.mean - 24.0 / 3.0).abs() < 1e-12, "{row:?}");
            assert_eq!((row.reasons.unwrap().mean, row.coverage), (7.0, 24.0 / 400.0));
        }
    }
}
