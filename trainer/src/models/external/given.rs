//! The files that options of the command line name.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use watchnext::bundle::{Source, sha256_hex};

use crate::files;

/// A file that an option names.
#[derive(Debug)]
pub(crate) struct GivenFile {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

impl GivenFile {
    /// Reads the file after `option`.
    ///
    /// # Errors
    /// A file that can't be read or is empty.
    pub(crate) fn read(path: &Path, option: &str) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| {
            format!("{} can't be read. Check the path after {option}, and the rights.", path.display())
        })?;
        ensure!(!bytes.is_empty(), "{}, given with {option}, is empty. Write it again.", path.display());
        Ok(Self { path: path.to_owned(), bytes })
    }

    /// The file's entry among the manifest's sources.
    pub(crate) fn source(&self, rows: usize) -> Source {
        Source { name: files::name(&self.path), sha256: sha256_hex(&self.bytes), rows }
    }
}
