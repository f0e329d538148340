//! The flat index compared with a sort of all distances, and the inner-product reduction compared with the scores.
#![cfg(not(target_arch = "wasm32"))]
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod random;

use ndarray::{Array1, Array2};
use proptest::prelude::*;
use random::Random;
use watchnext::bundle::{Manifest, MovieEmbeddings, movie_index};
use watchnext::index::{FlatIndex, InnerProductIndex, Int8Index};

fn table(rows: usize, dim: usize) -> impl Strategy<Value = Array2<f32>> {
    prop::collection::vec(-4.0_f32..4.0, rows * dim)
        .prop_map(move |values| Array2::from_shape_vec((rows, dim), values).unwrap())
}

fn squared(left: &[f32], right: &[f32]) -> f64 {
    left.iter().zip(right).map(|(left, right)| (f64::from(*left) - f64::from(*right)).powi(2)).sum()
}

proptest! {
    /// Sizes from less than a register to more than a block of four, so that each tail of the kernel runs.
    #[test]
    fn search_equals_a_sort_of_all_distances(
        (rows, query) in (1_usize..60, 1_usize..40).prop_flat_map(|(rows, dim)| {
            (table(rows, dim), prop::collection::vec(-4.0_f32..4.0, dim))
        }),
        k in 0_usize..70,
        skip in 1_usize..5,
    ) {
        let index = FlatIndex::new(&rows).unwrap();
        let found = index.search(&query, k, |row| row.is_multiple_of(skip)).unwrap();
        let kept = rows.rows().into_iter().step_by(skip);
        let mut truth: Vec<f64> = kept.map(|row| squared(row.as_slice().unwrap(), &query)).collect();
        truth.sort_by(f64::total_cmp);
        truth.truncate(k);
        prop_assert_eq!(found.len(), truth.len());
        for (near, truth) in found.iter().zip(&truth) {
            prop_assert_eq!(near.row % skip, 0);
            prop_assert!((f64::from(near.distance) - truth).abs() <= 1e-4 * truth.max(1.0));
        }
        prop_assert!(found.windows(2).all(|pair| (pair[0].distance, pair[0].row) < (pair[1].distance, pair[1].row)));
    }

    /// The L2 order of the lengthened rows is the order of the scores, bias included, except for scores that are closer
    /// than single precision.
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
        let largest = rows.iter().map(|value| f64::from(value.abs())).fold(1.0, f64::max);
        let magnitude = squared(&query, &vec![0.0; query.len()]) + largest.powi(2) * (query.len() + 1) as f64;
        for pair in found.windows(2) {
            prop_assert!(scores[pair[0].0] >= scores[pair[1].0] - 4e-6 * magnitude);
        }
        for (row, score) in found {
            prop_assert!((f64::from(score) - scores[row]).abs() <= 4e-6 * magnitude);
        }
    }
}

proptest! {
    /// With a bias for each row, as the bundle's movies are. Some rows are zero and some scales negative, which a
    /// bundle may have.
    #[test]
    fn the_reduction_over_8_bits_answers_as_the_one_over_floats(
        (codes, scales, bias, query) in (1_usize..400, 1_usize..33).prop_flat_map(|(rows, dim)| {
            let codes = prop::collection::vec(any::<i8>(), rows * dim)
                .prop_map(move |codes| Array2::from_shape_vec((rows, dim), codes).unwrap());
            let scale = prop::sample::select(vec![0.0_f32, -0.01, 0.001, 0.01, 0.02]);
            let bias = prop::collection::vec(-9.0_f32..3.0, rows);
            (codes, prop::collection::vec(scale, rows), bias, prop::collection::vec(-4.0_f32..4.0, dim))
        }),
        k in 0_usize..70,
        skip in 1_usize..5,
    ) {
        let floats = InnerProductIndex::new(&dequantised(&codes, &scales), &bias).unwrap();
        let index = InnerProductIndex::from_codes(&codes, scales, bias).unwrap();
        prop_assert_eq!((index.len(), index.dim()), (floats.len(), floats.dim()));
        let keep = |row: usize| row.is_multiple_of(skip);
        prop_assert_eq!(index.search(&query, k, keep).unwrap(), floats.search(&query, k, keep).unwrap());
        for other in 0..index.len() {
            prop_assert_eq!(index.bias(other), floats.bias(other));
            prop_assert!((index.likeness(0, other) - floats.likeness(0, other)).abs() < 1e-5);
        }
    }
}

