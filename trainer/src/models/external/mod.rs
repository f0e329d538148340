//! Models that were trained elsewhere: `trainer pack` turns an ONNX user tower, the items' vectors and a catalogue into a bundle.
//!
//! [`arrays`] reads NumPy's and safetensors' files, [`items`] turns vectors into what the scan takes, [`tower`] holds the model
//! to the contract, and [`recorded`] holds tract to what the training framework computed. `MODEL_CONTRACT.md` is the contract.

pub mod arrays;
pub mod given;
pub mod items;
pub mod recorded;
pub mod tower;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use watchnext::bundle::Training;
use watchnext::catalog::Catalog;
use watchnext::model::TowerInputs;
use watchnext::recommend::Recommender;

use crate::bundle::model::Model;
use crate::bundle::packed::Packed;
use crate::data::{self, Dataset, Layout, Times};
use crate::evaluate::evaluation::Evaluation;
use crate::evaluate::held_out::held_out_figures;
use crate::evaluate::protocol::Protocol;
use crate::evaluate::run::evaluate_bundle;
use crate::files;
use crate::math::embeddings::EmbeddingTable;
use given::GivenFile;
use items::{Cost, Items, Metric, Storage};
use recorded::Parity;
use tower::ExternalTower;

/// The files of a model that was trained elsewhere, and how to read them.
#[derive(Debug, Clone)]
pub struct PackRequest {
    /// The user tower, an ONNX model as MODEL_CONTRACT.md describes it.
    pub user_tower: PathBuf,
    /// The items' vectors, `[items, dim]`: a .npy, or a .safetensors with `embedding` and perhaps `bias`.
    pub items: PathBuf,
    /// With vectors of a .npy: what is added to each item's score, `[items]`.
    pub bias: Option<PathBuf>,
    /// The items in the order of their vectors, CSV or Parquet.
    pub catalog: PathBuf,
    /// The model's name; that of the user tower's file if left out.
    pub name: Option<String>,
    /// How a user's vector meets an item's.
    pub metric: Metric,
    /// How the items' vectors are stored.
    pub precision: Storage,
    /// The model's inputs and its `user_vector` as the training framework computed them, `[cases, …]` each.
    pub recorded: Option<PathBuf>,
    /// How to read the catalogue and the ratings.
    pub layout: Layout,
    /// Ratings by users whom the model never saw; the bundle is measured on them.
    pub ratings: Option<PathBuf>,
    /// The command that makes this bundle again, for its manifest.
    pub command: String,
}

/// A bundle that is ready to be written, and what the packer found out on the way.
#[derive(Debug)]
pub struct PackedExternal {
    /// The bundle, which the library has loaded.
    pub packed: Packed,
    /// How a user's vector meets an item's.
    pub metric: Metric,
    /// How many slots the model's history has.
    pub history_len: usize,
    /// The names of the model's inputs.
    pub inputs: Vec<String>,
    /// How near tract came to the recorded runs, if there are any.
    pub parity: Option<Parity>,
    /// What storing the vectors costs.
    pub cost: Option<Cost>,
    /// The figures on the users of the ratings file.
    pub evaluation: Option<Evaluation>,
    /// Sentences for whoever packs.
    pub warnings: Vec<String>,
    /// The size of the user tower as given, in bytes. The bundle keeps only what a browser reads.
    pub given_bytes: usize,
}

/// A model as the packer takes it: what the contract asks for, and nothing of how it came about.
struct External {
    tower: ExternalTower,
    items: Items,
}

impl Model for External {
    fn onnx(&self) -> Result<Vec<u8>> {
        Ok(self.tower.onnx.clone())
    }

    fn history_len(&self) -> usize {
        self.tower.history_len()
    }

    fn asks_for(&self, input: &str) -> bool {
        self.tower.inputs.iter().any(|own| own == input)
    }

    fn movies(&self) -> Result<(EmbeddingTable, Vec<f32>)> {
        Ok((self.items.table.clone(), self.items.bias.clone()))
    }

    /// By tract: what the training framework computes is known for the recorded cases alone.
    fn user_vector(&self, inputs: &TowerInputs) -> Result<Vec<f32>> {
        self.tower.embed(inputs)
    }
}

