//! Item-item matrices, as the product of two thin tables each.
//!
//! Two movies are alike in taste if the same users like them, or rated them. Their similarity is the shrunk cosine
//! `S[i, j] = Σ_u w_u / (√(n_i n_j) + shrinkage)`, where a user's weight `w_u` is one over the root of the length of
//! the user's list. They are alike in sequence if they often follow each other closely, in either order; the form is
//! the same. The best factors of a given rank come from the randomised range finder of Halko, Martinsson and Tropp,
//! *Finding Structure with Randomness* (SIAM Review 2011).

use anyhow::{Context, Result};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::user_movies::UserMovies;
use crate::math::eigen::decompose;

/// The factors' columns.
const RANK: usize = 64;
/// Directions beyond those that are kept. The range finder needs them to find the others.
const OVERSAMPLING: usize = 16;
/// The largest distance in watches at which two movies of a history count as near.
const WINDOW: usize = 20;
/// The factor by which each further place between them lowers their weight.
const FADING: f32 = 0.9;
/// The shrinkage of the cosine of sequences, in watches.
const SEQUENCE_SHRINKAGE: f32 = 5.0;
/// The most of itself that a movie's weight predicts. A movie that all others predict has no end of a weight.
const MOST_OF_ITSELF: f32 = 0.9;
/// Power iterations: products with the matrix that turn random directions towards its largest ones.
const PASSES: usize = 4;

/// `S ≈ input · outputᵀ`, both `[movies, rank]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Factors {
    /// The vector that a watched movie adds to the pooled sum, `[movies, rank]`.
    pub input: Array2<f32>,
    /// The vector that scores a movie against the pooled sum, `[movies, rank]`.
    pub output: Array2<f32>,
}

/// A symmetric matrix over the movies that can be multiplied with.
trait Symmetric {
    /// How many movies there are.
    fn movies(&self) -> usize;

    /// The product with a dense matrix `[movies, columns]`.
    fn times(&self, dense: &Mat<f32>) -> Mat<f32>;
}

/// A sparse matrix: each row's columns with their values.
#[derive(Debug)]
struct Sparse(Vec<Vec<(u32, f32)>>);

/// `Aᵀ · A` of a sparse matrix `A` `[users, movies]`. The product itself is never computed.
#[derive(Debug)]
struct Gram {
    /// `A`.
    users: Sparse,
    /// `Aᵀ`.
    movies: Sparse,
}

impl Sparse {
    /// The shrunk cosines of movies in the same users' `lists`, `[movies, movies]`.
    fn from_lists(movies: usize, lists: &[&[u32]], shrinkage: f32) -> Self {
        let weights: Vec<f32> = lists.iter().map(|list| 1.0 / (list.len().max(1) as f32).sqrt()).collect();
        let mean = weights.iter().sum::<f32>() / weights.len().max(1) as f32;
        let mut fans: Vec<Vec<usize>> = vec![Vec::new(); movies];
        for (user, list) in lists.iter().enumerate() {
            for movie in *list {
                fans.get_mut(*movie as usize).into_iter().for_each(|fans| fans.push(user));
            }
        }
        let weight = |user: &usize| weights.get(*user).copied().unwrap_or_default() / mean;
        let norms: Vec<f32> = fans.iter().map(|fans| fans.iter().map(weight).sum::<f32>().sqrt()).collect();
        let row = |(movie, fans): (usize, &Vec<usize>)| {
            let mut together = std::collections::BTreeMap::<u32, f32>::new();
            for user in fans {
                for other in lists.get(*user).copied().unwrap_or_default() {
                    *together.entry(*other).or_default() += weight(user);
                }
            }
            let norm = |movie: usize| norms.get(movie).copied().unwrap_or_default();
            let others = together.into_iter().filter(|(other, _)| *other as usize != movie);
            others.map(|(other, sum)| (other, sum / (norm(movie) * norm(other as usize) + shrinkage))).collect()
        };
        Self(fans.par_iter().enumerate().map(row).collect())
    }

