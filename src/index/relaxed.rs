//! The scan of 8 bits where the browser has relaxed SIMD.
//!
//! One instruction of it multiplies 16 numbers of 8 bits by 16 of 7 bits and adds the products up by fours
//! (`i32x4.relaxed_dot_i8x16_i7x16_add_s`); processors with AVX-VNNI or Arm's dot product have the very same, and simd128 takes six in its
//! place. What it gives is left to the processor only where the second factor has an eighth bit, which it never has here: a
//! number of the query is of 14 bits, lifted above zero and cut in two halves of 7. So a product is as exact as the one that simd128
//! computes, once [`lift_of`] its row is taken off.
//!
//! A browser without relaxed SIMD refuses a whole module for one such instruction. The kernel is therefore a module of its own, of some
//! 850 bytes (`relaxed.wat`, which `build.rs` assembles), that works on this one's memory; `wasm_api` asks the browser whether it can have
//! it, and hands it in.

use std::cell::Cell;

use super::{CODE_LANES, STREAMS};

/// Computes what [`dot_of_four`] computes, from a query that [`halves`] has cut and four parts of a table.
pub(crate) type Kernel = fn(&[i8], [&[i8]; STREAMS], &mut [[i32; STREAMS]]);

/// The largest number that a query may hold, and with its sign changed the smallest.
pub(super) const LARGEST: i16 = (1 << 13) - 1;

/// What is added to a number of a query, so that none is below zero.
const LIFT: i16 = 1 << 13;

/// How many bits a half has.
const HALF: u32 = 7;

thread_local! {
    /// What the machine can do, as a processor's features are elsewhere: no answer depends on it. Of a thread, as the browser's module is.
    static KERNEL: Cell<Option<Kernel>> = const { Cell::new(None) };
}

/// Has this thread's scans of 8 bits use a kernel from now on, or none.
#[cfg_attr(not(any(target_arch = "wasm32", test)), allow(dead_code))]
pub(crate) fn set_kernel(kernel: Option<Kernel>) {
    KERNEL.set(kernel);
}

/// The kernel to use, if there is one.
pub(super) fn kernel() -> Option<Kernel> {
    KERNEL.get()
}

/// The halves of a query's numbers, `[stride]`, each from −[`LARGEST`] to [`LARGEST`]: of every [`CODE_LANES`] the upper ones, then the lower
/// ones.
pub(super) fn halves(codes: &[i16]) -> Vec<i8> {
    let mut halves = Vec::with_capacity(2 * codes.len());
    for register in codes.chunks(CODE_LANES) {
        halves.extend(register.iter().map(|code| ((code + LIFT) >> HALF) as i8));
        halves.extend(register.iter().map(|code| ((code + LIFT) & ((1 << HALF) - 1)) as i8));
    }
    halves
}

/// By how much a row's product is too large, as its query was lifted. It may be beyond 32 bits, and so may the product before it is taken
/// off, but their difference isn't, and all of them are numbers modulo 2³².
pub(super) fn lift_of(row: &[i8]) -> i32 {
    row.iter().fold(0_i32, |sum, code| sum.wrapping_add(i32::from(*code))).wrapping_mul(i32::from(LIFT))
}

/// Whether a kernel gives the reference's products for some numbers, the largest and the smallest among them. Instructions as new as these
/// have been wrong: Node 20, which has them behind a flag, gives two of four products wrong in its first tier.
#[cfg_attr(not(any(target_arch = "wasm32", test)), allow(dead_code))]
pub(crate) fn is_right(kernel: Kernel) -> bool {
    const STRIDE: usize = 2 * CODE_LANES;
    const ROWS: usize = 2;
    let codes: Vec<i16> = (0..STRIDE as i16).map(|column| (LARGEST - 77 * column) * (1 - 2 * (column % 2))).collect();
    // As a step of 37 is odd, all 256 codes are among them.
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

/// The reference: the products of a query's `halves`, `[2 · stride]`, with the rows of four parts of a table, each `[products.len(),
/// stride]`, modulo 2³² and with what [`lift_of`] says too much.
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
            // With its halves in each other's place.
            |halves, parts, products| {
                let swapped: Vec<i8> = halves
                    .chunks(2 * CODE_LANES)
                    .flat_map(|both| [&both[CODE_LANES..], &both[..CODE_LANES]])
                    .flatten()
                    .copied()
                    .collect();
                dot_of_four(&swapped, parts, products);
            },
            // With codes that have no sign.
            |halves, parts, products| {
                let unsigned = parts.map(|part| part.iter().map(|code| code & i8::MAX).collect::<Vec<_>>());
                dot_of_four(halves, std::array::from_fn(|part| unsigned[part].as_slice()), products);
            },
        ];
        assert!(wrong.into_iter().all(|kernel| !is_right(kernel)));
    }
}
