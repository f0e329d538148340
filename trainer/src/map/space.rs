//! The similarity of two movies on the map: a visitor's clicks raise and lower the scores of similar movies together.
//!
//! A movie's score is `q · x + b`. So a difference of two embeddings `x` matters as much as the visitors' vectors `q`
//! vary in its direction. Some columns of the embedding move only with the year, or only with a long history. A plain
//! cosine counts them like the others, and the map is then sorted by year.
//!
//! Here, `x` is taken on the principal axes of the `q` after one click on each movie, each axis times its standard
//! deviation. The distance of two movies is then how much the difference of their scores varies from click to click.
//!
//! The model knows little about a movie with few ratings. Its genres and its year therefore have a part in its vector,
//! which fades as the ratings grow.

use anyhow::Result;
use ndarray::{Array2, ArrayViewMut1, Axis, s};
use watchnext::catalog::{Catalog, Movie, MovieIndex};
use watchnext::features::{DEFAULT_RELEASE_YEAR, LocalTime};
use watchnext::history::{History, Watch};
use watchnext::recommend::Recommender;

use crate::math::eigen::principal_axes;

/// The time of all clicks, in 2023, in seconds since 1970. Any time will do: it is the same for all, so it adds no
/// variance.
const MOMENT: i64 = 1_700_000_000;

/// The length of the part with genres and year in the vector of a movie without ratings. The whole vector has length 1.
const KINDS: f32 = 0.8;

/// The number of ratings at which the square of that length is halved.
const HALF_KINDS: f32 = 5.0;

/// The length of the year's part where that of all genres is 1.
const YEAR: f32 = 0.7;

/// The years that fill a quarter of a circle. Years of release lie on it, so their similarity fades evenly.
const QUARTER: f32 = 120.0;

/// The year at which the quarter begins.
const FIRST_YEAR: f32 = 1900.0;

/// Each movie's vector for the map, `[movies, columns]`. Its length is 1, or less if the embedding is the mean of all.
///
/// # Errors
/// Inputs that the model rejects.
pub fn vectors(recommender: &Recommender, embedding: &Array2<f32>) -> Result<Array2<f32>> {
    let catalog = recommender.catalog();
    let (movies, dim) = embedding.dim();
    let (axes, deviations) = principal_axes(&responses(recommender, dim)?, dim)?;
    let mut scores = embedding.dot(&axes.t());
    for (mut column, deviation) in scores.columns_mut().into_iter().zip(&deviations) {
        column *= *deviation;
    }
    // The mean of all movies distinguishes none of them.
    if let Some(mean) = scores.mean_axis(Axis(0)) {
        scores -= &mean;
    }
    let kinds = kinds(catalog);
    let mut vectors = Array2::zeros((movies, dim + kinds.ncols()));
    for (((mut vector, mut score), kind), movie) in
        vectors.rows_mut().into_iter().zip(scores.rows_mut()).zip(kinds.rows()).zip(catalog.movies())
    {
        let part = KINDS * (HALF_KINDS / (HALF_KINDS + movie.ratings as f32)).sqrt();
        to_length(&mut score, (1.0 - part * part).sqrt());
        vector.slice_mut(s![..dim]).assign(&score);
        vector.slice_mut(s![dim..]).assign(&(&kind * part));
    }
    Ok(vectors)
}

/// The visitors' vectors after one click on each movie, less their mean, `[movies, dim]`. A row's weight is the root of
/// the movie's number of ratings, a compromise between the visitors' clicks and the whole catalogue.
fn responses(recommender: &Recommender, dim: usize) -> Result<Array2<f32>> {
    let catalog = recommender.catalog();
    let moment = LocalTime::from_unix(MOMENT, 0)?;
    let mut vectors = Array2::zeros((catalog.len(), dim));
    for (mut row, movie) in vectors.rows_mut().into_iter().zip((0..).map_while(MovieIndex::new)) {
        let click = History::new(vec![Watch { movie, rating: None }]);
        row.iter_mut().zip(recommender.user_vector(&click, &moment)?).for_each(|(to, from)| *to = from);
    }
    let weights: Vec<f32> = catalog.movies().iter().map(|movie| (movie.ratings as f32).sqrt()).collect();
    let total = weights.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    let mut mean = ndarray::Array1::<f32>::zeros(dim);
    for (row, weight) in vectors.rows().into_iter().zip(&weights) {
        mean.scaled_add(weight / total, &row);
    }
    for (mut row, weight) in vectors.rows_mut().into_iter().zip(&weights) {
        row -= &mean;
        row *= weight.sqrt();
    }
    Ok(vectors)
}

/// Each movie's genres and year of release, `[movies, genres + 3]`, of length 1.
fn kinds(catalog: &Catalog) -> Array2<f32> {
    let genres = catalog.genres().len();
    let mut kinds = Array2::zeros((catalog.len(), genres + 3));
    for (mut row, movie) in kinds.rows_mut().into_iter().zip(catalog.movies()) {
        // Movies without a genre are similar to each other.
        let own: Vec<usize> = if movie.genres.is_empty() {
            vec![genres]
        } else {
            movie.genres.iter().map(|genre| usize::from(*genre)).collect()
        };
        let share = (own.len() as f32).sqrt().recip();
        for genre in own {
            if let Some(value) = row.get_mut(genre) {
                *value = share;
            }
        }
        let (sine, cosine) = year_angle(movie).sin_cos();
        row.slice_mut(s![genres + 1..]).assign(&ndarray::arr1(&[YEAR * cosine, YEAR * sine]));
        to_length(&mut row, 1.0);
    }
    kinds
}

/// The angle of a movie's year of release on the quarter of a circle, in radians.
fn year_angle(movie: &Movie) -> f32 {
    let year = f32::from(movie.year.unwrap_or(DEFAULT_RELEASE_YEAR));
    (year - FIRST_YEAR) / QUARTER * std::f32::consts::FRAC_PI_2
}

/// Scales a vector to this length. A vector of zeros stays zero.
fn to_length(vector: &mut ArrayViewMut1<f32>, length: f32) {
    let own = vector.dot(vector).sqrt();
    if own > 0.0 {
        *vector *= length / own;
    }
}