/// The rows of an index of 8 bits as floats.
fn dequantised(codes: &Array2<i8>, scales: &[f32]) -> Array2<f32> {
    let scale = |row: usize| scales[row];
    Array2::from_shape_fn(codes.dim(), |(row, column)| f32::from(codes[[row, column]]) * scale(row))
}

proptest! {
    /// The codes span 8 bits, or only −1, 0 and 1, so that many rows are equally near. With scales of three magnitudes,
    /// rounding the query matters much for some rows and little for others. There are more rows than a block of the
    /// scan.
    #[test]
    fn the_index_of_8_bits_answers_as_the_flat_index_over_its_rows(
        (codes, scales, query) in (1_usize..400, 1_usize..40, any::<bool>()).prop_flat_map(|(rows, dim, coarse)| {
            let codes = prop::collection::vec(any::<i8>(), rows * dim).prop_map(move |codes| {
                let codes = codes.into_iter().map(|code| if coarse { code.signum() } else { code }).collect();
                Array2::from_shape_vec((rows, dim), codes).unwrap()
            });
            let scale = prop::sample::select(vec![0.0_f32, 0.001, 0.01, 0.1, 1.0]);
            (codes, prop::collection::vec(scale, rows), prop::collection::vec(-4.0_f32..4.0, dim))
        }),
        k in 0_usize..70,
        skip in 1_usize..5,
    ) {
        let flat = FlatIndex::new(&dequantised(&codes, &scales)).unwrap();
        let index = Int8Index::new(&codes, scales).unwrap();
        let keep = |row: usize| row.is_multiple_of(skip);
        prop_assert_eq!(index.search(&query, k, keep).unwrap(), flat.search(&query, k, keep).unwrap());
    }

    /// Rounding to 8 bits moves a number by at most half a step. A step is a 127th of the row's largest number.
    #[test]
    fn quantised_rows_are_within_half_a_step(
        rows in (1_usize..20, 1_usize..40).prop_flat_map(|(rows, dim)| table(rows, dim)),
    ) {
        let index = Int8Index::quantise(&rows).unwrap();
        for (number, row) in rows.rows().into_iter().enumerate() {
            let step = row.iter().fold(0.0_f32, |most, value| value.abs().max(most)) / 127.0;
            for (value, rounded) in row.iter().zip(index.row(number)) {
                prop_assert!((value - rounded).abs() <= 0.501 * step);
            }
        }
    }
}

