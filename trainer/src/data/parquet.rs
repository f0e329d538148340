//! Reads Parquet in batches, so memory doesn't grow with the file. Columns may have any plain type.

use std::fs::File;
use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::columns::Column;
use super::problems::Problems;
use super::row::{MAX_COLUMNS, TableSummary};
use crate::files::{self, READ_REMEDY};

/// Rows that are in memory at once, as texts.
const BATCH: usize = 1 << 14;

/// Joins the texts of a list into one.
pub(crate) const LIST_SEPARATOR: char = '\u{1f}';

/// A Parquet file whose schema was read.
pub(crate) struct ParquetTable {
    path: PathBuf,
    builder: ParquetRecordBatchReaderBuilder<File>,
    columns: Vec<Column>,
}

impl ParquetTable {
    /// Opens a file and reads its schema.
    ///
    /// # Errors
    /// A file that can't be read, is empty or isn't a whole Parquet file.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let shown = path.display();
        let place = || format!("{shown} can't be read. {READ_REMEDY}");
        let mut file = File::open(path).with_context(place)?;
        let mut magic = Vec::new();
        (&mut file).take(4).read_to_end(&mut magic).with_context(place)?;
        ensure!(!magic.is_empty(), "{shown} is empty. Fetch or write it again.");
        ensure!(
            magic == b"PAR1",
            "{shown} isn't Parquet by its first bytes, though its name says so. If it is text, give it a name that \
             ends in .csv."
        );
        let builder = guarded(|| ParquetRecordBatchReaderBuilder::try_new(file)).with_context(|| {
            format!("{shown} isn't a whole Parquet file: it is cut off or damaged. Fetch or write it again")
        })?;
        let columns = builder.schema().fields().iter().map(|field| column(field.name(), field.data_type())).collect();
        Ok(Self { path: path.to_owned(), builder, columns })
    }

    /// The columns in the schema's order.
    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Calls `each` with every row's number, from 1, and its texts at `places`. A row with a NUL byte goes to
    /// `problems`.
    ///
    /// # Errors
    /// A damaged file, with the last row before the damage, and one without rows.
    pub(crate) fn read(
        self,
        places: &[usize],
        problems: &mut Problems,
        mut each: impl FnMut(u32, &[&str], &mut Problems),
    ) -> Result<TableSummary> {
        let Self { path, builder, columns } = self;
        let shown = path.display();
        let name = |place: &usize| columns.get(*place).map_or("", |column| column.name.as_str());
        let mask = ProjectionMask::roots(builder.parquet_schema(), places.iter().copied());
        let builder = builder.with_projection(mask).with_batch_size(BATCH);
        let mut batches = guarded(|| builder.build()).with_context(|| format!("{shown} can't be read"))?;
        // The batches have the columns in the schema's order.
        let mut sorted = places.to_vec();
        sorted.sort_unstable();
        let mut rows = 0;
        loop {
            let next = guarded(|| batches.next().transpose());
            let Some(batch) = next.with_context(|| {
                format!("{shown} can't be read on after row {rows}: it is damaged. Fetch or write it again")
            })?
            else {
                break;
            };
            let mut texts: Vec<StringArray> = Vec::new();
            for place in places {
                let at = sorted.iter().position(|sorted| sorted == place).unwrap_or_default();
                texts.push(column_texts(&batch, at).with_context(|| {
                    let name = name(place);
                    format!(
                        "{shown}: column `{name}`, after row {rows}, can't be read as text or numbers. Write it as one \
                         of them"
                    )
                })?);
            }
            for row in 0..batch.num_rows() {
                rows += 1;
                let mut fields = [""; MAX_COLUMNS];
                let mut sound = true;
                let number = u32::try_from(rows).unwrap_or(u32::MAX);
                for ((slot, texts), place) in fields.iter_mut().zip(&texts).zip(places) {
                    if texts.is_valid(row) {
                        *slot = texts.value(row);
                    }
                    if slot.contains('\0') {
                        problems.value(number, name(place), slot, "holds a NUL byte. Write the text without it.");
                        sound = false;
                    }
                }
                if sound {
                    each(number, fields.get(..places.len()).unwrap_or(&fields), problems);
                }
            }
        }
        ensure!(rows > 0, "{shown} has a schema and no rows. Fetch or write it again.");
        Ok(TableSummary { rows, sha256: files::sha256(&path)? })
    }
}

