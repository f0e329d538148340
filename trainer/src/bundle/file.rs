//! One file of a bundle.

use watchnext::bundle::{FileEntry, STATES, sha256_hex};
use watchnext::links::LINKS;
use watchnext::map::MAP;
use watchnext::ranker::RANKER;
use watchnext::traits::TRAITS;

/// The optional files of a bundle, by role.
pub(crate) const OPTIONAL: [(&str, &str); 5] = [
    (STATES, "states.safetensors"),
    (RANKER, "ranker.onnx"),
    (TRAITS, "traits.safetensors"),
    (LINKS, "links.json"),
    (MAP, "map.safetensors"),
];

/// A file of a bundle in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleFile {
    /// Its role in the bundle.
    pub role: &'static str,
    /// Its name in the folder.
    pub path: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl BundleFile {
    /// Its entry in the manifest.
    pub(crate) fn entry(&self) -> (String, FileEntry) {
        let optional = OPTIONAL.iter().any(|(known, _)| *known == self.role);
        let Self { role, path, bytes } = self;
        let (path, sha256) = ((*path).to_owned(), sha256_hex(bytes));
        ((*role).to_owned(), FileEntry { path, bytes: bytes.len() as u64, sha256, optional })
    }
}
