//! Suggestions in three stages: retrieve candidates, rank them, diversify the list.

use super::{Recommender, Retrieval, Strategy, Suggestion};
use crate::catalog::MovieIndex;
use crate::diversity::{Candidate, WINDOW, Weights, pick};
use crate::error::{Error, Result};
use crate::features::{LocalTime, reception};
use crate::filter::Filter;
use crate::history::History;
use crate::ranker::{CANDIDATES, expected_value};

/// The weight of movies that were seen already at a novelty of 1, in logits, by the number of liked movies, for a list
/// of usual fame. Between these lengths it is interpolated. One click says too little to give up much of what everybody
/// likes. Who has a long list has the famous movies in it. Chosen on the users of the 2015 release; see
/// `models/EXPERIMENTS.md`.
const NOVELTY_WEIGHTS: [(f32, f32); 4] = [(1.0, 6.5), (3.0, 11.0), (10.0, 30.0), (50.0, 10.0)];

/// How much more novelty weighs for a visitor who watches rare movies, and less for one who watches famous ones: its
/// weight changes by the exponential of this for each logit of the list's fame.
const RARITY: f32 = 2.0;

/// The least and the most that the list's fame makes of the weight.
const RARITY_RANGE: (f32, f32) = (0.2, 5.0);

/// The weight of likeness at a novelty of 1, in logits.
const DIVERSITY_WEIGHT: f32 = 1.0;

/// A chance of a like is clearly lower than another if it is lower by this much.
const CLEARLY: f32 = 0.1;

/// How many suggestions are put in an order that doesn't contradict their chances. It doesn't depend on the request, so
/// that a short list is the beginning of a longer one.
const ORDERED_BY_CHANCE: usize = 24;

impl Recommender {
    /// The best `limit` movies that aren't in `history`, best first; equal scores by index. There are fewer if fewer
    /// are left, or if the states vote for fewer. With the second stage, the best [`CANDIDATES`] are ordered by the
    /// expected value of watching and liking, which becomes the score. If the visitor rated anything, none whose chance
    /// is below the visitor's average comes before one that isn't, and none before one of a clearly higher chance. With
    /// novelty, the order isn't that of the scores.
    ///
    /// # Errors
    /// [`Error::LimitInvalid`] for 0 or more than the catalogue holds, [`Error::NoveltyInvalid`] outside 0 to 1,
    /// [`Error::StatesNotLoaded`], and the models' own errors.
    pub fn suggest(
        &self,
        history: &History,
        moment: &LocalTime,
        limit: usize,
        strategy: impl Into<Strategy>,
    ) -> Result<Vec<Suggestion>> {
        self.suggest_among(&Filter::default(), history, moment, limit, strategy)
    }

    /// As [`Recommender::suggest`], but only movies that `filter` lets through. They are searched among all movies and
    /// not among the best ones.
    ///
    /// # Errors
    /// As [`Recommender::suggest`], and [`Error::GenreUnknown`].
    pub fn suggest_among(
        &self,
        filter: &Filter,
        history: &History,
        moment: &LocalTime,
        limit: usize,
        strategy: impl Into<Strategy>,
    ) -> Result<Vec<Suggestion>> {
        let strategy = strategy.into();
        self.check_request(limit, &strategy)?;
        let mut found = self.retrieve(filter, history, moment, limit, &strategy)?;
        if self.is_ranked(&strategy) {
            self.rank(&mut found, history, moment, strategy.retrieval)?;
        }
        if strategy.novelty > 0.0 {
            found = self.diversify(&found, history, limit, &strategy);
        }
        if history.watches().iter().any(|watch| watch.rating.is_some()) {
            found = by_chance(found);
        }
        found.truncate(limit);
        Ok(found)
    }

    fn check_request(&self, limit: usize, strategy: &Strategy) -> Result<()> {
        let most = self.catalog.len();
        if limit == 0 || limit > most {
            return Err(Error::LimitInvalid { limit, most });
        }
        if !(0.0..=1.0).contains(&strategy.novelty) {
            return Err(Error::NoveltyInvalid { novelty: strategy.novelty });
        }
        Ok(())
    }

