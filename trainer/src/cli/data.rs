//! The options that name ratings: a folder in MovieLens's format, or your own files.

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use clap::Args;

use crate::data::columns::ColumnNames;
use crate::data::{Dataset, Layout, Scale};
use crate::files;

/// Where the ratings come from.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DataArgs {
    /// Read movies.csv and ratings.csv from this folder, in MovieLens's format.
    #[arg(long, value_name = "FOLDER", conflicts_with = "items")]
    pub(crate) data: Option<PathBuf>,
    /// Read items of any kind from this file instead of --data: CSV, TSV or Parquet, with a column of ids and one of
    /// titles.
    #[arg(long, value_name = "FILE")]
    pub(crate) items: Option<PathBuf>,
    /// Read ratings or clicks from this file: CSV, TSV or Parquet. With --data it adds ratings of the same movies.
    /// Repeatable.
    #[arg(long, value_name = "FILE")]
    pub(crate) ratings: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) layout: LayoutArgs,
}

/// How to read your own files.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct LayoutArgs {
    /// Name the columns that have no usual name, such as user=reader,item=isbn,rating=stars,time=date.
    ///
    /// The roles are user, item, rating and time in ratings, and item, title, categories and year in items. Write
    /// items.year=published to name a column of one file alone, and rating= if there is no such column.
    #[arg(long)]
    pub(crate) columns: Option<ColumnNames>,
    /// Text between an item's categories [default: |].
    #[arg(long)]
    pub(crate) separator: Option<String>,
    /// Lowest and highest rating, such as 1..10 [default: 0.5..5].
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) scale: Option<Scale>,
    /// Take the order of ratings without times for the order of watching.
    #[arg(long)]
    pub(crate) ordered: bool,
}

impl LayoutArgs {
    /// The layout for a reader.
    pub(crate) fn layout(&self) -> Layout {
        let default = Layout::default();
        Layout {
            columns: self.columns.clone().unwrap_or_default(),
            separator: self.separator.clone().unwrap_or(default.separator),
            scale: self.scale.unwrap_or_default(),
            ordered: self.ordered,
        }
    }

    /// Whether no option was given.
    pub(crate) fn is_empty(&self) -> bool {
        self.given().is_empty()
    }

    /// The names of the options that were given.
    fn given(&self) -> Vec<&'static str> {
        let options = [
            ("--columns", self.columns.is_some()),
            ("--separator", self.separator.is_some()),
            ("--scale", self.scale.is_some()),
            ("--ordered", self.ordered),
        ];
        options.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name).collect()
    }
}

impl DataArgs {
    /// Reads the data set.
    ///
    /// # Errors
    /// Nothing to read, options that don't go together, and everything that is wrong with the files.
    pub(crate) fn read(&self) -> Result<Dataset> {
        match (&self.data, &self.items) {
            (Some(folder), _) => {
                ensure!(
                    self.layout.is_empty(),
                    "{} is for your own files, but --data is a folder in MovieLens's format. Name your files with \
                     --items and --ratings instead of --data.",
                    self.layout.given().join(", ")
                );
                Dataset::read(folder, &self.ratings)
            }
            (None, Some(items)) => Dataset::read_own(items, &self.ratings, &self.layout.layout()),
            (None, None) => bail!(
                "there is nothing to read. Give --data FOLDER (MovieLens's format), or --items FILE with --ratings \
                 FILE. For `trainer train`, --config FILE will do too."
            ),
        }
    }

    /// The data set's name: that of its folder.
    pub(crate) fn name(&self) -> String {
        let folder = match (&self.data, &self.items) {
            (Some(folder), _) => Some(folder.as_path()),
            // A bare file name lies in the current folder, whose name says nothing.
            (None, Some(items)) => items.parent().filter(|folder| folder.file_name().is_some()),
            (None, None) => None,
        };
        folder.map_or_else(|| "ratings".to_owned(), files::name)
    }
}
