//! `movies.safetensors`.

use ndarray::{Array2, ShapeError};
use safetensors::tensor::Dtype;

use super::{Role, floats, tensor, tensors};
use crate::error::{Error, Result};
use crate::index::InnerProductIndex;

/// The movies' embeddings, which the user vector is multiplied by.
///
/// An embedding of 8-bit numbers comes with a scale for each movie, at a quarter of the size. Here it is turned into
/// floats; [`movie_index`] keeps the 8 bits.
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

/// The index over the movies of a bundle's file. Its numbers stay as they are stored.
///
/// # Errors
/// As [`MovieEmbeddings::from_safetensors`], and the index's own.
pub fn movie_index(bytes: &[u8], movies: usize, dim: usize) -> Result<InnerProductIndex> {
    match StoredEmbedding::read(bytes, movies, dim)? {
        (StoredEmbedding::Floats(embedding), bias) => InnerProductIndex::new(&embedding, &bias),
        (StoredEmbedding::Codes(codes, scales), bias) => InnerProductIndex::from_codes(&codes, scales, bias),
    }
}

/// An embedding, `[movies, dim]`, as it is stored.
enum StoredEmbedding {
    Floats(Array2<f32>),
    /// With a scale for each movie.
    Codes(Array2<i8>, Vec<f32>),
}

impl StoredEmbedding {
    /// The embedding and the movies' bias.
    fn read(bytes: &[u8], movies: usize, dim: usize) -> Result<(Self, Vec<f32>)> {
        const FILE: Role = Role::Movies;
        let file = tensors(FILE, bytes)?;
        let shape = [Some(movies), Some(dim)];
        let invalid = |error: ShapeError| Error::TensorInvalid { file: FILE.to_string(), reason: error.to_string() };
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
