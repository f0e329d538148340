//! A table in a file of any kind: a header, and rows of texts with their places.

use std::path::Path;

use anyhow::Result;
use watchnext::bundle::Source;

use super::columns::{self, ChosenColumns, Column, Kind};
use super::csv::CsvTable;
use super::layout::Layout;
use super::parquet::ParquetTable;
use super::problems::Problems;
use super::row::TableSummary;
use crate::files;

/// An open table.
pub(crate) enum Table {
    /// Text.
    Csv(CsvTable),
    /// Columns with types.
    Parquet(ParquetTable),
}

impl Table {
    /// Opens a file. It is read as Parquet if its name ends in `.parquet` or `.pq`, else as CSV.
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

    /// Opens a file of items or ratings and finds its columns: MovieLens's own if there is no `layout`. With a
    /// `layout`, the choice is printed.
    ///
    /// # Errors
    /// As [`open`](Self::open), and a header that lacks a column.
    pub(crate) fn open_with_columns(path: &Path, kind: Kind, layout: Option<&Layout>) -> Result<(Self, ChosenColumns)> {
        let table = Self::open(path)?;
        let Some(layout) = layout else {
            let chosen = columns::movielens(path, table.columns(), kind)?;
            return Ok((table, chosen));
        };
        let chosen = columns::choose(path, table.columns(), kind, &layout.columns)?;
        eprintln!("{}: {chosen}", path.display());
        Ok((table, chosen))
    }

    /// The columns in the header's order.
    pub(crate) fn columns(&self) -> &[Column] {
        match self {
            Self::Csv(table) => table.columns(),
            Self::Parquet(table) => table.columns(),
        }
    }

    /// The unit of a row's place: a line of text, or a row.
    pub(crate) const fn unit(&self) -> &'static str {
        match self {
            Self::Csv(_) => "line",
            Self::Parquet(_) => "row",
        }
    }

    /// Calls `each` with every row: its line, or its number from 1, and its texts in the columns at `places`, at most
    /// [`MAX_COLUMNS`](super::row::MAX_COLUMNS). A missing value is an empty text. A damaged row goes to `problems`
    /// instead.
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
        let TableSummary { rows, sha256 } = match self {
            Self::Csv(table) => table.read(places, problems, each)?,
            Self::Parquet(table) => table.read(places, problems, each)?,
        };
        Ok(Source { name: files::name(path), sha256, rows })
    }
}
