//! The widths of a title's vector.

/// The width of all-MiniLM-L6-v2's vectors.
pub const TITLE_DIM: usize = 384;

/// The width to which the vectors are reduced by default.
pub const REDUCED_DIM: usize = 48;
