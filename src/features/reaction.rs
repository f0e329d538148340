//! The ranker's features of a movie and a history.
//!
//! None of them needs ratings. If a history has clicks only, the features of its ratings have the same values as for an
//! empty history, and the feature `rated_log` tells the ranker so.

use super::{EventFeatures, LocalTime};
use crate::catalog::{Catalog, MovieIndex};
use crate::history::{LIKED_STARS, Watch};
use crate::traits::{MovieTraits, TASTES, dot};

/// The columns, in order. Means are shrunk towards everybody's by [`PRIOR_WATCHES`].
pub const REACTION_FEATURES: [&str; 37] = [
    // The movie's average rating by other users, its root and square, and whether there is none.
    "avg_current_rating",
    "avg_current_rating_sqrt",
    "avg_current_rating_square",
    "has_0_review",
    // The rating that the taste model expects from an unknown user, the share of likes, the ratings' spread, the fame.
    "expected_rating",
    "like_share",
    "rating_spread",
    "known",
    // The movie's age at this moment.
    "release_year",
    "release_decade",
    "movie_age",
    // How many movies were watched before, and how many of them are rated.
    "time",
    "time_sqrt",
    "time_log",
    "rated_log",
    // The watched movies: their expected ratings, of all and of the last ten, and how well known they are.
    "watched_expected",
    "watched_expected_10",
    "watched_known",
    // How similar this movie is to them. By audience: the mean cosine, and the inner product with the pooled history,
    // which is a linear user tower's retrieval score. By genre and decade. By title. The expected ratings of similar
    // ones.
    "audience_likeness",
    "audience_affinity",
    "genre_likeness",
    "title_likeness",
    "expected_of_alike",
    // How generous the visitor's ratings are: compared with the expected ones, their mean, the share of likes, their
    // spread, and the share of 4.5 stars and more.
    "rating_bias",
    "rating_mean",
    "rating_likes",
    "rating_spread_own",
    "rating_raves",
    // The last ratings compared with the expected ones: moods last a session.
    "last_bias_1",
    "last_bias_3",
    "last_bias_10",
    // The ratings of similar movies, compared with the expected ones and the visitor's bias.
    "bias_of_audience_alike",
    "bias_of_taste_alike",
    "bias_of_genre_alike",
    "bias_of_title_alike",
    // The rating that the visitor's taste predicts for this movie, and its variance. What they watched leads to a first
    // guess of the taste, which their ratings correct.
    "taste_rating",
    "taste_variance",
];

/// How many columns there are.
pub const REACTION_WIDTH: usize = REACTION_FEATURES.len();

/// How many of a history's latest movies count. More would cost time and gain nothing.
pub const REACTION_HISTORY: usize = 200;

/// How many watches of an average visitor are added to every history, to shrink its means.
const PRIOR_WATCHES: f32 = 3.0;

/// The variance of an average visitor's ratings.
const PRIOR_VARIANCE: f32 = 0.9;

/// Ratings from here on are more than a like.
const RAVE_STARS: f32 = 4.5;

/// How steeply attention rises with likeness, and the weight of the visitor's own bias: by audience, by taste, by genre
/// and decade, by title.
const ATTENTION: [(f32, f32); 4] = [(6.0, 0.15), (5.0, 0.3), (6.0, 0.5), (6.0, 0.3)];

/// One watched movie.
struct Watched {
    row: usize,
    /// The rating less the expected one.
    bias: Option<f32>,
    expected: f32,
}

/// A history as the ranker sees it, ready to compute the features of any movie.
pub struct ReactionHistory<'bundle> {
    catalog: &'bundle Catalog,
    traits: &'bundle MovieTraits,
    /// Oldest first.
    watched: Vec<Watched>,
    ordinal: usize,
    /// The columns that don't depend on the movie, in order: from `time` to `watched_known`, from `rating_bias` to
    /// `rating_raves`, and the last biases.
    counts: [f32; 7],
    ratings: [f32; 5],
    last: [f32; 3],
    /// The sum of the audience vectors, over the root of their number and one more.
    pooled: Vec<f32>,
    /// The posterior of the visitor's taste: its mean, and its covariance.
    taste: [f32; TASTES],
    covariance: [[f32; TASTES]; TASTES],
}

