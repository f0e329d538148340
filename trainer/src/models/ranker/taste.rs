//! A model of taste: which rating a user gives a movie.
//!
//! `r = expected_i + w_i · z_u + e` with `z_u ~ N(0, I)` and `e ~ N(0, noise)`. This is factor analysis with missing
//! values, or probabilistic matrix factorisation (Salakhutdinov and Mnih, NIPS 2007) with the users' part integrated
//! out. It is fitted by expectation maximisation. A movie's `(expected, w)` has a normal prior whose mean is linear in
//! the movie's content (genres, decade, year, number of ratings), so that rare movies borrow from similar ones.

use anyhow::{Context, Result};
use faer::Mat;
use faer::linalg::solvers::{DenseSolveCore, Solve};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use watchnext::catalog::Catalog;
use watchnext::features::{DEFAULT_RELEASE_YEAR, genre_features};
use watchnext::traits::TASTES;

use crate::data::{Event, User};
use crate::math::random::standard_normal;
use crate::math::solve::cholesky;

/// A movie's numbers: its expected rating and its loadings.
const WIDTH: usize = TASTES + 1;

/// Rounds of expectation maximisation. More change nothing visible.
const ROUNDS: usize = 14;

/// The standard deviations of the movies' priors, as multiples of the ratings' standard deviation.
const EXPECTED_SPREAD: f64 = 0.35;
const LOADING_SPREAD: f64 = 0.08;

/// The noise's share of the ratings' variance. It is fixed: if it were estimated, the loadings would fit chance.
const NOISE_SHARE: f64 = 0.55;

/// The loadings at the start, in standard deviations of the ratings. The first is the same for all movies, so that it
/// becomes a user's generosity. The others are random.
const FIRST_LOADING: f64 = 0.45;
const OTHER_LOADINGS: f64 = 0.1;

/// The ridge of the regression on content, in ratings, and the most ratings that a movie counts with there.
const CONTENT_RIDGE: f64 = 10.0;
const MOST_RATINGS: f64 = 20.0;

/// How many decades are told apart, from the 1930s on.
const DECADES: usize = 9;

/// The fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct Taste {
    /// `[movies]`: the expected rating by an unknown user.
    pub expected: Vec<f32>,
    /// `[movies]` of `[TASTES]`.
    pub loadings: Vec<[f32; TASTES]>,
    /// The variance of a rating about its expectation.
    pub noise: f32,
    /// `[users]` of `[TASTES]`: the users' tastes, estimated from their ratings.
    pub users: Vec<[f32; TASTES]>,
}

/// A user's taste in a round: its posterior mean and second moment.
struct Posterior {
    mean: [f64; WIDTH],
    second: Box<[[f64; WIDTH]; WIDTH]>,
}