    /// The shrunk cosines of movies that follow each other, `[movies, movies]`.
    fn from_sequences(movies: usize, users: &[UserMovies]) -> Self {
        // Each movie counts as watched once more, so the cosine of two rare ones has a denominator.
        let mut counts = vec![1.0_f32; movies];
        let mut places: Vec<Vec<(usize, usize)>> = vec![Vec::new(); movies];
        for (user, watched) in users.iter().enumerate() {
            for (place, movie) in watched.rated.iter().enumerate() {
                places.get_mut(*movie as usize).into_iter().for_each(|places| places.push((user, place)));
                counts.get_mut(*movie as usize).into_iter().for_each(|count| *count += 1.0);
            }
        }
        let row = |(movie, places): (usize, &Vec<(usize, usize)>)| {
            let mut near = std::collections::BTreeMap::<u32, f32>::new();
            for (user, place) in places {
                let rated = users.get(*user).map(|user| user.rated.as_slice()).unwrap_or_default();
                let window = place.saturating_sub(WINDOW)..(place + WINDOW + 1).min(rated.len());
                for (at, other) in window.clone().zip(rated.get(window).unwrap_or_default()) {
                    let apart = at.abs_diff(*place);
                    if apart > 0 {
                        *near.entry(*other).or_default() += FADING.powi(apart as i32 - 1);
                    }
                }
            }
            let root = |movie: usize| counts.get(movie).copied().unwrap_or(1.0).sqrt();
            let cosine = |(other, sum)| (other, sum / (root(movie) * root(other as usize) + SEQUENCE_SHRINKAGE));
            near.into_iter().map(cosine).collect()
        };
        Self(places.par_iter().enumerate().map(row).collect())
    }

    /// The product with a dense matrix.
    fn product(&self, dense: &Mat<f32>) -> Mat<f32> {
        let columns = dense.ncols();
        // By rows: a movie's neighbours are then added up from contiguous memory.
        let rows: Vec<Vec<f32>> = (0..dense.nrows()).map(|row| dense.row(row).iter().copied().collect()).collect();
        let sums: Vec<Vec<f32>> = self
            .0
            .par_iter()
            .map(|neighbours| {
                let mut sum = vec![0.0; columns];
                for (other, value) in neighbours {
                    let other = rows.get(*other as usize).map(Vec::as_slice).unwrap_or_default();
                    sum.iter_mut().zip(other).for_each(|(sum, other)| *sum += value * other);
                }
                sum
            })
            .collect();
        Mat::from_fn(self.0.len(), columns, |row, column| {
            sums.get(row).and_then(|sum| sum.get(column)).copied().unwrap_or_default()
        })
    }
}

impl Symmetric for Sparse {
    fn movies(&self) -> usize {
        self.0.len()
    }

    fn times(&self, dense: &Mat<f32>) -> Mat<f32> {
        self.product(dense)
    }
}

impl Symmetric for Gram {
    fn movies(&self) -> usize {
        self.movies.0.len()
    }

    fn times(&self, dense: &Mat<f32>) -> Mat<f32> {
        self.movies.product(&self.users.product(dense))
    }
}

/// The incidence of users and movies in `lists`, with `value` for each entry of a list.
fn incidence<'lists>(
    movies: usize,
    lists: impl Iterator<Item = &'lists [u32]>,
    value: impl Fn(&[u32], u32) -> f32,
) -> Gram {
    let users = lists.map(|list| list.iter().map(|movie| (*movie, value(list, *movie))).collect());
    let users = Sparse(users.collect());
    let mut transposed = vec![Vec::new(); movies];
    for (user, row) in (0_u32..).zip(&users.0) {
        for (movie, value) in row {
            transposed.get_mut(*movie as usize).into_iter().for_each(|column: &mut Vec<_>| column.push((user, *value)));
        }
    }
    Gram { users, movies: Sparse(transposed) }
}