    const fn is_ranked(&self, strategy: &Strategy) -> bool {
        self.has_ranker() && !strategy.first_stage_alone
    }

    /// The first stage: the best unwatched movies that `filter` lets through, as many as the later stages need.
    fn retrieve(
        &self,
        filter: &Filter,
        history: &History,
        moment: &LocalTime,
        limit: usize,
        strategy: &Strategy,
    ) -> Result<Vec<Suggestion>> {
        let all = self.catalog.len();
        let mut wanted = filter.mask(&self.catalog, &self.fame)?;
        for (wanted, seen) in wanted.iter_mut().zip(history.seen(all)) {
            *wanted &= !seen;
        }
        let is_wanted = |row: usize| wanted.get(row).copied().unwrap_or(false);
        let candidates = if self.is_ranked(strategy) { CANDIDATES } else { 0 };
        let window = if strategy.novelty > 0.0 { WINDOW } else { 0 };
        let count = limit.max(window).max(candidates).min(all);
        let vector = self.vector(history, moment, strategy.in_order)?;
        let found = match strategy.retrieval {
            Retrieval::Movies => self.movies.search(&vector, count, is_wanted)?,
            Retrieval::States => self.states.as_ref().ok_or(Error::StatesNotLoaded)?.vote(&vector, count, is_wanted)?,
        };
        let suggestion =
            |(row, score)| Some(Suggestion { movie: MovieIndex::new(row)?, score, like: None, lift: None });
        Ok(found.into_iter().filter_map(suggestion).collect())
    }

    /// The second stage: gives the best [`CANDIDATES`] their chances of a like, makes the expected value the score of
    /// all, and sorts by it.
    fn rank(
        &self,
        found: &mut [Suggestion],
        history: &History,
        moment: &LocalTime,
        retrieval: Retrieval,
    ) -> Result<()> {
        let movies: Vec<MovieIndex> = found.iter().take(CANDIDATES).map(|suggestion| suggestion.movie).collect();
        let reactions = self.reactions(history, moment, &movies)?;
        let average = reactions.iter().map(|reaction| reaction.like).sum::<f32>() / reactions.len().max(1) as f32;
        let likes = reactions.iter().map(|reaction| Some(reaction.like)).chain(std::iter::repeat(None));
        for (suggestion, like) in found.iter_mut().zip(likes) {
            let score = match retrieval {
                Retrieval::Movies => suggestion.score,
                // The logarithm of a share of votes is comparable with the softmax's logits.
                Retrieval::States => suggestion.score.max(f32::MIN_POSITIVE).ln(),
            };
            // Without a chance of a like, a movie stays behind those that the ranker looked at.
            suggestion.score = expected_value(score, like.unwrap_or_default());
            suggestion.like = like;
            suggestion.lift = like.map(|like| like - average);
        }
        found.sort_by(|left, right| right.score.total_cmp(&left.score).then(left.movie.cmp(&right.movie)));
        Ok(())
    }

    /// The third stage: new and diverse suggestions first; see [`crate::diversity`].
    fn diversify(&self, found: &[Suggestion], history: &History, limit: usize, strategy: &Strategy) -> Vec<Suggestion> {
        let liked = history.watches().iter().filter(|watch| reception(watch.rating) > 0.0).count();
        let seen = self.seen.of_visitor(history);
        let by_fame = (-RARITY * seen.list_fame()).exp().clamp(RARITY_RANGE.0, RARITY_RANGE.1);
        let weights = Weights {
            novelty: strategy.novelty * novelty_weight(liked) * by_fame,
            diversity: strategy.novelty * DIVERSITY_WEIGHT,
        };
        let candidates: Vec<Candidate> = found
            .iter()
            .map(|suggestion| Candidate { score: logit(suggestion, strategy), seen: seen.chance(suggestion.movie) })
            .collect();
        let likeness = |left: usize, right: usize| {
            let pair = found.get(left).zip(found.get(right));
            pair.map_or(0.0, |(left, right)| self.movies.likeness(left.movie.as_usize(), right.movie.as_usize()))
        };
        let order = pick(&candidates, limit.max(ORDERED_BY_CHANCE), weights, likeness);
        order.into_iter().filter_map(|at| found.get(at)).copied().collect()
    }
}

