//! The reference: what every kernel must compute, to the bit.

use super::LANES;

/// The squared L2 distance of two vectors of equal length, a multiple of [`LANES`].
///
/// Sixteen sums run side by side, four registers of four lanes, since a single sum would have to wait for each addition and
/// couldn't be vectorised: floating-point addition isn't associative, so the compiler may not reorder it.
#[cfg_attr(all(target_arch = "wasm32", target_feature = "simd128"), allow(dead_code))]
pub(super) fn squared_l2(left: &[f32], right: &[f32]) -> f32 {
    let mut sums = [[0.0_f32; LANES]; 4];
    let add = |sum: &mut [f32; LANES], left: &[f32], right: &[f32]| {
        for (sum, (left, right)) in sum.iter_mut().zip(left.iter().zip(right)) {
            let difference = left - right;
            *sum += difference * difference;
        }
    };
    let blocks = left.chunks_exact(4 * LANES).zip(right.chunks_exact(4 * LANES));
    let rest = left.chunks_exact(4 * LANES).remainder().chunks_exact(LANES);
    let rest = rest.zip(right.chunks_exact(4 * LANES).remainder().chunks_exact(LANES));
    for (left, right) in blocks {
        for (sum, (left, right)) in sums.iter_mut().zip(left.chunks_exact(LANES).zip(right.chunks_exact(LANES))) {
            add(sum, left, right);
        }
    }
    for (sum, (left, right)) in sums.iter_mut().zip(rest) {
        add(sum, left, right);
    }
    let [first, second, third, fourth] = sums;
    let mut lanes = [0.0_f32; LANES];
    for (lane, ((a, b), (c, d))) in lanes.iter_mut().zip(first.iter().zip(second).zip(third.iter().zip(fourth))) {
        *lane = (a + b) + (c + d);
    }
    let [a, b, c, d] = lanes;
    (a + b) + (c + d)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The textbook's sum in double precision is the truth; 132 is the length of the shipped movies' rows, and the other
        /// lengths leave every possible number of registers over.
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
