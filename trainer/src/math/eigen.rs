//! Eigenvalues and principal axes of symmetric matrices.

use anyhow::{Result, anyhow};
use faer::{Mat, Side};
use ndarray::Array2;

/// Eigenvalues, ascending, and their vectors by column.
pub(crate) fn eigen(matrix: &Array2<f64>) -> Result<(Vec<f64>, Array2<f64>)> {
    let (rows, columns) = matrix.dim();
    let dense = Mat::from_fn(rows, columns, |row, column| matrix.get((row, column)).copied().unwrap_or_default());
    let eigen =
        dense.self_adjoint_eigen(Side::Lower).map_err(|error| anyhow!("eigenvalues don't converge: {error:?}"))?;
    let values = eigen.S().column_vector().iter().copied().collect();
    Ok((values, Array2::from_shape_fn((rows, columns), |(row, column)| eigen.U()[(row, column)])))
}

/// The `rank` orthonormal axes of largest variance, `[rank, dim]`, and the standard deviation on each.
pub(crate) fn principal_axes(centered: &Array2<f32>, rank: usize) -> Result<(Array2<f32>, Vec<f32>)> {
    let (states, dim) = centered.dim();
    let wide = centered.mapv(f64::from);
    let covariance = wide.t().dot(&wide) / states as f64;
    let covariance = Mat::from_fn(dim, dim, |row, column| covariance.get((row, column)).copied().unwrap_or_default());
    let eigen = covariance
        .self_adjoint_eigen(Side::Lower)
        .map_err(|error| anyhow::anyhow!("the principal axes can't be found: {error:?}"))?;
    let mut axes = Vec::with_capacity(rank * dim);
    let mut deviations = Vec::with_capacity(rank);
    // Eigenvalues come in ascending order.
    for axis in (0..dim).rev().take(rank) {
        let column: Vec<f64> = eigen.U().col(axis).iter().copied().collect();
        // An axis and its opposite are equally good: the one whose largest entry is positive is taken, so that the file doesn't
        // depend on the solver's choice.
        let largest =
            column.iter().copied().fold(0.0, |most: f64, value| if value.abs() > most.abs() { value } else { most });
        axes.extend(column.iter().map(|value| (value * largest.signum()) as f32));
        let variance: f64 = eigen.S().column_vector().iter().nth(axis).copied().unwrap_or_default();
        deviations.push(variance.max(0.0).sqrt() as f32);
    }
    Ok((Array2::from_shape_vec((rank, dim), axes)?, deviations))
}