/// Runs a call of the library. A damaged file that makes it panic is an error too.
fn guarded<T, E: Into<anyhow::Error>>(work: impl FnOnce() -> Result<T, E>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(Into::into),
        Err(_) => Err(anyhow!("the Parquet reader broke off")),
    }
}

/// A column of the schema, with why it can't be read, if it can't.
fn column(name: &str, kind: &DataType) -> Column {
    let list = matches!(kind, DataType::List(item) | DataType::LargeList(item) if is_text(item.data_type()));
    let unreadable = match kind {
        DataType::Struct(_) => Some("is a struct"),
        DataType::Map(..) => Some("is a map"),
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) if !list => Some("is a list"),
        DataType::Union(..) => Some("is a union"),
        DataType::Time32(_) | DataType::Time64(_) => Some("is a time of day without its day"),
        DataType::Duration(_) | DataType::Interval(_) => Some("is a span of time"),
        _ => None,
    };
    let unreadable =
        unreadable.map(|words| format!("{words}, and a column of plain values is needed: write it as one"));
    Column { name: name.to_owned(), unreadable, list }
}

fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// A batch's column as texts. Whole numbers have no fraction, and times are seconds since 1970.
fn column_texts(batch: &RecordBatch, at: usize) -> Result<StringArray> {
    let array = batch.columns().get(at).context("the column is missing")?;
    texts(array)
}

fn texts(array: &ArrayRef) -> Result<StringArray> {
    // A value that doesn't fit is an error, never a missing value.
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let cast = |array: &ArrayRef, kind: &DataType| cast_with_options(array, kind, &options);
    let texts = match array.data_type() {
        DataType::Dictionary(_, values) => return self::texts(&cast(array, values)?),
        DataType::Float16 => return self::texts(&cast(array, &DataType::Float32)?),
        DataType::Float32 => array.as_primitive::<Float32Type>().iter().map(|value| value.map(number_text)).collect(),
        DataType::Float64 => array.as_primitive::<Float64Type>().iter().map(|value| value.map(number_text)).collect(),
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => {
            let seconds = cast(array, &DataType::Timestamp(TimeUnit::Second, None))?;
            cast(&cast(&seconds, &DataType::Int64)?, &DataType::Utf8)?.as_string::<i32>().clone()
        }
        DataType::List(_) => joined(array.as_list::<i32>().iter())?,
        DataType::LargeList(_) => joined(array.as_list::<i64>().iter())?,
        _ => cast(array, &DataType::Utf8)?.as_string::<i32>().clone(),
    };
    Ok(texts)
}

/// A number's text. Tables keep whole numbers as floats if one of them is missing, so 3.0 is read as 3.
fn number_text<F: Into<f64> + Copy + std::fmt::Display>(value: F) -> String {
    /// From 2⁵³ on, not every whole number is an f64.
    const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
    let wide: f64 = value.into();
    if wide.fract() == 0.0 && wide.abs() < MAX_EXACT { format!("{}", wide as i64) } else { value.to_string() }
}

/// Each list's texts, joined by [`LIST_SEPARATOR`].
fn joined(rows: impl Iterator<Item = Option<ArrayRef>>) -> Result<StringArray> {
    let mut texts = Vec::new();
    for row in rows {
        let Some(row) = row else {
            texts.push(None);
            continue;
        };
        let items = self::texts(&row)?;
        let items: Vec<&str> = items.iter().flatten().collect();
        if items.iter().any(|item| item.contains(LIST_SEPARATOR)) {
            bail!("a text of a list holds a unit separator (U+001F)");
        }
        texts.push(Some(items.join(&LIST_SEPARATOR.to_string())));
    }
    Ok(texts.into())
}
