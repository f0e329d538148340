//! The packer's order: the files of a model, and how to read them.

use std::fmt;
use std::path::PathBuf;

use crate::choice::Choice;
use crate::data::Layout;

/// How a user's vector meets an item's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// The product, and the item's bias if it has one.
    Dot,
    /// The cosine of the angle between them. Items' vectors are scaled to the length 1, the user's stays as it is.
    Cosine,
    /// The squared distance, nearest first.
    L2,
}

/// How the items' vectors are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// 8 bits a number with a scale an item, a quarter of the download.
    Int8,
    /// As they were given.
    Float,
}

impl Choice for Metric {
    const NAMED: &'static [(&'static str, Self)] = &[("dot", Self::Dot), ("cosine", Self::Cosine), ("l2", Self::L2)];
}

impl Choice for Storage {
    const NAMED: &'static [(&'static str, Self)] = &[("int8", Self::Int8), ("float", Self::Float)];
}

impl fmt::Display for Metric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The files of a model that was trained elsewhere, and how to read them.
#[derive(Debug, Clone)]
pub struct PackRequest {
    /// The user tower, an ONNX model as MODEL_CONTRACT.md describes it.
    pub user_tower: PathBuf,
    /// The items' vectors, `[items, dim]`: a .npy, or a .safetensors with `embedding` and perhaps `bias`.
    pub items: PathBuf,
    /// With vectors of a .npy: a number to add to each item's score, `[items]`.
    pub bias: Option<PathBuf>,
    /// The items in the order of their vectors, CSV or Parquet.
    pub catalog: PathBuf,
    /// The model's name. Left out, it is the name of the user tower's file.
    pub name: Option<String>,
    /// How a user's vector meets an item's.
    pub metric: Metric,
    /// How the items' vectors are stored.
    pub precision: Storage,
    /// The model's inputs and its `user_vector` as the training framework computed them, `[cases, …]` each.
    pub recorded: Option<PathBuf>,
    /// How to read the catalogue and the ratings.
    pub layout: Layout,
    /// Ratings by users whom the model never saw, to measure the bundle on.
    pub ratings: Option<PathBuf>,
    /// The command that makes this bundle again, for the manifest.
    pub command: String,
}