/// The shipped embeddings, with queries that are sums of a few of them, as a tower's are. The page's index finds the
/// same movies as the exact scan over floats, with the same scores.
#[test]
fn the_shipped_index_answers_as_the_one_over_floats() {
    let file = |name: &str| std::fs::read(format!("{}/models/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let manifest = Manifest::from_json(&file("manifest.json")).unwrap();
    let (bytes, movies, dim) = (file("movies.safetensors"), manifest.movies, manifest.dim);
    let embeddings = MovieEmbeddings::from_safetensors(&bytes, movies, dim).unwrap();
    let floats = InnerProductIndex::new(&embeddings.embedding, &embeddings.bias).unwrap();
    let index = movie_index(&bytes, movies, dim).unwrap();
    for number in 0..100 {
        let mut query = Array1::<f32>::zeros(dim);
        for watched in 0..=number % 10 {
            query += &embeddings.embedding.row((number * 7_919 + watched * 104_729) % movies);
        }
        let query = query.to_vec();
        let keep = |row: usize| row % 50 != number % 50;
        assert_eq!(index.search(&query, 200, keep).unwrap(), floats.search(&query, 200, keep).unwrap());
    }
}

/// A thousand vectors of 128 numbers, 50 queries, the hundred nearest. Counts how many of the exact ones the rounded
/// scan finds, and checks that comparing its candidates finds all.
#[test]
fn the_rounded_scan_misses_next_to_nothing() {
    let mut random = Random::new(1);
    let index = Int8Index::quantise(&Array2::from_shape_fn((1_000, 128), |_| random.signed())).unwrap();
    let flat = FlatIndex::from_rows(128, 1_000, (0..1_000).map(|row| index.row(row))).unwrap();
    let mut shared = 0;
    for _ in 0..50 {
        let query: Vec<f32> = (0..128).map(|_| random.signed()).collect();
        let exact = flat.search(&query, 100, |_| true).unwrap();
        assert_eq!(index.search(&query, 100, |_| true).unwrap(), exact);
        let rounded = index.search_rounded(&query, 100, |_| true).unwrap();
        shared += rounded.iter().filter(|near| exact.iter().any(|truth| truth.row == near.row)).count();
    }
    assert!(shared >= 4_990, "{shared} of 5000");
}

#[test]
fn the_index_of_8_bits_refuses_bad_input() {
    let codes = Array2::ones((5, 3));
    assert_eq!(Int8Index::new(&codes, vec![1.0; 4]).unwrap_err().code(), "shape-mismatch");
    assert_eq!(Int8Index::new(&Array2::ones((5, 0)), vec![1.0; 5]).unwrap_err().code(), "shape-mismatch");
    assert_eq!(Int8Index::new(&codes, vec![f32::NAN; 5]).unwrap_err().code(), "non-finite");
    assert_eq!(Int8Index::new(&codes, vec![3e38; 5]).unwrap_err().code(), "non-finite");
    assert_eq!(Int8Index::quantise(&Array2::from_elem((5, 3), f32::INFINITY)).unwrap_err().code(), "non-finite");
    assert_eq!(InnerProductIndex::from_codes(&codes, vec![1.0; 5], vec![0.0; 4]).unwrap_err().code(), "shape-mismatch");
    assert_eq!(
        InnerProductIndex::from_codes(&codes, vec![1.0; 5], vec![f32::NAN; 5]).unwrap_err().code(),
        "non-finite"
    );
    let index = Int8Index::new(&codes, vec![1.0; 5]).unwrap();
    assert_eq!(index.search(&[0.0; 2], 1, |_| true).unwrap_err().code(), "shape-mismatch");
    assert_eq!(index.search(&[f32::NAN, 0.0, 0.0], 1, |_| true).unwrap_err().code(), "non-finite");
    assert_eq!(index.search(&[3e38, 0.0, 0.0], 1, |_| true).unwrap_err().code(), "non-finite");
    assert!(
        Int8Index::new(&Array2::ones((0, 3)), Vec::new()).unwrap().search(&[0.0; 3], 5, |_| true).unwrap().is_empty()
    );
}

#[test]
fn a_distance_that_overflows_is_an_error_only_where_its_row_is_wanted() {
    let index = FlatIndex::new(&ndarray::arr2(&[[1.0, 0.0], [3e38, 0.0], [2.0, 0.0]])).unwrap();
    assert_eq!(index.search(&[0.0; 2], 1, |_| true).unwrap_err().code(), "non-finite");
    assert_eq!(index.search(&[0.0; 2], 1, |row| row != 1).unwrap()[0].row, 0);
}

/// A row near the end overflows by its largest number, by the sum over its columns, or only together with the query. It
/// must be detected although it could never be near.
#[test]
fn a_distance_that_overflows_late_is_an_error_too() {
    let of = |far: f32, query: f32| {
        // The first row is nearest by far, so that the scan has no other reason to look at the last one.
        let value = |(row, _): (usize, usize)| match row {
            0 => -query,
            399 => far,
            _ => 1.0 - query / 2.0,
        };
        let rows = Array2::from_shape_fn((400, 4), value);
        FlatIndex::new(&rows).unwrap().search(&[-query; 4], 1, |_| true).map_err(|error| error.code())
    };
    for (far, query) in [(3e19, 0.0), (-3e19, 0.0), (1.2e19, 0.0), (0.7e19, 0.7e19)] {
        assert_eq!(of(far, query), Err("non-finite"), "{far} and {query}");
    }
    assert_eq!(of(0.8e19, 0.0).unwrap()[0].row, 0);
}

#[test]
fn an_index_says_how_large_it_is() {
    let (rows, none) = (Array2::ones((5, 3)), Array2::ones((0, 3)));
    let flat = |rows: &Array2<f32>| FlatIndex::new(rows).unwrap();
    assert_eq!((flat(&rows).len(), flat(&rows).dim(), flat(&rows).is_empty()), (5, 3, false));
    assert_eq!((flat(&none).len(), flat(&none).dim(), flat(&none).is_empty()), (0, 3, true));
    // Each row is padded with zeros to a register's width, four floats or sixteen codes.
    assert_eq!(flat(&rows).table(), [1.0, 1.0, 1.0, 0.0].repeat(5));
    let bytes = |rows: &Array2<f32>| Int8Index::quantise(rows).unwrap();
    assert_eq!((bytes(&rows).len(), bytes(&rows).dim(), bytes(&rows).is_empty()), (5, 3, false));
    assert_eq!((bytes(&none).len(), bytes(&none).dim(), bytes(&none).is_empty()), (0, 3, true));
    assert_eq!(bytes(&rows).table(), [[127; 3].as_slice(), &[0; 13]].concat().repeat(5));
    let products = |rows: &Array2<f32>| InnerProductIndex::new(rows, &vec![0.5; rows.nrows()]).unwrap();
    assert_eq!((products(&rows).len(), products(&rows).dim(), products(&rows).is_empty()), (5, 3, false));
    assert_eq!((products(&none).len(), products(&none).dim(), products(&none).is_empty()), (0, 3, true));
    assert_eq!((products(&rows).bias(4), products(&rows).bias(5)), (0.5, 0.0));
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

/// Floats, and codes with scales for the same numbers, among them a row of zeros.
#[test]
fn an_index_knows_its_rows_mean_products_and_cosines() {
    let codes = ndarray::arr2(&[[3_i8, -4, 0], [0, 0, 0], [-6, 8, 0], [4, 3, 12]]);
    let scales = vec![0.5, 1.0, 0.25, 2.0];
    let rows = dequantised(&codes, &scales);
    let bias = vec![0.5, -1.0, 0.0, 2.0];
    let floats = InnerProductIndex::new(&rows, &bias).unwrap();
    let bytes = InnerProductIndex::from_codes(&codes, scales, bias).unwrap();
    for index in [floats, bytes] {
        assert_eq!(index.mean(), [2.0, 1.5, 6.0]);
        let products: Vec<_> = (0..5).map(|row| index.product(row, &[2.0, -1.0, 0.5])).collect();
        assert_eq!(products, [Some(5.0), Some(0.0), Some(-5.0), Some(22.0), None]);
        let cosine = |one: usize, other: usize| f64::from(index.likeness(one, other));
        for (one, other, expected) in
            [(0, 0, 1.0), (0, 2, -1.0), (2, 0, -1.0), (0, 3, 0.0), (0, 1, 0.0), (1, 1, 0.0), (0, 4, 0.0), (4, 4, 0.0)]
        {
            assert!((cosine(one, other) - expected).abs() < 1e-6, "{one} and {other}: {}", cosine(one, other));
        }
    }
    let [one, other] = [[1_i8, 2, 3], [3, -2, 1]];
    let codes = ndarray::arr2(&[one, other]);
    let rows = dequantised(&codes, &[0.3, 7.0]);
    let expected = 2.0 / 14.0;
    assert!((InnerProductIndex::new(&rows, &[9.0, -9.0]).unwrap().likeness(0, 1) - expected).abs() < 1e-6);
    let bytes = InnerProductIndex::from_codes(&codes, vec![0.3, 7.0], vec![9.0, -9.0]).unwrap();
    assert!((bytes.likeness(0, 1) - expected).abs() < 1e-6);
    let none = InnerProductIndex::new(&Array2::zeros((0, 3)), &[]).unwrap();
    assert_eq!(none.mean(), [0.0; 3]);
}
