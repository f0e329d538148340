//! `manifest.json`, and checking the files against it.

use std::collections::BTreeMap;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};

use super::Role;
use crate::error::{Error, Result};
use crate::features::FEATURES_VERSION;

/// The version of the bundle's format that this build reads and writes.
pub const FORMAT_VERSION: u32 = 1;

/// The most numbers of a table, twice what a million movies of 128 numbers each have.
const MAX_TABLE: usize = 1 << 28;

/// `manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT_VERSION`] of the writer.
    pub format_version: u32,
    /// [`FEATURES_VERSION`] of the trainer.
    pub features_version: u32,
    /// The model's name.
    pub name: String,
    /// How many movies every table has.
    pub movies: usize,
    /// The length of the user vector and of a movie's embedding.
    pub dim: usize,
    /// The files.
    #[serde(deserialize_with = "known_files")]
    pub files: BTreeMap<Role, FileEntry>,
    /// How the model was made.
    pub training: Training,
    /// Figures for users whom the model never saw, by name. The name includes the protocol.
    pub held_out: BTreeMap<String, f64>,
}

/// One file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name in the bundle's folder.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Hex SHA-256 of its bytes.
    pub sha256: String,
    /// Whether the first suggestions can do without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
}

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// The command that makes the same bundle again.
    pub command: String,
    /// The seed of every random number.
    pub seed: u64,
    /// The data set's name.
    pub dataset: String,
    /// The files that it was read from.
    pub sources: Vec<Source>,
    /// Users whose ratings trained the model.
    pub users: usize,
    /// Ratings that trained the model.
    pub ratings: usize,
}

/// A file of training data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Its name, without the folder.
    pub name: String,
    /// Hex SHA-256 of its bytes.
    pub sha256: String,
    /// Its rows without the header.
    pub rows: usize,
}

impl Manifest {
    /// Reads `manifest.json`, the versions first, since another version's manifest may have another form.
    ///
    /// # Errors
    /// [`Error::ManifestInvalid`], [`Error::FormatVersionUnsupported`], [`Error::FeaturesVersionMismatch`], and
    /// [`Error::FileMissing`] if a required file is missing.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let invalid = |reason: String| Error::ManifestInvalid { reason };
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(bytes).map_err(|error| invalid(error.to_string()))?;
        let version = |name: &str| {
            let number =
                object.get(name).and_then(serde_json::Value::as_u64).and_then(|number| u32::try_from(number).ok());
            number.ok_or_else(|| invalid(format!("`{name}` isn't a version number")))
        };
        let (format, features) = (version("format_version")?, version("features_version")?);
        if format != FORMAT_VERSION {
            return Err(Error::FormatVersionUnsupported { found: format, supported: FORMAT_VERSION });
        }
        if features != FEATURES_VERSION {
            return Err(Error::FeaturesVersionMismatch { found: features, supported: FEATURES_VERSION });
        }
        let manifest: Self =
            serde_json::from_value(serde_json::Value::Object(object)).map_err(|error| invalid(error.to_string()))?;
        let mut required = Role::ALL.into_iter().filter(|role| role.is_required());
        if let Some(role) = required.find(|role| !manifest.files.contains_key(role)) {
            return Err(Error::FileMissing { file: role.to_string() });
        }
        let table = manifest.movies.checked_mul(manifest.dim).filter(|table| (1..=MAX_TABLE).contains(table));
        if table.is_none() {
            return Err(invalid(format!(
                "a table of {} movies × {} numbers is out of range",
                manifest.movies, manifest.dim
            )));
        }
        Ok(manifest)
    }

    /// The bytes of a file, if they are the ones that the manifest describes.
    ///
    /// # Errors
    /// [`Error::FileMissing`], [`Error::FileSizeMismatch`], [`Error::FileHashMismatch`].
    pub fn checked<'bytes>(&self, role: Role, bytes: Option<&'bytes [u8]>) -> Result<&'bytes [u8]> {
        self.checked_by(role, bytes, None)
    }

    /// As [`Manifest::checked`], with the SHA-256 of these bytes if the caller has computed it.
    ///
    /// # Errors
    /// As [`Manifest::checked`].
    pub fn checked_by<'bytes>(
        &self,
        role: Role,
        bytes: Option<&'bytes [u8]>,
        sha256: Option<&[u8]>,
    ) -> Result<&'bytes [u8]> {
        let missing = || Error::FileMissing { file: role.to_string() };
        let entry = self.files.get(&role).ok_or_else(missing)?;
        let bytes = bytes.ok_or_else(missing)?;
        if bytes.len() as u64 != entry.bytes {
            let (file, expected, found) = (entry.path.clone(), entry.bytes, bytes.len() as u64);
            return Err(Error::FileSizeMismatch { file, expected, found });
        }
        let found = sha256.map_or_else(|| sha256_hex(bytes), hex);
        if found != entry.sha256.to_ascii_lowercase() {
            return Err(Error::FileHashMismatch { file: entry.path.clone() });
        }
        Ok(bytes)
    }
}

/// The files of a manifest without those of unknown roles, which a later version may have added.
fn known_files<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<BTreeMap<Role, FileEntry>, D::Error> {
    deserializer.deserialize_map(KnownFiles)
}

/// Fills the map of the known roles entry by entry. Another map, of all names, would be code that visitors fetch.
struct KnownFiles;

impl<'de> Visitor<'de> for KnownFiles {
    type Value = BTreeMap<Role, FileEntry>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the files by role")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> std::result::Result<Self::Value, A::Error> {
        let mut files = BTreeMap::new();
        while let Some((name, file)) = entries.next_entry::<String, FileEntry>()? {
            if !is_plain_name(&file.path) {
                return Err(serde::de::Error::custom(format!("the path {:?} isn't a plain file name", file.path)));
            }
            if let Some(role) = Role::from_name(&name) {
                files.insert(role, file);
            }
        }
        Ok(files)
    }
}

/// Whether a path is a file name and no more. A slash could lead a fetch out of the bundle's folder.
fn is_plain_name(path: &str) -> bool {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-');
    !path.is_empty() && !path.starts_with('.') && path.chars().all(is_allowed)
}

/// The SHA-256 of `bytes` in lower-case hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
