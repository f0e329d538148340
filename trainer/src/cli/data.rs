//! Where ratings come from: MovieLens's folder, or files of one's own.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use clap::Args;

use crate::data::columns::ColumnNames;
use crate::data::{Dataset, Layout, Scale};

/// Where ratings come from.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DataArgs {
    /// A folder with movies.csv and ratings.csv, as MovieLens serves them.
    #[arg(long, conflicts_with = "items")]
    pub(crate) data: Option<PathBuf>,
    /// A file of items of any kind in place of --data: CSV, TSV or Parquet, with a column of ids and one of titles.
    #[arg(long)]
    pub(crate) items: Option<PathBuf>,
    /// With --items: its ratings or clicks, CSV, TSV or Parquet. With --data: more ratings of the same catalogue. May be given
    /// again.
    #[arg(long)]
    pub(crate) ratings: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) layout: LayoutArgs,
}

/// How to read files of one's own.
#[derive(Debug, Clone, Default, Args)]
pub struct LayoutArgs {
    /// Which column is what, where it hasn't a usual name: user=reader,item=isbn,rating=stars,time=date,title=name,
    /// categories=tags,year=published. With `items.` or `ratings.` before it, of that file alone; `rating=` means that there is none.
    #[arg(long)]
    pub columns: Option<ColumnNames>,
    /// What stands between the categories of an item [default: |].
    #[arg(long)]
    pub separator: Option<String>,
    /// The ratings' scale, such as 1..10, if it isn't 0.5..5.
    #[arg(long, allow_hyphen_values = true)]
    pub scale: Option<Scale>,
    /// Ratings without times stand in the order in which they were given.
    #[arg(long)]
    pub ordered: bool,
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

    /// Whether nothing is said.
    pub(crate) fn is_empty(&self) -> bool {
        self.typed().is_empty()
    }

    /// The options as they are typed, each with a space before it.
    pub(crate) fn typed(&self) -> String {
        let quoted = |text: &str| {
            if text.contains([' ', '|', ';', '<', '>', '&']) { format!("'{text}'") } else { text.to_owned() }
        };
        let columns = self.columns.as_ref().map(|columns| format!(" --columns {}", quoted(&columns.to_string())));
        let separator = self.separator.as_ref().map(|separator| format!(" --separator {}", quoted(separator)));
        let scale = self.scale.map(|scale| format!(" --scale {scale}"));
        let ordered = self.ordered.then(|| " --ordered".to_owned());
        [columns, separator, scale, ordered].into_iter().flatten().collect()
    }
}

impl DataArgs {
    /// Reads the data set.
    ///
    /// # Errors
    /// Nothing to read, options that don't go together, and what is wrong with the files.
    pub(crate) fn read(&self) -> Result<Dataset> {
        match (&self.data, &self.items) {
            (Some(folder), _) => {
                ensure!(
                    self.layout.is_empty(),
                    "{} says how to read files of your own, and --data is a folder in MovieLens's form: name the files with --items and \
                     --ratings",
                    self.layout.typed().trim()
                );
                Dataset::read(folder, &self.ratings)
            }
            (None, Some(items)) => Dataset::read_own(items, &self.ratings, &self.layout.layout()),
            (None, None) => bail!(
                "there is nothing to read: give --data FOLDER (MovieLens's form), or --items FILE with --ratings FILE; `trainer train` \
                 also takes --config FILE"
            ),
        }
    }

    /// The data set's name: that of its folder.
    pub(crate) fn name(&self) -> String {
        let folder = match (&self.data, &self.items) {
            (Some(folder), _) => Some(folder.clone()),
            // A bare file name is of the current folder, whose name says nothing.
            (None, Some(items)) => items.parent().filter(|folder| folder.file_name().is_some()).map(Path::to_owned),
            (None, None) => None,
        };
        folder.map_or_else(|| "ratings".to_owned(), |folder| file_name(&folder))
    }

    /// The options as a reader of a manifest would type them, without the paths of a machine: what is read, and how. The manifests of
    /// MovieLens have the place to write between the two.
    pub(crate) fn typed(&self) -> (String, String) {
        let below = |path: &Path| format!("{}/{}", path.parent().map(file_name).unwrap_or_default(), file_name(path));
        let own = |path: &Path| below(path).trim_start_matches('/').to_owned();
        let ratings = |path: &PathBuf| match self.data {
            Some(_) => format!(" --ratings ../shared/data/{}", below(path)),
            None => format!(" --ratings {}", own(path)),
        };
        let source = match (&self.data, &self.items) {
            (Some(folder), _) => format!("--data ../shared/data/{}", file_name(folder)),
            (None, Some(items)) => format!("--items {}", own(items)),
            (None, None) => String::new(),
        };
        (source, self.ratings.iter().map(ratings).collect::<String>() + &self.layout.typed())
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
