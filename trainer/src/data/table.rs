//! A table, whatever file it is in: a header, and rows of texts with their places.

use std::path::Path;

use anyhow::Result;
use watchnext::bundle::Source;

use super::columns::Column;
use super::csv::CsvTable;
use super::parquet::ParquetTable;
use super::problems::Problems;
use super::row::Read;
use crate::files;

/// An open table.
pub(crate) enum Table {
    /// Of text.
    Csv(CsvTable),
    /// Of columns.
    Parquet(ParquetTable),
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
        Ok(Source { name: files::name(path), sha256, rows })
    }
}
