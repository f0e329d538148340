//! Leave-one-out with full ranking: each user's target among all movies that they haven't watched. Ranking among a
//! sample of movies would order methods differently (Krichene and Rendle, *On Sampled Metrics for Item Recommendation*,
//! KDD 2020).

use anyhow::{Context, Result, ensure};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use ndarray::{Array2, ArrayView1};
use rayon::prelude::*;
use serde::Serialize;

use super::data::{Sequences, UserSequence};
use crate::evaluate::bootstrap::{Figure, Share, interval};

/// Users whose scores are in memory at once.
const BLOCK_USERS: usize = 128;

/// Suggestions that count as found.
const TOP: usize = 10;

/// The movies' side of a score, `vector · vectors[movie] + bias[movie]`.
#[derive(Debug, Clone, PartialEq)]
pub struct MovieTable {
    /// `[movies, dim]`.
    pub vectors: Array2<f32>,
    /// `[movies]`.
    pub bias: Vec<f32>,
}

/// Figures over all users.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures {
    /// Users.
    pub users: usize,
    /// The mean of `1 / log₂(1 + rank)` for targets among the best ten and 0 for others.
    pub ndcg10: Figure,
    /// The share of targets among the best ten.
    pub hit10: Figure,
    /// The mean of `1 / rank`.
    pub mrr: Figure,
}

impl Figures {
    /// The figures of these ranks, from 1, with 95 % intervals over users.
    pub fn new(ranks: &[usize]) -> Self {
        let of = |value: &dyn Fn(usize) -> f64| {
            let shares: Vec<Share> = ranks.iter().map(|rank| Share::once(value(*rank))).collect();
            interval(&shares)
        };
        Self {
            users: ranks.len(),
            ndcg10: of(&ndcg),
            hit10: of(&|rank| if rank <= TOP { 1.0 } else { 0.0 }),
            mrr: of(&|rank| 1.0 / rank as f64),
        }
    }
}

fn ndcg(rank: usize) -> f64 {
    if rank <= TOP { 1.0 / (1.0 + rank as f64).log2() } else { 0.0 }
}

/// The mean of NDCG@10 alone, for the epochs of a training.
pub fn mean_ndcg(ranks: &[usize]) -> f64 {
    ranks.iter().map(|rank| ndcg(*rank)).sum::<f64>() / ranks.len().max(1) as f64
}

/// The target's rank, from 1, among the movies outside the history. Ties count against the model.
///
/// # Errors
/// A target without a score, and scores that aren't finite.
pub fn rank(scores: &[f32], history: &[u32], target: u32) -> Result<usize> {
    ensure!(scores.iter().all(|score| score.is_finite()), "a score isn't finite");
    let goal = *scores.get(target as usize).context("the target has no score")?;
    let at_least = scores.iter().filter(|score| **score >= goal).count();
    let watched = history.iter().filter(|movie| scores.get(**movie as usize).is_some_and(|score| *score >= goal));
    Ok(at_least - watched.count())
}

/// Calls `visit` with each user's place and scores.
///
/// # Errors
/// The first error of `visit`, and vectors of another width than the table's.
pub fn for_each_user<R: Send>(
    vectors: &Array2<f32>,
    table: &MovieTable,
    visit: impl Fn(usize, &[f32]) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let (movies, dim) = table.vectors.dim();
    ensure!(vectors.ncols() == dim, "the users' vectors have {} numbers and the movies' {dim}", vectors.ncols());
    let of_movies = table.vectors.as_slice().context("the table isn't in row-major order")?;
    let of_movies = MatRef::from_row_major_slice(of_movies, movies, dim);
    let all = vectors.as_slice().context("the vectors aren't in row-major order")?;
    let blocks: Vec<Vec<R>> = all
        .par_chunks(BLOCK_USERS * dim)
        .enumerate()
        .map(|(block, vectors)| {
            let users = vectors.len() / dim;
            let mut scores: Vec<f32> = Vec::with_capacity(users * movies);
            (0..users).for_each(|_| scores.extend_from_slice(&table.bias));
            let made = MatMut::from_row_major_slice_mut(&mut scores, users, movies);
            let vectors = MatRef::from_row_major_slice(vectors, users, dim);
            matmul(made, Accum::Add, vectors, of_movies.transpose(), 1.0, Par::Seq);
            let of_users = scores.chunks_exact(movies).enumerate();
            of_users.map(|(user, scores)| visit(block * BLOCK_USERS + user, scores)).collect::<Result<Vec<R>>>()
        })
        .collect::<Result<_>>()?;
    Ok(blocks.into_iter().flatten().collect())
}