/// The factors of EASE, the linear autoencoder that predicts each liked movie from a user's other ones (Steck,
/// *Embarrassingly Shallow Autoencoders for Sparse Data*, WWW 2019), with the penalty `lambda`. It knows more of long
/// lists than the cosines.
///
/// With `X = U S Vᵀ`, EASE's weights are `V · S² / (S² + λ) · Vᵀ` off the diagonal, over `1 − d`, where `d` is the
/// diagonal. The factors are the largest directions of that.
///
/// # Errors
/// An eigenvalue problem that doesn't converge.
pub fn from_linear(movies: usize, users: &[UserMovies], lambda: f32, seed: u64) -> Result<Factors> {
    let lists = users.iter().map(|user| user.liked.as_slice());
    let Factors { mut input, .. } = factors(&incidence(movies, lists, |_, _| 1.0), seed)?;
    let mut output = input.clone();
    for (mut direction, mut kept) in input.columns_mut().into_iter().zip(output.columns_mut()) {
        // The factors are the directions times their singular values.
        let square = direction.iter().map(|entry| entry * entry).sum::<f32>();
        direction /= square.sqrt().max(f32::MIN_POSITIVE);
        kept.assign(&(&direction * (square / (square + lambda))));
    }
    for (direction, mut kept) in input.rows().into_iter().zip(output.rows_mut()) {
        kept /= 1.0 - direction.dot(&kept).min(MOST_OF_ITSELF);
    }
    Ok(Factors { input, output })
}

/// Vectors `[movies, rank]` by which movies with the same viewers are near each other. They are the right singular
/// vectors of the matrix of viewers and movies, times the roots of their singular values, the largest first. `lists`
/// has each user's movies. Long lists and popular movies weigh less.
///
/// # Errors
/// An eigenvalue problem that doesn't converge.
pub fn viewer_vectors(movies: usize, lists: &[Vec<u32>], seed: u64) -> Result<Array2<f32>> {
    let mut counts = vec![0.0_f32; movies];
    for movie in lists.iter().flatten() {
        counts.get_mut(*movie as usize).into_iter().for_each(|count| *count += 1.0);
    }
    let movie_weight = |movie: u32| (counts.get(movie as usize).copied().unwrap_or_default() + 5.0).powf(-0.4);
    let user_weight = |list: &[u32]| 1.0 / (list.len() as f32 + 10.0).sqrt();
    let lists = lists.iter().map(Vec::as_slice);
    let viewers = incidence(movies, lists, |list, movie| user_weight(list) * movie_weight(movie));
    let mut vectors = factors(&viewers, seed)?.input;
    // The factors are the vectors times their singular values.
    for mut column in vectors.columns_mut() {
        let value = column.iter().map(|entry| entry * entry).sum::<f32>().sqrt();
        column /= value.max(f32::MIN_POSITIVE).sqrt();
    }
    for (mut row, count) in vectors.rows_mut().into_iter().zip(&counts) {
        row /= (count + 5.0).powf(0.1);
    }
    Ok(vectors)
}

/// The factors of the similarities of movies that the same users like.
///
/// # Errors
/// An eigenvalue problem that doesn't converge.
pub fn from_likes(movies: usize, users: &[UserMovies], shrinkage: f32, seed: u64) -> Result<Factors> {
    let lists: Vec<&[u32]> = users.iter().map(|user| user.liked.as_slice()).collect();
    factors(&Sparse::from_lists(movies, &lists, shrinkage), seed)
}

/// The factors of the similarities of movies that the same users rated, with any number of stars.
///
/// # Errors
/// An eigenvalue problem that doesn't converge.
pub fn from_ratings(movies: usize, users: &[UserMovies], shrinkage: f32, seed: u64) -> Result<Factors> {
    let lists: Vec<&[u32]> = users.iter().map(|user| user.rated.as_slice()).collect();
    factors(&Sparse::from_lists(movies, &lists, shrinkage), seed)
}

/// The factors of the similarities of movies that follow each other.
///
/// # Errors
/// An eigenvalue problem that doesn't converge.
pub fn from_sequences(movies: usize, users: &[UserMovies], seed: u64) -> Result<Factors> {
    factors(&Sparse::from_sequences(movies, users), seed)
}

