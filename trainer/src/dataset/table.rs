//! A table, whatever file it is in: a header, and rows of texts with their places.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context, Result};
use watchnext::bundle::Source;

use super::columns::Column;
use super::csv::CsvTable;
use super::parquet::ParquetTable;
use super::problems::Problems;

/// The most columns that are read of a file.
pub(crate) const MOST_COLUMNS: usize = 4;

/// An open table.
pub(crate) enum Table {
    /// Of text.
    Csv(CsvTable),
    /// Of columns.
    Parquet(ParquetTable),
}

/// What a table was, once all of it is read.
pub(crate) struct Read {
    /// Its rows, those that are wrong among them.
    pub(crate) rows: usize,
    /// The file's hash in hexadecimal digits.
    pub(crate) sha256: String,
}

impl Table {
    /// Opens a file, which is Parquet if its name says so and CSV otherwise.
    ///
    /// # Errors
    /// A file that can't be read, is empty, or is of another kind than its name says.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        if matches!(ending.as_str(), "parquet" | "pq") {
            return Ok(Self::Parquet(ParquetTable::open(path)?));
        }
        Ok(Self::Csv(CsvTable::open(path)?))
    }

    /// The header.
    pub(crate) fn columns(&self) -> &[Column] {
        match self {
            Self::Csv(table) => table.columns(),
            Self::Parquet(table) => table.columns(),
        }
    }

    /// What its rows are counted in.
    pub(crate) const fn unit(&self) -> &'static str {
        match self {
            Self::Csv(_) => "line",
            Self::Parquet(_) => "row",
        }
    }

    /// Gives each row's texts in the columns at `places`, of which there are [`MOST_COLUMNS`] at most, to `each`, with the
    /// row's line, or its number from 1. A value that is missing is an empty text. What isn't a row goes to `problems`.
    ///
    /// # Errors
    /// A file that stops being readable, and one without rows.
    pub(crate) fn read(
        self,
        path: &Path,
        places: &[usize],
        problems: &mut Problems,
        each: impl FnMut(u32, &[&str], &mut Problems),
    ) -> Result<Source> {
        let Read { rows, sha256 } = match self {
            Self::Csv(table) => table.read(places, problems, each)?,
            Self::Parquet(table) => table.read(places, problems, each)?,
        };
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(Source { name, sha256, rows })
    }
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SHA-256 of a file that is never whole in memory.
pub(crate) fn file_sha256(path: &Path) -> Result<String> {
    use sha2::Digest as _;
    let place = || format!("{} can't be read. Check the path and the rights.", path.display());
    let mut file = File::open(path).with_context(place)?;
    let mut hash = sha2::Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer).with_context(place)?;
        if count == 0 {
            return Ok(hex(hash.finalize().as_slice()));
        }
        hash.update(buffer.get(..count).unwrap_or_default());
    }
}
