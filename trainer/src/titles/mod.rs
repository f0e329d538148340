//! Titles as vectors: all-MiniLM-L6-v2 reads each title, offline, and titles of similar meaning lie close together.
//!
//! [`encoder`] runs the model on the titles as the catalogue shows them. [`file`](mod@file) keeps its vectors, so
//! training needs no encoder. [`reduce`] turns them to the few directions that matter.

pub mod dims;
pub mod encoder;
pub mod file;
pub mod reduce;

use std::path::Path;

use anyhow::Result;
use watchnext::catalog::Catalog;

use crate::math::embeddings::EmbeddingTable;

pub use dims::{REDUCED_DIM, TITLE_DIM};
pub use encoder::TitleEncoder;
pub use file::{read_titles, write_titles};
pub use reduce::{ReducedTitles, nearest, overlap, reduce_titles};

/// The reduced vectors of the file that `trainer titles` wrote, `[movies, REDUCED_DIM]`, if a file is given.
///
/// # Errors
/// As [`read_titles`] and [`reduce_titles`].
pub fn reduced_titles(file: Option<&Path>, catalog: &Catalog) -> Result<Option<EmbeddingTable>> {
    let reduced = |file: &Path| Ok(reduce_titles(&read_titles(file, catalog)?, REDUCED_DIM)?.table);
    file.map(reduced).transpose()
}
