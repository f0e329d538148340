//! The evaluator: protocol P1, the next movie, through the very path that ships, and P1-leaky, the seed notebook's.

use anyhow::{Context, Result};
use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;
use watchnext::features::LocalTime;
use watchnext::history::History;
use watchnext::index::FlatIndex;
use watchnext::recommend::{Recommender, Retrieval};
use watchnext::states::NEIGHBOURS;

use crate::dataset::{Dataset, User};
use crate::split::{TrainingRows, watches};
use crate::train::{TrainConfig, forget_ratings, train};

/// Resamples of the bootstrap over users.
const RESAMPLES: usize = 1000;

/// The bootstrap's seed; an interval is a property of the figures, so it doesn't follow `--seed`.
const BOOTSTRAP_SEED: u64 = 20_161_001;

/// The largest `k` of the hit rate's curve.
pub const MOST_K: usize = 200;

/// A method under protocol P1: the scores of all unseen movies, or of those that it can score.
pub trait Scorer: Sync {
    /// `(dense index, score)` of movies that aren't in `history`, higher is better. A movie that is left out counts as ranked
    /// behind every other.
    fn scores(&self, history: &History, moment: &LocalTime) -> Result<Vec<(usize, f32)>>;
}

/// The shipped path.
pub struct Shipped<'recommender> {
    /// The loaded bundle.
    pub recommender: &'recommender Recommender,
    /// Movies or states.
    pub retrieval: Retrieval,
}

impl Scorer for Shipped<'_> {
    fn scores(&self, history: &History, moment: &LocalTime) -> Result<Vec<(usize, f32)>> {
        let all = self.recommender.catalog().len();
        let suggestions = self.recommender.suggest(history, moment, all, self.retrieval)?;
        Ok(suggestions.into_iter().map(|suggestion| (suggestion.movie.as_usize(), suggestion.score)).collect())
    }
}

/// The popularity baseline: how many training users rated each movie.
pub struct Popularity {
    counts: Vec<f32>,
}

impl Popularity {
    /// Counts over `train`.
    pub fn new(movies: usize, train: &[User]) -> Self {
        let mut counts = vec![0.0; movies];
        for event in train.iter().flat_map(|user| &user.events) {
            if let Some(count) = counts.get_mut(event.movie.as_usize()) {
                *count += 1.0;
            }
        }
        Self { counts }
    }
}

impl Scorer for Popularity {
    fn scores(&self, history: &History, _moment: &LocalTime) -> Result<Vec<(usize, f32)>> {
        let seen = history.seen(self.counts.len());
        let unseen = self.counts.iter().copied().enumerate().zip(seen).filter(|(_, seen)| !seen);
        Ok(unseen.map(|(scored, _)| scored).collect())
    }
}

/// A mean over users' events with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figure {
    /// The mean over all events.
    pub mean: f64,
    /// The 2.5th percentile of the bootstrap over users.
    pub low: f64,
    /// The 97.5th.
    pub high: f64,
}

/// Protocol P1's figures of one method on one group of users.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NextMovie {
    /// How many events were predicted.
    pub events: usize,
    /// The share of events whose movie is among the best 10.
    pub hit10: Figure,
    /// The share of events whose movie is among the best 100.
    pub hit100: Figure,
    /// Normalised discounted cumulative gain of the best 10 with the one relevant movie.
    pub ndcg10: Figure,
    /// The mean of one over the movie's place.
    pub mrr: Figure,
    /// The hit rate at k = 1, 2, …, [`MOST_K`].
    #[serde(skip)]
    pub hit_curve: Vec<f64>,
}

/// The target's rank for each event of each user: how many unseen movies score at least as high, `None` if the method doesn't
/// score it.
type Ranks = Vec<Vec<Option<usize>>>;

