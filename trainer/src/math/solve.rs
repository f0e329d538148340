//! Systems of linear equations with symmetric, positive definite matrices.

use anyhow::{Result, anyhow};
use faer::linalg::solvers::Llt;
use faer::traits::ComplexField;
use faer::{MatRef, Side};

/// Cholesky's factorisation, by which systems with this matrix can be solved. Only the lower triangle is read.
///
/// # Errors
/// A matrix that isn't positive definite.
pub(crate) fn cholesky<T: ComplexField>(matrix: MatRef<'_, T>) -> Result<Llt<T>> {
    let size = matrix.nrows();
    matrix.llt(Side::Lower).map_err(|_| {
        anyhow!(
            "the {size} × {size} matrix of its equations isn't positive definite. \
             Regularise more, and check that all numbers are finite."
        )
    })
}
