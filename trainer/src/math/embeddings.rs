//! Embeddings by movie, in the precision that ships.

use ndarray::{Array2, ArrayView1};

/// The least step of a rare movie is at most this many times that of the best-known movie.
const RAREST: f32 = 16.0;

/// Embeddings by movie.
#[derive(Debug, Clone, PartialEq)]
pub enum EmbeddingTable {
    /// `[movies, dim]`.
    Float(Array2<f32>),
    /// `[movies, dim]` of −127 to 127, and a scale for each row, `[movies]`.
    Int8(Array2<i8>, Vec<f32>),
}

impl EmbeddingTable {
    /// `values` in 8 bits, each row as finely as its largest number allows.
    pub(crate) fn fine(values: &Array2<f32>) -> Self {
        Self::rounded(values, |_| 0.0)
    }

    /// `values` in 8 bits, rounded so coarsely that they compress well: no row's step is below `step` times the spread
    /// of the table's numbers, in which rows count with `weights`.
    ///
    /// All columns must matter alike, as those of the tower's reduced tables do. An error in a row costs in proportion
    /// to the row's weight, so the best steps are in inverse proportion to the weight's root (reverse water-filling,
    /// Cover and Thomas, *Elements of Information Theory*, 10.3.3). Rare movies must keep something, so their steps are
    /// bounded.
    pub(crate) fn coarse(values: &Array2<f32>, weights: &[f32], step: f32) -> Self {
        let rows = || values.rows().into_iter().zip(weights);
        let energy: f32 = rows().map(|(row, weight)| weight * row.dot(&row)).sum();
        let count = weights.iter().sum::<f32>() * values.ncols() as f32;
        let spread = (energy / count.max(f32::MIN_POSITIVE)).sqrt();
        let highest = weights.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        Self::rounded(values, |row| {
            let weight = weights.get(row).copied().unwrap_or(highest);
            step * spread * (highest / weight.max(f32::MIN_POSITIVE)).sqrt().min(RAREST)
        })
    }

    fn rounded(values: &Array2<f32>, least_step: impl Fn(usize) -> f32) -> Self {
        let largest = |row: ArrayView1<f32>| row.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        let rows = values.rows().into_iter().enumerate();
        // A row of zeros stays one, with any scale.
        let step =
            |(at, row): (usize, ArrayView1<f32>)| (largest(row).max(f32::MIN_POSITIVE) / 127.0).max(least_step(at));
        let scales: Vec<f32> = rows.map(step).collect();
        let mut bytes = Array2::zeros(values.dim());
        for ((mut to, from), scale) in bytes.rows_mut().into_iter().zip(values.rows()).zip(&scales) {
            to.iter_mut().zip(from).for_each(|(to, from)| *to = (from / scale).round().clamp(-127.0, 127.0) as i8);
        }
        Self::Int8(bytes, scales)
    }

    /// How many movies and columns there are.
    pub fn dim(&self) -> (usize, usize) {
        match self {
            Self::Float(values) => values.dim(),
            Self::Int8(bytes, _) => bytes.dim(),
        }
    }

    /// A movie's numbers. `None` for a movie that isn't in the table, such as padding.
    pub fn row(&self, movie: usize) -> Option<Vec<f32>> {
        // Look the row up by its place: an iterator passes all rows before it, which takes hours for a million rows.
        let is_there = movie < self.dim().0;
        match self {
            Self::Float(values) => is_there.then(|| values.row(movie).to_vec()),
            Self::Int8(bytes, scales) => {
                let scale = scales.get(movie).filter(|_| is_there)?;
                Some(bytes.row(movie).iter().map(|byte| f32::from(*byte) * scale).collect())
            }
        }
    }

    /// The table as floats, `[movies, dim]`.
    pub fn values(&self) -> Array2<f32> {
        match self {
            Self::Float(values) => values.clone(),
            Self::Int8(bytes, scales) => {
                let mut values = bytes.mapv(f32::from);
                for (mut row, scale) in values.rows_mut().into_iter().zip(scales) {
                    row *= *scale;
                }
                values
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn wave(rows: usize, columns: usize, step: f32) -> Array2<f32> {
        Array2::from_shape_fn((rows, columns), |(row, column)| ((row * columns + column) as f32 * step).sin())
    }

    #[test]
    fn eight_bits_are_within_half_a_step() {
        let values = wave(9, 7, 0.37);
        let table = EmbeddingTable::fine(&values);
        for (movie, row) in values.rows().into_iter().enumerate() {
            let step = row.iter().fold(0.0_f32, |most, value| most.max(value.abs())) / 127.0;
            let kept = table.row(movie).unwrap();
            assert!(row.iter().zip(&kept).all(|(value, kept)| (value - kept).abs() <= step * 0.5001));
            assert_eq!(table.values().row(movie).to_vec(), kept);
        }
        assert_eq!(table.row(9), None);
    }

    /// Four movies of the weights 256, 16, 1 and 0: the steps of the second and the third are four and sixteen times
    /// the first's, and the last one's is no larger.
    #[test]
    fn rare_movies_are_kept_less_finely() {
        let values = wave(4, 50, 0.37);
        let EmbeddingTable::Int8(bytes, scales) = EmbeddingTable::coarse(&values, &[256.0, 16.0, 1.0, 0.0], 0.1) else {
            panic!("it is kept in 8 bits")
        };
        let spread = values.iter().map(|value| value * value).sum::<f32>() / 200.0;
        assert!((scales[0] / spread.sqrt() - 0.1).abs() < 0.01, "{scales:?}");
        for (scale, times) in scales.iter().zip([1.0, 4.0, 16.0, 16.0]) {
            assert!((scale / scales[0] - times).abs() < 1e-3, "{scales:?}");
        }
        assert!(bytes.row(0).iter().any(|byte| byte.abs() > 10) && bytes.row(2).iter().all(|byte| byte.abs() <= 1));
    }
}
