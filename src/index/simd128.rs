//! The WebAssembly kernels, the only unsafe file: the reference's sums, a register at a time.
//!
//! Each kernel reads a row of each of four parts of the table at once. A scan is limited by how much memory the
//! processor prefetches, which it does for each stream of addresses separately: four streams are read almost twice as
//! fast as one. Also, the query is loaded only once for four rows.

use core::arch::wasm32::{
    f32x4_add, f32x4_mul, f32x4_splat, f32x4_sub, i16x8_load_extend_i8x8, i32x4_add, i32x4_dot_i16x8, i32x4_shuffle,
    i32x4_splat, v128, v128_load, v128_store,
};

use super::{CODE_LANES, LANES, STREAMS};

/// The squared L2 distances of `query` `[stride]` from the rows of four parts of a table, each `[distances.len(),
/// stride]`, `stride` a multiple of [`LANES`]; equal to the reference to the bit.
pub(super) fn squared_l2_of_four(query: &[f32], parts: [&[f32]; STREAMS], distances: &mut [[f32; STREAMS]]) {
    let stride = query.len();
    assert!(stride.is_multiple_of(LANES) && parts.iter().all(|part| part.len() == distances.len() * stride));
    let query = query.as_ptr();
    for (row, found) in distances.iter_mut().enumerate() {
        let rows = parts.map(|part| part.as_ptr().wrapping_add(row * stride));
        let mut even = [f32x4_splat(0.0); STREAMS];
        let mut odd = even;
        let mut column = 0;
        while column + 4 * LANES <= stride {
            // SAFETY: `column + 4 * LANES` numbers of the query and of each part's row exist, by the assertion and the
            // loop's condition; a v128 load needs no alignment.
            unsafe {
                for register in [column, column + 2 * LANES] {
                    add_squares(&mut even, query, rows, register);
                    add_squares(&mut odd, query, rows, register + LANES);
                }
            }
            column += 4 * LANES;
        }
        let mut is_odd = false;
        while column < stride {
            let sums = if is_odd { &mut odd } else { &mut even };
            // SAFETY: as above, for the LANES numbers from `column` on, since `stride` is a multiple of LANES.
            unsafe { add_squares(sums, query, rows, column) };
            column += LANES;
            is_odd = !is_odd;
        }
        for (even, odd) in even.iter_mut().zip(odd) {
            *even = f32x4_add(*even, odd);
        }
        let [first, second, third, fourth] = even;
        let left = f32x4_add(low(first, second), high(first, second));
        let right = f32x4_add(low(third, fourth), high(third, fourth));
        let total = f32x4_add(i32x4_shuffle::<0, 1, 4, 5>(left, right), i32x4_shuffle::<2, 3, 6, 7>(left, right));
        // SAFETY: `found` is STREAMS = 4 numbers of 4 bytes, the 16 bytes that the store writes.
        unsafe { v128_store(found.as_mut_ptr().cast(), total) };
    }
}

/// Adds the squared differences of one register of the query and of each row.
///
/// # Safety
/// The query and each row must hold [`LANES`] numbers from `column` on.
#[inline(always)]
unsafe fn add_squares(sums: &mut [v128; STREAMS], query: *const f32, rows: [*const f32; STREAMS], column: usize) {
    // SAFETY: the caller's promise.
    let query: v128 = unsafe { v128_load(query.add(column).cast()) };
    for (sum, row) in sums.iter_mut().zip(rows) {
        // SAFETY: the caller's promise.
        let difference = f32x4_sub(query, unsafe { v128_load(row.add(column).cast()) });
        *sum = f32x4_add(*sum, f32x4_mul(difference, difference));
    }
}

