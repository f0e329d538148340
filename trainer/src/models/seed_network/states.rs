//! The training states, made small enough to ship as `states.safetensors` (see [`watchnext::states`] for its format).

use anyhow::{Context, Result, ensure};
use ndarray::Array2;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use safetensors::tensor::{Dtype, TensorView};
use watchnext::bundle::Role;
use watchnext::index::FlatIndex;
use watchnext::states::{NEIGHBOURS, StateIndex};

use super::network::Network;
use super::rows::{TrainingRows, forget_ratings};
use crate::bundle::file::BundleFile;
use crate::math::bytes::{floats, uint32};
use crate::math::eigen::principal_axes;

/// The largest file that a visitor has to fetch for the retrieval by states.
pub const MAX_BYTES: usize = 7_000_000;

/// Bytes of the header and of the tensors that don't grow with the states.
const FIXED_BYTES: usize = 160_000;

/// Bytes of a state apart from its codes: the movie watched next.
const NEXT_BYTES: usize = 4;

/// If not every axis can have a whole byte, the leading axes get this share of a state's bytes as whole bytes. The
/// other bytes hold two axes each. Measured on shipped states, the recall hardly changes from 0.4 to 0.6 and falls on
/// both sides.
const FINE_SHARE: f64 = 0.55;

/// A fine code reaches from −127 to 127.
const MOST_FINE: f32 = 127.0;

/// A coarse code's step in standard deviations of its axis, near the optimum of 16 steps for a normal distribution.
const COARSE_STEP: f32 = 0.335;

/// The states' file, with the codes' sizes and the states that it has.
#[derive(Debug)]
pub struct EncodedStates {
    /// `states.safetensors`.
    pub bytes: Vec<u8>,
    /// How many axes have 8 bits.
    pub fine: usize,
    /// How many axes have 4 bits.
    pub coarse: usize,
    /// The rows of the vectors that were kept, ascending: all, if they fit.
    pub kept: Vec<usize>,
}

impl EncodedStates {
    /// The states as a file of a bundle.
    pub fn file(&self) -> BundleFile {
        BundleFile { role: Role::States, bytes: self.bytes.clone() }
    }
}

/// The user vectors of rows as clicks alone, `[rows, STATE_DIM]`.
///
/// # Errors
/// As [`Network::user_vectors`].
pub fn click_vectors(network: &Network, rows: &TrainingRows) -> Result<Array2<f32>> {
    let mut weights = rows.rated_weights.clone();
    forget_ratings(&mut weights);
    let vectors = network.user_vectors(rows, weights)?;
    Ok(Array2::from_shape_vec(vectors.dims2()?, vectors.flatten_all()?.to_vec1()?)?)
}

/// Encodes `vectors` `[states, dim]` with the movies watched `next`.
///
/// The vectors are rotated onto the principal axes of their covariance, so that the leading coordinates carry as much
/// of the distances as any projection of that width can. The leading coordinates are rounded to 8 bits and the
/// following ones to 4, as many as fit into [`MAX_BYTES`]. If not all axes fit with 4 bits, a seeded sample of the
/// states is kept.
///
/// # Errors
/// No states, or an eigendecomposition that doesn't converge.
pub fn encode(vectors: &Array2<f32>, next: &[u32], seed: u64) -> Result<EncodedStates> {
    let (states, dim) = vectors.dim();
    ensure!(
        states > 0 && states == next.len(),
        "there are {states} states and {} next movies, and both must be equal and above 0",
        next.len()
    );
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
    Ok(EncodedStates { bytes: safetensors::serialize(views, None)?, fine, coarse, kept })
}

/// How many axes get 8 bits, and how many, an even number, get 4, if a state has `bytes` for its codes.
fn allot(bytes: usize, dim: usize) -> (usize, usize) {
    if bytes >= dim {
        return (dim, 0);
    }
    // As many axes as fit, and any bytes beyond that for more bits of the leading axes.
    let fine = ((bytes as f64 * FINE_SHARE) as usize).max(2 * bytes - dim.min(2 * bytes));
    (fine, 2 * (bytes - fine))
}

/// The share of the [`NEIGHBOURS`] nearest states, by the exact scan of `vectors`, that the encoded states find too. It
/// is the mean over `queries`. Both are `[rows, dim]`.
///
/// # Errors
/// States that the library refuses.
pub fn recall(vectors: &Array2<f32>, states: &EncodedStates, movies: usize, queries: &Array2<f32>) -> Result<f64> {
    let vectors = vectors.select(ndarray::Axis(0), &states.kept);
    let exact = FlatIndex::new(&vectors)?;
    let index = StateIndex::from_safetensors(&states.bytes, vectors.ncols(), movies)?;
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

    /// Room for a byte for every axis, for some of them, and for half a byte each.
    #[test]
    fn all_bytes_are_allotted() {
        for (bytes, fine, coarse) in [(200, 128, 0), (128, 128, 0), (100, 72, 56), (73, 40, 66), (64, 35, 58)] {
            assert_eq!(allot(bytes, 128), (fine, coarse), "{bytes}");
            assert!(fine + coarse / 2 <= bytes && fine + coarse <= 128);
        }
    }
}
