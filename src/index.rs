//! The index for candidates: exact nearest neighbours by squared L2 distance over a flat table of rows.
//!
//! This file has the index over rows of floats, and `int8` the one over rows of 8 bits. `scan` goes through a table and
//! keeps the nearest rows. The kernels are `scalar`, the plain reference that native builds run, `simd128` for
//! WebAssembly, and `relaxed` for browsers with relaxed SIMD. All of them compute the same bits.

mod int8;
pub(crate) mod relaxed;
mod scalar;
mod scan;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[allow(unsafe_code)]
mod simd128;

use std::borrow::Cow;

use ndarray::Array2;

use crate::error::{Error, Result};

pub use int8::Int8Index;
use scan::{Layout, Nearest};

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
use scalar as kernel;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use simd128 as kernel;

/// Rows are padded with zeros to a multiple of this many numbers, the width of a SIMD register.
const LANES: usize = 4;

/// Rows of 8 bits are padded to a multiple of this many numbers, the width of the same register.
pub(crate) const CODE_LANES: usize = 16;

/// How many parts of a table are read in parallel.
pub(crate) const STREAMS: usize = 4;

/// A row of the index and its squared distance from the query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// The row's number.
    pub row: usize,
    /// The squared L2 distance, finite and at least 0.
    pub distance: f32,
}

/// A flat index, whose rows are all scanned for each query, as by FAISS's `IndexFlatL2`.
#[derive(Debug, Clone)]
pub struct FlatIndex {
    dim: usize,
    stride: usize,
    rows: Vec<f32>,
    /// The largest magnitude of any number. It shows whether a distance can overflow.
    largest: f32,
}

impl FlatIndex {
    /// An index over the rows of `table`, `[rows, dim]`.
    ///
    /// # Errors
    /// [`Error::NonFinite`] for a number that isn't finite, [`Error::ShapeMismatch`] for rows without a column.
    pub fn new(table: &Array2<f32>) -> Result<Self> {
        Self::from_rows(table.ncols(), table.nrows(), table.rows().into_iter().map(|row| row.into_iter().copied()))
    }

