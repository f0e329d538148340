//! The titles' vectors on their principal axes, in 8 bits, and how much that loses.

use anyhow::{Context, Result, ensure};
use ndarray::{Array2, Axis, s};
use rayon::prelude::*;

use crate::math::eigen::principal_axes;
use crate::math::embeddings::EmbeddingTable;

/// Rows whose similarities to all others are computed at once; 256 rows of 10,000 take 10 MB.
const BLOCK: usize = 256;

/// The titles' vectors in few columns.
#[derive(Debug, Clone, PartialEq)]
pub struct ReducedTitles {
    /// `[movies, dim]`, 8 bits with a scale for each movie. The columns are uncorrelated, the largest variance first.
    pub table: EmbeddingTable,
    /// The share of the vectors' variance that the `dim` columns keep, from 0 to 1.
    pub variance_kept: f64,
}

/// Reduces `embeddings` `[movies, columns]`, less their mean, to their coordinates on the `dim` principal axes.
///
/// # Errors
/// No movies, more dimensions than columns, or eigenvalues that don't converge.
pub fn reduce_titles(embeddings: &Array2<f32>, dim: usize) -> Result<ReducedTitles> {
    let (movies, columns) = embeddings.dim();
    ensure!(
        (1..=columns).contains(&dim),
        "titles of {columns} numbers can't be reduced to {dim}. Ask for 1 to {columns} dimensions."
    );
    let center = embeddings.mean_axis(Axis(0)).context("there are no titles to reduce")?;
    let centered = embeddings - &center;
    let (axes, deviations) = principal_axes(&centered, dim)?;
    let square = |value: &f32| f64::from(*value) * f64::from(*value);
    let all = centered.iter().map(square).sum::<f64>() / movies as f64;
    let kept = deviations.iter().map(square).sum::<f64>();
    let variance_kept = if all > 0.0 { (kept / all).min(1.0) } else { 1.0 };
    Ok(ReducedTitles { table: EmbeddingTable::fine(&centered.dot(&axes.t())), variance_kept })
}

impl ReducedTitles {
    /// The table's numbers as floats, `[movies, dim]`.
    ///
    /// # Errors
    /// Rows of different widths. No table has them.
    pub fn values(&self) -> Result<Array2<f32>> {
        let (movies, dim) = self.table.dim();
        let rows: Vec<f32> = (0..movies).filter_map(|movie| self.table.row(movie)).flatten().collect();
        Ok(Array2::from_shape_vec((movies, dim), rows)?)
    }
}

/// The share of neighbours that two lists have in common: of each row's neighbours in `one`, those that `other` has for
/// the same row. The lists are those of [`nearest`].
///
/// # Errors
/// Lists of different numbers of rows.
pub fn overlap(one: &[Vec<usize>], other: &[Vec<usize>]) -> Result<f64> {
    ensure!(
        one.len() == other.len(),
        "the neighbours of {} rows can't be compared with those of {}",
        one.len(),
        other.len()
    );
    let all: usize = one.iter().map(Vec::len).sum();
    let common: usize =
        one.iter().zip(other).map(|(one, other)| one.iter().filter(|row| other.contains(row)).count()).sum();
    Ok(common as f64 / all.max(1) as f64)
}

