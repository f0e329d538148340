//! `trainer pack`.

use std::path::PathBuf;

use anyhow::Result;

use crate::cli::data::LayoutArgs;
use crate::files;
use crate::models::external::items::{Metric, Storage};
use crate::models::external::{self, PackRequest};
use crate::report::{self, external_card};

/// The arguments.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct PackArgs {
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

impl PackArgs {
    fn request(&self) -> PackRequest {
        PackRequest {
            user_tower: self.user_tower.clone(),
            items: self.items.clone(),
            bias: self.bias.clone(),
            catalog: self.catalog.clone(),
            name: self.name.clone(),
            metric: self.metric,
            precision: self.precision,
            recorded: self.recorded.clone(),
            layout: self.layout.layout(),
            ratings: self.ratings.clone(),
            command: String::new(),
        }
    }
}

/// Makes a bundle of a model that was trained elsewhere, and reports on it.
pub(crate) fn pack(args: &PackArgs) -> Result<()> {
    let external = external::pack(&args.request())?;
    external.warnings.iter().for_each(|warning| eprintln!("{warning}"));
    external.packed.write(&args.out)?;
    files::write(&args.out.join("README.md"), external_card(&external)?.as_bytes())?;
    if let Some(parity) = external.parity {
        println!("{}", parity.said());
    }
    if let Some(cost) = &external.cost {
        println!("{}", cost.said());
    }
    if let Some(evaluation) = &external.evaluation {
        println!("{}", report::text(evaluation));
    }
    for (role, file) in &external.packed.manifest.files {
        let given = if role == "user_tower" { format!(" (of {} given)", external.given_bytes) } else { String::new() };
        println!("{:>10} bytes  {}  {}{given}", file.bytes, file.sha256.get(..12).unwrap_or_default(), file.path);
    }
    println!("wrote {}", args.out.display());
    Ok(())
}
