//! The ranker's columns compared with their definitions, in double precision and without regard to speed.
#![cfg(not(target_arch = "wasm32"))]
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod random;

use random::Random;
use safetensors::tensor::{Dtype, TensorView};
use watchnext::catalog::{Catalog, Movie, MovieId, MovieIndex};
use watchnext::features::LocalTime;
use watchnext::features::reaction::{REACTION_FEATURES, REACTION_HISTORY, REACTION_WIDTH, ReactionHistory};
use watchnext::history::{Rating, Watch};
use watchnext::traits::{MovieTraits, TASTES};

/// More watches than count, so that the oldest must be left out.
const MOVIES: usize = REACTION_HISTORY + 10;

/// The widths of a movie's vectors by audience and by title, neither a multiple of four.
const WIDTHS: [usize; 2] = [6, 5];

/// How steeply attention rises with likeness, and the weight of the visitor's own bias: by audience, taste, kind and
/// title.
const ATTENTION: [(f64, f64); 4] = [(6.0, 0.15), (5.0, 0.3), (6.0, 0.5), (6.0, 0.3)];

/// A made-up bundle's tables, in the form of the definitions.
struct World {
    catalog: Catalog,
    traits: MovieTraits,
    /// The mean rating, the share of likes, the noise.
    everybody: [f64; 3],
    /// Mean, expected rating, share of likes, spread, number of ratings.
    statistics: Vec<[f64; 5]>,
    audience: Vec<Vec<f64>>,
    titles: Vec<Vec<f64>>,
    loadings: Vec<Vec<f64>>,
    /// The taste that each audience column leads to.
    leaning: Vec<Vec<f64>>,
}

