//! A catalogue and its ratings: read from MovieLens's folder, or from your own files in CSV or Parquet.
//!
//! [`csv`] and [`parquet`] stream their files, both behind [`table`]. [`columns`] finds out which column is which, and
//! [`values`] parses the texts. [`items`] and [`ratings`] make rows of them, and [`problems`] collects all wrong rows
//! with their places. A rating takes 24 bytes in memory, so ten million fit into 240 MB.

pub mod columns;
pub mod cooccurrence;
mod csv;
mod dataset;
pub mod incidence;
pub mod item_factors;
mod items;
mod layout;
pub mod links;
mod parquet;
pub mod popularity;
mod problems;
mod ratings;
mod row;
pub mod split;
mod table;
pub mod timed_popularity;
pub mod training_set;
mod user;
pub mod user_movies;
mod values;

pub(crate) use columns::nearest_name;
pub use dataset::Dataset;
pub(crate) use items::Items;
pub use items::read_movie_titles;
pub use layout::Layout;
pub use user::{Event, Times, User, has_reactions};
pub use values::Scale;