/// Fits the model to the ratings of `users`.
///
/// # Errors
/// No ratings. The priors rule out equations that can't be solved.
pub fn fit(catalog: &Catalog, users: &[User], seed: u64) -> Result<Taste> {
    let by_user: Vec<Vec<(usize, f64)>> = users
        .iter()
        .map(|user| {
            let rated = |event: &Event| Some((event.movie.as_usize(), f64::from(event.rating?.stars())));
            user.events.iter().filter_map(rated).collect()
        })
        .collect();
    let mut by_movie: Vec<Vec<(usize, f64)>> = vec![Vec::new(); catalog.len()];
    for (user, ratings) in by_user.iter().enumerate() {
        for (movie, stars) in ratings {
            by_movie.get_mut(*movie).into_iter().for_each(|ratings| ratings.push((user, *stars)));
        }
    }
    let count = by_user.iter().map(Vec::len).sum::<usize>();
    anyhow::ensure!(count > 0, "there are no ratings to learn taste from. Give ratings, not clicks alone.");
    let all = || by_user.iter().flatten().map(|(_, stars)| *stars);
    let mean = all().sum::<f64>() / count as f64;
    let deviation = (all().map(|stars| (stars - mean).powi(2)).sum::<f64>() / count as f64).sqrt().max(0.1);
    let noise = NOISE_SHARE * deviation * deviation;
    let content = Content::new(catalog, &by_movie);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut movies: Vec<[f64; WIDTH]> = (0..catalog.len())
        .map(|_| {
            std::array::from_fn(|at| match at {
                0 => mean,
                1 => FIRST_LOADING * deviation,
                _ => OTHER_LOADINGS * deviation * standard_normal(&mut rng),
            })
        })
        .collect();
    let mut priors = content.regression(&movies)?;
    // The weight of a prior, in ratings.
    let weight = |at: usize| {
        let spread = if at == 0 { EXPECTED_SPREAD } else { LOADING_SPREAD } * deviation;
        noise / (spread * spread)
    };
    let weights: [f64; WIDTH] = std::array::from_fn(weight);
    for _ in 0..ROUNDS {
        let posteriors: Vec<Posterior> =
            by_user.par_iter().map(|ratings| posterior(ratings, &movies, noise)).collect::<Result<_>>()?;
        movies = by_movie
            .par_iter()
            .zip(&priors)
            .map(|(ratings, prior)| movie(ratings, prior, &weights, &posteriors))
            .collect::<Result<_>>()?;
        priors = content.regression(&movies)?;
        for ((movie, prior), ratings) in movies.iter_mut().zip(&priors).zip(&by_movie) {
            if ratings.is_empty() {
                *movie = *prior;
            }
        }
    }
    let loadings = |[_, rest @ ..]: &[f64; WIDTH]| rest.map(|value| value as f32);
    let of_user = |ratings: &Vec<(usize, f64)>| Ok(loadings(&posterior(ratings, &movies, noise)?.mean));
    let users = by_user.par_iter().map(of_user).collect::<Result<_>>()?;
    Ok(Taste {
        users,
        expected: movies.iter().map(|[expected, ..]| *expected as f32).collect(),
        loadings: movies.iter().map(loadings).collect(),
        noise: noise as f32,
    })
}

/// A user's taste after their ratings, behind a constant 1 that meets the expected rating.
fn posterior(ratings: &[(usize, f64)], movies: &[[f64; WIDTH]], noise: f64) -> Result<Posterior> {
    let mut precision = Mat::<f64>::identity(TASTES, TASTES);
    let mut pull = Mat::<f64>::zeros(TASTES, 1);
    for (movie, stars) in ratings {
        let Some([expected, loadings @ ..]) = movies.get(*movie) else { continue };
        for (row, own) in loadings.iter().enumerate() {
            let own = own / noise;
            pull[(row, 0)] += own * (stars - expected);
            for (column, other) in loadings.iter().enumerate() {
                precision[(row, column)] += own * other;
            }
        }
    }
    let factor = cholesky(precision.as_ref()).context("a user's taste can't be solved for")?;
    let (mean, covariance) = (factor.solve(&pull), factor.inverse());
    let mean: [f64; WIDTH] = std::array::from_fn(|at| if at == 0 { 1.0 } else { mean[(at - 1, 0)] });
    let entry = |row: usize, column: usize| if row > 0 && column > 0 { covariance[(row - 1, column - 1)] } else { 0.0 };
    let outer = |row: usize, column: usize| {
        mean.get(row).copied().unwrap_or_default() * mean.get(column).copied().unwrap_or_default()
    };
    let second = std::array::from_fn(|row| std::array::from_fn(|column| outer(row, column) + entry(row, column)));
    Ok(Posterior { mean, second: Box::new(second) })
}