fn world() -> World {
    let mut random = Random::new(5);
    // Some movies have no year, two genres or no ratings, and the seventh has no audience and no words.
    let movie = |row: usize| Movie {
        id: MovieId(row as u32),
        key: None,
        title: format!("Movie {row}"),
        year: (row % 9 != 4).then_some(1950 + (row * 7 % 70) as u16),
        genres: if row.is_multiple_of(3) { vec![0, 2] } else { vec![(row % 3) as u16] },
        ratings: 1,
    };
    let genres = ["Action", "Comedy", "Drama"].map(str::to_owned).to_vec();
    let catalog = Catalog::new(genres, (0..MOVIES).map(movie).collect()).unwrap();
    let everybody = [3.5_f32, 0.45, 0.8];
    let statistics: Vec<[f32; 5]> = (0..MOVIES)
        .map(|row| {
            let mut part = || random.below(1000) as f32 / 1000.0;
            let ratings = if row % 11 == 3 { 0.0 } else { (part() * 300.0).ceil() };
            [2.0 + 2.5 * part(), 2.5 + 1.5 * part(), part(), 0.5 + part(), ratings]
        })
        .collect();
    let mut table = |width: usize| -> (Vec<i8>, Vec<f32>) {
        let code = |place: usize| if place / width == 7 { 0 } else { (random.below(255) as i32 - 127) as i8 };
        ((0..MOVIES * width).map(code).collect(), (0..MOVIES).map(|row| 0.002 + 0.0001 * (row % 7) as f32).collect())
    };
    let tables = [("audience", table(WIDTHS[0])), ("titles", table(WIDTHS[1])), ("taste", table(TASTES))];
    let leaning: Vec<[f32; TASTES]> =
        (0..WIDTHS[0]).map(|_| std::array::from_fn(|_| random.below(1000) as f32 / 1000.0 - 0.5)).collect();
    let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let mut tensors = vec![
        ("everybody".to_owned(), Dtype::F32, vec![3], bytes(&everybody)),
        ("statistics".to_owned(), Dtype::F32, vec![MOVIES, 5], bytes(statistics.as_flattened())),
        ("leaning".to_owned(), Dtype::F32, vec![WIDTHS[0], TASTES], bytes(leaning.as_flattened())),
    ];
    for (name, (codes, scales)) in &tables {
        let codes: Vec<u8> = codes.iter().map(|code| code.cast_unsigned()).collect();
        tensors.push(((*name).to_owned(), Dtype::I8, vec![MOVIES, codes.len() / MOVIES], codes));
        tensors.push((format!("{name}_scale"), Dtype::F32, vec![MOVIES], bytes(scales)));
    }
    let views =
        tensors.iter().map(|(name, dtype, shape, data)| (name, TensorView::new(*dtype, shape.clone(), data).unwrap()));
    let file = safetensors::serialize(views, None).unwrap();
    let traits = MovieTraits::from_safetensors(&file, &catalog).unwrap();
    let [audience, titles, loadings] = tables.map(|(_, (codes, scales))| {
        let rows = codes.chunks_exact(codes.len() / MOVIES).zip(scales);
        rows.map(|(row, scale)| row.iter().map(|code| f64::from(*code) * f64::from(scale)).collect()).collect()
    });
    let statistics = statistics.into_iter().map(|row| row.map(f64::from)).collect();
    let leaning = leaning.into_iter().map(|line| line.map(f64::from).to_vec()).collect();
    World { catalog, traits, everybody: everybody.map(f64::from), statistics, audience, titles, loadings, leaning }
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

fn cosine(one: &[f64], other: &[f64]) -> f64 {
    let lengths = (dot(one, one) * dot(other, other)).sqrt();
    if lengths > 0.0 { dot(one, other) / lengths } else { 0.0 }
}

/// The mean of some numbers and of `weight` times another.
fn shrunk(values: &[f64], weight: f64, towards: f64) -> f64 {
    (values.iter().sum::<f64>() + weight * towards) / (values.len() as f64 + weight)
}

/// The solution of `matrix · x = right`, by elimination with pivots.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let len = right.len();
    for step in 0..len {
        let pivot = (step..len).max_by(|one, other| matrix[*one][step].abs().total_cmp(&matrix[*other][step].abs()));
        matrix.swap(step, pivot.unwrap());
        right.swap(step, pivot.unwrap());
        let pivots = matrix[step].clone();
        for row in (0..len).filter(|row| *row != step) {
            let factor = matrix[row][step] / pivots[step];
            matrix[row].iter_mut().zip(&pivots).for_each(|(entry, pivot)| *entry -= factor * pivot);
            right[row] -= factor * right[step];
        }
    }
    (0..len).map(|row| right[row] / matrix[row][row]).collect()
}

impl World {
    fn known(&self, row: usize) -> f64 {
        self.statistics[row][4].ln_1p() / 5.0
    }

    /// The mean over all ratings of a movie's value.
    fn mean_of(&self, value: impl Fn(usize) -> f64) -> f64 {
        let ratings = |row: usize| self.statistics[row][4];
        (0..MOVIES).map(|row| ratings(row) * value(row)).sum::<f64>() / (0..MOVIES).map(ratings).sum::<f64>()
    }

    /// Genres and decade as one vector, the decade counting 0.7 of a genre.
    fn kind(&self, row: usize) -> Vec<f64> {
        let movie = &self.catalog.movies()[row];
        let decade = usize::from(movie.year.unwrap_or(1995) / 10);
        let mut kind = vec![0.0; 3 + 210];
        movie.genres.iter().for_each(|genre| kind[usize::from(*genre)] = 1.0);
        kind[3 + decade] = 0.7;
        kind
    }

    /// A movie's loadings less their mean over all ratings.
    fn taste(&self, row: usize) -> Vec<f64> {
        (0..TASTES).map(|at| self.loadings[row][at] - self.mean_of(|other| self.loadings[other][at])).collect()
    }

