//! The types that both readers of tables share.

/// The most columns that are read from a file.
pub(crate) const MAX_COLUMNS: usize = 4;

/// A table that was read to its end.
pub(crate) struct TableSummary {
    /// How many rows it has, wrong ones included.
    pub(crate) rows: usize,
    /// The file's hash in hexadecimal digits.
    pub(crate) sha256: String,
}
