//! The wall: movies that the visitor has most likely seen, to click on.

use super::Recommender;
use crate::catalog::{Catalog, MovieIndex};
use crate::error::Result;
use crate::features::LocalTime;
use crate::history::History;

impl Recommender {
    /// At most `limit` movies that the visitor has most likely seen, spread over genres and decades. None is in the
    /// history or in `exclude`, such as the list of suggestions beside the wall. Before the first click these are the
    /// well-known and varied movies of [`Catalog::wall`].
    ///
    /// The first stage's score is the logarithm of the chance that a movie is in the visitor's list, up to a constant.
    /// So it says what they have seen, as it says what they would watch. A wall costs as much as a click without the
    /// second stage.
    ///
    /// # Errors
    /// [`Error::ModelFailed`](crate::error::Error::ModelFailed), [`Error::NonFinite`](crate::error::Error::NonFinite).
    pub fn wall(
        &self,
        history: &History,
        moment: &LocalTime,
        exclude: &[MovieIndex],
        limit: usize,
    ) -> Result<Vec<MovieIndex>> {
        let mut is_wanted = vec![true; self.catalog.len()];
        let shown = history.watches().iter().map(|watch| &watch.movie).chain(exclude);
        for movie in shown {
            if let Some(wanted) = is_wanted.get_mut(movie.as_usize()) {
                *wanted = false;
            }
        }
        let is_wanted = |row: usize| is_wanted.get(row).copied().unwrap_or(false);
        if history.is_empty() {
            let best_known = self.catalog.wall(limit.saturating_add(exclude.len()));
            return Ok(best_known.into_iter().filter(|movie| is_wanted(movie.as_usize())).take(limit).collect());
        }
        let count = Catalog::wall_candidates(limit).min(self.catalog.len());
        let found = self.movies.search(&self.user_vector(history, moment)?, count, is_wanted)?;
        let seen = found.into_iter().filter_map(|(row, score)| Some((MovieIndex::new(row)?, score)));
        Ok(self.catalog.varied(seen, limit))
    }
}