    /// All columns by definition, of one movie after a history of rows and stars.
    fn columns(&self, all: &[(usize, Option<f32>)], row: usize, year: f64) -> Vec<f64> {
        let watched = &all[all.len().saturating_sub(REACTION_HISTORY)..];
        let [mean, expected, like_share, spread, ratings] = self.statistics[row];
        let released = f64::from(self.catalog.movies()[row].year.unwrap_or(1995));
        let mut columns = vec![mean, mean.sqrt(), mean.powi(2), f64::from(u8::from(ratings == 0.0))];
        columns.extend([expected, like_share, spread, self.known(row)]);
        columns.extend([released, (released / 10.0).floor() * 10.0, (year - released).max(0.0)]);

        let rated: Vec<(usize, f64)> =
            watched.iter().filter_map(|(row, stars)| Some((*row, f64::from((*stars)?)))).collect();
        let stars: Vec<f64> = rated.iter().map(|(_, stars)| *stars).collect();
        let biases: Vec<f64> = rated.iter().map(|(row, stars)| stars - self.statistics[*row][1]).collect();
        let of_watched: Vec<f64> = watched.iter().map(|(row, _)| self.statistics[*row][1]).collect();
        let of_known: Vec<f64> = watched.iter().map(|(row, _)| self.known(*row)).collect();
        let watched_expected = shrunk(&of_watched, 3.0, self.mean_of(|row| self.statistics[row][1]));
        let time = all.len() as f64 + 1.0;
        columns.extend([time, time.sqrt(), time.ln(), (stars.len() as f64).ln_1p(), watched_expected]);
        columns.push(shrunk(&of_watched[of_watched.len().saturating_sub(10)..], 0.5, watched_expected));
        columns.push(shrunk(&of_known, 3.0, self.mean_of(|row| self.known(row))));

        let count = watched.len() as f64;
        let by_audience = |other: usize| cosine(&self.audience[row], &self.audience[other]);
        let by_taste = |other: usize| cosine(&self.taste(row), &self.taste(other));
        let by_kind = |other: usize| cosine(&self.kind(row), &self.kind(other));
        let by_title = |other: usize| cosine(&self.titles[row], &self.titles[other]);
        let mean_of = |likeness: &dyn Fn(usize) -> f64| {
            watched.iter().map(|(row, _)| likeness(*row)).sum::<f64>() / count.max(1.0)
        };
        columns.push(mean_of(&by_audience));
        columns.push(
            watched.iter().map(|(other, _)| dot(&self.audience[row], &self.audience[*other])).sum::<f64>()
                / (count + 1.0).sqrt(),
        );
        columns.extend([mean_of(&by_kind), mean_of(&by_title)]);
        let weight = |cosine: f64, steepness: f64| (steepness * (cosine - 1.0)).exp();
        let prior = 2.0 * (1.0 - ATTENTION[0].0).exp();
        let weights: Vec<f64> = watched.iter().map(|(row, _)| weight(by_audience(*row), ATTENTION[0].0)).collect();
        let alike = dot(&weights, &of_watched) + prior * watched_expected;
        columns.push(alike / (weights.iter().sum::<f64>() + prior) - watched_expected);

        let rating_bias = shrunk(&biases, 3.0, 0.0);
        let own_mean = stars.iter().sum::<f64>() / (stars.len() as f64).max(1.0);
        let squares: Vec<f64> = stars.iter().map(|stars| (stars - own_mean).powi(2)).collect();
        let at_least = |least: f64| stars.iter().map(|stars| f64::from(u8::from(*stars >= least))).collect::<Vec<_>>();
        columns.extend([rating_bias, shrunk(&stars, 3.0, self.everybody[0])]);
        columns.push(shrunk(&at_least(4.0), 3.0, self.everybody[1]));
        columns.extend([shrunk(&squares, 3.0, 0.9).sqrt(), shrunk(&at_least(4.5), 2.0, 0.5)]);
        columns.extend([1, 3, 10].map(|last| shrunk(&biases[biases.len().saturating_sub(last)..], 1.0, rating_bias)));
        let likenesses: [&dyn Fn(usize) -> f64; 4] = [&by_audience, &by_taste, &by_kind, &by_title];
        columns.extend(likenesses.into_iter().zip(ATTENTION).map(|(likeness, (steepness, prior))| {
            let weights: Vec<f64> = rated.iter().map(|(row, _)| weight(likeness(*row), steepness)).collect();
            let beyond: Vec<f64> = biases.iter().map(|bias| bias - rating_bias).collect();
            dot(&weights, &beyond) / (weights.iter().sum::<f64>() + prior)
        }));

        columns.extend(self.taste_columns(all, &rated, &biases, row));
        columns
    }