/// The best factors of a symmetric matrix, of rank [`RANK`] or less.
fn factors(matrix: &impl Symmetric, seed: u64) -> Result<Factors> {
    let movies = matrix.movies();
    let rank = RANK.min(movies);
    let columns = (RANK + OVERSAMPLING).min(movies);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut basis = Mat::from_fn(movies, columns, |_, _| rng.random_range(-1.0_f32..1.0));
    for _ in 0..PASSES {
        basis = matrix.times(&basis).qr().compute_thin_Q();
    }
    let image = matrix.times(&basis);
    let mut small = Mat::zeros(columns, columns);
    matmul(small.as_mut(), Accum::Replace, basis.transpose(), image.as_ref(), 1.0, Par::Seq);
    let eigen = decompose(small.as_ref()).context("the factors can't be found")?;
    let mut largest: Vec<(usize, f32)> = eigen.S().column_vector().iter().copied().enumerate().collect();
    largest.sort_by(|left, right| right.1.abs().total_cmp(&left.1.abs()).then(left.0.cmp(&right.0)));
    largest.truncate(rank);
    let turn = Mat::from_fn(columns, rank, |row, column| {
        largest.get(column).map_or(0.0, |(at, value)| eigen.U()[(row, *at)] * value.abs().sqrt())
    });
    let mut turned = Mat::zeros(movies, rank);
    matmul(turned.as_mut(), Accum::Replace, basis.as_ref(), turn.as_ref(), 1.0, Par::Seq);
    let input = Array2::from_shape_fn((movies, rank), |(row, column)| turned[(row, column)]);
    let mut output = input.clone();
    for (mut column, (_, value)) in output.columns_mut().into_iter().zip(&largest) {
        column *= value.signum();
    }
    Ok(Factors { input, output })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    /// Two groups of users like disjoint halves of eight movies. The factors have full rank and give the matrix back.
    #[test]
    fn the_factors_multiply_to_the_shrunk_cosines() {
        let user =
            |movies: &[u32]| UserMovies { rated: movies.to_vec(), liked: movies.to_vec(), ..UserMovies::default() };
        let users = [user(&[0, 1, 2, 3]), user(&[0, 1]), user(&[4, 5, 6, 7]), user(&[4, 7])];
        let factors = from_likes(8, &users, 1.0, 1).unwrap();
        let product = factors.input.dot(&factors.output.t());
        // Users with four likes weigh 1/2, users with two 1/√2, both over the mean weight.
        let mean = (0.5 + 0.5_f32.sqrt()) / 2.0;
        let (long, short) = (0.5 / mean, 0.5_f32.sqrt() / mean);
        assert!((product[[0, 1]] - (long + short) / (long + short + 1.0)).abs() < 1e-4);
        assert!((product[[2, 3]] - long / (long + 1.0)).abs() < 1e-4);
        assert!(product[[0, 4]].abs() < 1e-4 && product[[0, 0]].abs() < 1e-4);
    }

    /// The rank is full, so the factors multiply to EASE's weights, `−P / diag(P)` with `P = (XᵀX + λ)⁻¹`: of two
    /// users, one likes both movies and one likes the first.
    #[test]
    fn the_linear_factors_are_those_of_ease() {
        let user = |movies: &[u32]| UserMovies { liked: movies.to_vec(), ..UserMovies::default() };
        let factors = from_linear(2, &[user(&[0, 1]), user(&[0])], 3.0, 1).unwrap();
        let product = factors.input.dot(&factors.output.t());
        // XᵀX + 3 is [[5, 1], [1, 4]], and its inverse is [[4, −1], [−1, 5]] / 19.
        assert!((product[[0, 1]] - 1.0 / 5.0).abs() < 1e-4, "{product}");
        assert!((product[[1, 0]] - 1.0 / 4.0).abs() < 1e-4, "{product}");
    }

    /// One user watched 0, 1 and 2 in a row, another only 0. Neighbours count 1, the next but one 0.9.
    #[test]
    fn movies_that_follow_each_other_are_near() {
        let user = |movies: &[u32]| UserMovies { rated: movies.to_vec(), ..UserMovies::default() };
        let factors = from_sequences(4, &[user(&[0, 1, 2]), user(&[0])], 1).unwrap();
        let product = factors.input.dot(&factors.output.t());
        let cosine = |near: f32, one: f32, other: f32| near / ((one * other).sqrt() + SEQUENCE_SHRINKAGE);
        assert!((product[[0, 1]] - cosine(1.0, 3.0, 2.0)).abs() < 1e-4);
        assert!((product[[0, 2]] - cosine(0.9, 3.0, 2.0)).abs() < 1e-4);
        assert!((product[[2, 1]] - cosine(1.0, 2.0, 2.0)).abs() < 1e-4);
        assert!(product[[3, 1]].abs() < 1e-4 && product[[1, 1]].abs() < 1e-4);
    }
}