/// Checks everything that was given and packs it.
///
/// # Errors
/// The first thing that doesn't fit, with its file, its place and the remedy.
pub fn pack(request: &PackRequest) -> Result<PackedExternal> {
    let mut warnings = Vec::new();
    let layout = &request.layout;
    ensure!(
        request.catalog.is_file(),
        "{} can't be read. Check the path after --catalog, and the rights.",
        request.catalog.display()
    );
    let catalogue = data::Items::read(&request.catalog, Some(layout))?;
    let catalog = catalogue.catalog(&layout.separator)?;
    let (items, items_sources) = Items::read(request, catalog.len())?;
    let tower_file = GivenFile::read(&request.user_tower, "--user-tower")?;
    let tower = ExternalTower::load(&tower_file, items.dim(), catalog.len())?;
    if !catalogue.has_rating_counts {
        warnings.push(
            "The catalogue has no column `ratings`, so nothing is known better than anything else: the first page shows the \
             catalogue's first items, and popularity can't be compared with."
                .to_owned(),
        );
    }
    let mut sources = vec![tower_file.source(0)];
    sources.extend(items_sources);
    sources.push(catalogue.source);
    let recorded = request.recorded.as_deref().map(|path| recorded::read(path, &tower, catalog.len())).transpose()?;
    let (parity, histories) = match recorded {
        Some((cases, source)) => {
            sources.push(source);
            let place = || {
                format!(
                    "{} doesn't fit the model",
                    files::name(request.recorded.as_deref().unwrap_or(&request.user_tower))
                )
            };
            let parity = recorded::compare(&cases, &tower).with_context(place)?;
            (Some(parity), cases.into_iter().map(|case| case.inputs).collect())
        }
        None => {
            warnings.push(
                "Nothing was given with --recorded, so nobody knows whether the program computes what the training framework did. \
                 Record some inputs with their `user_vector`; MODEL_CONTRACT.md says how."
                    .to_owned(),
            );
            (None, recorded::made_up(catalog.len(), tower.history_len())?)
        }
    };
    let vectors = histories.iter().map(|inputs| tower.embed(inputs)).collect::<Result<Vec<_>>>()?;
    let cost = items.cost(&vectors)?;
    let name = request.name.clone().unwrap_or_else(|| files::stem(&request.user_tower));
    let (given_bytes, external) = (tower_file.bytes.len(), External { tower, items });
    let training = Training {
        command: request.command.clone(),
        seed: 0,
        dataset: files::stem(&request.catalog),
        sources,
        users: 0,
        ratings: 0,
    };
    let mut packed = Packed::new(&external, &catalog, &name, training)?;
    let recommender = packed.recommender().context("the library refuses the bundle")?;
    let evaluation = match &request.ratings {
        Some(ratings) => Some(evaluate(&recommender, ratings, &catalog, layout)?),
        None => None,
    };
    if let Some(evaluation) = &evaluation {
        packed.manifest.held_out = held_out_figures(evaluation, None);
    }
    Ok(PackedExternal {
        packed,
        metric: request.metric,
        history_len: external.history_len(),
        inputs: external.tower.inputs.clone(),
        parity,
        cost,
        evaluation,
        warnings,
        given_bytes,
    })
}

/// Protocols P1 and P2 on the users of a file.
fn evaluate(recommender: &Recommender, ratings: &Path, catalog: &Catalog, layout: &Layout) -> Result<Evaluation> {
    let (users, left_out, times) = Dataset::read_users(ratings, catalog, Some(layout))?;
    ensure!(
        !users.is_empty(),
        "{} holds no rating of an item of the catalogue. Give ratings whose movieId is the catalogue's with --ratings.",
        ratings.display()
    );
    // The order of a file isn't that of watching.
    let protocols: &[Protocol] = if times == Times::Unknown { &[Protocol::P2] } else { &[Protocol::P1, Protocol::P2] };
    let evaluation = evaluate_bundle(recommender, &users, protocols)?;
    Ok(Evaluation { left_out: Some(left_out), ..evaluation })
}