    /// An index over `len` rows of `dim` numbers each. They are written straight to their places, so that a table which
    /// is computed only for the index is in memory once.
    ///
    /// # Errors
    /// As [`FlatIndex::new`].
    pub fn from_rows<Row: Iterator<Item = f32>>(
        dim: usize,
        len: usize,
        rows: impl Iterator<Item = Row>,
    ) -> Result<Self> {
        let place = || "the index's rows".to_owned();
        if dim == 0 {
            let found = format!("[{len}, 0]");
            return Err(Error::ShapeMismatch { place: place(), expected: "[rows, 1 or more]".to_owned(), found });
        }
        let stride = dim.next_multiple_of(LANES);
        let mut padded = Vec::with_capacity(len * stride);
        for row in rows {
            let end = padded.len() + stride;
            padded.extend(row.take(dim));
            padded.resize(end, 0.0);
        }
        if padded.iter().any(|value| !value.is_finite()) {
            return Err(Error::NonFinite { place: place() });
        }
        let largest = largest(&padded);
        Ok(Self { dim, stride, rows: padded, largest })
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len() / self.stride
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The length of a row and of a query.
    pub const fn dim(&self) -> usize {
        self.dim
    }

    /// All rows with their padding, for a bench that reads the same memory as a scan.
    #[doc(hidden)]
    pub fn table(&self) -> &[f32] {
        &self.rows
    }

    /// A row with its padding, `None` beyond the last one.
    fn row(&self, row: usize) -> Option<&[f32]> {
        let start = row.checked_mul(self.stride)?;
        self.rows.get(start..start.checked_add(self.stride)?)
    }

    /// The `k` rows nearest to `query` among those for which `keep` is true, nearest first, ties by row.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for a query of another length, [`Error::NonFinite`] for a query or a distance that
    /// isn't finite.
    pub fn search(&self, query: &[f32], k: usize, keep: impl Fn(usize) -> bool) -> Result<Vec<Neighbour>> {
        check_query(query, self.dim)?;
        let mut padded = Vec::with_capacity(self.stride);
        padded.extend_from_slice(query);
        padded.resize(self.stride, 0.0);
        // If this doesn't overflow, no distance does, and the scan needn't check. It hardly ever does.
        let reach = self.largest + largest(query);
        let is_safe = (reach * reach * self.stride as f32 * 2.0).is_finite();
        let layout = Layout::new(self.len());
        let mut nearest = Nearest::new(k, self.len(), 0.0);
        let mut finite = true;
        let kernel = |parts: [&[f32]; STREAMS], found: &mut [[f32; STREAMS]]| {
            kernel::squared_l2_of_four(&padded, parts, found);
        };
        layout.scan(self.stride, &self.rows, kernel, |first, distances| {
            for (group, distances) in distances.iter().enumerate() {
                let limit = nearest.limit();
                // Nearly every group ends here. Comparing all lanes first avoids branches.
                let is_any_near = distances.iter().fold(false, |any, distance| any | (*distance <= limit));
                if !is_any_near && is_safe {
                    continue;
                }
                for (lane, distance) in distances.iter().enumerate() {
                    let row = layout.row(first + group, lane);
                    let is_near = *distance <= nearest.limit();
                    if (is_near || !distance.is_finite()) && row < self.len() && keep(row) {
                        finite &= distance.is_finite();
                        nearest.offer(Neighbour { row, distance: *distance });
                    }
                }
            }
        });
        if !finite {
            return Err(Error::NonFinite { place: "a distance of the scan".to_owned() });
        }
        Ok(nearest.sorted())
    }
}

/// The largest magnitude of any number; not finite if one of them isn't.
fn largest(values: &[f32]) -> f32 {
    values.iter().map(|value| value.abs()).fold(
        0.0,
        |largest, value| {
            if value > largest || value.is_nan() { value } else { largest }
        },
    )
}

fn check_query(query: &[f32], dim: usize) -> Result<()> {
    if query.len() == dim {
        return Ok(());
    }
    Err(Error::ShapeMismatch {
        place: "the query".to_owned(),
        expected: format!("[{dim}]"),
        found: format!("[{}]", query.len()),
    })
}

/// Searches by inner product with a bias, `q · xᵢ + bᵢ`, largest first, on a flat L2 index.
///
/// Each row gets two more numbers, its bias and `√(φ² − ‖xᵢ‖² − bᵢ²)`, where `φ` is the largest length of any row with
/// its bias. The query gets 1 and 0. Then all rows have the length `φ`, and `‖q′ − x′ᵢ‖² = ‖q‖² + 1 + φ² − 2 (q · xᵢ +
/// bᵢ)`: the nearest row is the one with the largest score. (Bachrach et al., *Speeding Up the Xbox Recommender System
/// Using a Euclidean Transformation for Inner-Product Spaces*, RecSys 2014.) A softmax over movies is such a score, so
/// its order and this index's are the same.
#[derive(Debug, Clone)]
pub struct InnerProductIndex {
    rows: Rows,
    bias: Vec<f32>,
    squared_radius: f32,
}

/// The rows of an [`InnerProductIndex`], as they are stored.
#[derive(Debug, Clone)]
enum Rows {
    /// Rows with their two more numbers.
    Floats(FlatIndex),
    /// Rows of 8 bits, and the number after the bias for each.
    Codes { codes: Int8Index, slack: Vec<f32> },
}

impl InnerProductIndex {
    /// An index over `embedding`, `[rows, dim]`, and one bias a row.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] unless there are as many biases as rows, and those of [`FlatIndex::new`].
    pub fn new(embedding: &Array2<f32>, bias: &[f32]) -> Result<Self> {
        let (len, dim) = embedding.dim();
        check_bias(bias, len)?;
        let squares: Vec<f64> = rows_of(embedding).zip(bias).map(|(row, bias)| squared_length(&row, *bias)).collect();
        let (squared_radius, slack) = lengthening(&squares);
        let rows = embedding.rows().into_iter().zip(bias.iter().zip(&slack));
        let rows = rows.map(|(row, (bias, slack))| row.into_iter().copied().chain([*bias, *slack]));
        let rows = Rows::Floats(FlatIndex::from_rows(dim + 2, len, rows)?);
        Ok(Self { rows, bias: bias.to_vec(), squared_radius: squared_radius as f32 })
    }

    /// The same index over the rows of `codes`, `[rows, dim]`, each times its scale. The codes stay in 8 bits, a
    /// quarter of the memory, and the answers are equal to the bit.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] unless there are as many biases as rows, and those of [`Int8Index::new`].
    pub fn from_codes(codes: &Array2<i8>, scales: Vec<f32>, bias: Vec<f32>) -> Result<Self> {
        check_bias(&bias, codes.nrows())?;
        let mut values = Vec::new();
        let rows = rows_of(codes).zip(scales.iter().zip(&bias));
        let squares: Vec<f64> = rows
            .map(|(row, (scale, bias))| {
                values.clear();
                values.extend(row.iter().map(|code| f32::from(*code) * scale));
                squared_length(&values, *bias)
            })
            .collect();
        let (squared_radius, slack) = lengthening(&squares);
        // All lengthened rows have the same length, and the query has a 1 at the place of the bias.
        let offsets: Vec<f64> = bias.iter().map(|bias| squared_radius - 2.0 * f64::from(*bias)).collect();
        let largest_offset = offsets.iter().fold(squared_radius, |largest, offset| offset.abs().max(largest));
        let codes = Int8Index::with_offsets(codes, scales, &offsets, largest_offset)?;
        Ok(Self { rows: Rows::Codes { codes, slack }, bias, squared_radius: squared_radius as f32 })
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.bias.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.bias.is_empty()
    }

    /// The length of a query.
    pub const fn dim(&self) -> usize {
        match &self.rows {
            Rows::Floats(rows) => rows.dim() - 2,
            Rows::Codes { codes, .. } => codes.dim(),
        }
    }

    /// A row's bias; 0 for a row that doesn't exist.
    pub fn bias(&self, row: usize) -> f32 {
        self.bias.get(row).copied().unwrap_or_default()
    }

