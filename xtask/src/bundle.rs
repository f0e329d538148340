//! The default bundle in the built page.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use serde::Deserialize;

use crate::files;

/// The bundle's manifest, from `dist/`.
pub const MANIFEST: &str = "models/manifest.json";

/// A file that the manifest names.
pub struct BundleFile {
    /// Its path from `dist/`.
    pub path: String,
    /// Whether the page works without it.
    pub is_optional: bool,
}

/// As much of a manifest as is needed here.
#[derive(Deserialize)]
struct Manifest {
    files: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    path: String,
    #[serde(default)]
    optional: bool,
}

/// The files that the manifest names.
pub fn files(dist: &Path) -> Result<Vec<BundleFile>> {
    let manifest: Manifest = files::read_json(&dist.join(MANIFEST))?;
    let file = |Entry { path, optional }| BundleFile { path: format!("models/{path}"), is_optional: optional };
    Ok(manifest.files.into_values().map(file).collect())
}
