//! Training states made small enough to ship: `states.safetensors` (see [`watchnext::states`] for its form).

use crate::bundle::file::BundleFile;
use crate::math::bytes::{floats, uint32};
use crate::math::eigen::principal_axes;
use crate::models::seed_network::network::Network;
use crate::models::seed_network::rows::TrainingRows;
use anyhow::{Context, Result, ensure};
use ndarray::Array2;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use safetensors::tensor::{Dtype, TensorView};
use watchnext::bundle::STATES;
use watchnext::index::FlatIndex;
use watchnext::states::{NEIGHBOURS, StateIndex};

/// The largest file that a visitor is asked to fetch for the retrieval by states.
pub const MAX_BYTES: usize = 7_000_000;

/// Header and the tensors that don't grow with the states.
const FIXED_BYTES: usize = 160_000;

/// Bytes of a state besides its codes: the movie watched next.
const NEXT_BYTES: usize = 4;

/// The share of a state's bytes that its leading axes get as whole bytes when not every axis can have one; the other bytes
/// hold two axes each. Measured on the shipped states: the recall hardly changes from 0.4 to 0.6 and falls on both sides.
const FINE_SHARE: f64 = 0.55;

/// A fine code reaches from −127 to 127.
const MOST_FINE: f32 = 127.0;

/// A coarse code's step in standard deviations of its axis, near the optimum of 16 steps for a bell-shaped distribution.
const COARSE_STEP: f32 = 0.335;

/// The states' file and how many states it holds.
#[derive(Debug)]
pub struct CompactStates {
    /// `states.safetensors`.
    pub bytes: Vec<u8>,
    /// Axes kept with 8 bits.
    pub fine: usize,
    /// Axes kept with 4 bits.
    pub coarse: usize,
    /// The rows of the vectors that were kept, ascending: all, unless that many wouldn't fit.
    pub kept: Vec<usize>,
}

impl CompactStates {
    /// The states as a file of a bundle.
    pub fn file(&self) -> BundleFile {
        BundleFile { role: STATES, path: "states.safetensors", bytes: self.bytes.clone() }
    }
}

/// The user vectors `[rows, STATE_DIM]` of rows whose histories are clicks alone.
pub fn click_vectors(network: &Network, rows: &TrainingRows) -> Result<Array2<f32>> {
    let mut weights = rows.rated_weights.clone();
    crate::models::seed_network::rows::forget_ratings(&mut weights);
    let vectors = network.user_vectors(rows, weights)?;
    Ok(Array2::from_shape_vec(vectors.dims2()?, vectors.flatten_all()?.to_vec1()?)?)
}