    /// The mean of all rows, `[dim]`; zeros if there are none.
    pub fn mean(&self) -> Vec<f32> {
        let mut sums = vec![0.0_f64; self.dim()];
        for row in 0..self.len() {
            for (sum, value) in sums.iter_mut().zip(self.row(row)) {
                *sum += f64::from(value);
            }
        }
        sums.into_iter().map(|sum| (sum / self.len().max(1) as f64) as f32).collect()
    }

    /// A row's product with `query`, without its bias; `None` for a row that doesn't exist.
    pub fn product(&self, row: usize, query: &[f32]) -> Option<f32> {
        (row < self.len()).then(|| self.row(row).zip(query).map(|(value, query)| value * query).sum())
    }

    /// A row's numbers without the two more; none beyond the last row.
    fn row(&self, row: usize) -> impl Iterator<Item = f32> {
        let (floats, codes) = match &self.rows {
            Rows::Floats(rows) => (rows.row(row).and_then(|row| row.get(..self.dim())), None),
            Rows::Codes { codes, .. } => (None, Some(codes.row(row))),
        };
        floats.unwrap_or_default().iter().copied().chain(codes.into_iter().flatten())
    }

    /// The cosine of two rows without their biases, from −1 to 1; 0 for a row that doesn't exist or is zero.
    pub fn likeness(&self, one: usize, other: usize) -> f32 {
        let rows = match &self.rows {
            Rows::Floats(rows) => rows,
            Rows::Codes { codes, .. } => return codes.likeness(one, other),
        };
        let row = |row: usize| rows.row(row).and_then(|row| row.get(..self.dim())).unwrap_or_default();
        let (one, other) = (row(one), row(other));
        let product = |left: &[f32], right: &[f32]| left.iter().zip(right).map(|(l, r)| l * r).sum::<f32>();
        let lengths = (product(one, one) * product(other, other)).sqrt();
        if lengths > 0.0 { (product(one, other) / lengths).clamp(-1.0, 1.0) } else { 0.0 }
    }

    /// The `k` rows of largest `query · xᵢ + bᵢ` among those for which `keep` is true, best first, each with its score.
    ///
    /// # Errors
    /// As [`FlatIndex::search`].
    pub fn search(&self, query: &[f32], k: usize, keep: impl Fn(usize) -> bool) -> Result<Vec<(usize, f32)>> {
        if query.len() != self.dim() {
            return Err(Error::ShapeMismatch {
                place: "the user vector".to_owned(),
                expected: format!("[{}]", self.dim()),
                found: format!("[{}]", query.len()),
            });
        }
        let mut lengthened: Vec<f32> = query.iter().copied().chain([1.0, 0.0]).collect();
        let constant = query.iter().map(|value| value * value).sum::<f32>() + 1.0 + self.squared_radius;
        let neighbours = match &self.rows {
            Rows::Floats(rows) => rows.search(&lengthened, k, keep)?,
            Rows::Codes { codes, slack } => {
                lengthened.resize(lengthened.len().next_multiple_of(LANES), 0.0);
                let mut values = vec![0.0; lengthened.len()];
                codes.search_by(query, 1.0, k, keep, |row| {
                    let more = [&self.bias, slack].map(|column| column.get(row).copied().unwrap_or_default());
                    for (value, number) in values.iter_mut().zip(codes.row(row).chain(more)) {
                        *value = number;
                    }
                    scalar::squared_l2(&lengthened, &values)
                })?
            }
        };
        Ok(neighbours.iter().map(|near| (near.row, (constant - near.distance) / 2.0)).collect())
    }
}

fn check_bias(bias: &[f32], len: usize) -> Result<()> {
    if bias.len() == len {
        return Ok(());
    }
    Err(Error::ShapeMismatch {
        place: "the movies' bias".to_owned(),
        expected: format!("[{len}]"),
        found: format!("[{}]", bias.len()),
    })
}

/// The rows of a table as slices, which the compiler can vectorise loops over.
fn rows_of<T: Clone>(table: &Array2<T>) -> impl Iterator<Item = Cow<'_, [T]>> {
    table.rows().into_iter().map(|row| row.to_slice().map_or_else(|| Cow::Owned(row.to_vec()), Cow::Borrowed))
}

/// The squared length of a row with its bias. In double precision, so that the longest row's last column is 0 and no
/// other row's is the root of a negative number. In four sums, which the compiler vectorises, since a page waits for
/// the index.
fn squared_length(row: &[f32], bias: f32) -> f64 {
    let square = |value: &f32| f64::from(*value) * f64::from(*value);
    let (quads, rest) = row.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for quad in quads {
        for (sum, value) in sums.iter_mut().zip(quad) {
            *sum += square(value);
        }
    }
    sums.iter().sum::<f64>() + rest.iter().map(square).sum::<f64>() + square(&bias)
}

/// The squared length of all lengthened rows, and the number that makes each row so long.
fn lengthening(squares: &[f64]) -> (f64, Vec<f32>) {
    let squared_radius = squares.iter().copied().fold(0.0, f64::max);
    (squared_radius, squares.iter().map(|square| (squared_radius - square).max(0.0).sqrt() as f32).collect())
}
