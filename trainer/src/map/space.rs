//! What makes two movies alike on the map: visitors' clicks raise and lower their scores together.
//!
//! A movie's score is `q · x + b`, so how its embedding `x` differs from another's matters as much as the vectors `q` of visitors
//! differ in that direction. The embedding has columns that only the year moves, or only a long history; a plain cosine counts
//! them like the others, and then the years of release make the map. Here `x` is taken in the axes of largest variance of the `q`
//! after one click on each movie, each axis times its standard deviation: the distance of two movies is then how much the difference
//! of their scores varies from click to click. Of a movie with a few ratings the model has learnt next to nothing of
//! its own, so its genres and its year of release have a part in its vector, which fades as the ratings grow.

use anyhow::Result;
use ndarray::{Array2, ArrayViewMut1, Axis, s};
use watchnext::catalog::{Catalog, Movie, MovieIndex};
use watchnext::features::{DEFAULT_RELEASE_YEAR, LocalTime};
use watchnext::history::{History, Watch};
use watchnext::recommend::Recommender;

use crate::math::eigen::principal_axes;

/// The moment of all clicks, in 2023, in seconds since 1970. Any one will do: what is the same for all visitors is no variance.
const MOMENT: i64 = 1_700_000_000;

/// The length of the kinds' part in the vector of a movie without ratings; the whole vector has the length 1.
const KINDS: f32 = 0.8;

/// At this many ratings the square of the kinds' part is half of what it is without any.
const HALF_KINDS: f32 = 5.0;

/// How long the year's part is where all genres together are 1.
const YEAR: f32 = 0.7;

/// Years of release lie on a quarter of a circle, so that their likeness fades evenly; this is how many fill it.
const QUARTER: f32 = 120.0;

/// Where the quarter begins.
const FIRST_YEAR: f32 = 1900.0;

/// Each movie's vector on the map's space, `[movies, columns]`, of length 1, or less for a movie whose embedding is every
/// movie's.
///
/// # Errors
/// What the model refuses.
pub fn vectors(recommender: &Recommender, embedding: &Array2<f32>) -> Result<Array2<f32>> {
    let catalog = recommender.catalog();
    let (movies, dim) = embedding.dim();
    let (axes, deviations) = principal_axes(&responses(recommender, dim)?, dim)?;
    let mut scores = embedding.dot(&axes.t());
    for (mut column, deviation) in scores.columns_mut().into_iter().zip(&deviations) {
        column *= *deviation;
    }
    // What all movies have in common tells none from another.
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

/// The visitors' vectors after one click on each movie, about their mean, `[movies, dim]`. A row counts with the root of its movie's
/// ratings, between what visitors click and what the catalogue holds.
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
        // A movie without a genre is like others without one.
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

/// Where on the quarter of a circle a movie's year of release lies, in radians.
fn year_angle(movie: &Movie) -> f32 {
    let year = f32::from(movie.year.unwrap_or(DEFAULT_RELEASE_YEAR));
    (year - FIRST_YEAR) / QUARTER * std::f32::consts::FRAC_PI_2
}

/// Gives a vector this length; a vector of zeros stays one.
fn to_length(vector: &mut ArrayViewMut1<f32>, length: f32) {
    let own = vector.dot(vector).sqrt();
    if own > 0.0 {
        *vector *= length / own;
    }
}
