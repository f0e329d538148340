//! The reference: every kernel must compute the same, to the bit.

use super::{LANES, STREAMS};

/// The squared L2 distance of two vectors of equal length, a multiple of [`LANES`].
///
/// Eight sums run in parallel, in two registers of four lanes. A single sum would wait for each addition and couldn't
/// be vectorised, since floating-point addition isn't associative and the compiler may not reorder it.
pub(super) fn squared_l2(left: &[f32], right: &[f32]) -> f32 {
    let mut even = [0.0_f32; LANES];
    let mut odd = [0.0_f32; LANES];
    let add = |sum: &mut [f32; LANES], left: &[f32; LANES], right: &[f32; LANES]| {
        for (sum, (left, right)) in sum.iter_mut().zip(left.iter().zip(right)) {
            let difference = left - right;
            *sum += difference * difference;
        }
    };
    let (left, _) = left.as_chunks::<LANES>();
    let (right, _) = right.as_chunks::<LANES>();
    let (left_pairs, left_rest) = left.as_chunks::<2>();
    let (right_pairs, right_rest) = right.as_chunks::<2>();
    for ([left_even, left_odd], [right_even, right_odd]) in left_pairs.iter().zip(right_pairs) {
        add(&mut even, left_even, right_even);
        add(&mut odd, left_odd, right_odd);
    }
    for (left, right) in left_rest.iter().zip(right_rest) {
        add(&mut even, left, right);
    }
    for (even, odd) in even.iter_mut().zip(odd) {
        *even += odd;
    }
    let [a, b, c, d] = even;
    (a + c) + (b + d)
}

/// The squared L2 distances of `query` `[stride]` from the rows of four parts of a table, each `[distances.len(),
/// stride]`: in each entry of `distances` those of one row of each part.
#[cfg_attr(all(target_arch = "wasm32", target_feature = "simd128"), allow(dead_code))]
pub(super) fn squared_l2_of_four(query: &[f32], parts: [&[f32]; STREAMS], distances: &mut [[f32; STREAMS]]) {
    for_each_row(query.len(), parts, distances, |row| squared_l2(query, row));
}

/// The inner product of a query of 16 bits and a row of 8 bits, of equal length. The caller
/// ensures that it fits in 32 bits.
pub(super) fn dot(query: &[i16], row: &[i8]) -> i32 {
    query.iter().zip(row).map(|(query, code)| i32::from(*query) * i32::from(*code)).sum()
}

/// As [`squared_l2_of_four`], for inner products with rows of 8 bits.
#[cfg_attr(all(target_arch = "wasm32", target_feature = "simd128"), allow(dead_code))]
pub(super) fn dot_of_four(query: &[i16], parts: [&[i8]; STREAMS], products: &mut [[i32; STREAMS]]) {
    for_each_row(query.len(), parts, products, |row| dot(query, row));
}

pub(super) fn for_each_row<T, U>(
    stride: usize,
    parts: [&[T]; STREAMS],
    found: &mut [[U; STREAMS]],
    compute: impl Fn(&[T]) -> U,
) {
    let [first, second, third, fourth] = parts.map(|part| part.chunks_exact(stride));
    let rows = first.zip(second).zip(third.zip(fourth));
    for (found, ((first, second), (third, fourth))) in found.iter_mut().zip(rows) {
        *found = [first, second, third, fourth].map(&compute);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The truth is the textbook's sum in double precision. 132 is the length of the shipped movies' rows; the
        /// other lengths leave each possible number of registers over.
        #[test]
        fn equals_the_sum_of_squared_differences(
            pairs in prop::collection::vec((-8.0_f32..8.0, -8.0_f32..8.0), 132),
            len in prop::sample::select(vec![0_usize, 4, 8, 12, 16, 20, 64, 128, 132]),
        ) {
            let (left, right): (Vec<f32>, Vec<f32>) = pairs.into_iter().take(len).unzip();
            let truth: f64 = left.iter().zip(&right).map(|(l, r)| (f64::from(*l) - f64::from(*r)).powi(2)).sum();
            let found = f64::from(squared_l2(&left, &right));
            prop_assert!((found - truth).abs() <= 1e-5 * truth.max(1.0), "{found} against {truth}");
        }
    }
}
