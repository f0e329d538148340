//! Retrieval by states: the movies that other users watched next when their user vectors were near the visitor's.
//!
//! `states.safetensors` holds one row for each training event, small enough to ship. The user vectors are rotated onto
//! their principal axes. The leading coordinates are rounded to 8 bits, the following to 4, and the last are left out.
//!
//! | tensor | type and shape | holds |
//! |---|---|---|
//! | `center` | F32 `[dim]` | the mean of the training vectors |
//! | `basis` | F32 `[rank, dim]` | the principal axes, orthonormal |
//! | `scale` | F32 `[rank]` | the step of each axis's codes |
//! | `fine` | I8 `[states, f]` | the first `f` coordinates, in steps |
//! | `coarse` | U8 `[states, c / 2]` | the next `c = rank − f`, two in a byte; see below |
//! | `next` | U32 `[states]` | the movie watched next, by dense index |
//!
//! A byte of `coarse` has the earlier coordinate in its low half. Code `k` is `k − 7.5` steps.

use std::collections::BTreeMap;

use ndarray::{Array1, Array2};
use safetensors::tensor::Dtype;

use crate::bundle::{Role, floats, tensor, tensors};
use crate::error::{Error, Result};
use crate::index::FlatIndex;

/// How many states vote, as in the notebook that this recommender began as.
pub const NEIGHBOURS: usize = 100;

/// The training states, each with the movie that was watched next.
#[derive(Debug, Clone)]
pub struct StateIndex {
    center: Array1<f32>,
    basis: Array2<f32>,
    index: FlatIndex,
    next: Vec<u32>,
}

impl StateIndex {
    /// Reads `states.safetensors` of a bundle of `movies` movies and vectors of length `dim`.
    ///
    /// # Errors
    /// [`Error::TensorInvalid`], [`Error::ShapeMismatch`], [`Error::NonFinite`].
    pub fn from_safetensors(bytes: &[u8], dim: usize, movies: usize) -> Result<Self> {
        const FILE: Role = Role::States;
        let invalid = |reason: String| Error::TensorInvalid { file: FILE.to_string(), reason };
        let file = tensors(FILE, bytes)?;
        let center = Array1::from_vec(floats(FILE, &file, "center", &[Some(dim)])?);
        let scale = floats(FILE, &file, "scale", &[None])?;
        let rank = scale.len();
        let basis = floats(FILE, &file, "basis", &[Some(rank), Some(dim)])?;
        let basis = Array2::from_shape_vec((rank, dim), basis).map_err(|error| invalid(error.to_string()))?;
        let fine = tensor(FILE, &file, "fine", Dtype::I8, &[None, None])?;
        let [states, fine_axes] = *fine.shape() else { return Err(invalid("`fine` isn't a table".to_owned())) };
        let coarse_axes = rank.checked_sub(fine_axes).filter(|axes| axes % 2 == 0);
        let coarse_axes = coarse_axes.ok_or_else(|| invalid(format!("{fine_axes} fine of {rank} axes")))?;
        let coarse = tensor(FILE, &file, "coarse", Dtype::U8, &[Some(states), Some(coarse_axes / 2)])?;
        let next = tensor(FILE, &file, "next", Dtype::U32, &[Some(states)])?;
        let (next, _) = next.data().as_chunks::<4>();
        let next: Vec<u32> = next.iter().map(|word| u32::from_le_bytes(*word)).collect();
        if let Some(beyond) = next.iter().find(|movie| **movie as usize >= movies) {
            return Err(invalid(format!("a state leads to movie {beyond} of {movies}")));
        }
        let rows = (0..states).map(|state| {
            let fine = codes_of(fine.data(), state, fine_axes).iter().map(|code| f32::from(code.cast_signed()));
            let pairs = codes_of(coarse.data(), state, coarse_axes / 2).iter();
            let coarse = pairs.flat_map(|pair| [pair & 0xf, pair >> 4]).map(|code| f32::from(code) - 7.5);
            fine.chain(coarse).zip(&scale).map(|(steps, scale)| steps * scale)
        });
        let index = FlatIndex::from_rows(rank, states, rows)?;
        Ok(Self { center, basis, index, next })
    }

    /// How many states there are.
    pub fn len(&self) -> usize {
        self.next.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.next.is_empty()
    }

    /// The `k` states nearest to a user vector, nearest first.
    ///
    /// # Errors
    /// As [`FlatIndex::search`].
    pub fn nearest(&self, vector: &[f32], k: usize) -> Result<Vec<usize>> {
        Ok(self.search(vector, k)?.into_iter().map(|neighbour| neighbour.row).collect())
    }

    fn search(&self, vector: &[f32], k: usize) -> Result<Vec<crate::index::Neighbour>> {
        if vector.len() != self.center.len() {
            return Err(Error::ShapeMismatch {
                place: "the user vector".to_owned(),
                expected: format!("[{}]", self.center.len()),
                found: format!("[{}]", vector.len()),
            });
        }
        let query = self.basis.dot(&(&Array1::from_vec(vector.to_vec()) - &self.center));
        self.index.search(&query.to_vec(), k, |_| true)
    }

    /// The movies that the [`NEIGHBOURS`] nearest states lead to, if `keep` is true for them: best first, each with its
    /// share of all votes, at most `limit`.
    ///
    /// A vote weighs `exp(−(d² − d₀²) / T)`, with `d₀` the distance of the nearest state and `T` the neighbours' mean
    /// excess over `d₀²`. Nearest-neighbour language models weigh their votes in this way (Khandelwal et al., ICLR
    /// 2020), at a fixed temperature.
    ///
    /// # Errors
    /// As [`FlatIndex::search`].
    pub fn vote(&self, vector: &[f32], limit: usize, keep: impl Fn(usize) -> bool) -> Result<Vec<(usize, f32)>> {
        let neighbours = self.search(vector, NEIGHBOURS)?;
        let nearest = neighbours.first().map_or(0.0, |neighbour| neighbour.distance);
        let excess = neighbours.iter().map(|neighbour| neighbour.distance - nearest).sum::<f32>();
        let temperature = (excess / neighbours.len().max(1) as f32).max(f32::MIN_POSITIVE);
        let mut votes: BTreeMap<usize, f32> = BTreeMap::new();
        let mut total = 0.0;
        for neighbour in &neighbours {
            let weight = (-(neighbour.distance - nearest) / temperature).exp();
            total += weight;
            if let Some(movie) = self.next.get(neighbour.row).map(|movie| *movie as usize).filter(|movie| keep(*movie))
            {
                *votes.entry(movie).or_default() += weight;
            }
        }
        let mut ranked: Vec<(usize, f32)> = votes.into_iter().map(|(movie, weight)| (movie, weight / total)).collect();
        ranked.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
        ranked.truncate(limit);
        Ok(ranked)
    }
}

/// One state's part of a table of codes, `width` bytes a state.
fn codes_of(codes: &[u8], state: usize, width: usize) -> &[u8] {
    codes.get(state * width..(state + 1) * width).unwrap_or_default()
}
