//! Which column of a file is which: named with `--columns`, or found by its usual name.

mod choose;
mod header;
mod names;
mod role;
mod similarity;

pub(crate) use choose::{ChosenColumns, choose, find_columns, movielens};
pub(crate) use header::Column;
pub use names::ColumnNames;
pub use role::{Kind, Role};
pub(crate) use similarity::nearest_name;
