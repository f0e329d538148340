//! Models that were trained elsewhere: `trainer pack` turns an ONNX user tower, the items' vectors and a catalogue into a bundle.
//!
//! [`arrays`] reads NumPy's and safetensors' files, [`items`] makes of vectors what the scan takes, [`tower`]
//! holds the model to the contract, [`recorded`] holds tract to what the training framework computed, and [`card`] writes the model
//! card. `MODEL_CONTRACT.md` states the contract.

pub mod arrays;
mod card;
pub mod items;
pub mod recorded;
pub mod tower;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use watchnext::bundle::{Source, Training, sha256_hex};
use watchnext::catalog::Catalog;
use watchnext::model::TowerInputs;
use watchnext::recommend::Recommender;

use crate::cli::LayoutArgs;
use crate::dataset::{self, Dataset, Layout, Times};
use crate::evaluate::run::{Evaluation, Protocol, evaluate_bundle};
use crate::pack::{Model, Packed};
use crate::report::held_out_figures;
use crate::tower::table::Table;
use items::{Items, Metric, Storage};
use recorded::Parity;
use tower::ForeignTower;

/// What `trainer pack` is given.
#[derive(Debug, Clone, clap::Args)]
pub struct PackArgs {
    /// The user tower, an ONNX model as MODEL_CONTRACT.md describes it.
    #[arg(long, value_name = "FILE.onnx")]
    pub user_tower: PathBuf,
    /// The items' vectors, [items, dim]: a .npy, or a .safetensors with the tensor `embedding` and, if there is one, `bias`.
    #[arg(long, value_name = "FILE")]
    pub items: PathBuf,
    /// With vectors of a .npy: what is added to each item's score, [items].
    #[arg(long, value_name = "FILE.npy")]
    pub bias: Option<PathBuf>,
    /// The items in the order of their vectors, CSV or Parquet, with an id, a title and, if wanted, a year, genres and ratings (how
    /// many there are). Columns are known by their usual names.
    #[arg(long, value_name = "FILE")]
    pub catalog: PathBuf,
    /// The bundle's folder.
    #[arg(long)]
    pub out: PathBuf,
    /// The model's name; that of the user tower's file if left out.
    #[arg(long)]
    pub name: Option<String>,
    /// How a user's vector meets an item's.
    #[arg(long, value_enum, default_value_t = Metric::Dot)]
    pub metric: Metric,
    /// How the items' vectors are stored.
    #[arg(long, value_enum, default_value_t = Storage::Int8)]
    pub precision: Storage,
    /// The model's inputs and its `user_vector` as the training framework computed them, [cases, …] each.
    #[arg(long, value_name = "FILE.npz|FILE.safetensors")]
    pub recorded: Option<PathBuf>,
    /// How to read the catalogue and the ratings.
    #[command(flatten)]
    pub layout: LayoutArgs,
    /// Ratings by users whom the model never saw, as MovieLens writes them; the bundle is measured on them.
    #[arg(long, value_name = "FILE.csv")]
    pub ratings: Option<PathBuf>,
}

/// A bundle that is ready to be written, and what was found out on the way.
#[derive(Debug)]
pub struct PackedForeign {
    /// The bundle, which the library has loaded.
    pub packed: Packed,
    /// Its model card.
    pub card: String,
    /// How near tract came to what was recorded, where something was.
    pub parity: Option<Parity>,
    /// What storing the vectors costs.
    pub cost: Option<items::Cost>,
    /// The figures on the users of the ratings file.
    pub evaluation: Option<Evaluation>,
    /// What whoever packs should know, a sentence each.
    pub warnings: Vec<String>,
    /// The user tower's bytes as they were given, of which the bundle keeps what a browser reads.
    pub given_bytes: usize,
}

/// A model as the packer takes it: what the contract asks for, and nothing of how it came about.
struct Foreign {
    tower: ForeignTower,
    items: Items,
}

impl Model for Foreign {
    fn onnx(&self) -> Result<Vec<u8>> {
        Ok(self.tower.onnx.clone())
    }

    fn history_len(&self) -> usize {
        self.tower.history_len()
    }

    fn asks_for(&self, input: &str) -> bool {
        self.tower.inputs.iter().any(|own| own == input)
    }

