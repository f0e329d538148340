//! The least work of any scan: reading the table once.
//!
//! The order of exclusive or doesn't matter, so the compiler needs one load and one operation for each register of
//! numbers.

/// Reads floats.
pub fn read_floats(table: &[f32]) -> u32 {
    table.iter().fold(0, |all, number| all ^ number.to_bits())
}

/// Reads numbers of 8 bits.
pub fn read_codes(table: &[i8]) -> u32 {
    u32::from(table.iter().fold(0, |all, number| all ^ number).cast_unsigned())
}