/// A suggestion's score as a logit. Without the second stage the states' scores are shares of votes, whose logarithms
/// are comparable with the softmax's logits.
fn logit(suggestion: &Suggestion, strategy: &Strategy) -> f32 {
    match (strategy.retrieval, suggestion.like) {
        (Retrieval::States, None) => suggestion.score.max(f32::MIN_POSITIVE).ln(),
        (Retrieval::Movies, _) | (Retrieval::States, Some(_)) => suggestion.score,
    }
}

/// [`NOVELTY_WEIGHTS`] for a history with so many liked movies.
fn novelty_weight(liked: usize) -> f32 {
    let liked = liked as f32;
    let between = NOVELTY_WEIGHTS.windows(2).find_map(|pair| match pair {
        [(from, low), (to, high)] if liked <= *to => Some(low + (high - low) * ((liked - from) / (to - from)).max(0.0)),
        _ => None,
    });
    between.or(NOVELTY_WEIGHTS.last().map(|(_, last)| *last)).unwrap_or_default()
}

/// The suggestions in an order that doesn't contradict their chances. Those below the visitor's average come last,
/// and of the first [`ORDERED_BY_CHANCE`] none comes before one whose chance is clearly higher. The order changes no
/// more than that needs.
fn by_chance(found: Vec<Suggestion>) -> Vec<Suggestion> {
    let is_below = |suggestion: &Suggestion| suggestion.lift.is_some_and(|lift| lift < 0.0);
    let (below, mut first): (Vec<Suggestion>, Vec<Suggestion>) = found.into_iter().partition(is_below);
    let others = first.split_off(ORDERED_BY_CHANCE.min(first.len()));
    let mut order = Vec::with_capacity(first.len() + others.len() + below.len());
    while !first.is_empty() {
        let highest = first.iter().filter_map(|suggestion| suggestion.like).fold(0.0, f32::max);
        let is_next = |suggestion: &Suggestion| suggestion.like.is_none_or(|like| like > highest - CLEARLY);
        let next = first.iter().position(is_next).unwrap_or_default();
        order.push(first.remove(next));
    }
    order.extend(others.into_iter().chain(below));
    order
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_weight_of_novelty_has_no_step() {
        assert_eq!([0, 1, 3, 10, 50, 5000].map(novelty_weight), [6.5, 6.5, 11.0, 30.0, 10.0, 10.0]);
        assert!((novelty_weight(2) - 8.75).abs() < 1e-6);
        assert!((1..60).all(|liked| (novelty_weight(liked) - novelty_weight(liked + 1)).abs() < 3.0));
    }

    fn suggestions(likes: &[f32], average: f32) -> Vec<Suggestion> {
        let suggestion = |(row, like): (usize, &f32)| Suggestion {
            movie: MovieIndex::new(row).unwrap(),
            score: -(row as f32),
            like: Some(*like),
            lift: Some(like - average),
        };
        likes.iter().enumerate().map(suggestion).collect()
    }

    fn rows(found: Vec<Suggestion>) -> Vec<usize> {
        found.into_iter().map(|suggestion| suggestion.movie.as_usize()).collect()
    }

    /// The average is 0.5. Movie 1 is below it. Movie 0 is clearly less likely than movie 3, and movie 2 is not.
    #[test]
    fn the_order_never_contradicts_the_chances() {
        let found = suggestions(&[0.55, 0.4, 0.75, 0.8, 0.5], 0.5);
        assert_eq!(rows(by_chance(found)), [2, 3, 0, 4, 1]);
    }

    #[test]
    fn without_chances_the_order_stays() {
        let mut found = suggestions(&[0.1, 0.9, 0.5], 0.5);
        found.iter_mut().for_each(|suggestion| (suggestion.like, suggestion.lift) = (None, None));
        assert_eq!(rows(by_chance(found)), [0, 1, 2]);
    }
}