/// Protocol P1 over every event of `users`: from the movies before it, of which a model sees the last 50, to its rank among all
/// movies that the user hadn't rated yet.
pub fn next_movie(scorer: &dyn Scorer, users: &[User], ratings_known: bool) -> Result<NextMovie> {
    let ranks: Ranks = users
        .par_iter()
        .map(|user| -> Result<Vec<Option<usize>>> {
            let mut watched = watches(&user.events);
            if !ratings_known {
                watched.iter_mut().for_each(|watch| watch.rating = None);
            }
            let rank = |(at, event): (usize, &crate::dataset::Event)| {
                let history = History::new(watched.get(..at).unwrap_or_default().iter().copied());
                let moment = LocalTime::from_unix(event.timestamp, 0)?;
                let scores = scorer.scores(&history, &moment)?;
                let target = scores.iter().find(|(movie, _)| *movie == event.movie.as_usize());
                Ok(target.map(|(_, goal)| scores.iter().filter(|(_, score)| score >= goal).count() - 1))
            };
            user.events.iter().enumerate().map(rank).collect()
        })
        .collect::<Result<_>>()?;
    Ok(summarise(&ranks))
}

fn summarise(ranks: &Ranks) -> NextMovie {
    let gain_of = |rank: Option<usize>, gain: &dyn Fn(usize) -> f64| rank.map_or(0.0, gain);
    let figure = |gain: &dyn Fn(usize) -> f64| {
        let per_user = ranks.iter().filter(|user| !user.is_empty());
        bootstrap(
            &per_user.map(|user| (user.iter().map(|rank| gain_of(*rank, gain)).sum(), user.len())).collect::<Vec<_>>(),
        )
    };
    let all: Vec<Option<usize>> = ranks.iter().flatten().copied().collect();
    let share =
        |k: usize| all.iter().filter(|rank| rank.is_some_and(|rank| rank < k)).count() as f64 / all.len().max(1) as f64;
    NextMovie {
        events: all.len(),
        hit10: figure(&|rank| f64::from(u8::from(rank < 10))),
        hit100: figure(&|rank| f64::from(u8::from(rank < 100))),
        ndcg10: figure(&|rank| if rank < 10 { 1.0 / (rank as f64 + 2.0).log2() } else { 0.0 }),
        mrr: figure(&|rank| 1.0 / (rank as f64 + 1.0)),
        hit_curve: (1..=MOST_K).map(share).collect(),
    }
}

/// The mean of users' sums over their counts, and its interval when users are drawn anew.
fn bootstrap(users: &[(f64, usize)]) -> Figure {
    let mean = |picks: &mut dyn Iterator<Item = &(f64, usize)>| {
        let (sum, count) = picks.fold((0.0, 0), |(sum, count), user| (sum + user.0, count + user.1));
        sum / f64::from(u32::try_from(count.max(1)).unwrap_or(u32::MAX))
    };
    if users.is_empty() {
        return Figure { mean: 0.0, low: 0.0, high: 0.0 };
    }
    let mut rng = ChaCha8Rng::seed_from_u64(BOOTSTRAP_SEED);
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| mean(&mut (0..users.len()).filter_map(|_| users.get(rng.random_range(0..users.len())))))
        .collect();
    means.sort_by(f64::total_cmp);
    let percentile =
        |share: f64| means.get((share * (RESAMPLES - 1) as f64).round() as usize).copied().unwrap_or_default();
    Figure { mean: mean(&mut users.iter()), low: percentile(0.025), high: percentile(0.975) }
}

/// The seed notebook's published figure, reproduced to show that it is a leak: never quoted as quality.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Leaky {
    /// Hit rate at 100 of the users with dense ids 0 to 40, "validation".
    pub validation: f64,
    /// Hit rate at 100 of the users with dense ids 41 to 80, "test".
    pub test: f64,
}

