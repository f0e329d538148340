//! Reasons, compared with a plain recomputation for a tower that can be worked out by hand, and on made-up movies.
#![cfg(not(target_arch = "wasm32"))]
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod fixture;
mod random;

use fixture::{Bundle, noon};
use ndarray::Array2;
use random::Random;
use trainer::synthetic::small::movie_id;
use watchnext::catalog::{MovieId, MovieIndex};
use watchnext::error::{Error, Result};
use watchnext::features::HISTORY_LEN;
use watchnext::history::{History, Rating, Watch};
use watchnext::index::InnerProductIndex;
use watchnext::model::{TowerInputs, UserTower};
use watchnext::reasons::{Reason, reasons};

const MOVIES: usize = 120;
const DIM: usize = 5;

fn table() -> Array2<f32> {
    let mut random = Random::new(3);
    Array2::from_shape_fn((MOVIES, DIM), |_| random.signed())
}

/// A tower that isn't additive: the weighted mean of the watched movies, and a number that depends only on their count.
#[derive(Debug)]
struct WeightedMean(Array2<f32>);

impl UserTower for WeightedMean {
    fn dim(&self) -> usize {
        DIM
    }
    fn embed(&self, inputs: &TowerInputs) -> Result<Vec<f32>> {
        let mut vector = vec![0.1; DIM];
        let total: f32 = inputs.history.weights.iter().sum();
        for (movie, weight) in inputs.history.movies.iter().zip(&inputs.history.weights) {
            if *weight > 0.0 {
                for (sum, value) in vector.iter_mut().zip(self.0.row(*movie as usize)) {
                    *sum += value * weight / total.sqrt();
                }
            }
        }
        Ok(vector)
    }
}

fn row(row: usize) -> MovieIndex {
    MovieIndex::new(row).unwrap()
}

fn history(rows: impl IntoIterator<Item = (usize, Option<f32>)>) -> History {
    let watch = |(at, stars): (usize, Option<f32>)| Watch { movie: row(at), rating: stars.and_then(Rating::new) };
    History::new(rows.into_iter().map(watch))
}

/// All positive contributions as shares, largest first, in double precision.
fn plain(table: &Array2<f32>, watched: &[(usize, Option<f32>)], suggestion: usize) -> Vec<(usize, f64)> {
    let vector = |watched: &[(usize, Option<f32>)]| {
        let weight = |stars: Option<f32>| f64::from(stars.unwrap_or(3.5)) / 3.5;
        let total: f64 = watched.iter().map(|(_, stars)| weight(*stars)).sum();
        let of = |column: usize| {
            let sum: f64 = watched.iter().map(|(row, stars)| f64::from(table[[*row, column]]) * weight(*stars)).sum();
            if watched.is_empty() { 0.0 } else { sum / total.sqrt() }
        };
        (0..DIM).map(of).collect::<Vec<f64>>()
    };
    let whole = vector(watched);
    let mean = |column: usize| (0..MOVIES).map(|row| f64::from(table[[row, column]])).sum::<f64>() / MOVIES as f64;
    let contribution = |left_out: usize| {
        let rest: Vec<_> = [&watched[..left_out], &watched[left_out + 1..]].concat();
        let without = vector(&rest);
        let part =
            |column: usize| (whole[column] - without[column]) * (f64::from(table[[suggestion, column]]) - mean(column));
        (0..DIM).map(part).sum::<f64>()
    };
    let mut all: Vec<(usize, f64)> =
        watched.iter().enumerate().map(|(at, (row, _))| (*row, contribution(at))).collect();
    // What was rated and not liked is no reason.
    let liked: Vec<usize> =
        watched.iter().filter(|(_, stars)| stars.is_none_or(|s| s >= 4.0)).map(|(row, _)| *row).collect();
    all.retain(|(row, contribution)| *contribution > 0.0 && liked.contains(row));
    let sum: f64 = all.iter().map(|(_, contribution)| contribution).sum();
    all.sort_by(|one, other| other.1.total_cmp(&one.1));
    all.into_iter().map(|(row, contribution)| (row, contribution / sum)).collect()
}

#[test]
fn reasons_are_those_of_the_plain_way() {
    let table = table();
    let (index, tower) = (InnerProductIndex::new(&table, &[9.0; MOVIES]).unwrap(), WeightedMean(table.clone()));
    let watched: Vec<(usize, Option<f32>)> = (0..70).map(|at| (at, [None, Some(5.0), Some(1.5)][at % 3])).collect();
    // The tower sees the last 50 of 70, so the first 20 can't be reasons.
    for len in [2, 5, 70] {
        let watched = &watched[..len];
        let suggestions: Vec<usize> = (80..110).collect();
        let asked: Vec<MovieIndex> = suggestions.iter().map(|at| row(*at)).collect();
        let found = reasons(&tower, &index, &history(watched.iter().copied()), &noon(), &asked, 60).unwrap();
        assert_eq!(found.len(), asked.len());
        for (reasons, suggestion) in found.iter().zip(suggestions) {
            let expected = plain(&table, &watched[len.saturating_sub(HISTORY_LEN)..], suggestion);
            let least = expected.first().map_or(0.0, |(_, largest)| largest * 0.1);
            let expected: Vec<(usize, f64)> = expected.into_iter().filter(|(_, share)| *share >= least).collect();
            let rows: Vec<usize> = reasons.iter().map(|reason| reason.movie.as_usize()).collect();
            assert_eq!(rows, expected.iter().map(|(row, _)| *row).collect::<Vec<_>>(), "{suggestion} after {len}");
            for (reason, (_, share)) in reasons.iter().zip(&expected) {
                assert!((f64::from(reason.share) - share).abs() < 1e-4, "{} for {share}", reason.share);
            }
        }
        let few = reasons(&tower, &index, &history(watched.iter().copied()), &noon(), &asked, 2).unwrap();
        assert!(few.iter().zip(&found).all(|(few, all)| few[..] == all[..all.len().min(2)]));
    }
}

