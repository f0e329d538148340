//! Trains, evaluates and packs the bundles that watchnext runs in the browser.
//!
//! [`dataset`] reads the ratings and [`split`] parts the users; [`train`] fits the [`network`] with the operations of [`ops`]
//! and the optimiser of [`adam`]; [`export`], [`compact`] and [`pack`] make the bundle; [`evaluate`] measures what ships and
//! [`report`] shows it. [`commands`] ties these together for the command line, [`fixture`] makes the tests' data.

mod adam;
mod commands;
mod compact;
mod dataset;
mod evaluate;
mod export;
mod fixture;
mod network;
mod ops;
mod pack;
mod report;
mod split;
mod train;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::train::TrainConfig;

/// Trains, evaluates and packs the bundles that watchnext runs in the browser.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Trains a model on ratings and writes its bundle.
    Train(TrainArgs),
    /// Measures by protocol P1, either by training on a split of --data or on a finished --bundle.
    Evaluate(EvaluateArgs),
    /// Suggests movies in the terminal.
    Suggest(SuggestArgs),
    /// Writes the features of every rating as CSV, for models that are trained elsewhere.
    Features(FeaturesArgs),
    /// Writes a bundle on made-up movies with a known answer, for tests.
    Fixture {
        /// The bundle's folder; its data go into `data` within.
        #[arg(long)]
        out: PathBuf,
    },
}

/// Where ratings come from.
#[derive(Debug, Args)]
struct DataArgs {
    /// A folder with movies.csv and ratings.csv, as MovieLens serves them.
    #[arg(long)]
    data: PathBuf,
    /// More ratings of the same catalogue; may be given again.
    #[arg(long)]
    ratings: Vec<PathBuf>,
}

#[derive(Debug, Args)]
struct TrainArgs {
    #[command(flatten)]
    data: DataArgs,
    /// The bundle's folder.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    options: TrainOptions,
    /// Leaves the retrieval by states out of the bundle.
    #[arg(long)]
    no_states: bool,
}

/// The training's settings; the defaults are the seed notebook's.
#[derive(Debug, Args)]
struct TrainOptions {
    /// Passes over the ratings.
    #[arg(long, default_value_t = TrainConfig::default().epochs)]
    epochs: usize,
    /// Ratings in a batch.
    #[arg(long, default_value_t = TrainConfig::default().batch)]
    batch: usize,
    /// Adam's rate at the start.
    #[arg(long, default_value_t = TrainConfig::default().learning_rate)]
    learning_rate: f64,
    /// How often a history is trained with its ratings known, from 0 to 1; otherwise as clicks alone.
    #[arg(long, default_value_t = TrainConfig::default().ratings_known)]
    ratings_known: f64,
    /// The seed of every random number.
    #[arg(long, default_value_t = TrainConfig::default().seed)]
    seed: u64,
}

impl TrainOptions {
    fn config(&self) -> TrainConfig {
        TrainConfig {
            epochs: self.epochs,
            batch: self.batch,
            learning_rate: self.learning_rate,
            ratings_known: self.ratings_known,
            seed: self.seed,
        }
    }
}

#[derive(Debug, Args)]
struct EvaluateArgs {
    /// A folder with movies.csv and ratings.csv: trains on a split by user and measures on the rest.
    #[arg(long, conflicts_with = "bundle", required_unless_present = "bundle")]
    data: Option<PathBuf>,
    /// A finished bundle, measured on users whom it never saw.
    #[arg(long, requires = "ratings")]
    bundle: Option<PathBuf>,
    /// With --bundle: the unseen users' ratings. With --data: more ratings of the same catalogue; may be given again.
    #[arg(long)]
    ratings: Vec<PathBuf>,
    #[command(flatten)]
    options: TrainOptions,
    /// Also reproduces the seed notebook's published figure and so shows that it is a leak.
    #[arg(long)]
    leaky: bool,
    /// Prints JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// A folder for evaluation.json and evaluation.svg.
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct SuggestArgs {
    /// The bundle's folder.
    #[arg(long)]
    bundle: PathBuf,
    /// Titles of watched movies, oldest first, such as "Heat (1995)"; a rating may follow: "Heat (1995)=4.5".
    #[arg(required = true)]
    titles: Vec<String>,
    /// How many suggestions.
    #[arg(long, default_value_t = 10)]
    limit: usize,
    /// Lets the neighbouring training states vote instead of scanning the movies.
    #[arg(long)]
    states: bool,
    /// Prints JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// The moment in seconds since 1970, in UTC; now if left out.
    #[arg(long)]
    at: Option<i64>,
}

#[derive(Debug, Args)]
struct FeaturesArgs {
    #[command(flatten)]
    data: DataArgs,
    /// The CSV file to write.
    #[arg(long)]
    out: PathBuf,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    match &cli.command {
        Command::Train(args) => commands::train(args),
        Command::Evaluate(args) => commands::evaluate(args),
        Command::Suggest(args) => commands::suggest(args),
        Command::Features(args) => commands::features(args),
        Command::Fixture { out } => commands::fixture(out),
    }
}
