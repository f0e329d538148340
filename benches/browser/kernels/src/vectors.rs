//! The vectors of the bench. Each number is a hash of its place, so that any program can make the same numbers in any
//! order.
//!
//! `faiss_scan.py` has the same functions in numpy.

/// The finaliser of MurmurHash3, which maps neighbouring numbers to unrelated ones.
fn hash(number: u32) -> u32 {
    let mut hash = number.wrapping_mul(0x9e37_79b9);
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

/// A number of a row before scaling. All 256 values are equally likely.
pub fn code(row: usize, column: usize, dim: usize) -> i8 {
    ((hash((row * dim + column) as u32) >> 24) as u8).cast_signed()
}

/// A row's scale, between ½/127 and 1½/127.
pub fn scale(row: usize) -> f32 {
    ((hash(!(row as u32)) >> 8) as f32 / (1 << 24) as f32 + 0.5) / 127.0
}

/// A number of a query, from −1 to 1.
pub fn query(number: usize, column: usize, dim: usize) -> f32 {
    (hash(0xc000_0000 + (number * dim + column) as u32) >> 8) as f32 / (1 << 23) as f32 - 1.0
}
