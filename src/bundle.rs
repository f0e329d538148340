//! The bundle: what the trainer writes and the browser loads.
//!
//! A bundle is a folder of standard files, named, sized and hashed in `manifest.json`:
//!
//! | role | file | holds |
//! |---|---|---|
//! | `catalog` | `catalog.json` | ids, titles, years, genres, counts of ratings |
//! | `user_tower` | `user_tower.onnx` | a history in, and what else it asks for, one vector out; see [`crate::model`] |
//! | `movies` | `movies.safetensors` | `embedding` `[movies, dim]` F32, or I8 with a `scale` `[movies]` F32; `bias` `[movies]` F32 |
//! | `states` | `states.safetensors` | optional; see [`crate::states`] |
//! | `ranker` | `ranker.onnx` | optional, with `traits`; see [`crate::ranker`] |
//! | `traits` | `traits.safetensors` | optional, with `ranker`; see [`crate::traits`] |
//! | `links` | `links.json` | optional; see [`crate::links`] |
//! | `map` | `map.safetensors` | optional; see [`crate::map`] |
//!
//! Bundles come from the network, so nothing in one is believed: sizes and hashes are checked before a file is read, and
//! shapes before a table is allocated.

use std::collections::BTreeMap;

use ndarray::{Array2, ShapeError};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::features::FEATURES_VERSION;
use crate::index::InnerProductIndex;

/// The version of the bundle's format that this build reads and writes.
pub const FORMAT_VERSION: u32 = 1;

/// The roles of the files that every bundle has.
pub const REQUIRED_FILES: [&str; 3] = ["catalog", "user_tower", "movies"];

/// The role of the file that is only fetched when the retrieval by states is asked for.
pub const STATES: &str = "states";

/// No header of ours comes near this size, and a larger one is an attempt to make the parser allocate.
const MAX_TENSOR_HEADER: usize = 64 * 1024;

/// More numbers than any bundle's table has (a million movies of 128 numbers); a manifest that states more is refused.
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
    /// The files by role.
    pub files: BTreeMap<String, FileEntry>,
    /// How the model was made.
    pub training: Training,
    /// Figures on users whom the model never saw, by name; the protocol is part of the name.
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
    /// The command that makes this very bundle again.
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
    /// Its rows, header aside.
    pub rows: usize,
}

impl Manifest {
    /// Reads `manifest.json`. Versions are looked at first, since another version's manifest may have another form.
    ///
    /// # Errors
    /// [`Error::ManifestInvalid`], [`Error::FormatVersionUnsupported`], [`Error::FeaturesVersionMismatch`], and
    /// [`Error::FileMissing`] for a role that no bundle lacks.
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
        if let Some(role) = REQUIRED_FILES.into_iter().find(|role| !manifest.files.contains_key(*role)) {
            return Err(Error::FileMissing { file: role.to_owned() });
        }
        // A path with a slash could lead a fetch out of the bundle's folder.
        let plain = |path: &str| {
            let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-');
            !path.is_empty() && !path.starts_with('.') && path.chars().all(allowed)
        };
        if let Some(file) = manifest.files.values().find(|file| !plain(&file.path)) {
            return Err(invalid(format!("the path {:?} isn't a plain file name", file.path)));
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

    /// The file of a role, once its bytes are known to be the ones that the manifest describes.
    ///
    /// # Errors
    /// [`Error::FileMissing`], [`Error::FileSizeMismatch`], [`Error::FileHashMismatch`].
    pub fn checked<'bytes>(&self, role: &str, bytes: Option<&'bytes [u8]>) -> Result<&'bytes [u8]> {
        self.checked_by(role, bytes, None)
    }

    /// As [`Manifest::checked`], by a SHA-256 of these very bytes that the caller has computed, if there is one.
    ///
    /// # Errors
    /// As [`Manifest::checked`].
    pub fn checked_by<'bytes>(
        &self,
        role: &str,
        bytes: Option<&'bytes [u8]>,
        sha256: Option<&[u8]>,
    ) -> Result<&'bytes [u8]> {
        let missing = || Error::FileMissing { file: role.to_owned() };
        let entry = self.files.get(role).ok_or_else(missing)?;
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

/// The SHA-256 of `bytes` in lower-case hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The tensors of a safetensors file whose header has a sane size.
///
/// # Errors
/// [`Error::TensorInvalid`].
pub(crate) fn tensors<'bytes>(file: &str, bytes: &'bytes [u8]) -> Result<SafeTensors<'bytes>> {
    let invalid = |reason: String| Error::TensorInvalid { file: file.to_owned(), reason };
    let header = bytes.first_chunk::<8>().map(|len| u64::from_le_bytes(*len));
    match header.map(usize::try_from) {
        Some(Ok(len)) if len <= MAX_TENSOR_HEADER => {}
        Some(_) => return Err(invalid(format!("its header is larger than {MAX_TENSOR_HEADER} bytes"))),
        None => return Err(invalid("it is shorter than a header".to_owned())),
    }
    SafeTensors::deserialize(bytes).map_err(|error| invalid(error.to_string()))
}

