//! The wall: movies for a visitor to click on.

use super::Recommender;
use crate::catalog::MovieIndex;
use crate::error::Result;
use crate::features::LocalTime;
use crate::history::History;

impl Recommender {
    /// At most `limit` movies that aren't in `history` and aren't in `exclude`, the best known first.
    ///
    /// # Errors
    /// None yet.
    pub fn wall(
        &self,
        history: &History,
        _moment: &LocalTime,
        exclude: &[MovieIndex],
        limit: usize,
    ) -> Result<Vec<MovieIndex>> {
        let seen = history.seen(self.catalog.len());
        let is_shown =
            |movie: &&MovieIndex| !seen.get(movie.as_usize()).copied().unwrap_or_default() && !exclude.contains(movie);
        Ok(self.catalog.best_known().iter().filter(is_shown).take(limit).copied().collect())
    }
}
