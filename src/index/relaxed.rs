//! The scan of 8 bits where the browser has relaxed SIMD.
//!
//! One of its instructions multiplies 16 numbers of 8 bits by 16 of 7 bits and adds the products in groups of four
//! (`i32x4.relaxed_dot_i8x16_i7x16_add_s`). Processors with AVX-VNNI or Arm's dot product have the same instruction;
//! simd128 takes six for it.
//!
//! Its result depends on the processor only if the second factor has an eighth bit, and here it has none. A number of
//! the query has 14 bits, is lifted above zero, and is cut in two halves of 7. A product less [`lift_of`] its row is
//! therefore as exact as simd128's.
//!
//! A browser without relaxed SIMD refuses a whole module for one such instruction. So the kernel is a separate module
//! of some 850 bytes (`relaxed.wat`, which `build.rs` assembles) that works on this module's memory. `wasm_api` passes
//! it in if the browser accepts it.

use std::cell::Cell;

use super::{CODE_LANES, STREAMS};

/// A function that computes the same as [`dot_of_four`], from a query cut by [`halves`] and four parts of a table.
pub(crate) type Kernel = fn(&[i8], [&[i8]; STREAMS], &mut [[i32; STREAMS]]);

/// The largest number of a query; the smallest is its negative.
pub(super) const LARGEST: i16 = (1 << 13) - 1;

/// The number added to each number of a query, so that none is below zero.
const LIFT: i16 = 1 << 13;

/// How many bits a half has.
const HALF: u32 = 7;

thread_local! {
    /// The kernel of this thread, since a browser's module belongs to a thread too. No answer depends on it.
    static KERNEL: Cell<Option<Kernel>> = const { Cell::new(None) };
}

/// Makes this thread's scans of 8 bits use a kernel from now on, or none.
#[cfg_attr(not(any(target_arch = "wasm32", test)), allow(dead_code))]
pub(crate) fn set_kernel(kernel: Option<Kernel>) {
    KERNEL.set(kernel);
}

/// The kernel to use, if there is one.
pub(super) fn kernel() -> Option<Kernel> {
    KERNEL.get()
}

/// The halves of a query's numbers, `[stride]`, each number from −[`LARGEST`] to [`LARGEST`]. For every [`CODE_LANES`]
/// numbers come the upper halves and then the lower ones.
pub(super) fn halves(codes: &[i16]) -> Vec<i8> {
    let mut halves = Vec::with_capacity(2 * codes.len());
    for register in codes.chunks(CODE_LANES) {
        halves.extend(register.iter().map(|code| ((code + LIFT) >> HALF) as i8));
        halves.extend(register.iter().map(|code| ((code + LIFT) & ((1 << HALF) - 1)) as i8));
    }
    halves
}

/// How much the lift of a query adds to its product with a row. This and the lifted product may exceed 32 bits, but
/// their difference doesn't, and all of them are numbers modulo 2³².
pub(super) fn lift_of(row: &[i8]) -> i32 {
    row.iter().fold(0_i32, |sum, code| sum.wrapping_add(i32::from(*code))).wrapping_mul(i32::from(LIFT))
}

/// Whether a kernel gives the reference's products for some numbers, the largest and the smallest among them.
/// Instructions as new as these have been wrong: Node 20, which has them behind a flag, gets two of four products wrong
/// in its first tier.
#[cfg_attr(not(any(target_arch = "wasm32", test)), allow(dead_code))]
pub(crate) fn is_right(kernel: Kernel) -> bool {
    const STRIDE: usize = 2 * CODE_LANES;
    const ROWS: usize = 2;
    let codes: Vec<i16> = (0..STRIDE as i16).map(|column| (LARGEST - 77 * column) * (1 - 2 * (column % 2))).collect();
    // The step of 37 is odd, so all 256 codes occur.
    let table: Vec<i8> = (0..STREAMS * ROWS * STRIDE).map(|place| (37 * place) as u8 as i8).collect();
    let parts = || {
        let mut parts = table.chunks(ROWS * STRIDE);
        std::array::from_fn(|_| parts.next().unwrap_or_default())
    };
    let halves = halves(&codes);
    let (mut found, mut expected) = ([[0; STREAMS]; ROWS], [[0; STREAMS]; ROWS]);
    kernel(&halves, parts(), &mut found);
    dot_of_four(&halves, parts(), &mut expected);
    found == expected
}

/// The reference: the products of a query's `halves`, `[2 · stride]`, with the rows of four parts of a table, each
/// `[products.len(), stride]`, modulo 2³² and including [`lift_of`] the row.
pub(super) fn dot_of_four(halves: &[i8], parts: [&[i8]; STREAMS], products: &mut [[i32; STREAMS]]) {
    super::scalar::for_each_row(halves.len() / 2, parts, products, |row| {
        let registers = halves.chunks(2 * CODE_LANES).zip(row.chunks(CODE_LANES));
        registers.fold(0, |sum, (halves, codes)| {
            let (upper, lower) = halves.split_at(halves.len() / 2);
            upper.iter().zip(lower).zip(codes).fold(sum, |sum: i32, ((upper, lower), code)| {
                let number = (i32::from(*upper) << HALF) + i32::from(*lower);
                sum.wrapping_add(number * i32::from(*code))
            })
        })
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_kernel_that_is_wrong_anywhere_is_found_out() {
        assert!(is_right(dot_of_four));
        let wrong: [Kernel; 4] = [
            |_, _, _| {},
            // In one part.
            |halves, parts, products| {
                dot_of_four(halves, parts, products);
                products.iter_mut().for_each(|products| products[2] += 1);
            },
            // With its halves swapped.
            |halves, parts, products| {
                let swapped: Vec<i8> = halves
                    .chunks(2 * CODE_LANES)
                    .flat_map(|both| [&both[CODE_LANES..], &both[..CODE_LANES]])
                    .flatten()
                    .copied()
                    .collect();
                dot_of_four(&swapped, parts, products);
            },
            // With the codes' signs dropped.
            |halves, parts, products| {
                let unsigned = parts.map(|part| part.iter().map(|code| code & i8::MAX).collect::<Vec<_>>());
                dot_of_four(halves, std::array::from_fn(|part| unsigned[part].as_slice()), products);
            },
        ];
        assert!(wrong.into_iter().all(|kernel| !is_right(kernel)));
    }
}