impl<'bundle> ReactionHistory<'bundle> {
    /// A history of `watches`, oldest first.
    pub fn new(catalog: &'bundle Catalog, traits: &'bundle MovieTraits, watches: &[Watch]) -> Self {
        let recent = watches.get(watches.len().saturating_sub(REACTION_HISTORY)..).unwrap_or_default();
        let watched: Vec<Watched> = recent
            .iter()
            .map(|watch| {
                let row = watch.movie.as_usize();
                let expected = traits.statistics(row).expected;
                Watched { row, expected, bias: watch.rating.map(|rating| rating.stars() - expected) }
            })
            .collect();
        let (count, all) = (watched.len() as f32, traits.everybody());
        let shrunk = |sum: f32, prior: f32| (sum + PRIOR_WATCHES * prior) / (count + PRIOR_WATCHES);
        let expected = shrunk(watched.iter().map(|watch| watch.expected).sum(), all.expected);
        let last_ten = watched.iter().rev().take(10);
        let (sum, ten) = last_ten.fold((0.0, 0.0), |(sum, ten), watch| (sum + watch.expected, ten + 1.0));
        let known = watched.iter().map(|watch| traits.statistics(watch.row).known()).sum();
        let time = (watches.len() + 1) as f32;
        let stars: Vec<f32> = recent.iter().filter_map(|watch| watch.rating).map(|rating| rating.stars()).collect();
        let counts = [
            time,
            time.sqrt(),
            time.ln(),
            (stars.len() as f32).ln_1p(),
            expected,
            (sum + 0.5 * expected) / (ten + 0.5),
            shrunk(known, all.known),
        ];
        let biases: Vec<f32> = watched.iter().filter_map(|watch| watch.bias).collect();
        let ratings = rating_features(&stars, &biases, all.mean, all.like_share);
        let [bias, ..] = ratings;
        let last = [1, 3, 10].map(|last| {
            let latest = biases.iter().rev().take(last);
            (latest.clone().sum::<f32>() + bias) / (latest.count() + 1) as f32
        });
        let mut pooled = vec![0.0; traits.audience.width()];
        for watch in &watched {
            let row = traits.audience.row(watch.row);
            pooled.iter_mut().zip(row).for_each(|(sum, value)| *sum += value / (count + 1.0).sqrt());
        }
        // All watches count here, not only the latest: it is one sum, and no candidate takes longer for it.
        let leaning = traits.lean(watches.iter().map(|watch| watch.movie.as_usize()));
        let (taste, covariance) = fold_in(traits, &watched, leaning);
        let ordinal = watches.len() + 1;
        Self { catalog, traits, watched, ordinal, counts, ratings, last, pooled, taste, covariance }
    }

    /// The ranker's columns for one movie at a moment, in the order of [`REACTION_FEATURES`].
    pub fn features(&self, movie: MovieIndex, moment: &LocalTime) -> [f32; REACTION_WIDTH] {
        let (row, traits) = (movie.as_usize(), self.traits);
        let statistics = traits.statistics(row);
        let year = self.catalog.movie(movie).and_then(|movie| movie.year);
        let event = EventFeatures::new(year, moment, self.ordinal, 0);
        let alike = self.alike(row);
        let [by_audience, by_genre, by_title] = alike.likeness;
        let loading = traits.loading(row);
        let taste_rating = statistics.expected + dot(&self.taste, loading);
        let taste_variance: f32 = self.covariance.iter().zip(loading).map(|(line, own)| own * dot(line, loading)).sum();
        let movie_columns = [
            statistics.mean,
            statistics.mean.sqrt(),
            statistics.mean * statistics.mean,
            if statistics.ratings > 0.0 { 0.0 } else { 1.0 },
            statistics.expected,
            statistics.like_share,
            statistics.spread,
            statistics.known(),
            event.release_year,
            event.release_decade,
            event.movie_age,
        ];
        let history_columns =
            [by_audience, dot(&self.pooled, traits.audience.row(row)), by_genre, by_title, alike.expected];
        let columns = movie_columns
            .into_iter()
            .chain(self.counts)
            .chain(history_columns)
            .chain(self.ratings)
            .chain(self.last)
            .chain(alike.bias)
            .chain([taste_rating, taste_variance]);
        let mut features = [0.0; REACTION_WIDTH];
        features.iter_mut().zip(columns).for_each(|(feature, value)| *feature = value);
        features
    }

