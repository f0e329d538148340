//! Suggestions in three stages: retrieve candidates, rank them, diversify the list.

use super::{Recommender, Retrieval, Strategy, Suggestion};
use crate::catalog::MovieIndex;
use crate::diversity::{Candidate, WINDOW, maximal_marginal_relevance};
use crate::error::{Error, Result};
use crate::features::LocalTime;
use crate::filter::Filter;
use crate::history::History;
use crate::ranker::{CANDIDATES, expected_value};

/// From a history of this many movies on, diversity discounts popularity in full; for a shorter one, in proportion.
const FULL_NOVELTY_HISTORY: f32 = 3.0;

impl Recommender {
    /// The best `limit` movies that aren't in `history`, best first; equal scores by index. There are fewer if fewer
    /// are left, or if the states vote for fewer. With the second stage, the best [`CANDIDATES`] are ordered by the
    /// expected value of watching and liking, which becomes the score. With diversity, the order isn't that of the
    /// scores.
    ///
    /// # Errors
    /// [`Error::LimitInvalid`] for 0 or more than the catalogue holds, [`Error::DiversityInvalid`] outside 0 to 1,
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
        if strategy.diversity > 0.0 {
            found = self.diversify(&found, history.len(), &strategy);
        }
        found.truncate(limit);
        Ok(found)
    }

    fn check_request(&self, limit: usize, strategy: &Strategy) -> Result<()> {
        let most = self.catalog.len();
        if limit == 0 || limit > most {
            return Err(Error::LimitInvalid { limit, most });
        }
        if !(0.0..=1.0).contains(&strategy.diversity) {
            return Err(Error::DiversityInvalid { diversity: strategy.diversity });
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
        let window = if strategy.diversity > 0.0 { WINDOW } else { 0 };
        let count = limit.max(window).max(candidates).min(all);
        let vector = self.user_vector(history, moment)?;
        let found = match strategy.retrieval {
            Retrieval::Movies => self.movies.search(&vector, count, is_wanted)?,
            Retrieval::States => self.states.as_ref().ok_or(Error::StatesNotLoaded)?.vote(&vector, count, is_wanted)?,
        };
        let suggestion = |(row, score)| Some(Suggestion { movie: MovieIndex::new(row)?, score, like: None });
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
        }
        found.sort_by(|left, right| right.score.total_cmp(&left.score).then(left.movie.cmp(&right.movie)));
        Ok(())
    }

    /// The third stage: the suggestions in a diverse order; see [`crate::diversity`].
    fn diversify(&self, found: &[Suggestion], watched: usize, strategy: &Strategy) -> Vec<Suggestion> {
        // One click says too little to give up much of what everybody likes.
        let novelty = (watched as f32 / FULL_NOVELTY_HISTORY).min(1.0);
        let popularity = |movie: MovieIndex| match strategy.retrieval {
            Retrieval::Movies => self.movies.bias(movie.as_usize()) * novelty,
            // A share of votes isn't a sum that popularity is a part of.
            Retrieval::States => 0.0,
        };
        let candidates: Vec<Candidate> = found
            .iter()
            .map(|suggestion| Candidate { score: suggestion.score, popularity: popularity(suggestion.movie) })
            .collect();
        let likeness = |left: usize, right: usize| {
            let pair = found.get(left).zip(found.get(right));
            pair.map_or(0.0, |(left, right)| self.movies.likeness(left.movie.as_usize(), right.movie.as_usize()))
        };
        let order = maximal_marginal_relevance(&candidates, strategy.diversity, likeness);
        order.into_iter().filter_map(|at| found.get(at)).copied().collect()
    }
}