/// The `k` nearest other rows of each row of `table` `[rows, columns]` by cosine, in no order. Of rows with equal
/// cosines, the lower index is nearer.
///
/// # Errors
/// Fewer than `k` others.
pub fn nearest(table: &Array2<f32>, k: usize) -> Result<Vec<Vec<usize>>> {
    ensure!((1..table.nrows()).contains(&k), "{} rows have no {k} nearest others", table.nrows());
    let mut unit = table.clone();
    for mut row in unit.rows_mut() {
        let length = row.dot(&row).sqrt().max(f32::MIN_POSITIVE);
        row /= length;
    }
    let starts: Vec<usize> = (0..unit.nrows()).step_by(BLOCK).collect();
    let of_block = |start: &usize| {
        let end = (start + BLOCK).min(unit.nrows());
        let similarities = unit.slice(s![*start..end, ..]).dot(&unit.t());
        let of_row = |(own, row): (usize, ndarray::ArrayView1<f32>)| {
            let mut others: Vec<(f32, usize)> =
                row.iter().copied().zip(0..).filter(|(_, other)| *other != own).collect();
            let order = |one: &(f32, usize), other: &(f32, usize)| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1));
            if k < others.len() {
                others.select_nth_unstable_by(k, order);
            }
            others.into_iter().take(k).map(|(_, other)| other).collect()
        };
        (*start..).zip(similarities.rows()).map(of_row).collect::<Vec<Vec<usize>>>()
    };
    Ok(starts.par_iter().flat_map_iter(of_block).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Rows whose mean is far from zero. Their columns are mixtures of `rank` waves.
    fn mixtures(rows: usize, columns: usize, rank: usize) -> Array2<f32> {
        // Waves of equal steps would all be mixtures of two.
        let wave = |rows: usize, columns: usize, step: f32| {
            let place = |row: usize, column: usize| ((row * columns + column).pow(2) % 1009) as f32;
            Array2::from_shape_fn((rows, columns), |(row, column)| (place(row, column) * step).sin())
        };
        wave(rows, rank, 0.7).dot(&wave(rank, columns, 1.9)) + 5.0
    }

    #[test]
    fn as_many_axes_as_there_are_directions_keep_all_but_the_rounding() {
        let embeddings = mixtures(60, 12, 3);
        let reduced = reduce_titles(&embeddings, 3).unwrap();
        assert!(reduced.variance_kept > 0.9999, "{}", reduced.variance_kept);
        let values = reduced.values().unwrap();
        // A rotation and a shift keep distances. Eight bits cost at most a 127th of the largest coordinate.
        let distance = |table: &Array2<f32>, one: usize, other: usize| {
            let difference = &table.row(one) - &table.row(other);
            difference.dot(&difference).sqrt()
        };
        for (one, other) in [(0, 1), (3, 40), (20, 59)] {
            let (before, after) = (distance(&embeddings, one, other), distance(&values, one, other));
            assert!((before - after).abs() < 0.1, "{before} and {after}");
        }
        assert!(values.mean_axis(Axis(0)).unwrap().iter().all(|mean| mean.abs() < 0.05));
    }

    #[test]
    fn fewer_axes_keep_less_and_the_first_ones_keep_most() {
        let embeddings = mixtures(60, 12, 5);
        let kept: Vec<f64> = (1..=5).map(|dim| reduce_titles(&embeddings, dim).unwrap().variance_kept).collect();
        assert!(kept.is_sorted() && kept.first() > Some(&0.2), "{kept:?}");
    }

    #[test]
    fn each_movie_has_its_own_scale() {
        let mut embeddings = mixtures(40, 8, 8);
        embeddings.row_mut(0).fill(500.0);
        let reduced = reduce_titles(&embeddings, 8).unwrap();
        let EmbeddingTable::Int8(bytes, scales) = &reduced.table else { unreachable!("the table has 8 bits") };
        assert!(bytes.rows().into_iter().all(|row| row.iter().any(|byte| byte.abs() == 127)), "{bytes:?}");
        assert!(scales.first() > scales.get(1));
    }

    #[test]
    fn dimensions_that_are_not_there_are_refused() {
        let embeddings = mixtures(10, 4, 2);
        for dim in [0, 5] {
            let message = reduce_titles(&embeddings, dim).unwrap_err().to_string();
            assert!(message.contains(&dim.to_string()) && message.contains("1 to 4"), "{message}");
        }
        assert!(reduce_titles(&Array2::zeros((0, 4)), 2).is_err());
        // Equal titles have no variance to lose.
        assert!(reduce_titles(&Array2::ones((10, 4)), 2).unwrap().variance_kept >= 1.0);
    }

    #[test]
    fn neighbours_survive_a_turn_and_not_a_shuffle() {
        let full = mixtures(300, 6, 6) - 5.0;
        let shuffled = full.select(Axis(0), &(0..300).map(|row| row * 7 % 300).collect::<Vec<_>>());
        let of = |table: &Array2<f32>| nearest(table, 10).unwrap();
        assert!(of(&full).iter().enumerate().all(|(own, others)| others.len() == 10 && !others.contains(&own)));
        assert!(overlap(&of(&full), &of(&(&full * 3.0))).unwrap() >= 1.0);
        assert!(overlap(&of(&full), &of(&shuffled)).unwrap() < 0.2);
        assert!(nearest(&full, 300).is_err() && nearest(&full, 0).is_err());
        assert!(overlap(&of(&full), &of(&mixtures(299, 6, 6))).is_err());
    }
}
