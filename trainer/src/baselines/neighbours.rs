//! Scores by the neighbours of the watched movies, which item kNN and RP3β share: they differ in the similarity.

use anyhow::Result;
use watchnext::features::LocalTime;
use watchnext::history::History;

use super::Recency;
use super::prior::Prior;
use crate::evaluate::ranking::descending;
use crate::evaluate::scorer::{Scorer, unseen};

/// Every movie's neighbours. A movie's score is its prior and the sum of its similarities to the watched movies.
pub struct Neighbours {
    /// `[movies]` lists of other movies with their similarities.
    pub rows: Vec<Vec<(u32, f32)>>,
    /// The popularity that is added.
    pub prior: Prior,
    /// How fast watched movies are forgotten.
    pub recency: Recency,
}

/// Leaves the `most` most similar movies of a row, or all if it is `None`. Ties go to the lower index.
pub fn keep_nearest(row: &mut Vec<(u32, f32)>, most: Option<usize>) {
    if let Some(most) = most.filter(|most| *most < row.len()) {
        row.select_nth_unstable_by(most, |left, right| descending(left.1, right.1).then(left.0.cmp(&right.0)));
        row.truncate(most);
    }
}

impl Scorer for Neighbours {
    fn scores(&self, history: &History, moment: &LocalTime) -> Result<Vec<(usize, f32)>> {
        let mut scores = self.prior.at(moment);
        for (movie, weight) in self.recency.weigh(history) {
            for (other, similarity) in self.rows.get(movie).into_iter().flatten() {
                if let Some(score) = scores.get_mut(*other as usize) {
                    *score += weight * similarity;
                }
            }
        }
        Ok(unseen(scores, history))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_stay_and_ties_go_to_the_lower_index() {
        let row = [(0, 0.1), (2, 0.5), (3, 0.9), (5, 0.5)];
        let kept = |most| {
            let mut row = row.to_vec();
            keep_nearest(&mut row, most);
            row.sort_by_key(|(movie, _)| *movie);
            row
        };
        assert_eq!(kept(Some(2)), [(2, 0.5), (3, 0.9)]);
        assert_eq!(kept(Some(4)), row);
        assert_eq!(kept(None), row);
    }
}