/// One tensor of a file, of the type and shape that it must have. A `None` in `shape` takes any length.
///
/// # Errors
/// [`Error::TensorInvalid`] if it is missing or of another type, [`Error::ShapeMismatch`].
pub(crate) fn tensor<'bytes>(
    file: &str,
    tensors: &SafeTensors<'bytes>,
    name: &str,
    dtype: Dtype,
    shape: &[Option<usize>],
) -> Result<TensorView<'bytes>> {
    let invalid = |reason: String| Error::TensorInvalid { file: file.to_owned(), reason };
    let view = tensors.tensor(name).map_err(|_| invalid(format!("it lacks the tensor `{name}`")))?;
    if view.dtype() != dtype {
        return Err(invalid(format!("the tensor `{name}` is of type {:?} instead of {dtype:?}", view.dtype())));
    }
    let fits = |(found, expected): (&usize, &Option<usize>)| expected.is_none_or(|expected| expected == *found);
    if view.shape().len() != shape.len() || !view.shape().iter().zip(shape).all(fits) {
        let expected: Vec<String> =
            shape.iter().map(|len| len.map_or("any".to_owned(), |len| len.to_string())).collect();
        return Err(Error::ShapeMismatch {
            place: format!("{file}: {name}"),
            expected: format!("[{}]", expected.join(", ")),
            found: format!("{:?}", view.shape()),
        });
    }
    Ok(view)
}

/// The finite numbers of an F32 tensor.
///
/// # Errors
/// As [`tensor`], and [`Error::NonFinite`].
pub(crate) fn floats(file: &str, from: &SafeTensors<'_>, name: &str, shape: &[Option<usize>]) -> Result<Vec<f32>> {
    let view = tensor(file, from, name, Dtype::F32, shape)?;
    let (words, _) = view.data().as_chunks::<4>();
    let values: Vec<f32> = words.iter().map(|word| f32::from_le_bytes(*word)).collect();
    if values.iter().any(|value| !value.is_finite()) {
        return Err(Error::NonFinite { place: format!("{file}: {name}") });
    }
    Ok(values)
}

/// `movies.safetensors`: what the user vector meets.
///
/// An embedding of 8-bit numbers comes with the scale of each movie, a quarter of the download. Here it is turned into floats; the
/// recommender's own index keeps the 8 bits, by [`movie_index`].
#[derive(Debug, Clone, PartialEq)]
pub struct MovieEmbeddings {
    /// `[movies, dim]`.
    pub embedding: Array2<f32>,
    /// `[movies]`.
    pub bias: Vec<f32>,
}

impl MovieEmbeddings {
    /// Reads the file of a bundle of `movies` × `dim`.
    ///
    /// # Errors
    /// [`Error::TensorInvalid`], [`Error::ShapeMismatch`], [`Error::NonFinite`].
    pub fn from_safetensors(bytes: &[u8], movies: usize, dim: usize) -> Result<Self> {
        let (embedding, bias) = StoredEmbedding::read(bytes, movies, dim)?;
        let embedding = match embedding {
            StoredEmbedding::Floats(embedding) => embedding,
            StoredEmbedding::Codes(codes, scales) => {
                let mut embedding = codes.mapv(f32::from);
                for (mut row, scale) in embedding.rows_mut().into_iter().zip(scales) {
                    row *= scale;
                }
                embedding
            }
        };
        Ok(Self { embedding, bias })
    }
}

/// The index over the movies of a bundle's file, its numbers kept as they are stored.
///
/// # Errors
/// As [`MovieEmbeddings::from_safetensors`], and what the index refuses.
pub fn movie_index(bytes: &[u8], movies: usize, dim: usize) -> Result<InnerProductIndex> {
    match StoredEmbedding::read(bytes, movies, dim)? {
        (StoredEmbedding::Floats(embedding), bias) => InnerProductIndex::new(&embedding, &bias),
        (StoredEmbedding::Codes(codes, scales), bias) => InnerProductIndex::from_codes(&codes, scales, bias),
    }
}

/// An embedding, `[movies, dim]`, as the file has it.
enum StoredEmbedding {
    Floats(Array2<f32>),
    /// With the scale of each movie.
    Codes(Array2<i8>, Vec<f32>),
}

impl StoredEmbedding {
    /// The embedding and the movies' bias.
    fn read(bytes: &[u8], movies: usize, dim: usize) -> Result<(Self, Vec<f32>)> {
        const FILE: &str = "movies";
        let file = tensors(FILE, bytes)?;
        let shape = [Some(movies), Some(dim)];
        let invalid = |error: ShapeError| Error::TensorInvalid { file: FILE.to_owned(), reason: error.to_string() };
        let is_quantised = file.tensor("embedding").is_ok_and(|view| view.dtype() == Dtype::I8);
        let embedding = if is_quantised {
            let scales = floats(FILE, &file, "scale", &[Some(movies)])?;
            let view = tensor(FILE, &file, "embedding", Dtype::I8, &shape)?;
            let codes = view.data().iter().map(|byte| byte.cast_signed()).collect();
            Self::Codes(Array2::from_shape_vec((movies, dim), codes).map_err(invalid)?, scales)
        } else {
            let values = floats(FILE, &file, "embedding", &shape)?;
            Self::Floats(Array2::from_shape_vec((movies, dim), values).map_err(invalid)?)
        };
        Ok((embedding, floats(FILE, &file, "bias", &[Some(movies)])?))
    }
}