/// The same rows in 8 bits and as floats, so that both forms of the index must give the same mean and products.
#[test]
fn rows_of_8_bits_give_the_same_products() {
    let codes = Array2::from_shape_fn((7, 3), |(row, column)| (row * 31 + column * 57) as i8);
    let scales: Vec<f32> = (0..7).map(|row| 0.01 + row as f32 * 0.003).collect();
    let floats = Array2::from_shape_fn((7, 3), |(row, column)| f32::from(codes[[row, column]]) * scales[row]);
    let bias = vec![0.5; 7];
    let of_codes = InnerProductIndex::from_codes(&codes, scales, bias.clone()).unwrap();
    let of_floats = InnerProductIndex::new(&floats, &bias).unwrap();
    assert_eq!(of_codes.mean(), of_floats.mean());
    let mean = floats.mean_axis(ndarray::Axis(0)).unwrap();
    assert!(of_codes.mean().iter().zip(&mean).all(|(found, expected)| (found - expected).abs() < 1e-6));
    let query = [0.5, -2.0, 0.25];
    for row in 0..7 {
        let expected = floats.row(row).dot(&ndarray::arr1(&query));
        assert!((of_codes.product(row, &query).unwrap() - expected).abs() < 1e-5);
        assert_eq!(of_codes.product(row, &query), of_floats.product(row, &query));
    }
    assert_eq!((of_codes.product(7, &query), of_floats.product(7, &query)), (None, None));
}

#[test]
fn the_only_watched_movie_is_the_only_reason_and_without_one_there_is_none() {
    let table = table();
    let (index, tower) = (InnerProductIndex::new(&table, &[0.0; MOVIES]).unwrap(), WeightedMean(table.clone()));
    let all: Vec<MovieIndex> = (0..MOVIES).map(row).collect();
    let found = reasons(&tower, &index, &history([(3, None)]), &noon(), &all, 3).unwrap();
    // Its own row speaks for it. Rows on the other side of the mean don't.
    assert_eq!(found[3], [Reason { movie: row(3), share: 1.0 }]);
    assert!(found.iter().all(|reasons| reasons.is_empty() || reasons[..] == found[3][..]));
    assert!(found.iter().any(Vec::is_empty));
    let found = reasons(&tower, &index, &History::default(), &noon(), &all[..2], 3).unwrap();
    assert_eq!(found, [vec![], vec![]]);
    assert!(reasons(&tower, &index, &history([(3, None)]), &noon(), &[], 3).unwrap().is_empty());
}

#[test]
fn a_contribution_that_is_not_finite_is_an_error() {
    #[derive(Debug)]
    struct Huge;
    impl UserTower for Huge {
        fn dim(&self) -> usize {
            DIM
        }
        fn embed(&self, inputs: &TowerInputs) -> Result<Vec<f32>> {
            Ok(vec![if inputs.history.weights[0] > 0.0 { f32::MAX } else { -f32::MAX }; DIM])
        }
    }
    let index = InnerProductIndex::new(&table(), &[0.0; MOVIES]).unwrap();
    let error = reasons(&Huge, &index, &history([(3, None)]), &noon(), &[row(4)], 3).unwrap_err();
    assert!(matches!(error, Error::NonFinite { .. }), "{error}");
}

/// Three comedies and two horror movies. A suggested comedy has the comedies for reasons, a horror movie the others.
#[test]
fn a_suggestion_is_explained_by_its_own_taste_group() {
    let recommender = Bundle::fresh().load().unwrap();
    let watched = [(0, 3), (2, 5), (0, 12), (2, 17), (0, 25)].map(|(group, movie)| movie_id(group, movie));
    let (history, _) = History::from_ids(recommender.catalog(), watched.map(|id| (MovieId(id), None))).unwrap();
    let index = |id: u32| recommender.catalog().index_of(MovieId(id)).unwrap();
    for group in [0, 2] {
        let asked: Vec<MovieIndex> = [8, 14, 21].map(|movie| index(movie_id(group, movie))).to_vec();
        for reasons in recommender.reasons(&history, &noon(), &asked, 5).unwrap() {
            let of_group =
                |reason: &Reason| recommender.catalog().movie(reason.movie).unwrap().id.0 / 100 == group as u32 + 1;
            assert!(of_group(&reasons[0]), "{group}: {reasons:?}");
            let own: f32 = reasons.iter().filter(|reason| of_group(reason)).map(|reason| reason.share).sum();
            assert!(own > 0.7, "{group}: {reasons:?}");
        }
    }
}
