//! Protocol P1, the next movie: for every event of a held-out user, the movie's rank among all that the user hadn't
//! rated yet, predicted from the movies before it.

use anyhow::Result;
use serde::Serialize;
use watchnext::catalog::MovieIndex;
use watchnext::features::LocalTime;
use watchnext::history::History;

use super::bootstrap::{Figure, Share, interval};
use super::label::Measure;
use super::ranking::discount;
use super::replay::{Replay, replay};
use super::scorer::{Scorer, finite};
use crate::data::{Event, User};

/// The largest `k` of the hit rate's curve.
pub const MOST_K: usize = 200;

/// The measures in the order of [`NextMovie::figures`].
pub const FIGURES: [Measure; 4] = [Measure::Hit10, Measure::Hit100, Measure::Ndcg10, Measure::Mrr];

/// Protocol P1's figures of one method on one group of users.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NextMovie {
    /// How many events were predicted.
    pub events: usize,
    /// The share of events whose movie is among the best 10 (the hit rate).
    pub hit10: Figure,
    /// The share of events whose movie is among the best 100.
    pub hit100: Figure,
    /// Normalised discounted cumulative gain of the best 10 with the one relevant movie.
    pub ndcg10: Figure,
    /// The mean reciprocal rank.
    pub mrr: Figure,
    /// The hit rate at k = 1, 2, …, [`MOST_K`].
    #[serde(skip)]
    pub hit_curve: Vec<f64>,
    /// Each user's part of the four figures, in the order of [`FIGURES`], for comparing methods user by user.
    #[serde(skip)]
    pub by_user: [Vec<Share>; 4],
}

impl NextMovie {
    /// The figures in the order of [`FIGURES`].
    pub const fn figures(&self) -> [Figure; 4] {
        [self.hit10, self.hit100, self.ndcg10, self.mrr]
    }

    /// The figures with their measures.
    pub fn named(&self) -> impl Iterator<Item = (Measure, Figure)> {
        FIGURES.into_iter().zip(self.figures())
    }
}

/// The target's rank for each event of each user, from 0: how many other unseen movies score at least as high. `None`
/// if the method doesn't score it.
type Ranks = Vec<Vec<Option<usize>>>;

/// Protocol P1 over the events of `users`, with clicks alone: at most `most` of each user, evenly spread, or all. A
/// model sees the last 50 of the movies before the event.
///
/// # Errors
/// If the scorer fails, or a score isn't finite.
pub fn next_movie(scorer: &dyn Scorer, users: &[User], most: Option<usize>) -> Result<NextMovie> {
    Ok(summarise(&ranks(scorer, users, most)?))
}

/// The figure that hyper-parameters maximise: hit@10 plus hit@100 over all events of `users`, with clicks alone.
///
/// # Errors
/// As [`next_movie`].
pub fn objective(scorer: &dyn Scorer, users: &[User]) -> Result<f64> {
    let ranks = ranks(scorer, users, None)?;
    let hits = |rank: &usize| f64::from(u8::from(*rank < 10)) + f64::from(u8::from(*rank < 100));
    let events: usize = ranks.iter().map(Vec::len).sum();
    Ok(ranks.iter().flatten().flatten().map(hits).sum::<f64>() / events.max(1) as f64)
}

fn ranks(scorer: &dyn Scorer, users: &[User], most: Option<usize>) -> Result<Ranks> {
    let measure = |history: &History, event: &Event| {
        let moment = LocalTime::from_unix(event.timestamp, 0)?;
        // Most targets are among the best, which some methods find sooner than all scores.
        let best = scorer.next_scores(history, &moment, Some(MOST_K))?;
        if let Some(rank) = rank(&finite(best, history)?, event.movie) {
            return Ok(Some(rank));
        }
        Ok(rank(&finite(scorer.next_scores(history, &moment, None)?, history)?, event.movie))
    };
    replay(users, Replay { most, ..Replay::default() }, |_| true, measure)
}

/// The movie's rank among `(dense index, score)`, from 0; `None` if it has no score.
fn rank(scores: &[(usize, f32)], movie: MovieIndex) -> Option<usize> {
    let (_, goal) = scores.iter().find(|(row, _)| *row == movie.as_usize())?;
    Some(scores.iter().filter(|(_, score)| score >= goal).count() - 1)
}

fn summarise(ranks: &Ranks) -> NextMovie {
    let shares = |gain: &dyn Fn(usize) -> f64| -> Vec<Share> {
        let sum = |user: &Vec<Option<usize>>| user.iter().map(|rank| rank.map_or(0.0, gain)).sum();
        ranks.iter().map(|user| Share { sum: sum(user), terms: user.len() }).collect()
    };
    let within = |k: usize| move |rank: usize| f64::from(u8::from(rank < k));
    let by_user = [
        shares(&within(10)),
        shares(&within(100)),
        shares(&|rank| if rank < 10 { discount(rank) } else { 0.0 }),
        shares(&|rank| 1.0 / (rank as f64 + 1.0)),
    ];
    let [hit10, hit100, ndcg10, mrr] = by_user.each_ref().map(|users| interval(users));
    let all: Vec<Option<usize>> = ranks.iter().flatten().copied().collect();
    let share =
        |k: usize| all.iter().filter(|rank| rank.is_some_and(|rank| rank < k)).count() as f64 / all.len().max(1) as f64;
    NextMovie { events: all.len(), hit10, hit100, ndcg10, mrr, hit_curve: (1..=MOST_K).map(share).collect(), by_user }
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
        // A resample is the first user twice, the second twice or one of each.
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
        let event = |movie: usize, timestamp| Event {
            movie: watchnext::catalog::MovieIndex::new(movie).unwrap(),
            rating: watchnext::history::Rating::new(4.0),
            timestamp,
        };
        let user = User { id: 1, events: vec![event(0, 0), event(1, 1), event(2, 2)] };
        let figures = next_movie(&Flat, std::slice::from_ref(&user), None).unwrap();
        // Ranks 4, 3 and 2: each watched movie leaves the candidates.
        let expected = (1.0 / 5.0 + 1.0 / 4.0 + 1.0 / 3.0) / 3.0;
        assert!((figures.mrr.mean - expected).abs() < 1e-12);
        // A sample of one event is the middle one, with the history before it.
        let figures = next_movie(&Flat, &[user], Some(1)).unwrap();
        assert_eq!(figures.events, 1);
        assert!((figures.mrr.mean - 1.0 / 4.0).abs() < 1e-12);
    }

    #[test]
    fn a_score_that_is_not_finite_stops_the_evaluation() {
        struct Broken;
        impl Scorer for Broken {
            fn scores(&self, _: &History, _: &LocalTime) -> Result<Vec<(usize, f32)>> {
                Ok(vec![(0, f32::NAN)])
            }
        }
        let movie = watchnext::catalog::MovieIndex::new(0).unwrap();
        let rating = watchnext::history::Rating::new(4.0);
        let user = User { id: 1, events: vec![Event { movie, rating, timestamp: 0 }] };
        let refusal = next_movie(&Broken, &[user], None).unwrap_err().to_string();
        assert_eq!(refusal, "a method gave movie 0 the score NaN after 0 movies; scores must be finite numbers");
    }
}
