//! A wide table of embeddings in few columns, with the least possible error of the scores that it takes part in.

use anyhow::Result;
use ndarray::Array2;

use crate::math::eigen::eigen;

/// Added to a metric's diagonal, relative to its mean, so that directions without weight have a finite inverse.
const RIDGE: f64 = 1e-6;

/// `table ≈ reduced · decoder`.
#[derive(Debug, Clone, PartialEq)]
pub struct Reduced {
    /// `[rows, dim]`. Its columns are uncorrelated, the most important first.
    pub table: Array2<f32>,
    /// `[dim, columns]`.
    pub decoder: Array2<f32>,
}

/// The columns' covariance over the rows, `tableᵀ · diag(weights) · table`, `[columns, columns]`.
pub fn covariance(table: &Array2<f32>, weights: &[f32]) -> Array2<f64> {
    let mut weighted = table.mapv(f64::from);
    for (mut row, weight) in weighted.rows_mut().into_iter().zip(weights) {
        row *= f64::from(*weight).sqrt();
    }
    weighted.t().dot(&weighted)
}

/// A root `L` of a metric `L · Lᵀ`, and the root's inverse.
fn root(metric: &Array2<f64>) -> Result<(Array2<f64>, Array2<f64>)> {
    let (values, vectors) = eigen(metric)?;
    let ridge = RIDGE * values.iter().sum::<f64>() / values.len().max(1) as f64;
    let mut root = vectors.clone();
    let mut inverse = vectors.reversed_axes();
    for (at, value) in values.iter().enumerate() {
        let length = (value.max(0.0) + ridge).sqrt();
        root.column_mut(at).mapv_inplace(|entry| entry * length);
        inverse.row_mut(at).mapv_inplace(|entry| entry / length);
    }
    Ok((root, inverse))
}

/// The best `dim` columns for `table`, `[rows, columns]`.
///
/// A row counts with its weight. An error counts with `metric`, `[columns, columns]`, the covariance of the vectors
/// that the rows are multiplied with. With a root `L` of the metric the errors of the scores are those of `table · L`.
/// The best approximation of that with a given rank is its projection on its first right singular vectors (Eckart and
/// Young 1936).
///
/// # Errors
/// Eigenvalues that don't converge.
pub fn reduce(table: &Array2<f32>, weights: &[f32], metric: &Array2<f64>, dim: usize) -> Result<Reduced> {
    let (root, inverse) = root(metric)?;
    let inner = root.t().dot(&covariance(table, weights)).dot(&root);
    let (_, vectors) = eigen(&inner)?;
    let columns = vectors.ncols();
    let kept: Vec<usize> = (0..dim.min(columns)).map(|place| columns - 1 - place).collect();
    let vectors = vectors.select(ndarray::Axis(1), &kept);
    let encoder = root.dot(&vectors);
    let decoder = vectors.t().dot(&inverse);
    Ok(Reduced {
        table: table.mapv(f64::from).dot(&encoder).mapv(|value| value as f32),
        decoder: decoder.mapv(|value| value as f32),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Ten columns that are mixtures of three: three columns keep all of it, with any metric.
    #[test]
    fn a_table_of_rank_three_fits_into_three_columns() {
        let wave = |rows: usize, columns: usize, step: f32| {
            Array2::from_shape_fn((rows, columns), |(row, column)| ((row * columns + column) as f32 * step).sin())
        };
        let table = wave(50, 3, 0.7).dot(&wave(3, 10, 1.9));
        let other = wave(40, 10, 0.37);
        let metric = covariance(&other, &[1.0; 40]);
        let reduced = reduce(&table, &[1.0; 50], &metric, 3).unwrap();
        assert_eq!(reduced.table.dim(), (50, 3));
        let back = reduced.table.dot(&reduced.decoder);
        assert!((&back - &table).iter().all(|error| error.abs() < 1e-3));
    }

    /// Only the second of two columns is ever multiplied with anything but 0, so it is kept, though the first varies
    /// more.
    #[test]
    fn columns_that_the_metric_ignores_are_left_out() {
        let table =
            Array2::from_shape_fn(
                (20, 2),
                |(row, column)| {
                    if column == 0 { 10.0 * (row as f32).sin() } else { (row as f32).cos() }
                },
            );
        let metric = ndarray::arr2(&[[0.0, 0.0], [0.0, 1.0]]);
        let reduced = reduce(&table, &[1.0; 20], &metric, 1).unwrap();
        let back = reduced.table.dot(&reduced.decoder);
        assert!((&back.column(1) - &table.column(1)).iter().all(|error| error.abs() < 1e-2));
    }
}
