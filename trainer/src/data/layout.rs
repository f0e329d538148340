//! How your own files are to be read.

use super::columns::ColumnNames;
use super::values::Scale;

/// How the files of your own catalogue are to be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// The columns that don't have usual names.
    pub columns: ColumnNames,
    /// The text between two categories of an item.
    pub separator: String,
    /// The ratings' scale.
    pub scale: Scale,
    /// Whether ratings without times are in the order in which they were given.
    pub ordered: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Self { columns: ColumnNames::default(), separator: "|".to_owned(), scale: Scale::default(), ordered: false }
    }
}