    /// The expected rating with the visitor's taste, and how unsure the taste is of this movie.
    fn taste_columns(
        &self,
        all: &[(usize, Option<f32>)],
        rated: &[(usize, f64)],
        biases: &[f64],
        row: usize,
    ) -> [f64; 2] {
        let noise = self.everybody[2];
        let entry = |at: usize, other: usize| {
            let sum: f64 = rated.iter().map(|(row, _)| self.loadings[*row][at] * self.loadings[*row][other]).sum();
            f64::from(u8::from(at == other)) + sum / noise
        };
        let precision: Vec<Vec<f64>> =
            (0..TASTES).map(|at| (0..TASTES).map(|other| entry(at, other)).collect()).collect();
        // The taste that all clicks lead to, however old, and the correction by the ratings.
        let pooled = |column: usize| all.iter().map(|(row, _)| self.audience[*row][column]).sum::<f64>();
        let lean = |at: usize| (0..WIDTHS[0]).map(|column| pooled(column) * self.leaning[column][at]).sum::<f64>();
        let prior: Vec<f64> = (0..TASTES).map(|at| lean(at) / (all.len() as f64 + 1.0).sqrt()).collect();
        let surprise = |row: usize, bias: f64| bias - dot(&self.loadings[row], &prior);
        let pull = |at: usize| -> f64 {
            rated
                .iter()
                .zip(biases)
                .map(|((row, _), bias)| self.loadings[*row][at] * surprise(*row, *bias) / noise)
                .sum()
        };
        let correction = solve(precision.clone(), (0..TASTES).map(pull).collect());
        let taste: Vec<f64> = prior.iter().zip(&correction).map(|(prior, correction)| prior + correction).collect();
        let expected = self.statistics[row][1] + dot(&self.loadings[row], &taste);
        [expected, dot(&self.loadings[row], &solve(precision, self.loadings[row].clone()))]
    }
}

/// An empty history, clicks, ratings, both, and a history longer than what counts.
#[test]
fn the_columns_are_those_of_their_definitions() {
    let world = world();
    // Early in 2015: some movies come out later, and their age is 0.
    let moment = LocalTime::from_unix(1_421_000_000, 0).unwrap();
    let stars = |at: usize| [None, Some(5.0), Some(0.5), Some(4.0), Some(4.5), None, Some(3.0)][at % 7];
    let history = |len: usize, rated: bool| -> Vec<(usize, Option<f32>)> {
        (0..len).map(|at| (at * 11 % MOVIES, if rated { stars(at) } else { None })).collect()
    };
    let histories = [
        history(0, true),
        history(1, false),
        history(2, true),
        history(15, false),
        history(30, true),
        history(206, true),
    ];
    for watched in histories {
        let watches: Vec<Watch> = watched
            .iter()
            .map(|(row, stars)| Watch { movie: MovieIndex::new(*row).unwrap(), rating: stars.and_then(Rating::new) })
            .collect();
        let asked = ReactionHistory::new(&world.catalog, &world.traits, &watches);
        for row in [0, 3, 4, 7, 66, MOVIES - 1] {
            let found = asked.features(MovieIndex::new(row).unwrap(), &moment);
            let expected = world.columns(&watched, row, 2015.0);
            assert_eq!(expected.len(), REACTION_WIDTH);
            for ((name, found), expected) in REACTION_FEATURES.into_iter().zip(found).zip(expected) {
                let difference = (f64::from(found) - expected).abs();
                assert!(
                    difference <= 2e-5 * expected.abs().max(1.0),
                    "{name} of {row} after {}: {found} instead of {expected}",
                    watched.len()
                );
            }
        }
    }
}
