//! Arithmetic that knows nothing of movies.

pub mod bytes;
pub mod eigen;
pub mod embeddings;
pub mod random;
pub mod solve;

use anyhow::Result;
use ndarray::{Array2, Axis, concatenate};

/// `tables` side by side.
pub(crate) fn concat_columns(tables: &[&Array2<f32>]) -> Result<Array2<f32>> {
    let views: Vec<_> = tables.iter().map(|table| table.view()).collect();
    Ok(concatenate(Axis(1), &views)?)
}
