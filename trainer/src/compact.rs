//! Training states made small enough to ship: `states.safetensors` (see [`watchnext::states`] for its form).

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};
use ndarray::Array2;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use watchnext::index::FlatIndex;
use watchnext::states::{NEIGHBOURS, StateIndex};

/// The largest file that a visitor is asked to fetch for the retrieval by states.
pub const MAX_BYTES: usize = 7_000_000;

/// Header and the tensors that don't grow with the states.
const FIXED_BYTES: usize = 160_000;

/// Bytes of a state besides its codes: the movie watched next.
const NEXT_BYTES: usize = 4;

/// A code of one byte reaches from −127 to 127.
const MOST_CODE: f32 = 127.0;

/// The states' file and how many states it holds.
#[derive(Debug)]
pub struct CompactStates {
    /// `states.safetensors`.
    pub bytes: Vec<u8>,
    /// The numbers kept of each state.
    pub rank: usize,
    /// The rows of the vectors that were kept, ascending: all, unless that many wouldn't fit.
    pub kept: Vec<usize>,
}

/// Encodes `vectors` `[states, dim]` with the movies watched `next`.
///
/// The vectors are rotated onto the principal axes of their covariance, so that a prefix of the coordinates carries as much of
/// every distance as any projection of that width can, and each coordinate is rounded to 8 bits. As many axes are kept as
/// fit [`MAX_BYTES`]; if not even half of them fit, a seeded sample of the states is kept instead of all.
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
    let rank = (budget / kept.len() - NEXT_BYTES).min(dim);
    let vectors = vectors.select(ndarray::Axis(0), &kept);
    let center = vectors.mean_axis(ndarray::Axis(0)).context("there are no states")?;
    let centered = &vectors - &center;
    let basis = principal_axes(&centered, rank)?;
    let mut coordinates = vec![0.0_f32; kept.len() * rank];
    let centered = centered.as_standard_layout();
    let centered =
        MatRef::from_row_major_slice(centered.as_slice().context("the states aren't contiguous")?, kept.len(), dim);
    let axes = MatRef::from_row_major_slice(&basis, rank, dim);
    let product = MatMut::from_row_major_slice_mut(&mut coordinates, kept.len(), rank);
    matmul(product, Accum::Replace, centered, axes.transpose(), 1.0, Par::rayon(0));
    let mut most = vec![f32::MIN_POSITIVE; rank];
    for row in coordinates.chunks_exact(rank) {
        for (most, value) in most.iter_mut().zip(row) {
            *most = most.max(value.abs());
        }
    }
    let scale: Vec<f32> = most.iter().map(|most| most / MOST_CODE).collect();
    let codes: Vec<u8> = coordinates
        .chunks_exact(rank)
        .flat_map(|row| row.iter().zip(&scale).map(|(value, scale)| ((value / scale).round() as i8).cast_unsigned()))
        .collect();
    let next: Vec<u32> = kept.iter().filter_map(|row| next.get(*row)).copied().collect();
    let floats = |values: Vec<f32>, shape: &[usize]| Tensor::from_vec(values, shape, &Device::Cpu);
    let tensors = HashMap::from([
        ("center", floats(center.to_vec(), &[dim])?),
        ("basis", floats(basis, &[rank, dim])?),
        ("scale", floats(scale, &[rank])?),
        ("next", Tensor::from_vec(next, kept.len(), &Device::Cpu)?),
    ]);
    Ok(CompactStates { bytes: serialize(&tensors, &codes, &[kept.len(), rank])?, rank, kept })
}

/// The `rank` orthonormal axes of largest variance, `[rank, dim]` row by row.
fn principal_axes(centered: &Array2<f32>, rank: usize) -> Result<Vec<f32>> {
    let dim = centered.ncols();
    let wide = Mat::from_fn(centered.nrows(), dim, |row, column| {
        centered.get((row, column)).map_or(0.0, |value| f64::from(*value))
    });
    let mut covariance = Mat::<f64>::zeros(dim, dim);
    matmul(
        covariance.as_mut(),
        Accum::Replace,
        wide.transpose(),
        wide.as_ref(),
        1.0 / centered.nrows() as f64,
        Par::rayon(0),
    );
    let eigen = covariance
        .self_adjoint_eigen(Side::Lower)
        .map_err(|error| anyhow::anyhow!("the states' principal axes can't be found: {error:?}"))?;
    // Eigenvalues come in ascending order. An axis and its opposite are equally good: the one whose largest entry is positive
    // is taken, so that the file doesn't depend on the solver's choice.
    let axes = (0..rank).flat_map(|axis| {
        let column: Vec<f64> = eigen.U().col(dim - 1 - axis).iter().copied().collect();
        let largest =
            column.iter().copied().fold(0.0, |most: f64, value| if value.abs() > most.abs() { value } else { most });
        column.into_iter().map(move |value| (value * largest.signum()) as f32)
    });
    Ok(axes.collect())
}

/// The tensors and the codes, whose type candle doesn't have, as one safetensors file.
fn serialize(tensors: &HashMap<&str, Tensor>, codes: &[u8], shape: &[usize]) -> Result<Vec<u8>> {
    use safetensors::tensor::{Dtype, TensorView};
    let mut data = Vec::new();
    for (name, tensor) in tensors {
        let (dtype, bytes) = match tensor.dtype() {
            candle_core::DType::U32 => {
                (Dtype::U32, tensor.to_vec1::<u32>()?.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
            }
            _ => (
                Dtype::F32,
                tensor.flatten_all()?.to_vec1::<f32>()?.iter().flat_map(|value| value.to_le_bytes()).collect(),
            ),
        };
        data.push((*name, dtype, tensor.dims().to_vec(), bytes));
    }
    let mut views = vec![("codes", TensorView::new(Dtype::I8, shape.to_vec(), codes)?)];
    for (name, dtype, shape, bytes) in &data {
        views.push((name, TensorView::new(*dtype, shape.clone(), bytes)?));
    }
    Ok(safetensors::serialize(views, None)?)
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
