//! Replaces a bundle's files. A process that is killed on the way leaves either the old bundle or the new one whole.
//!
//! A manifest names its files, and one rename replaces a manifest:
//!
//! 1. The new files are written under names with their hash, which no older manifest has.
//! 2. A manifest with those names makes them the bundle.
//! 3. The plain names, which nobody reads any more, get the same bytes.
//! 4. A manifest with the plain names follows. Files of either bundle that it doesn't name are removed.
//!
//! At each moment, the manifest in the folder names whole files of its own bundle.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result};
use watchnext::bundle::Manifest;

use crate::files::{self, WRITE_REMEDY};

/// The manifest's name.
const MANIFEST: &str = "manifest.json";

/// Digits of the hash in a file's interim name. Two versions never share so many.
const HASH_DIGITS: usize = 16;

/// One change of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<'bytes> {
    /// Writes a file under a hidden name and renames it. The bundle changes when the file is the manifest.
    Write(String, Cow<'bytes, [u8]>),
    /// Removes a file, if it is there.
    Remove(String),
}

impl Step<'_> {
    /// Makes the change in `folder`.
    ///
    /// # Errors
    /// A folder that can't be written to, or a full disk.
    pub fn apply(&self, folder: &Path) -> io::Result<()> {
        match self {
            // The bytes are on the disk before the rename: a manifest must not be there before the files that it names.
            Self::Write(name, bytes) => files::replace(&folder.join(name), bytes),
            Self::Remove(name) => match fs::remove_file(folder.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
        }
    }
}

/// The steps that make `manifest` the bundle of `folder`. `files` are the files that change, by plain name; the
/// manifest's other files are in the folder already. `retired` are names that an older bundle may have left.
///
/// # Errors
/// A manifest that can't be written as JSON.
pub fn steps<'bytes>(
    folder: &Path,
    manifest: &Manifest,
    files: &[(&str, &'bytes [u8])],
    retired: &[&str],
) -> Result<Vec<Step<'bytes>>> {
    let in_place = fs::read(folder.join(MANIFEST)).ok().and_then(|bytes| Manifest::from_json(&bytes).ok());
    let is_in_place = |name: &str| {
        let entry = |manifest: &Manifest| manifest.files.values().find(|entry| entry.path == name).cloned();
        in_place.as_ref().and_then(entry).is_some_and(|old| entry(manifest).is_some_and(|new| old.sha256 == new.sha256))
    };
    // Equal files are left alone, so an unchanged bundle is written at once.
    let changed: Vec<_> = files.iter().filter(|(name, _)| !is_in_place(name)).copied().collect();
    let mut interim = manifest.clone();
    let mut steps = Vec::new();
    if in_place.is_some() {
        for (name, bytes) in &changed {
            let Some(entry) = interim.files.values_mut().find(|entry| entry.path == **name) else { continue };
            entry.path = hashed(name, &entry.sha256);
            steps.push(Step::Write(entry.path.clone(), Cow::Borrowed(*bytes)));
        }
        steps.push(Step::Write(MANIFEST.to_owned(), Cow::Owned(as_json(&interim)?)));
    }
    let leftovers = leftovers(folder, manifest, &interim)?;
    steps.extend(changed.iter().map(|(name, bytes)| Step::Write((*name).to_owned(), Cow::Borrowed(*bytes))));
    steps.push(Step::Write(MANIFEST.to_owned(), Cow::Owned(as_json(manifest)?)));
    let interim = interim.files.into_values().map(|entry| entry.path);
    let plain: BTreeSet<&str> = manifest.files.values().map(|entry| entry.path.as_str()).collect();
    let unnamed = retired.iter().map(|name| (*name).to_owned()).chain(leftovers).chain(interim);
    steps.extend(unnamed.filter(|name| !plain.contains(name.as_str())).map(Step::Remove));
    Ok(steps)
}

/// Makes `manifest` with its `files` the bundle of `folder`; see [`steps`]. The folder is created if it doesn't exist.
///
/// # Errors
/// A folder that can't be written to; the old bundle, if there was one, is then still whole.
pub fn commit(folder: &Path, manifest: &Manifest, files: &[(&str, &[u8])], retired: &[&str]) -> Result<()> {
    let place = || {
        format!(
            "the bundle can't be written to {}. {WRITE_REMEDY} The bundle that was there is unharmed.",
            folder.display()
        )
    };
    fs::create_dir_all(folder).with_context(place)?;
    for step in steps(folder, manifest, files, retired)? {
        step.apply(folder).with_context(place)?;
    }
    Ok(())
}

/// `user_tower.onnx` as `user_tower.0123456789abcdef.onnx`.
fn hashed(name: &str, sha256: &str) -> String {
    let digits = sha256.get(..HASH_DIGITS).unwrap_or(sha256);
    match name.split_once('.') {
        Some((stem, rest)) => format!("{stem}.{digits}.{rest}"),
        None => format!("{name}.{digits}"),
    }
}

/// Files of the folder that are named like those of `manifest`, with a hash, and aren't in `interim`.
fn leftovers(folder: &Path, manifest: &Manifest, interim: &Manifest) -> Result<Vec<String>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let stems: BTreeSet<&str> = manifest.files.values().filter_map(|entry| entry.path.split('.').next()).collect();
    let mut found = Vec::new();
    for entry in entries {
        let Ok(name) = entry?.file_name().into_string() else { continue };
        let mut parts = name.split('.');
        let is_hashed = parts.next().is_some_and(|stem| stems.contains(stem))
            && parts
                .next()
                .is_some_and(|hash| hash.len() == HASH_DIGITS && hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if is_hashed && !interim.files.values().any(|entry| entry.path == name) {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}

fn as_json(manifest: &Manifest) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(manifest)?;
    bytes.push(b'\n');
    Ok(bytes)
}
