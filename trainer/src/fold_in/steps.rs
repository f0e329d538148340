//! How many steps of conjugate gradients a fold-in takes, by trying it out on made-up histories.
//!
//! What makes a history hard is how alike its movies are and how much they count against the regularisation, so the histories
//! are of movies at random and of movies with long vectors, which are the well-known ones.

use anyhow::Result;
use ndarray::Array1;
use rand::seq::index::sample;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use watchnext::features::{HISTORY_LEN, NEUTRAL_RATING};

use super::{Dual, FoldIn};

/// The relative error that the steps must reach; 32 bits have about a third of it from rounding.
const TOLERANCE: f64 = 1e-6;

/// The most steps. With exact arithmetic a history of as many movies as there are slots needs no more than there are slots.
pub const MOST: usize = 64;

/// The lengths of the made-up histories.
const LENGTHS: [usize; 3] = [3, 10, HISTORY_LEN];

/// Histories of each length and kind.
const HISTORIES: usize = 16;

/// The share of the movies with the longest vectors of which every other history is made.
const LONGEST: usize = 10;

/// The seed of the histories.
const SEED: u64 = 20_080_102;

/// The least number of steps after which no made-up history's vector is off by more than [`TOLERANCE`].
pub(super) fn needed(fold_in: &FoldIn) -> Result<usize> {
    let errors = largest_errors(fold_in, MOST)?;
    let reached = errors.iter().position(|error| *error <= TOLERANCE);
    Ok(reached.map_or(MOST, |at| at + 1))
}

/// The largest relative error over the made-up histories after 1 to `most` steps, against the direct solution, in 64 bits.
///
/// # Errors
/// As [`FoldIn::solve`].
pub fn largest_errors(fold_in: &FoldIn, most: usize) -> Result<Vec<f64>> {
    let mut largest = vec![0.0_f64; most];
    for history in histories(fold_in) {
        let errors = errors(&fold_in.dual(&history), most)?;
        largest.iter_mut().zip(errors).for_each(|(largest, error)| *largest = largest.max(error));
    }
    Ok(largest)
}

/// Made-up histories: movies with weights.
fn histories(fold_in: &FoldIn) -> Vec<Vec<(usize, f32)>> {
    let (items, _) = fold_in.items.dim();
    let length =
        |item: usize| fold_in.items.row(item).unwrap_or_default().iter().map(|value| value * value).sum::<f32>();
    let mut longest: Vec<(f32, usize)> = (0..items).map(|item| (length(item), item)).collect();
    longest.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1)));
    longest.truncate((items / LONGEST).max(HISTORY_LEN));
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut histories = Vec::new();
    for len in LENGTHS {
        for number in 0..HISTORIES {
            let of_longest = number % 2 == 0;
            let pool = if of_longest { longest.len() } else { items };
            let picks = sample(&mut rng, pool, len.min(pool)).into_vec();
            let history = picks.into_iter().filter_map(|pick| {
                let movie = if of_longest { longest.get(pick)?.1 } else { pick };
                // Half stars from a half to five.
                Some((movie, rng.random_range(1..=10_u8).into()))
            });
            histories
                .push(history.map(|(movie, halves): (usize, f32)| (movie, 0.5 * halves / NEUTRAL_RATING)).collect());
        }
    }
    histories
}

/// The relative error of the vector after each step.
fn errors(dual: &Dual, most: usize) -> Result<Vec<f64>> {
    let matrix = dual.matrix();
    let exact = dual.scaled(&dual.solution()?);
    let norm = exact.dot(&exact).sqrt().max(f64::MIN_POSITIVE);
    let ratio = |above: f64, below: f64| if below > 0.0 { above / below } else { 0.0 };
    let mut solution: Array1<f64> = Array1::zeros(dual.right.len());
    let mut residual = dual.right.clone();
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
        let off = dual.scaled(&solution) - &exact;
        errors.push(off.dot(&off).sqrt() / norm);
    }
    Ok(errors)
}
