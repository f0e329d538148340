//! The WebAssembly kernel, the only unsafe file: the same sums as the reference, four numbers an instruction.

use core::arch::wasm32::{f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_splat, f32x4_sub, v128, v128_load};

use super::LANES;

/// The squared L2 distance of two vectors of equal length, a multiple of [`LANES`]; equal to the reference to the bit.
pub(super) fn squared_l2(left: &[f32], right: &[f32]) -> f32 {
    let mut sums = [f32x4_splat(0.0); 4];
    let left_blocks = left.chunks_exact(4 * LANES);
    let right_blocks = right.chunks_exact(4 * LANES);
    let rest = left_blocks.remainder().chunks_exact(LANES).zip(right_blocks.remainder().chunks_exact(LANES));
    for (left, right) in left_blocks.zip(right_blocks) {
        for (sum, (left, right)) in sums.iter_mut().zip(left.chunks_exact(LANES).zip(right.chunks_exact(LANES))) {
            *sum = add_square(*sum, left, right);
        }
    }
    for (sum, (left, right)) in sums.iter_mut().zip(rest) {
        *sum = add_square(*sum, left, right);
    }
    let [first, second, third, fourth] = sums;
    let lanes = f32x4_add(f32x4_add(first, second), f32x4_add(third, fourth));
    let left_half = f32x4_extract_lane::<0>(lanes) + f32x4_extract_lane::<1>(lanes);
    left_half + (f32x4_extract_lane::<2>(lanes) + f32x4_extract_lane::<3>(lanes))
}

#[inline(always)]
fn add_square(sum: v128, left: &[f32], right: &[f32]) -> v128 {
    assert!(left.len() == LANES && right.len() == LANES);
    // SAFETY: both slices hold LANES = 4 numbers of 4 bytes, the 16 bytes that each load reads, and a v128 load needs no
    // alignment.
    let (left, right) = unsafe { (v128_load(left.as_ptr().cast()), v128_load(right.as_ptr().cast())) };
    let difference = f32x4_sub(left, right);
    f32x4_add(sum, f32x4_mul(difference, difference))
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::super::scalar;

    /// A fixed sequence of a linear congruential generator, so that a failure can be repeated; the lengths leave every possible
    /// number of registers over, and 132 and 128 are those that ship.
    #[wasm_bindgen_test]
    fn equals_the_reference_to_the_bit() {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 20) as f32 - 8.0
        };
        for len in [0, 4, 8, 12, 16, 20, 64, 128, 132] {
            for _ in 0..1_000 {
                let left: Vec<f32> = (0..len).map(|_| next()).collect();
                let right: Vec<f32> = (0..len).map(|_| next()).collect();
                assert_eq!(super::squared_l2(&left, &right).to_bits(), scalar::squared_l2(&left, &right).to_bits());
            }
        }
    }
}
