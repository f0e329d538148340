//! Draws a bundle's map again, and adds its links.

use std::path::Path;

use anyhow::Result;
use watchnext::bundle::{Manifest, MovieEmbeddings, Role};

use super::{DrawnMap, draw};
use crate::bundle::commit::commit;
use crate::bundle::file::BundleFile;
use crate::bundle::packed::{add_source, links_file};
use crate::bundle::read::{FolderFiles, load, read_files};
use crate::data::links::read_links;

/// The outcome of [`renew`].
#[derive(Debug)]
pub struct Renewed {
    /// The bundle's new manifest.
    pub manifest: Manifest,
    /// The new map.
    pub map: DrawnMap,
}

/// Gives the bundle in `folder` its map, and its links if the folder `data` has them. The bytes are those that training
/// on the same data writes. The other files stay as they are.
///
/// # Errors
/// As [`read_bundle`](crate::bundle::read::read_bundle), [`read_links`] and [`draw`], and a folder that can't be
/// written to.
pub fn renew(folder: &Path, data: &Path) -> Result<Renewed> {
    let FolderFiles { manifest: bytes, mut files } = read_files(folder)?;
    let mut manifest = Manifest::from_json(&bytes)?;
    // The old links and map may belong to another catalogue.
    for role in [Role::Links, Role::Map] {
        files.remove(&role);
    }
    let recommender = load(&bytes, |role| files.get(&role).map(Vec::as_slice))?;
    let mut new = Vec::new();
    if let Some((links, source)) = read_links(data, recommender.catalog())? {
        new.push(links_file(&links)?);
        add_source(&mut manifest, source);
    }
    let movies = files.get(&Role::Movies).map(Vec::as_slice).unwrap_or_default();
    let embeddings = MovieEmbeddings::from_safetensors(movies, manifest.movies, manifest.dim)?;
    let map = draw(&recommender, &embeddings.embedding)?;
    new.push(map.file()?);
    manifest.files.extend(new.iter().map(BundleFile::entry));
    let changed: Vec<_> = new.iter().map(BundleFile::named).collect();
    commit(folder, &manifest, &changed, &[])?;
    Ok(Renewed { manifest, map })
}
