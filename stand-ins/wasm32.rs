//! A stand-in for `core::arch::wasm32` in Miri: the instructions that the browser's kernels use, written in Rust from
//! their definitions.
//!
//! Miri doesn't know the instructions. The kernels can only go wrong where they read and write through pointers, and
//! the three functions here that do so use the same pointers. `xtask/src/alone.rs` puts this file in place.
#![allow(unsafe_code)]

/// A register of 16 bytes, lane 0 first.
#[derive(Debug, Clone, Copy)]
#[allow(non_camel_case_types)]
pub struct v128([u8; 16]);

fn floats(register: v128) -> [f32; 4] {
    let (words, _) = register.0.as_chunks::<4>();
    std::array::from_fn(|lane| f32::from_le_bytes(words[lane]))
}

fn of_floats(lanes: [f32; 4]) -> v128 {
    of_words(lanes.map(f32::to_bits))
}

fn words(register: v128) -> [u32; 4] {
    floats(register).map(f32::to_bits)
}

fn of_words(lanes: [u32; 4]) -> v128 {
    let mut bytes = [0; 16];
    bytes.as_chunks_mut::<4>().0.iter_mut().zip(lanes).for_each(|(bytes, lane)| *bytes = lane.to_le_bytes());
    v128(bytes)
}

fn halves(register: v128) -> [i16; 8] {
    let (pairs, _) = register.0.as_chunks::<2>();
    std::array::from_fn(|lane| i16::from_le_bytes(pairs[lane]))
}

fn each(one: v128, other: v128, compute: impl Fn(f32, f32) -> f32) -> v128 {
    let (one, other) = (floats(one), floats(other));
    of_floats(std::array::from_fn(|lane| compute(one[lane], other[lane])))
}

/// One number in all lanes.
pub fn f32x4_splat(value: f32) -> v128 {
    of_floats([value; 4])
}

/// Adds lane by lane.
pub fn f32x4_add(one: v128, other: v128) -> v128 {
    each(one, other, |one, other| one + other)
}

/// Subtracts lane by lane.
pub fn f32x4_sub(one: v128, other: v128) -> v128 {
    each(one, other, |one, other| one - other)
}

/// Multiplies lane by lane.
pub fn f32x4_mul(one: v128, other: v128) -> v128 {
    each(one, other, |one, other| one * other)
}

/// One number in all lanes.
pub fn i32x4_splat(value: i32) -> v128 {
    of_words([value.cast_unsigned(); 4])
}

/// Adds lane by lane, wrapping.
pub fn i32x4_add(one: v128, other: v128) -> v128 {
    let (one, other) = (words(one), words(other));
    of_words(std::array::from_fn(|lane| one[lane].wrapping_add(other[lane])))
}

/// The sums of the products of two neighbouring lanes.
pub fn i32x4_dot_i16x8(one: v128, other: v128) -> v128 {
    let (one, other) = (halves(one).map(i32::from), halves(other).map(i32::from));
    let sum = |lane: usize| (one[lane] * other[lane]).wrapping_add(one[lane + 1] * other[lane + 1]);
    of_words(std::array::from_fn(|lane| sum(2 * lane).cast_unsigned()))
}

/// The four lanes with these numbers: 0 to 3 are the first register's, 4 to 7 the second's.
pub fn i32x4_shuffle<const A: usize, const B: usize, const C: usize, const D: usize>(one: v128, other: v128) -> v128 {
    let both = [words(one), words(other)].concat();
    of_words([A, B, C, D].map(|lane| both[lane]))
}

/// Reads 16 bytes.
///
/// # Safety
/// They must be readable.
pub unsafe fn v128_load(from: *const v128) -> v128 {
    // SAFETY: the caller promises it; the pointer needn't be aligned.
    unsafe { from.read_unaligned() }
}

/// Writes 16 bytes.
///
/// # Safety
/// They must be writable.
pub unsafe fn v128_store(to: *mut v128, value: v128) {
    // SAFETY: the caller promises it; the pointer needn't be aligned.
    unsafe { to.write_unaligned(value) }
}

/// Reads 8 numbers of 8 bits, each widened to 16.
///
/// # Safety
/// They must be readable.
pub unsafe fn i16x8_load_extend_i8x8(from: *const i8) -> v128 {
    // SAFETY: the caller promises it; the pointer needn't be aligned.
    let codes = unsafe { from.cast::<[i8; 8]>().read_unaligned() };
    let mut bytes = [0; 16];
    bytes.as_chunks_mut::<2>().0.iter_mut().zip(codes).for_each(|(pair, code)| *pair = i16::from(code).to_le_bytes());
    v128(bytes)
}