    fn movies(&self) -> Result<(Table, Vec<f32>)> {
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
pub fn pack(args: &PackArgs) -> Result<PackedForeign> {
    let mut warnings = Vec::new();
    let layout = args.layout.layout();
    ensure!(
        args.catalog.is_file(),
        "{} can't be read. Check the path after --catalog, and the rights.",
        args.catalog.display()
    );
    let catalogue = dataset::Items::read(&args.catalog, Some(&layout))?;
    let catalog = catalogue.catalog(&layout.separator)?;
    let (items, items_sources) = Items::read(args, catalog.len())?;
    let tower_file = GivenFile::read(&args.user_tower, "--user-tower")?;
    let tower = ForeignTower::load(&tower_file, items.dim(), catalog.len())?;
    if !catalogue.says_how_known {
        warnings.push(
            "The catalogue has no column `ratings`, so nothing is known better than anything else: the first page shows the \
             catalogue's first items, and popularity can't be compared with."
                .to_owned(),
        );
    }
    let mut sources = vec![tower_file.source(0)];
    sources.extend(items_sources);
    sources.push(catalogue.source);
    let recorded = args.recorded.as_deref().map(|path| recorded::read(path, &tower, catalog.len())).transpose()?;
    let (parity, histories) = match recorded {
        Some((cases, source)) => {
            sources.push(source);
            let place =
                || format!("{} doesn't fit the model", file_name(args.recorded.as_deref().unwrap_or(&args.user_tower)));
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
    let name = args.name.clone().unwrap_or_else(|| stem(&args.user_tower));
    let (given_bytes, foreign) = (tower_file.bytes.len(), Foreign { tower, items });
    let training =
        Training { command: command_line(args), seed: 0, dataset: stem(&args.catalog), sources, users: 0, ratings: 0 };
    let mut packed = Packed::new(&foreign, &catalog, None, &name, training)?;
    let recommender = packed.recommender().context("the library refuses the bundle")?;
    let evaluation = match &args.ratings {
        Some(ratings) => Some(evaluate(&recommender, ratings, &catalog, &layout)?),
        None => None,
    };
    if let Some(evaluation) = &evaluation {
        packed.manifest.held_out = held_out_figures(evaluation, None);
    }
    let card = card::card(&packed.manifest, &foreign, args, parity.as_ref(), cost.as_ref(), evaluation.as_ref());
    Ok(PackedForeign { packed, card, parity, cost, evaluation, warnings, given_bytes })
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

/// A file that an option names.
#[derive(Debug)]
pub(crate) struct GivenFile {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

impl GivenFile {
    /// # Errors
    /// A file that can't be read or is empty.
    pub(crate) fn read(path: &Path, option: &str) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| {
            format!("{} can't be read. Check the path after {option}, and the rights.", path.display())
        })?;
        ensure!(!bytes.is_empty(), "{}, given with {option}, is empty. Write it again.", path.display());
        Ok(Self { path: path.to_owned(), bytes })
    }

    /// Its entry among the manifest's sources.
    pub(crate) fn source(&self, rows: usize) -> Source {
        Source { name: file_name(&self.path), sha256: sha256_hex(&self.bytes), rows }
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// The command as a reader of the manifest would type it, without any folder of this machine.
fn command_line(args: &PackArgs) -> String {
    let option =
        |name: &str, value: Option<String>| value.map(|value| format!(" --{name} {value}")).unwrap_or_default();
    let file = |path: &PathBuf| Some(file_name(path));
    let unless_default = |value: String, default: &str| (value != default).then_some(value);
    let parts = [
        option("user-tower", file(&args.user_tower)),
        option("items", file(&args.items)),
        option("bias", args.bias.as_ref().and_then(file)),
        option("catalog", file(&args.catalog)),
        option("metric", unless_default(args.metric.to_string(), "dot")),
        option("precision", unless_default(args.precision.to_string(), "int8")),
        option("recorded", args.recorded.as_ref().and_then(file)),
        option("ratings", args.ratings.as_ref().and_then(file)),
        args.layout.typed(),
    ];
    format!("trainer pack{} --out {}", parts.concat(), file_name(&args.out))
}

/// Arrays by name.
pub(crate) type ByName = BTreeMap<String, candle_core::Tensor>;
