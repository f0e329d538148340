//! The bundle, which the trainer writes and the browser loads.
//!
//! A bundle is a folder of standard files. `manifest.json` has the name, the size and the hash of each:
//!
//! | role | file | holds |
//! |---|---|---|
//! | `catalog` | `catalog.json` | ids, titles, years, genres, counts of ratings |
//! | `user_tower` | `user_tower.onnx` | the model from a history and a moment to a vector; see [`crate::model`] |
//! | `movies` | `movies.safetensors` | `embedding` `[movies, dim]`, `bias` and `scale` `[movies]`; see below |
//! | `states` | `states.safetensors` | optional; see [`crate::states`] |
//! | `ranker` | `ranker.onnx` | optional, with `traits`; see [`crate::ranker`] |
//! | `traits` | `traits.safetensors` | optional, with `ranker`; see [`crate::traits`] |
//! | `links` | `links.json` | optional; see [`crate::links`] |
//! | `map` | `map.safetensors` | optional; see [`crate::map`] |
//!
//! The movies' numbers are F32, but for an `embedding` of I8, which comes with a `scale` for each movie.
//!
//! Bundles come from the network, so nothing in one is trusted: sizes and hashes are checked before a file is read, and
//! shapes before a table is allocated.

mod manifest;
mod movies;
mod role;
mod tensors;

pub use manifest::{FORMAT_VERSION, FileEntry, Manifest, Source, Training, sha256_hex};
pub use movies::{MovieEmbeddings, movie_index};
pub use role::Role;
pub(crate) use tensors::{floats, tensor, tensors};
