//! The flat index against a sort of all distances, and the inner-product reduction against the scores themselves.
#![cfg(not(target_arch = "wasm32"))]
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use ndarray::{Array1, Array2};
use proptest::prelude::*;
use watchnext::index::{FlatIndex, InnerProductIndex};

fn table(rows: usize, dim: usize) -> impl Strategy<Value = Array2<f32>> {
    prop::collection::vec(-4.0_f32..4.0, rows * dim)
        .prop_map(move |values| Array2::from_shape_vec((rows, dim), values).unwrap())
}

fn squared(left: &[f32], right: &[f32]) -> f64 {
    left.iter().zip(right).map(|(left, right)| (f64::from(*left) - f64::from(*right)).powi(2)).sum()
}

proptest! {
    /// Sizes from less than a register to more than a block of four, so that every tail of the kernel is met.
    #[test]
    fn search_equals_a_sort_of_all_distances(
        (rows, query) in (1_usize..60, 1_usize..40).prop_flat_map(|(rows, dim)| {
            (table(rows, dim), prop::collection::vec(-4.0_f32..4.0, dim))
        }),
        k in 0_usize..70,
        skip in 1_usize..5,
    ) {
        let index = FlatIndex::new(&rows).unwrap();
        let found = index.search(&query, k, |row| row % skip == 0).unwrap();
        let mut truth: Vec<f64> = rows.rows().into_iter().step_by(skip).map(|row| squared(row.as_slice().unwrap(), &query)).collect();
        truth.sort_by(f64::total_cmp);
        truth.truncate(k);
        prop_assert_eq!(found.len(), truth.len());
        for (near, truth) in found.iter().zip(&truth) {
            prop_assert_eq!(near.row % skip, 0);
            prop_assert!((f64::from(near.distance) - truth).abs() <= 1e-4 * truth.max(1.0));
        }
        prop_assert!(found.windows(2).all(|pair| (pair[0].distance, pair[0].row) < (pair[1].distance, pair[1].row)));
    }

    /// The L2 order over the lengthened rows is the order of the scores, bias included, except where two scores are closer than
    /// single precision tells apart.
    #[test]
    fn the_reduction_keeps_the_order_of_the_scores(
        (rows, query) in (1_usize..80, 1_usize..33).prop_flat_map(|(rows, dim)| {
            (table(rows, dim + 1), prop::collection::vec(-4.0_f32..4.0, dim))
        }),
    ) {
        let (embedding, bias) = rows.view().split_at(ndarray::Axis(1), query.len());
        let bias = bias.column(0).to_vec();
        let embedding = embedding.to_owned();
        let scores = embedding.mapv(f64::from).dot(&Array1::from_iter(query.iter().copied().map(f64::from)));
        let scores: Vec<f64> = scores.iter().zip(&bias).map(|(score, bias)| score + f64::from(*bias)).collect();
        let index = InnerProductIndex::new(&embedding, &bias).unwrap();
        let found = index.search(&query, scores.len(), |_| true).unwrap();
        prop_assert_eq!(found.len(), scores.len());
        let magnitude = squared(&query, &vec![0.0; query.len()]) + rows.iter().map(|value| f64::from(value.abs())).fold(1.0, f64::max).powi(2) * (query.len() + 1) as f64;
        for pair in found.windows(2) {
            prop_assert!(scores[pair[0].0] >= scores[pair[1].0] - 4e-6 * magnitude);
        }
        for (row, score) in found {
            prop_assert!((f64::from(score) - scores[row]).abs() <= 4e-6 * magnitude);
        }
    }
}

#[test]
fn equal_distances_come_in_the_order_of_rows() {
    let index = FlatIndex::new(&Array2::ones((5, 3))).unwrap();
    let rows: Vec<usize> = index.search(&[0.0; 3], 3, |row| row != 1).unwrap().iter().map(|near| near.row).collect();
    assert_eq!(rows, [0, 2, 3]);
}

#[test]
fn a_wrong_or_infinite_query_is_an_error() {
    let index = FlatIndex::new(&Array2::ones((5, 3))).unwrap();
    assert_eq!(index.search(&[0.0; 2], 1, |_| true).unwrap_err().code(), "shape-mismatch");
    assert_eq!(index.search(&[f32::NAN, 0.0, 0.0], 1, |_| true).unwrap_err().code(), "non-finite");
    assert_eq!(index.search(&[3e38, 0.0, 0.0], 1, |_| true).unwrap_err().code(), "non-finite");
    assert_eq!(FlatIndex::new(&Array2::ones((5, 0))).unwrap_err().code(), "shape-mismatch");
    assert_eq!(InnerProductIndex::new(&Array2::ones((5, 3)), &[0.0; 4]).unwrap_err().code(), "shape-mismatch");
}
