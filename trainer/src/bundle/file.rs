//! One file of a bundle.

use watchnext::bundle::{FileEntry, Role, sha256_hex};

/// A file of a bundle in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleFile {
    /// Its role in the bundle, which names it.
    pub role: Role,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl BundleFile {
    /// Its name in the folder and its content.
    pub(crate) fn named(&self) -> (&'static str, &[u8]) {
        (self.role.file_name(), &self.bytes)
    }

    /// Its entry in the manifest.
    pub(crate) fn entry(&self) -> (Role, FileEntry) {
        let Self { role, bytes } = self;
        let (path, sha256) = (role.file_name().to_owned(), sha256_hex(bytes));
        (*role, FileEntry { path, bytes: bytes.len() as u64, sha256, optional: !role.is_required() })
    }
}