/// The inner products of `query` `[stride]` with the rows of four parts of a table, each `[products.len(), stride]`,
/// `stride` a multiple of [`CODE_LANES`]. The caller ensures that they fit in 32 bits.
pub(super) fn dot_of_four(query: &[i16], parts: [&[i8]; STREAMS], products: &mut [[i32; STREAMS]]) {
    let stride = query.len();
    assert!(stride.is_multiple_of(CODE_LANES) && parts.iter().all(|part| part.len() == products.len() * stride));
    let query = query.as_ptr();
    for (row, found) in products.iter_mut().enumerate() {
        let rows = parts.map(|part| part.as_ptr().wrapping_add(row * stride));
        let mut sums = [i32x4_splat(0); STREAMS];
        let mut column = 0;
        while column < stride {
            for half in [column, column + CODE_LANES / 2] {
                // SAFETY: CODE_LANES numbers of the query exist from `column` on, by the assertion and the loop's
                // condition, and this reads the CODE_LANES / 2 = 8 of 16 bits from `half` on; no alignment is needed.
                let query: v128 = unsafe { v128_load(query.add(half).cast()) };
                for (sum, row) in sums.iter_mut().zip(rows) {
                    // SAFETY: as above, for the 8 numbers of 8 bits of each part's row.
                    let codes = unsafe { i16x8_load_extend_i8x8(row.add(half)) };
                    *sum = i32x4_add(*sum, i32x4_dot_i16x8(query, codes));
                }
            }
            column += CODE_LANES;
        }
        let [first, second, third, fourth] = sums;
        let left = i32x4_add(low(first, second), high(first, second));
        let right = i32x4_add(low(third, fourth), high(third, fourth));
        let total = i32x4_add(i32x4_shuffle::<0, 1, 4, 5>(left, right), i32x4_shuffle::<2, 3, 6, 7>(left, right));
        // SAFETY: `found` is STREAMS = 4 numbers of 4 bytes, the 16 bytes that the store writes.
        unsafe { v128_store(found.as_mut_ptr().cast(), total) };
    }
}

/// The first two lanes of two registers, in turn.
#[inline(always)]
fn low(first: v128, second: v128) -> v128 {
    i32x4_shuffle::<0, 4, 1, 5>(first, second)
}

/// The last two lanes of two registers, in turn.
#[inline(always)]
fn high(first: v128, second: v128) -> v128 {
    i32x4_shuffle::<2, 6, 3, 7>(first, second)
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::super::{STREAMS, scalar};
    use crate::random::Random;

    /// Miri takes hundreds of times as long, and all rows are read in the same way.
    const ROWS: usize = if cfg!(miri) { 4 } else { 20 };

    fn parts<T>(table: &[T], rows: usize, stride: usize) -> [&[T]; STREAMS] {
        core::array::from_fn(|part| &table[part * rows * stride..(part + 1) * rows * stride])
    }

    /// The lengths leave each possible number of registers over; 132 and 128 are the ones that ship.
    #[wasm_bindgen_test]
    fn distances_equal_the_reference_to_the_bit() {
        let mut random = Random::new(1);
        let mut next = || 8.0 * random.signed();
        for stride in [4, 8, 12, 16, 20, 24, 28, 64, 128, 132] {
            for rows in 0..ROWS {
                let query: Vec<f32> = (0..stride).map(|_| next()).collect();
                let table: Vec<f32> = (0..rows * STREAMS * stride).map(|_| next()).collect();
                let mut found = vec![[0.0; STREAMS]; rows];
                let mut expected = found.clone();
                super::squared_l2_of_four(&query, parts(&table, rows, stride), &mut found);
                scalar::squared_l2_of_four(&query, parts(&table, rows, stride), &mut expected);
                assert_eq!(
                    found.as_flattened().iter().map(|d| d.to_bits()).collect::<Vec<_>>(),
                    expected.as_flattened().iter().map(|d| d.to_bits()).collect::<Vec<_>>()
                );
            }
        }
    }

    /// The extremes −32767, 32767, −128 and 127 are among the numbers, where a product would wrap first.
    #[wasm_bindgen_test]
    fn products_equal_the_reference() {
        let mut random = Random::new(1);
        for stride in [16, 32, 48, 128, 512] {
            for rows in 0..ROWS {
                let query: Vec<i16> = (0..stride)
                    .map(|column| {
                        if rows == 0 {
                            i16::MAX
                        } else if column % 7 == 0 {
                            -i16::MAX
                        } else {
                            random.word().cast_signed()
                        }
                    })
                    .map(|value| value.max(-i16::MAX))
                    .collect();
                let table: Vec<i8> = (0..rows * STREAMS * stride)
                    .map(|place| {
                        if place % 3 == 0 {
                            i8::MIN
                        } else if place % 5 == 0 {
                            i8::MAX
                        } else {
                            random.byte()
                        }
                    })
                    .collect();
                let mut found = vec![[0; STREAMS]; rows];
                let mut expected = found.clone();
                super::dot_of_four(&query, parts(&table, rows, stride), &mut found);
                scalar::dot_of_four(&query, parts(&table, rows, stride), &mut expected);
                assert_eq!(found, expected);
            }
        }
    }
}
