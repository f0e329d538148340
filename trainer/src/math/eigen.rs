//! Eigenvalues and principal axes of symmetric matrices.

use anyhow::{Result, anyhow};
use faer::linalg::solvers::SelfAdjointEigen;
use faer::traits::ComplexField;
use faer::{Mat, MatRef, Side};
use ndarray::{Array2, Axis};

/// The eigenvalues of a symmetric matrix, ascending, and its eigenvectors by column. Only the lower triangle is read.
///
/// # Errors
/// Eigenvalues that don't converge.
pub(crate) fn decompose<T: ComplexField>(matrix: MatRef<'_, T>) -> Result<SelfAdjointEigen<T>> {
    let size = matrix.nrows();
    matrix.self_adjoint_eigen(Side::Lower).map_err(|_| {
        anyhow!("the eigenvalues of a {size} × {size} matrix don't converge. Check that all numbers are finite.")
    })
}

/// [`decompose`] for ndarray's matrices.
///
/// # Errors
/// As [`decompose`].
pub(crate) fn eigen(matrix: &Array2<f64>) -> Result<(Vec<f64>, Array2<f64>)> {
    let (rows, columns) = matrix.dim();
    let dense = Mat::from_fn(rows, columns, |row, column| matrix.get((row, column)).copied().unwrap_or_default());
    let eigen = decompose(dense.as_ref())?;
    let values = eigen.S().column_vector().iter().copied().collect();
    Ok((values, Array2::from_shape_fn((rows, columns), |(row, column)| eigen.U()[(row, column)])))
}

/// The `rank` orthonormal axes of largest variance, `[rank, dim]`, and the standard deviation along each.
///
/// # Errors
/// As [`decompose`].
pub(crate) fn principal_axes(centered: &Array2<f32>, rank: usize) -> Result<(Array2<f32>, Vec<f32>)> {
    let (rows, dim) = centered.dim();
    let wide = centered.mapv(f64::from);
    let (values, vectors) = eigen(&(wide.t().dot(&wide) / rows as f64))?;
    let mut axes = Vec::with_capacity(rank * dim);
    let mut deviations = Vec::with_capacity(rank);
    // Eigenvalues ascend.
    for (variance, axis) in values.iter().zip(vectors.axis_iter(Axis(1))).rev().take(rank) {
        // An axis and its opposite are equally good. Take the one whose largest entry is positive, so that the file
        // doesn't depend on the solver's choice.
        let largest =
            axis.iter().copied().fold(0.0, |most: f64, value| if value.abs() > most.abs() { value } else { most });
        axes.extend(axis.iter().map(|value| (value * largest.signum()) as f32));
        deviations.push(variance.max(0.0).sqrt() as f32);
    }
    Ok((Array2::from_shape_vec((rank, dim), axes)?, deviations))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    /// Points on the ellipse with the half axes 3 and 1, turned by the angle whose tangent is 3/4.
    #[test]
    fn an_ellipse_has_its_two_axes() {
        let points = Array2::from_shape_fn((64, 2), |(row, column)| {
            let angle = std::f32::consts::TAU * row as f32 / 64.0;
            let (long, short) = (3.0 * angle.cos(), angle.sin());
            if column == 0 { 0.8 * long - 0.6 * short } else { 0.6 * long + 0.8 * short }
        });
        let (axes, deviations) = principal_axes(&points, 2).unwrap();
        let expected = ndarray::arr2(&[[0.8_f32, 0.6], [-0.6, 0.8]]);
        assert!((&axes - &expected).iter().all(|error| error.abs() < 1e-5), "{axes}");
        let half = 0.5_f32.sqrt();
        assert!((deviations[0] - 3.0 * half).abs() < 1e-5 && (deviations[1] - half).abs() < 1e-5, "{deviations:?}");
    }
}
