//! The titles' vectors on disk: a safetensors file with `embedding`, F16 `[movies, TITLE_DIM]`, and `movie_id`, U32
//! `[movies]`. Its metadata has the SHA-256 of the encoder's parameters.
//!
//! Half precision halves the file. It moves a cosine by less than 1e-6, far less than the 8 bits that ship.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use half::f16;
use ndarray::Array2;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use watchnext::catalog::{Catalog, MovieId};

use super::dims::TITLE_DIM;
use crate::files::{self, WRITE_REMEDY};

/// The most movies without a vector that an error names.
const NAMED: usize = 5;

/// Writes the vectors `[movies, TITLE_DIM]` of the movies `ids`. `encoder_sha256` is the hash of the encoder's
/// parameters.
///
/// # Errors
/// Vectors of another shape, and a place that can't be written to. An older file is then unharmed.
pub fn write_titles(path: &Path, ids: &[MovieId], embeddings: &Array2<f32>, encoder_sha256: &str) -> Result<()> {
    let (rows, width) = embeddings.dim();
    ensure!(
        (rows, width) == (ids.len(), TITLE_DIM),
        "the vectors are [{rows}, {width}] instead of [{}, {TITLE_DIM}]: one for each movie, from all-MiniLM-L6-v2",
        ids.len()
    );
    let halves: Vec<u8> = embeddings.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect();
    let movies: Vec<u8> = ids.iter().flat_map(|id| id.0.to_le_bytes()).collect();
    let tensors = BTreeMap::from([
        ("embedding", TensorView::new(Dtype::F16, vec![ids.len(), TITLE_DIM], &halves)?),
        ("movie_id", TensorView::new(Dtype::U32, vec![ids.len()], &movies)?),
    ]);
    // Only one entry: the order of several isn't fixed, and the same titles must give the same bytes.
    let metadata = HashMap::from([("encoder_sha256".to_owned(), encoder_sha256.to_owned())]);
    let bytes = safetensors::serialize(tensors, Some(metadata))?;
    files::replace(path, &bytes).with_context(|| format!("{} can't be written. {WRITE_REMEDY}", path.display()))
}

/// Reads the vectors of a catalogue's movies, `[movies, TITLE_DIM]`, in the catalogue's order. The file may hold more
/// movies.
///
/// # Errors
/// A file that [`write_titles`] didn't write, and movies of the catalogue that aren't in it, by name.
pub fn read_titles(path: &Path, catalog: &Catalog) -> Result<Array2<f32>> {
    let remedy = "Write it with `trainer titles`.";
    let bytes = fs::read(path).with_context(|| format!("{} can't be read. {remedy}", path.display()))?;
    let (rows, embeddings) =
        parse(&bytes).with_context(|| format!("{} holds no title embeddings. {remedy}", path.display()))?;
    let missing: Vec<_> = catalog.movies().iter().filter(|movie| !rows.contains_key(&movie.id.0)).collect();
    if !missing.is_empty() {
        let named: Vec<_> =
            missing.iter().take(NAMED).map(|movie| format!("{} ({:?})", movie.id.0, movie.title)).collect();
        bail!(
            "{} lacks {} of the catalogue's {} movies: {}{}. Write it again with `trainer titles` and the folder of \
             this movies.csv.",
            path.display(),
            missing.len(),
            catalog.len(),
            named.join(", "),
            if missing.len() > NAMED { " and others" } else { "" }
        );
    }
    let kept: Vec<usize> = catalog.movies().iter().filter_map(|movie| rows.get(&movie.id.0)).copied().collect();
    Ok(embeddings.select(ndarray::Axis(0), &kept))
}

/// Each movie's row, by its id, and the rows `[rows, TITLE_DIM]`.
fn parse(bytes: &[u8]) -> Result<(BTreeMap<u32, usize>, Array2<f32>)> {
    let file = SafeTensors::deserialize(bytes)?;
    let tensor = |name: &str, element: Dtype| -> Result<TensorView<'_>> {
        let tensor = file.tensor(name)?;
        ensure!(tensor.dtype() == element, "`{name}` is of type {:?} instead of {element:?}", tensor.dtype());
        Ok(tensor)
    };
    let (ids, halves) = (tensor("movie_id", Dtype::U32)?, tensor("embedding", Dtype::F16)?);
    let movies = ids.shape().first().copied().unwrap_or_default();
    ensure!(
        ids.shape() == [movies] && halves.shape() == [movies, TITLE_DIM],
        "`movie_id` is {:?} and `embedding` {:?} instead of [movies] and [movies, {TITLE_DIM}]",
        ids.shape(),
        halves.shape()
    );
    let (ids, _) = ids.data().as_chunks::<4>();
    let rows: BTreeMap<u32, usize> = ids.iter().map(|id| u32::from_le_bytes(*id)).zip(0..).collect();
    ensure!(rows.len() == movies, "a movie occurs twice in `movie_id`");
    let (halves, _) = halves.data().as_chunks::<2>();
    let values: Vec<f32> = halves.iter().map(|half| f16::from_le_bytes(*half).to_f32()).collect();
    ensure!(values.iter().all(|value| value.is_finite()), "`embedding` holds a number that isn't finite");
    Ok((rows, Array2::from_shape_vec((movies, TITLE_DIM), values)?))
}