/// Encodes `vectors` `[states, dim]` with the movies watched `next`.
///
/// The vectors are rotated onto the principal axes of their covariance, so that a prefix of the coordinates carries as much of
/// every distance as any projection of that width can; the leading ones are rounded to 8 bits, the following to 4, as many as
/// fit [`MAX_BYTES`]. If not even half the axes would fit, a seeded sample of the states is kept instead of all.
///
/// # Errors
/// No states, or an eigendecomposition that doesn't converge.
pub fn encode(vectors: &Array2<f32>, next: &[u32], seed: u64) -> Result<CompactStates> {
    let (states, dim) = vectors.dim();
    ensure!(states > 0 && states == next.len(), "there are {states} states and {} movies watched next", next.len());
    let budget = MAX_BYTES - FIXED_BYTES;
    let most_states = budget / (NEXT_BYTES + dim.div_ceil(2));
    let mut kept: Vec<usize> = (0..states).collect();
    if states > most_states {
        kept.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        kept.truncate(most_states);
        kept.sort_unstable();
    }
    let (fine, coarse) = allot(budget / kept.len() - NEXT_BYTES, dim);
    let rank = fine + coarse;
    let vectors = vectors.select(ndarray::Axis(0), &kept);
    let center = vectors.mean_axis(ndarray::Axis(0)).context("there are no states")?;
    let centered = &vectors - &center;
    let (basis, deviations) = principal_axes(&centered, rank)?;
    let coordinates = centered.dot(&basis.t());
    let most = coordinates
        .map_axis(ndarray::Axis(0), |axis| axis.iter().fold(f32::MIN_POSITIVE, |most, value| most.max(value.abs())));
    let scale: Vec<f32> = most
        .iter()
        .zip(&deviations)
        .enumerate()
        .map(
            |(axis, (most, deviation))| {
                if axis < fine { most / MOST_FINE } else { (deviation * COARSE_STEP).max(f32::MIN_POSITIVE) }
            },
        )
        .collect();
    let mut fine_codes = Vec::with_capacity(kept.len() * fine);
    let mut coarse_codes = Vec::with_capacity(kept.len() * coarse / 2);
    for row in coordinates.rows() {
        let codes: Vec<f32> = row.iter().zip(&scale).map(|(value, scale)| value / scale).collect();
        let (leading, following) = codes.split_at(fine);
        fine_codes.extend(leading.iter().map(|code| (code.round() as i8).cast_unsigned()));
        let nibble = |code: &f32| ((code.floor() + 8.0).clamp(0.0, 15.0)) as u8;
        let (pairs, _) = following.as_chunks::<2>();
        coarse_codes.extend(pairs.iter().map(|[low, high]| nibble(low) | nibble(high) << 4));
    }
    let next: Vec<u32> = kept.iter().filter_map(|row| next.get(*row)).copied().collect();
    let tensors = [
        ("center", Dtype::F32, vec![dim], floats(&center)),
        ("basis", Dtype::F32, vec![rank, dim], floats(&basis)),
        ("scale", Dtype::F32, vec![rank], floats(&scale)),
        ("fine", Dtype::I8, vec![kept.len(), fine], fine_codes),
        ("coarse", Dtype::U8, vec![kept.len(), coarse / 2], coarse_codes),
        ("next", Dtype::U32, vec![kept.len()], uint32(&next)),
    ];
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| Ok((*name, TensorView::new(*dtype, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>>>()?;
    Ok(CompactStates { bytes: safetensors::serialize(views, None)?, fine, coarse, kept })
}

/// How many axes get 8 bits and how many, an even number, get 4, when a state has `bytes` for its codes.
fn allot(bytes: usize, dim: usize) -> (usize, usize) {
    if bytes >= dim {
        return (dim, 0);
    }
    // All axes as far as they fit, and beyond that more bits for the leading ones.
    let fine = ((bytes as f64 * FINE_SHARE) as usize).max(2 * bytes - dim.min(2 * bytes));
    (fine, 2 * (bytes - fine))
}

/// The share of the [`NEIGHBOURS`] nearest states by the exact scan of `vectors` that the compact states find too, over
/// `queries`, both `[rows, dim]`.
pub fn recall(vectors: &Array2<f32>, compact: &CompactStates, movies: usize, queries: &Array2<f32>) -> Result<f64> {
    let vectors = vectors.select(ndarray::Axis(0), &compact.kept);
    let exact = FlatIndex::new(&vectors)?;
    let index = StateIndex::from_safetensors(&compact.bytes, vectors.ncols(), movies)?;
    let k = NEIGHBOURS.min(index.len());
    let queries: Vec<Vec<f32>> = queries.rows().into_iter().map(|query| query.to_vec()).collect();
    let found: Vec<usize> = queries
        .par_iter()
        .map(|query| -> Result<usize> {
            let truth: Vec<usize> = exact.search(query, k, |_| true)?.iter().map(|near| near.row).collect();
            Ok(index.nearest(query, k)?.iter().filter(|row| truth.contains(row)).count())
        })
        .collect::<Result<_>>()?;
    Ok(found.iter().sum::<usize>() as f64 / (k * queries.len().max(1)) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Room for every axis, for some of them, and for less than half a byte each.
    #[test]
    fn bytes_are_allotted_without_rest() {
        for (bytes, fine, coarse) in [(200, 128, 0), (128, 128, 0), (100, 72, 56), (73, 40, 66), (64, 35, 58)] {
            assert_eq!(allot(bytes, 128), (fine, coarse), "{bytes}");
            assert!(fine + coarse / 2 <= bytes && fine + coarse <= 128);
        }
    }
}
