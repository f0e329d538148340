//! What every table of rows shares.

/// The most columns that are read of a file.
pub(crate) const MOST_COLUMNS: usize = 4;

/// What a table was, once all of it is read.
pub(crate) struct Read {
    /// Its rows, those that are wrong among them.
    pub(crate) rows: usize,
    /// The file's hash in hexadecimal digits.
    pub(crate) sha256: String,
}