/// A movie's numbers: a ridge regression of its ratings on its users' tastes, towards its prior.
fn movie(
    ratings: &[(usize, f64)],
    prior: &[f64; WIDTH],
    weights: &[f64; WIDTH],
    posteriors: &[Posterior],
) -> Result<[f64; WIDTH]> {
    if ratings.is_empty() {
        return Ok(*prior);
    }
    let mut left = [[0.0; WIDTH]; WIDTH];
    let mut right = [0.0; WIDTH];
    for (user, stars) in ratings {
        let Some(posterior) = posteriors.get(*user) else { continue };
        for (line, from) in left.iter_mut().zip(posterior.second.iter()) {
            line.iter_mut().zip(from).for_each(|(entry, value)| *entry += value);
        }
        right.iter_mut().zip(posterior.mean).for_each(|(entry, value)| *entry += value * stars);
    }
    let at = |row: usize, column: usize| left.get(row).and_then(|line| line.get(column)).copied().unwrap_or_default();
    let weight = |at: usize| weights.get(at).copied().unwrap_or_default();
    let matrix =
        Mat::from_fn(WIDTH, WIDTH, |row, column| at(row, column) + if row == column { weight(row) } else { 0.0 });
    let pull = |row: usize| {
        right.get(row).copied().unwrap_or_default() + weight(row) * prior.get(row).copied().unwrap_or_default()
    };
    let pull = Mat::from_fn(WIDTH, 1, |row, _| pull(row));
    let factor = cholesky(matrix.as_ref()).context("a movie's loadings can't be solved for")?;
    let solution = factor.solve(&pull);
    Ok(std::array::from_fn(|at| solution[(at, 0)]))
}

/// The content that the movies' priors depend on.
struct Content {
    /// `[movies, columns]`.
    columns: Mat<f64>,
    /// How much each movie counts.
    weights: Vec<f64>,
}

impl Content {
    fn new(catalog: &Catalog, by_movie: &[Vec<(usize, f64)>]) -> Self {
        let rows: Vec<Vec<f64>> = catalog
            .movies()
            .iter()
            .zip(by_movie)
            .enumerate()
            .map(|(index, (movie, ratings))| {
                let year = movie.year.unwrap_or(DEFAULT_RELEASE_YEAR);
                let decade = usize::from(year.saturating_sub(1930) / 10).min(DECADES - 1);
                let known = (ratings.len() as f64).ln_1p() / 5.0;
                let genres = watchnext::catalog::MovieIndex::new(index).map(|movie| genre_features(catalog, movie));
                let decades = (0..DECADES).map(|at| if at == decade { 1.0 } else { 0.0 });
                let numbers = [1.0, known, known * known, (f64::from(year) - 1990.0) / 20.0];
                numbers.into_iter().chain(genres.into_iter().flatten().map(f64::from)).chain(decades).collect()
            })
            .collect();
        let width = rows.first().map_or(0, Vec::len);
        let columns = Mat::from_fn(rows.len(), width, |row, column| {
            rows.get(row).and_then(|row| row.get(column)).copied().unwrap_or_default()
        });
        let weights = by_movie.iter().map(|ratings| (ratings.len() as f64).min(MOST_RATINGS)).collect();
        Self { columns, weights }
    }

    /// Each movie's numbers as its content predicts them, by a ridge regression about their mean.
    fn regression(&self, movies: &[[f64; WIDTH]]) -> Result<Vec<[f64; WIDTH]>> {
        let total: f64 = self.weights.iter().sum();
        let mut mean = [0.0; WIDTH];
        for (movie, weight) in movies.iter().zip(&self.weights) {
            mean.iter_mut().zip(movie).for_each(|(mean, value)| *mean += weight / total * value);
        }
        let weight = |row: usize| self.weights.get(row).copied().unwrap_or_default();
        let about = |row: usize, column: usize| {
            let value = movies.get(row).and_then(|movie| movie.get(column)).copied().unwrap_or_default();
            weight(row) * (value - mean.get(column).copied().unwrap_or_default())
        };
        let (rows, width) = (self.columns.nrows(), self.columns.ncols());
        let weighted = Mat::from_fn(rows, width, |row, column| weight(row) * self.columns[(row, column)]);
        let targets = Mat::from_fn(rows, WIDTH, about);
        let mut matrix = self.columns.transpose() * &weighted;
        for at in 0..width {
            matrix[(at, at)] += CONTENT_RIDGE;
        }
        let factor = cholesky(matrix.as_ref()).context("the movies' content can't be regressed on")?;
        let predicted = &self.columns * factor.solve(self.columns.transpose() * &targets);
        let row =
            |row: usize| std::array::from_fn(|at| mean.get(at).copied().unwrap_or_default() + predicted[(row, at)]);
        Ok((0..rows).map(row).collect())
    }
}