/// P1-leaky: trains on all events of movies with dense ids above 80, of every user, and asks whether an event's movie is among
/// the movies of the 100 nearest training states, of which the event itself is one.
pub fn leaky(dataset: &Dataset, config: &TrainConfig) -> Result<Leaky> {
    const LAST_LEFT_OUT_MOVIE: u32 = 80;
    const LAST_VALIDATION_USER: usize = 40;
    const LAST_TEST_USER: usize = 80;
    let movies = dataset.catalog.len();
    let users = |from: usize, to: usize| dataset.users.get(from..to.min(dataset.users.len())).unwrap_or_default();
    let (validation, test) = (users(0, LAST_VALIDATION_USER + 1), users(LAST_VALIDATION_USER + 1, LAST_TEST_USER + 1));
    let rows = |users: &[User]| TrainingRows::new(&dataset.catalog, users, |_| true);
    let train_rows =
        TrainingRows::new(&dataset.catalog, &dataset.users, |event| event.movie.get() > LAST_LEFT_OUT_MOVIE)?;
    let (validation, test) = (rows(validation)?, rows(test)?);
    let (network, _) = train(movies, &train_rows, &validation, config, None)?;
    let states = |rows: &TrainingRows| -> Result<Array2<f32>> {
        let mut weights = rows.rated_weights.clone();
        forget_ratings(&mut weights);
        let states = network.states(rows, weights)?;
        Ok(Array2::from_shape_vec(states.dims2()?, states.flatten_all()?.to_vec1()?)?)
    };
    let index = FlatIndex::new(&states(&train_rows)?)?;
    let hit_rate = |rows: &TrainingRows| -> Result<f64> {
        let queries: Vec<(Vec<f32>, u32)> =
            states(rows)?.rows().into_iter().map(|row| row.to_vec()).zip(rows.target.iter().copied()).collect();
        let hits = queries
            .par_iter()
            .map(|(query, target)| -> Result<usize> {
                let near = index.search(query, NEIGHBOURS, |_| true)?;
                Ok(usize::from(near.iter().any(|near| train_rows.target.get(near.row) == Some(target))))
            })
            .sum::<Result<usize>>()
            .context("the scan over the states failed")?;
        Ok(hits as f64 / queries.len().max(1) as f64)
    };
    Ok(Leaky { validation: hit_rate(&validation)?, test: hit_rate(&test)? })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    /// Two users, the first with one hit at place 1 and one miss, the second with a hit at place 20.
    #[test]
    fn figures_follow_from_the_ranks() {
        let figures = summarise(&vec![vec![Some(0), None], vec![Some(19)]]);
        let close = |left: f64, right: f64| assert!((left - right).abs() < 1e-12, "{left} against {right}");
        assert_eq!(figures.events, 3);
        close(figures.hit10.mean, 1.0 / 3.0);
        close(figures.hit100.mean, 2.0 / 3.0);
        close(figures.ndcg10.mean, 1.0 / 3.0);
        close(figures.mrr.mean, (1.0 + 0.05) / 3.0);
        close(figures.hit_curve[18], 1.0 / 3.0);
        close(figures.hit_curve[19], 2.0 / 3.0);
        // Drawn anew, the users are both the first, both the second or one of each.
        close(figures.hit10.low, 0.0);
        close(figures.hit10.high, 0.5);
    }

    /// Every movie scores the same, so ties put the target behind all others that are unseen.
    #[test]
    fn ties_count_against_the_method() {
        struct Flat;
        impl Scorer for Flat {
            fn scores(&self, history: &History, _: &LocalTime) -> Result<Vec<(usize, f32)>> {
                let seen = history.seen(5);
                Ok((0..5).filter(|movie| !seen[*movie]).map(|movie| (movie, 1.0)).collect())
            }
        }
        let event = |movie: usize, timestamp| crate::dataset::Event {
            movie: watchnext::catalog::MovieIndex::new(movie).unwrap(),
            rating: watchnext::history::Rating::new(4.0).unwrap(),
            timestamp,
        };
        let user = User { id: 1, events: vec![event(0, 0), event(1, 1), event(2, 2)] };
        let figures = next_movie(&Flat, &[user], false).unwrap();
        // Ranks 4, 3 and 2: each watched movie leaves the candidates.
        let expected = (1.0 / 5.0 + 1.0 / 4.0 + 1.0 / 3.0) / 3.0;
        assert!((figures.mrr.mean - expected).abs() < 1e-12);
    }
}