    /// The columns of a movie that depend on similar watched movies. Those count more, by attention: a softmax with a
    /// share for the prior.
    fn alike(&self, row: usize) -> Alike {
        let [bias, ..] = self.ratings;
        let expected = self.counts[4];
        let [of_audience, ..] = ATTENTION;
        let mut likeness = [0.0; 3];
        let mut by_audience = (0.0_f32, 0.0_f32);
        let mut sums = [(0.0_f32, 0.0_f32); 4];
        for watch in &self.watched {
            let audience = self.traits.audience.cosine(row, watch.row);
            let genre = self.traits.genre_cosine(row, watch.row);
            let title = self.traits.titles.cosine(row, watch.row);
            likeness.iter_mut().zip([audience, genre, title]).for_each(|(sum, cosine)| *sum += cosine);
            let weight = attention(audience, of_audience.0);
            by_audience = (by_audience.0 + weight * watch.expected, by_audience.1 + weight);
            // Only ratings need the other cosines, and few visitors rate.
            let Some(own) = watch.bias else { continue };
            let cosines = [audience, self.traits.taste_cosine(row, watch.row), genre, title];
            for (((sum, total), cosine), (steepness, _)) in sums.iter_mut().zip(cosines).zip(ATTENTION) {
                let weight = attention(cosine, steepness);
                *sum += weight * (own - bias);
                *total += weight;
            }
        }
        // The prior weighs as much as two watches with a cosine of 1/6.
        let prior = 2.0 * (1.0 - of_audience.0).exp();
        let count = self.watched.len().max(1) as f32;
        let mut biases = [0.0; 4];
        for ((to, (sum, total)), (_, prior)) in biases.iter_mut().zip(sums).zip(ATTENTION) {
            *to = sum / (total + prior);
        }
        Alike {
            likeness: likeness.map(|sum: f32| sum / count),
            bias: biases,
            expected: (by_audience.0 + prior * expected) / (by_audience.1 + prior) - expected,
        }
    }
}

/// How much a watched movie of this cosine counts: `e^(steepness · (cosine − 1))`, at most 1.
///
/// It is computed for each pair of a candidate and a watched movie, and the C library's exponential takes twenty times
/// as long in WebAssembly. So it is the next lower power of two times Taylor's polynomial for the rest, whose error is
/// below 10⁻⁶.
fn attention(cosine: f32, steepness: f32) -> f32 {
    let power = steepness * std::f32::consts::LOG2_E * (cosine - 1.0);
    let whole = power.max(-126.0).floor();
    let rest = (power.max(-126.0) - whole) * std::f32::consts::LN_2;
    let mut sum = 1.0 / 5040.0;
    for factor in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        sum = sum * rest + factor;
    }
    let exponent = (whole as i32 + 127).clamp(0, 254) as u32;
    sum * f32::from_bits(exponent << 23)
}

/// Columns of a movie that depend on similar watched movies.
struct Alike {
    /// The mean cosine by audience, genre and title.
    likeness: [f32; 3],
    /// The bias of the ratings of similar movies, beyond the visitor's own, by audience, taste, genre and title.
    bias: [f32; 4],
    /// The expected rating of movies with a similar audience, less that of all watched movies.
    expected: f32,
}

/// `rating_bias`, `rating_mean`, `rating_likes`, `rating_spread_own` and `rating_raves`.
fn rating_features(stars: &[f32], biases: &[f32], mean_of_all: f32, likes_of_all: f32) -> [f32; 5] {
    let count = stars.len() as f32;
    let share = |least: f32, prior: f32, weight: f32| {
        (stars.iter().filter(|stars| **stars >= least).count() as f32 + prior * weight) / (count + weight)
    };
    let own_mean = stars.iter().sum::<f32>() / count.max(1.0);
    let squares: f32 = stars.iter().map(|stars| (stars - own_mean).powi(2)).sum();
    [
        biases.iter().sum::<f32>() / (count + PRIOR_WATCHES),
        (stars.iter().sum::<f32>() + PRIOR_WATCHES * mean_of_all) / (count + PRIOR_WATCHES),
        share(LIKED_STARS, likes_of_all, PRIOR_WATCHES),
        ((squares + PRIOR_WATCHES * PRIOR_VARIANCE) / (count + PRIOR_WATCHES)).sqrt(),
        share(RAVE_STARS, 0.5, 2.0),
    ]
}

