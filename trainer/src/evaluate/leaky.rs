//! P1-leaky: reproduces the notebook's published figure, to show that it is a leak.

use anyhow::{Context, Result};
use ndarray::Array2;
use rayon::prelude::*;
use serde::Serialize;
use watchnext::index::FlatIndex;
use watchnext::states::NEIGHBOURS;

/// Hit rates at 100 with the target's own state among the neighbours. They say nothing about quality.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Leaky {
    /// Of the users with dense ids 0 to 40, the notebook's validation set.
    pub validation: f64,
    /// Of the users with dense ids 41 to 80, the notebook's test set.
    pub test: f64,
}

/// User states, each with the movie that was watched next.
#[derive(Debug)]
pub struct StatesWithTargets {
    /// `[rows, dim]`.
    pub states: Array2<f32>,
    /// `[rows]`, dense indices.
    pub targets: Vec<u32>,
}

/// The share of `queries`, 0 to 1, whose target is among the targets of the [`NEIGHBOURS`] nearest `known` states.
///
/// # Errors
/// States that aren't finite, or whose widths differ.
pub fn neighbour_hit_rate(known: &StatesWithTargets, queries: &StatesWithTargets) -> Result<f64> {
    let index = FlatIndex::new(&known.states)?;
    let queries: Vec<(Vec<f32>, u32)> =
        queries.states.rows().into_iter().map(|row| row.to_vec()).zip(queries.targets.iter().copied()).collect();
    let hits = queries
        .par_iter()
        .map(|(query, target)| -> Result<usize> {
            let near = index.search(query, NEIGHBOURS, |_| true)?;
            Ok(usize::from(near.iter().any(|near| known.targets.get(near.row) == Some(target))))
        })
        .sum::<Result<usize>>()
        .context("the scan over the states failed")?;
    Ok(hits as f64 / queries.len().max(1) as f64)
}
