//! A trained model as a bundle in memory.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use ndarray::Array2;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use watchnext::bundle::{FORMAT_VERSION, Manifest, MovieEmbeddings, Role, Source, Training};
use watchnext::catalog::{Catalog, MovieIndex};
use watchnext::features::{FEATURES_VERSION, LocalTime};
use watchnext::history::History;
use watchnext::links::Links;
use watchnext::recommend::Recommender;

use super::commit::commit;
use super::file::BundleFile;
use super::model::Model;
use super::parity::Parity;
use super::read::load;
use crate::files;
use crate::math::bytes;
use crate::math::embeddings::EmbeddingTable;

/// A bundle's files in memory.
#[derive(Debug)]
pub struct Packed {
    /// `manifest.json` before it is written.
    pub manifest: Manifest,
    files: Vec<BundleFile>,
    parity: Parity,
}

impl Packed {
    /// Packs a model with its catalogue.
    ///
    /// # Errors
    /// A parameter of the model that can't be read.
    pub fn new(model: &dyn Model, catalog: &Catalog, name: &str, training: Training) -> Result<Self> {
        let (movies, bias) = model.movies()?;
        let manifest = Manifest {
            format_version: FORMAT_VERSION,
            features_version: FEATURES_VERSION,
            name: name.to_owned(),
            movies: catalog.len(),
            dim: movies.dim().1,
            files: BTreeMap::new(),
            training,
            held_out: BTreeMap::new(),
        };
        let mut packed = Self { manifest, files: Vec::new(), parity: Parity::new(model, catalog)? };
        packed.add(BundleFile { role: Role::Catalog, bytes: catalog.to_json()? });
        packed.add(BundleFile { role: Role::UserTower, bytes: model.onnx()? });
        packed.add(BundleFile { role: Role::Movies, bytes: movies_file(&movies, &bias)? });
        Ok(packed)
    }

    /// Adds a file. It replaces an earlier file of its role.
    pub fn add(&mut self, file: BundleFile) {
        self.manifest.files.extend([file.entry()]);
        self.files.retain(|known| known.role != file.role);
        self.files.push(file);
    }

    /// Adds the movies' ids on other sites, which come from the file `source`.
    ///
    /// # Errors
    /// Links that can't be written as JSON.
    pub fn add_links(&mut self, links: &Links, source: Source) -> Result<()> {
        self.add(links_file(links)?);
        add_source(&mut self.manifest, source);
        Ok(())
    }

    /// Adds to the parity cases how likely a like of each of their best movies is, by the trainer's own second stage.
    pub fn add_likes(&mut self, catalog: &Catalog, like: impl Fn(&History, &LocalTime, MovieIndex) -> Option<f32>) {
        self.parity.add_likes(catalog, like);
    }

    /// The movies' output embeddings `[movies, dim]`, as the bundle's file holds them.
    ///
    /// # Errors
    /// A defect that the library finds in the file.
    pub fn movie_embeddings(&self) -> Result<Array2<f32>> {
        let Manifest { movies, dim, .. } = self.manifest;
        Ok(MovieEmbeddings::from_safetensors(self.file(Role::Movies).unwrap_or_default(), movies, dim)?.embedding)
    }

    fn file(&self, role: Role) -> Option<&[u8]> {
        self.files.iter().find(|file| file.role == role).map(|file| file.bytes.as_slice())
    }

    /// Loads the bundle as a browser does, with its optional files.
    ///
    /// # Errors
    /// Every defect that the library finds.
    pub fn recommender(&self) -> Result<Recommender> {
        load(&serde_json::to_vec(&self.manifest)?, |role| self.file(role))
    }

    /// Makes these files the bundle of `folder`, with `parity.json` next to them. A process that is killed on the way
    /// leaves either the old bundle or the new one whole; see [`commit`](mod@super::commit).
    ///
    /// # Errors
    /// A folder that can't be written to.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let files: Vec<_> = self.files.iter().map(BundleFile::named).collect();
        let retired = Role::ALL.into_iter().filter(|role| !self.manifest.files.contains_key(role));
        commit(folder, &self.manifest, &files, &retired.map(Role::file_name).collect::<Vec<_>>())?;
        files::write(&folder.join("parity.json"), &serde_json::to_vec(&self.parity)?)
    }
}

/// `movies.safetensors`: `embedding` `[movies, dim]`, `bias` `[movies]`, and `scale` `[movies]` for 8 bits.
fn movies_file(table: &EmbeddingTable, bias: &[f32]) -> Result<Vec<u8>> {
    let (movies, dim) = table.dim();
    let (element, embedding, scale) = match table {
        EmbeddingTable::Float(values) => (Dtype::F32, bytes::floats(values), None),
        EmbeddingTable::Int8(values, scales) => (Dtype::I8, bytes::int8(values), Some(bytes::floats(scales))),
    };
    let bias = bytes::floats(bias);
    let mut tensors = BTreeMap::from([
        ("embedding", TensorView::new(element, vec![movies, dim], &embedding)?),
        ("bias", TensorView::new(Dtype::F32, vec![movies], &bias)?),
    ]);
    if let Some(scale) = &scale {
        tensors.insert("scale", TensorView::new(Dtype::F32, vec![movies], scale)?);
    }
    Ok(safetensors::serialize(tensors, None)?)
}

/// The links as a file of the bundle.
pub(crate) fn links_file(links: &Links) -> Result<BundleFile> {
    Ok(BundleFile { role: Role::Links, bytes: links.to_json()? })
}

/// Adds a file to the sources of the bundle, after the ratings. It replaces an earlier source of its name.
pub(crate) fn add_source(manifest: &mut Manifest, source: Source) {
    manifest.training.sources.retain(|known| known.name != source.name);
    manifest.training.sources.push(source);
}
