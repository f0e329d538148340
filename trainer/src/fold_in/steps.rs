//! How many steps of conjugate gradients a fold-in takes, measured on made-up histories.
//!
//! A history is hard if its movies are alike or count much against the regularisation. So there are histories of random
//! movies, of movies with long vectors, which are the well-known ones, and of the neighbours of one such movie.

use anyhow::Result;
use ndarray::Array1;
use rand::seq::index::sample;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use watchnext::features::{HISTORY_LEN, NEUTRAL_RATING};

use super::system::{Dual, System};

/// The relative error that the steps must reach. Where 32 bits can't reach it, the least error that they reach counts.
pub const TOLERANCE: f64 = 2e-6;

/// An error of this many times the least one is near enough to it.
pub const NEAR: f64 = 1.1;

/// Steps beyond those that the made-up histories need. People's movies are more alike: on MovieLens they took one step
/// more.
pub const SPARE: usize = 2;

/// The most steps. With exact arithmetic a history needs no more steps than it has movies.
pub const MOST: usize = 64;

/// The lengths of the made-up histories.
const LENGTHS: [usize; 3] = [3, 10, HISTORY_LEN];

/// Histories of each length and kind.
const HISTORIES: usize = 8;

/// One movie in so many is among those with the longest vectors.
const LONGEST: usize = 10;

/// The seed of the histories.
const SEED: u64 = 20_080_102;

/// The least number of steps after which no made-up history's vector is off by more than [`TOLERANCE`], and [`SPARE`]
/// more. `errors` are the [`largest_errors`].
pub(super) fn needed(errors: &[f64]) -> usize {
    let goal = TOLERANCE.max(NEAR * errors.iter().copied().fold(f64::INFINITY, f64::min));
    let reached = errors.iter().position(|error| *error <= goal);
    reached.map_or(MOST, |at| (at + 1 + SPARE).min(MOST))
}

/// The largest relative error over the made-up histories after 1 to `most` steps of 32 bits, against the direct
/// solution in 64.
///
/// # Errors
/// As [`System::solve`].
pub(super) fn largest_errors(system: &System, most: usize) -> Result<Vec<f64>> {
    let mut largest = vec![0.0_f64; most];
    for history in histories(system) {
        let errors = errors(&system.dual(&history), most)?;
        largest.iter_mut().zip(errors).for_each(|(largest, error)| *largest = largest.max(error));
    }
    Ok(largest)
}

/// Made-up histories: movies with weights.
fn histories(system: &System) -> Vec<Vec<(usize, f32)>> {
    let (items, _) = system.items.dim();
    let row = |item: usize| system.items.row(item).unwrap_or_default();
    let product = |left: &[f32], right: &[f32]| left.iter().zip(right).map(|(left, right)| left * right).sum::<f32>();
    let longest = top_by(items, (items / LONGEST).max(HISTORY_LEN), |item| {
        let row = row(item);
        product(&row, &row)
    });
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let pick = |rng: &mut ChaCha8Rng, pool: &[usize], len: usize| -> Vec<usize> {
        let picks = sample(rng, pool.len(), len.min(pool.len()));
        picks.into_iter().filter_map(|pick| pool.get(pick).copied()).collect()
    };
    let all: Vec<usize> = (0..items).collect();
    let mut histories = Vec::new();
    for len in LENGTHS {
        for _ in 0..HISTORIES {
            let centre = pick(&mut rng, &longest, 1).first().map(|item| row(*item)).unwrap_or_default();
            let neighbours = top_by(items, len, |item| product(&row(item), &centre));
            let (at_random, long) = (pick(&mut rng, &all, len), pick(&mut rng, &longest, len));
            for movies in [at_random, long, neighbours] {
                // Half stars from a half to five.
                let mut weight = || 0.5 * f32::from(rng.random_range(1..=10_u8)) / NEUTRAL_RATING;
                histories.push(movies.into_iter().map(|movie| (movie, weight())).collect());
            }
        }
    }
    histories
}

/// The `count` items of the highest `score`, ties by index.
fn top_by(items: usize, count: usize, score: impl Fn(usize) -> f32 + Sync) -> Vec<usize> {
    let order = |left: &(f32, usize), right: &(f32, usize)| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1));
    let mut scored: Vec<(f32, usize)> = (0..items).into_par_iter().map(|item| (score(item), item)).collect();
    if count < items {
        // Sorting a million items for the first fifty would take most of the time.
        scored.select_nth_unstable_by(count, order);
        scored.truncate(count);
    }
    scored.sort_by(order);
    scored.into_iter().map(|(_, item)| item).collect()
}

/// The relative error of the vector after each step. The steps are of 32 bits, as in the graph: rounding makes the
/// directions less than conjugate, which costs more steps.
fn errors(dual: &Dual, most: usize) -> Result<Vec<f64>> {
    let matrix = dual.matrix().mapv(|value| value as f32);
    let exact = dual.scaled(&dual.solution()?);
    let norm = exact.dot(&exact).sqrt().max(f64::MIN_POSITIVE);
    let ratio = |above: f32, below: f32| if below > 0.0 { above / below } else { 0.0 };
    let mut residual = dual.right.mapv(|value| value as f32);
    let mut solution: Array1<f32> = Array1::zeros(residual.len());
    let mut direction = residual.clone();
    let mut square = residual.dot(&residual);
    let mut errors = Vec::with_capacity(most);
    for _ in 0..most {
        let image = matrix.dot(&direction);
        let step = ratio(square, direction.dot(&image));
        solution.scaled_add(step, &direction);
        residual.scaled_add(-step, &image);
        let next = residual.dot(&residual);
        direction = &residual + &(direction * ratio(next, square));
        square = next;
        let off = dual.scaled(&solution.mapv(f64::from)) - &exact;
        errors.push(off.dot(&off).sqrt() / norm);
    }
    Ok(errors)
}
