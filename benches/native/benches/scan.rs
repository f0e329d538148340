//! The exact scans of three sizes, over floats and over 8 bits, and a loop that only reads the same bytes.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ndarray::Array2;
use watchnext::index::{FlatIndex, Int8Index};

/// The width of the shipped embeddings.
const DIM: usize = 128;

/// The number of movies in the shipped catalogue, in MovieLens of 2024 and on a large site.
const SIZES: [usize; 3] = [9_737, 101_947, 1_000_000];

/// How many neighbours the page asks for.
const K: usize = 200;

/// A pseudo-random number, the same in every run (Numerical Recipes' generator).
fn code(at: usize) -> i8 {
    let mixed = (at as u32).wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (mixed >> 24) as u8 as i8
}

fn scans(criterion: &mut Criterion) {
    let query: Vec<f32> = (0..DIM).map(|at| f32::from(code(at * 7)) / 127.0).collect();
    for rows in SIZES {
        let codes = Array2::from_shape_fn((rows, DIM), |(row, column)| code(row * DIM + column));
        let floats = codes.mapv(|code| f32::from(code) / 127.0);
        let mut group = criterion.benchmark_group(format!("scan of {rows}"));
        group.throughput(Throughput::Elements(rows as u64));
        let table = floats.as_slice().expect("the table is in standard order");
        group.bench_function(BenchmarkId::from_parameter("floats, read alone"), |bench| {
            bench.iter(|| black_box(table).iter().fold(0_u32, |sum, value| sum ^ value.to_bits()));
        });
        let index = FlatIndex::new(&floats).expect("the table is finite");
        group.bench_function(BenchmarkId::from_parameter("floats"), |bench| {
            bench.iter(|| index.search(black_box(&query), K, |_| true).expect("the query is finite"));
        });
        let index = Int8Index::new(&codes, vec![1.0 / 127.0; rows]).expect("the scales are finite");
        group.bench_function(BenchmarkId::from_parameter("8 bits"), |bench| {
            bench.iter(|| index.search(black_box(&query), K, |_| true).expect("the query is finite"));
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = scans
}
criterion_main!(benches);
