//! Models that were trained elsewhere: `trainer pack` turns an ONNX user tower, the items' vectors and a catalogue into
//! a bundle.
//!
//! [`request`] is the packer's order, [`given`] and [`arrays`] read its files, [`items`] turns vectors into a table
//! that the scan takes, [`tower`] holds the model to the contract, and [`recorded`] compares tract with the training
//! framework. `MODEL_CONTRACT.md` is the contract.

pub mod arrays;
pub mod given;
pub mod items;
pub mod recorded;
pub mod request;
pub mod tower;

use std::path::Path;

use anyhow::{Context, Result, ensure};
use watchnext::bundle::{Source, Training};
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
use items::{Cost, Items};
use recorded::Parity;
use request::{Metric, PackRequest};
use tower::ExternalTower;

/// The warning for a catalogue without a column of ratings.
const WITHOUT_FAME: &str = "The catalogue has no column `ratings`, so no item is known to be more popular than \
    another. The first page shows the catalogue's first items, and there is no popularity to compare with.";

/// The warning for a request without recorded runs.
const WITHOUT_RECORDS: &str = "Without --recorded, the program's vectors aren't compared with the training \
    framework's. Record some inputs with their `user_vector`, as MODEL_CONTRACT.md describes.";

/// A bundle that is ready to be written, and the packer's findings.
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
    /// The cost of storing the vectors in 8 bits.
    pub cost: Option<Cost>,
    /// The figures on the users of the ratings file.
    pub evaluation: Option<Evaluation>,
    /// Sentences for the person who packs.
    pub warnings: Vec<String>,
    /// The size of the given user tower, in bytes. The bundle keeps only the parts that a browser reads.
    pub given_bytes: usize,
}

/// A model as the contract describes it.
struct External {
    tower: ExternalTower,
    items: Items,
}

impl Model for External {
    fn onnx(&self) -> Result<Vec<u8>> {
        Ok(self.tower.onnx.clone())
    }

    fn slots(&self, watched: usize) -> usize {
        self.tower.slots(watched)
    }

    fn asks_for(&self, input: &str) -> bool {
        self.tower.asks_for(input)
    }

    fn movies(&self) -> Result<(EmbeddingTable, Vec<f32>)> {
        Ok((self.items.table.clone(), self.items.bias.clone()))
    }

    /// By tract, since the training framework's vectors are known for the recorded cases alone.
    fn user_vector(&self, inputs: &TowerInputs) -> Result<Vec<f32>> {
        self.tower.embed(inputs)
    }
}

/// Histories for the model, and how its runs on them compare with recorded ones.
struct Runs {
    histories: Vec<TowerInputs>,
    /// How near tract came, if the histories were recorded.
    parity: Option<Parity>,
    /// The file of the recorded runs.
    source: Option<Source>,
}

impl Runs {
    /// The recorded runs, compared with tract's, or made-up histories if none were recorded.
    fn new(request: &PackRequest, tower: &ExternalTower, items: usize) -> Result<Self> {
        let Some(path) = &request.recorded else {
            return Ok(Self { histories: recorded::made_up(items, tower.slots(0))?, parity: None, source: None });
        };
        let (cases, source) = recorded::read(path, tower, items)?;
        let place = || format!("{} doesn't fit the model", files::name(path));
        let parity = recorded::compare(&cases, tower).with_context(place)?;
        let histories = cases.into_iter().map(|case| case.inputs).collect();
        Ok(Self { histories, parity: Some(parity), source: Some(source) })
    }
}

/// Checks all files of a request and packs them.
///
/// # Errors
/// The first thing that doesn't fit, with its file, its place and the remedy.
pub fn pack(request: &PackRequest) -> Result<PackedExternal> {
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
    let runs = Runs::new(request, &tower, catalog.len())?;
    let mut warnings = Vec::new();
    if !catalogue.has_rating_counts {
        warnings.push(WITHOUT_FAME.to_owned());
    }
    if runs.parity.is_none() {
        warnings.push(WITHOUT_RECORDS.to_owned());
    }
    let vectors = runs.histories.iter().map(|inputs| tower.embed(inputs)).collect::<Result<Vec<_>>>()?;
    let cost = items.cost(&vectors)?;
    let mut sources = vec![tower_file.source(0)];
    sources.extend(items_sources);
    sources.push(catalogue.source);
    sources.extend(runs.source);
    let training = Training {
        command: request.command.clone(),
        seed: 0,
        dataset: files::stem(&request.catalog),
        sources,
        users: 0,
        ratings: 0,
    };
    let name = request.name.clone().unwrap_or_else(|| files::stem(&request.user_tower));
    let external = External { tower, items };
    let mut packed = Packed::new(&external, &catalog, &name, training)?;
    let recommender = packed.recommender().context("the library refuses the bundle")?;
    let ratings = request.ratings.as_deref();
    let evaluation = ratings.map(|ratings| evaluate(&recommender, ratings, &catalog, layout)).transpose()?;
    if let Some(evaluation) = &evaluation {
        packed.manifest.held_out = held_out_figures(evaluation, None);
    }
    Ok(PackedExternal {
        packed,
        metric: request.metric,
        history_len: external.slots(usize::MAX),
        inputs: external.tower.inputs.clone(),
        parity: runs.parity,
        cost,
        evaluation,
        warnings,
        given_bytes: tower_file.bytes.len(),
    })
}

/// Protocols P1 and P2 on the users of a file.
fn evaluate(recommender: &Recommender, ratings: &Path, catalog: &Catalog, layout: &Layout) -> Result<Evaluation> {
    let (users, left_out, times) = Dataset::read_users(ratings, catalog, Some(layout))?;
    ensure!(
        !users.is_empty(),
        "{} has no rating of an item of the catalogue. Give ratings whose movieId is the catalogue's with --ratings.",
        ratings.display()
    );
    // Without times, the order of a file isn't the order of watching.
    let protocols: &[Protocol] = if times == Times::Unknown { &[Protocol::P2] } else { &[Protocol::P1, Protocol::P2] };
    let evaluation = evaluate_bundle(recommender, &users, protocols)?;
    Ok(Evaluation { left_out: Some(left_out), ..evaluation })
}
