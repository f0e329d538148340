//! Reads a bundle from its folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use watchnext::bundle::{Manifest, Role};
use watchnext::recommend::Recommender;

/// Reads a bundle's folder.
///
/// # Errors
/// A missing file, with its path, or a defect that the library finds.
pub fn read_bundle(folder: &Path) -> Result<Recommender> {
    let FolderFiles { manifest, files } = read_files(folder)?;
    load(&manifest, |role| files.get(&role).map(Vec::as_slice))
}

/// The bytes of a bundle's files.
pub(crate) struct FolderFiles {
    /// `manifest.json`.
    pub(crate) manifest: Vec<u8>,
    /// The other files by role.
    pub(crate) files: BTreeMap<Role, Vec<u8>>,
}

/// Reads the files that the manifest of `folder` names, without checking them.
///
/// # Errors
/// A missing file, with its path.
pub(crate) fn read_files(folder: &Path) -> Result<FolderFiles> {
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read(&path).with_context(|| {
            format!(
                "{} can't be read. Give the folder of a bundle, as `trainer train` writes it, with --bundle.",
                path.display()
            )
        })
    };
    let manifest = read("manifest.json")?;
    let entries = Manifest::from_json(&manifest)?.files;
    let files = entries.into_iter().map(|(role, entry)| Ok((role, read(&entry.path)?))).collect::<Result<_>>()?;
    Ok(FolderFiles { manifest, files })
}

/// Loads a bundle. `file` gives the bytes of a role; roles without bytes are left out if they are optional.
///
/// # Errors
/// Every defect that the library finds.
pub(crate) fn load<'bytes>(manifest: &[u8], file: impl Fn(Role) -> Option<&'bytes [u8]>) -> Result<Recommender> {
    let mut recommender = Recommender::load(manifest, &file)?;
    if let Some(states) = file(Role::States) {
        recommender.load_states(states)?;
    }
    if let (Some(ranker), Some(traits)) = (file(Role::Ranker), file(Role::Traits)) {
        recommender.load_ranker(ranker, traits)?;
    }
    if let Some(links) = file(Role::Links) {
        recommender.load_links(links)?;
    }
    if let Some(map) = file(Role::Map) {
        recommender.load_map(map)?;
    }
    Ok(recommender)
}
