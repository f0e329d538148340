//! The least that any scan must do: read the table once.
//!
//! The numbers are combined by exclusive or, whose order doesn't matter, so the compiler makes one load and one
//! operation of each register's width of them.

/// Reads floats.
pub fn read_floats(table: &[f32]) -> u32 {
    table.iter().fold(0, |all, number| all ^ number.to_bits())
}

/// Reads numbers of 8 bits.
pub fn read_codes(table: &[i8]) -> u32 {
    u32::from(table.iter().fold(0, |all, number| all ^ number).cast_unsigned())
}