/// Each question's rank, from 1.
///
/// # Errors
/// As [`rank`], and another number of vectors than of questions.
pub fn ranks(questions: &[(&[u32], u32)], vectors: &Array2<f32>, table: &MovieTable) -> Result<Vec<usize>> {
    ensure!(
        questions.len() == vectors.nrows(),
        "there are {} vectors for {} questions",
        vectors.nrows(),
        questions.len()
    );
    for_each_user(vectors, table, |user, scores| {
        let (history, target) = questions.get(user).context("a user without a question")?;
        rank(scores, history, *target)
    })
}

/// One user's scores, summed in plain order, as a page computes them from the tower's vector.
pub fn scores(vector: &[f32], table: &MovieTable) -> Vec<f32> {
    let product = |row: ArrayView1<f32>| row.iter().zip(vector).map(|(left, right)| left * right).sum::<f32>();
    table.vectors.outer_iter().zip(&table.bias).map(|(row, bias)| product(row) + bias).collect()
}

/// The movies' popularity in training as scores, the baseline that ignores the history.
pub fn popularity(sequences: &Sequences) -> Vec<f32> {
    let mut counts = vec![0.0; sequences.len()];
    for movie in sequences.users.iter().flat_map(UserSequence::training) {
        if let Some(count) = counts.get_mut(*movie as usize) {
            *count += 1.0;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ties_count_against_the_model_and_the_history_does_not() {
        let scores = [3.0, 1.0, 2.0, 2.0, 5.0];
        assert_eq!(rank(&scores, &[], 2).unwrap(), 4);
        assert_eq!(rank(&scores, &[4, 1], 2).unwrap(), 3);
        assert_eq!(rank(&scores, &[0, 3, 4], 2).unwrap(), 1);
        assert!(rank(&scores, &[], 5).is_err());
        assert!(rank(&[f32::NAN, 1.0], &[], 1).is_err());
    }

    #[test]
    fn the_figures_are_those_by_hand() {
        let figures = Figures::new(&[1, 3, 11]);
        assert!((figures.ndcg10.mean - (1.0 + 0.5) / 3.0).abs() < 1e-12);
        assert!((mean_ndcg(&[1, 3, 11]) - 0.5).abs() < 1e-12);
        assert!((figures.hit10.mean - 2.0 / 3.0).abs() < 1e-12);
        assert!((figures.mrr.mean - (1.0 + 1.0 / 3.0 + 1.0 / 11.0) / 3.0).abs() < 1e-12);
        assert!(figures.ndcg10.low < figures.ndcg10.mean && figures.ndcg10.mean < figures.ndcg10.high);
    }

    /// 300 users are more than two blocks.
    #[test]
    fn blocks_of_users_have_the_scores_of_each_alone() {
        let table = MovieTable {
            vectors: Array2::from_shape_fn((7, 3), |(movie, at)| (movie * 3 + at) as f32 * 0.1 - 1.0),
            bias: (0..7).map(|movie| movie as f32 * 0.3).collect(),
        };
        let vectors = Array2::from_shape_fn((300, 3), |(user, at)| ((user * 5 + at) as f32).sin());
        let worst = for_each_user(&vectors, &table, |user, scores_in_block| {
            let alone = scores(vectors.row(user).as_slice().unwrap(), &table);
            Ok(alone.iter().zip(scores_in_block).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max))
        })
        .unwrap();
        assert_eq!(worst.len(), 300);
        assert!(worst.into_iter().all(|worst| worst < 1e-5));
    }
}
