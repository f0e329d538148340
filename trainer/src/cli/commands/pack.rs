//! `trainer pack`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use watchnext::bundle::Role;

use crate::choice::Choice;
use crate::cli::data::LayoutArgs;
use crate::cli::origin::CommandLine;
use crate::cli::values::one_of;
use crate::files;
use crate::models::external;
use crate::models::external::request::{Metric, PackRequest, Storage};
use crate::report::{self, external_card};

#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  \
    trainer pack --user-tower user_tower.onnx --items vectors.npy --catalog items.csv --out models")]
pub(crate) struct PackArgs {
    /// The user tower, an ONNX model as MODEL_CONTRACT.md describes it.
    #[arg(long, value_name = "FILE.onnx")]
    user_tower: PathBuf,
    /// The items' vectors, [items, dim]: a .npy, or a .safetensors with the tensor `embedding` and optionally `bias`.
    #[arg(long, value_name = "FILE")]
    items: PathBuf,
    /// With vectors from a .npy: the bias added to each item's score, [items].
    #[arg(long, value_name = "FILE.npy")]
    bias: Option<PathBuf>,
    /// The items in the order of their vectors, CSV or Parquet.
    ///
    /// Columns: an id, a title and optionally a year, genres and ratings (how many an item has), by their usual names.
    #[arg(long, value_name = "FILE")]
    catalog: PathBuf,
    /// The bundle's folder.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// The model's name [default: that of the user tower's file].
    #[arg(long)]
    name: Option<String>,
    /// How a user's vector is compared with an item's; l2 is the squared distance.
    #[arg(long, value_parser = one_of::<Metric>(), default_value = Metric::Dot.name())]
    metric: Metric,
    /// How the items' vectors are stored: in 8 bits with a scale per item, or as 32-bit floats at four times the size.
    #[arg(long, value_parser = one_of::<Storage>(), default_value = Storage::Int8.name())]
    precision: Storage,
    /// Check the model against these inputs and their `user_vector` from the training framework, [cases, …] each.
    #[arg(long, value_name = "FILE.npz|FILE.safetensors")]
    recorded: Option<PathBuf>,
    #[command(flatten)]
    layout: LayoutArgs,
    /// Measure the bundle on these ratings by users whom the model never saw.
    #[arg(long, value_name = "FILE.csv")]
    ratings: Option<PathBuf>,
}

impl PackArgs {
    fn request(&self, line: &CommandLine<'_>) -> PackRequest {
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
            command: line.to_string(),
        }
    }
}

/// Makes a bundle of a model that was trained elsewhere, and reports on it.
pub(crate) fn pack(args: &PackArgs, line: &CommandLine<'_>) -> Result<()> {
    let external = external::pack(&args.request(line))?;
    external.warnings.iter().for_each(|warning| eprintln!("{warning}"));
    external.packed.write(&args.out)?;
    files::write(&args.out.join("README.md"), external_card(&external)?.as_bytes())?;
    if let Some(parity) = external.parity {
        println!("{}", parity.describe());
    }
    if let Some(cost) = &external.cost {
        println!("{}", cost.describe());
    }
    if let Some(evaluation) = &external.evaluation {
        println!("{}", report::text(evaluation));
    }
    for (role, file) in &external.packed.manifest.files {
        let given =
            if *role == Role::UserTower { format!(" (of {} given)", external.given_bytes) } else { String::new() };
        println!("{:>10} bytes  {}  {}{given}", file.bytes, file.sha256.get(..12).unwrap_or_default(), file.path);
    }
    println!("wrote {}", args.out.display());
    Ok(())
}