/// The posterior of a visitor's taste `z ~ N(leaning, I)` after ratings `r = expected + w · z + e`, `e ~ N(0, noise)`:
/// its mean and its covariance. It is the fold-in of a probabilistic matrix factorisation (Salakhutdinov and Mnih, NIPS
/// 2007) whose prior mean comes from the clicks.
fn fold_in(
    traits: &MovieTraits,
    watched: &[Watched],
    leaning: [f32; TASTES],
) -> ([f32; TASTES], [[f32; TASTES]; TASTES]) {
    let mut precision = [[0.0_f32; TASTES]; TASTES];
    for (at, line) in precision.iter_mut().enumerate() {
        if let Some(diagonal) = line.get_mut(at) {
            *diagonal = 1.0;
        }
    }
    let mut pull = [0.0_f32; TASTES];
    for watch in watched {
        let Some(bias) = watch.bias else { continue };
        let loading = traits.loading(watch.row);
        let surprise = bias - dot(&leaning, loading);
        for ((line, pull), own) in precision.iter_mut().zip(&mut pull).zip(loading) {
            let own = own / traits.everybody().noise;
            *pull += own * surprise;
            line.iter_mut().zip(loading).for_each(|(entry, other)| *entry += own * other);
        }
    }
    let covariance = inverse(precision);
    let mut taste = leaning;
    taste.iter_mut().zip(&covariance).for_each(|(taste, line)| *taste += dot(line, &pull));
    (taste, covariance)
}

/// The inverse of a symmetric matrix whose eigenvalues are 1 or more, by Gauss–Jordan elimination, which needs no
/// pivoting for such a matrix.
fn inverse(mut matrix: [[f32; TASTES]; TASTES]) -> [[f32; TASTES]; TASTES] {
    for step in 0..TASTES {
        let mut pivot_line = matrix.get(step).copied().unwrap_or([0.0; TASTES]);
        let pivot = pivot_line.get(step).copied().unwrap_or(1.0);
        if let Some(diagonal) = pivot_line.get_mut(step) {
            *diagonal = 1.0;
        }
        pivot_line.iter_mut().for_each(|entry| *entry /= pivot);
        for (at, line) in matrix.iter_mut().enumerate() {
            if at == step {
                *line = pivot_line;
            } else if let Some(first) = line.get_mut(step) {
                let factor = std::mem::take(first);
                line.iter_mut().zip(pivot_line).for_each(|(entry, pivot)| *entry -= factor * pivot);
            }
        }
    }
    matrix
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    /// Over the whole range of cosines, for the steepness of each kind of likeness and a steeper one.
    #[test]
    fn attention_is_an_exponential() {
        for (steepness, _) in ATTENTION.into_iter().chain([(40.0, 0.0)]) {
            for step in -100..=100 {
                let cosine = step as f32 / 100.0;
                let truth = (f64::from(steepness) * (f64::from(cosine) - 1.0)).exp();
                let found = f64::from(attention(cosine, steepness));
                assert!((found - truth).abs() <= 1e-5 * truth, "{found} against {truth}");
            }
        }
    }

    /// A matrix with known structure: the identity and an outer product, whose inverse Sherman and Morrison give.
    #[test]
    fn the_inverse_of_an_updated_identity() {
        let vector: [f32; TASTES] = std::array::from_fn(|at| (at as f32 * 0.7).sin());
        let norm = dot(&vector, &vector);
        let entry = |row: usize, column: usize| if row == column { 1.0 } else { 0.0 };
        let matrix =
            std::array::from_fn(|row| std::array::from_fn(|column| entry(row, column) + vector[row] * vector[column]));
        let found = inverse(matrix);
        for (row, line) in found.iter().enumerate() {
            for (column, value) in line.iter().enumerate() {
                let expected = entry(row, column) - vector[row] * vector[column] / (1.0 + norm);
                assert!((value - expected).abs() < 1e-5, "{row}, {column}: {value} against {expected}");
            }
        }
    }
}
