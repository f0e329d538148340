//! Titles as vectors (seed row 6): all-MiniLM-L6-v2 reads each title, offline, and what it finds alike lies close together.
//!
//! [`encoder`] runs the model on the titles as the catalogue shows them, [`file`](mod@file) keeps its vectors, so that whoever
//! trains needs no encoder, and [`reduce`] turns them to the few directions that matter.

pub mod encoder;
pub mod file;
pub mod reduce;

use std::path::Path;

use anyhow::Result;
use watchnext::catalog::Catalog;

use crate::math::embeddings::EmbeddingTable;

pub use encoder::TitleEncoder;
pub use file::{read_titles, write_titles};
pub use reduce::{ReducedTitles, nearest, overlap, reduce_titles};

/// The reduced embeddings of the file that `trainer titles` wrote, if one is named.
///
/// # Errors
/// As [`read_titles`] and [`reduce_titles`].
pub fn reduced_titles(file: Option<&Path>, catalog: &Catalog) -> Result<Option<EmbeddingTable>> {
    let reduced = |file: &Path| Ok(reduce_titles(&read_titles(file, catalog)?, REDUCED_DIM)?.table);
    file.map(reduced).transpose()
}

/// The width of all-MiniLM-L6-v2's vectors.
pub const TITLE_DIM: usize = 384;

/// The width to which a title's vector is reduced where nothing else is asked for.
pub const REDUCED_DIM: usize = 48;
