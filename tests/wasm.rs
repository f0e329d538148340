//! The same numbers from the build that ships: run by `cargo xtask test` under a WebAssembly engine.
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod golden;

use wasm_bindgen_test::wasm_bindgen_test;
use watchnext::index::{FlatIndex, Int8Index};

#[wasm_bindgen_test]
fn features_equal_the_golden_file() {
    let expected: serde_json::Value = serde_json::from_str(include_str!("golden/features.json")).unwrap();
    golden::assert_equal(&golden::compute(), &expected);
}

/// The kernel behind the index against the sum in double precision, for lengths that leave every possible number of registers
/// and lanes over. The numbers are those of a linear congruential generator, so that a failure can be repeated.
#[wasm_bindgen_test]
fn the_scan_finds_the_nearest_rows() {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 20) as f32 - 8.0
    };
    for dim in [1, 3, 4, 7, 16, 31, 76, 128, 130] {
        let table = ndarray::Array2::from_shape_fn((200, dim), |_| next());
        let query: Vec<f32> = (0..dim).map(|_| next()).collect();
        let found = FlatIndex::new(&table).unwrap().search(&query, 10, |row| row % 7 != 0).unwrap();
        let distance = |row: usize| -> f64 {
            table.row(row).iter().zip(&query).map(|(left, right)| (f64::from(*left) - f64::from(*right)).powi(2)).sum()
        };
        let mut expected: Vec<usize> = (0..200).filter(|row| row % 7 != 0).collect();
        expected.sort_by(|left, right| distance(*left).total_cmp(&distance(*right)));
        for (near, row) in found.iter().zip(&expected) {
            assert!((f64::from(near.distance) - distance(*row)).abs() <= 1e-5 * distance(*row).max(1.0));
        }
        assert_eq!(found.len(), 10);
    }
}

/// The two indexes share neither rows nor kernels, so the scan of 8 bits that answers as the one of floats over its rows has its
/// products right. The numbers of rows leave every possible number over, and the last is more than a block.
#[wasm_bindgen_test]
fn the_index_of_8_bits_answers_as_the_flat_index_over_its_rows() {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 20) as f32 - 8.0
    };
    for rows in [1, 2, 3, 4, 5, 700] {
        for dim in [1, 7, 16, 17, 128, 130] {
            let index = Int8Index::quantise(&ndarray::Array2::from_shape_fn((rows, dim), |_| next())).unwrap();
            let flat = FlatIndex::from_rows(dim, rows, (0..rows).map(|row| index.row(row))).unwrap();
            let query: Vec<f32> = (0..dim).map(|_| next()).collect();
            let found = index.search(&query, 100, |row| row % 7 != 1).unwrap();
            assert_eq!(found, flat.search(&query, 100, |row| row % 7 != 1).unwrap());
            assert!(!found.is_empty());
        }
    }
}
