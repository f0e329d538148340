//! The map of all movies, on which similar ones lie close together.
//!
//! `map.safetensors` holds one tensor, `position`, U16 `[movies, 2]`: x and y, on one scale. The larger extent fills 0
//! to 65,535, and the smaller one is centred.

use safetensors::tensor::Dtype;

use crate::bundle::{Role, tensor, tensors};
use crate::catalog::MovieIndex;
use crate::error::Result;

/// Each movie's place on the map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovieMap {
    positions: Vec<[u16; 2]>,
}

impl MovieMap {
    /// Reads `map.safetensors` of a bundle of `movies` movies.
    ///
    /// # Errors
    /// [`Error::TensorInvalid`](crate::error::Error::TensorInvalid),
    /// [`Error::ShapeMismatch`](crate::error::Error::ShapeMismatch).
    pub fn from_safetensors(bytes: &[u8], movies: usize) -> Result<Self> {
        let file = tensors(Role::Map, bytes)?;
        let view = tensor(Role::Map, &file, "position", Dtype::U16, &[Some(movies), Some(2)])?;
        let (pairs, _) = view.data().as_chunks::<4>();
        let positions =
            pairs.iter().map(|[x0, x1, y0, y1]| [u16::from_le_bytes([*x0, *x1]), u16::from_le_bytes([*y0, *y1])]);
        Ok(Self { positions: positions.collect() })
    }

    /// Each movie's x and y, from 0 to 1, in the catalogue's order.
    pub fn positions(&self) -> impl Iterator<Item = [f32; 2]> {
        self.positions.iter().map(scaled)
    }

    /// One movie's x and y, from 0 to 1; `None` for a movie that doesn't exist.
    pub fn position(&self, movie: MovieIndex) -> Option<[f32; 2]> {
        self.positions.get(movie.as_usize()).map(scaled)
    }
}

fn scaled(position: &[u16; 2]) -> [f32; 2] {
    position.map(|number| f32::from(number) / f32::from(u16::MAX))
}
