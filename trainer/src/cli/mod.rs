//! The command line.

mod commands;
pub(crate) mod data;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

pub(crate) use data::DataArgs;
pub use data::LayoutArgs;

use self::commands::pack::PackArgs;
use crate::config::Config;
use crate::evaluate::protocol::Protocol;
use crate::models::ModelKind;
use crate::models::als::AlsConfig;
use crate::models::als::solver::Settings;
use crate::models::seed_network::train::TrainConfig;
use crate::models::sequence::network::Mixer;
use crate::synthetic::books::BookConfig;

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
    /// Measures by protocols P1, P2 and P3: either trains methods on splits of --data, or takes a finished --bundle.
    Evaluate(EvaluateArgs),
    /// Suggests movies in the terminal.
    Suggest(SuggestArgs),
    /// Writes the features of every rating as CSV, for models that are trained elsewhere.
    Features(FeaturesArgs),
    /// Writes the ranker's features of a fold's events as CSV, for a reference from outside (`benches/reaction`).
    Events(EventsArgs),
    /// Writes the titles' embeddings by all-MiniLM-L6-v2, and says what their reduction costs.
    Titles(TitlesArgs),
    /// Makes a bundle of a model that was trained elsewhere, after checks; MODEL_CONTRACT.md says of what.
    Pack(Box<PackArgs>),
    /// Gives a finished bundle its links and its map of the movies, without training.
    Map(MapArgs),
    /// Makes a folder for a catalogue of your own, with a configuration file to fill in.
    New {
        /// The folder, which may exist.
        folder: PathBuf,
    },
    /// Writes made-up books and readers with known tastes, in CSV and Parquet, with a configuration file to train by.
    Books(BooksArgs),
    /// Writes a user tower that solves for the visitor's factors against item factors of ALS, Spark's or another's.
    FoldIn(FoldInArgs),
    /// Writes made-up ratings of any number, to measure what training costs.
    MadeUp(MadeUpArgs),
    /// Writes a made-up catalogue of any size with item factors, to measure what a bundle of that size costs.
    MadeUpItems(MadeUpItemsArgs),
    /// Trains causal towers on sequences and measures them by leave-one-out with full ranking, as published figures are.
    Sequences(SequencesArgs),
    /// Writes a bundle on made-up movies with a known answer, for tests.
    Fixture {
        /// The bundle's folder; its data go into `data` within.
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// A configuration file, as `trainer new` writes it; what the command line says besides goes before it.
    #[arg(long)]
    pub(crate) config: Option<PathBuf>,
    /// The bundle's folder.
    #[arg(long, required_unless_present = "config")]
    pub(crate) out: Option<PathBuf>,
    /// What to train.
    #[arg(long, value_enum, default_value_t = ModelKind::Tower)]
    pub(crate) model: ModelKind,
    /// The titles' embeddings, as `trainer titles` writes them, for the ranker; it does without if left out.
    #[arg(long)]
    pub(crate) titles: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) options: TrainOptions,
    #[command(flatten)]
    pub(crate) als: AlsOptions,
    /// Leaves the retrieval by states, which the seed network has, out of its bundle.
    #[arg(long)]
    pub(crate) no_states: bool,
    /// Leaves the map of the movies out of the bundle.
    #[arg(long)]
    pub(crate) no_map: bool,
}

impl TrainArgs {
    /// Fills in what the configuration file says and the command line doesn't; `typed` tells what was typed.
    fn complete(&mut self, typed: impl Fn(&str) -> bool) -> Result<()> {
        let Some(path) = self.config.take() else { return Ok(()) };
        let config = Config::read(&path)?;
        let data = &mut self.data;
        if data.data.is_none() && data.items.is_none() {
            data.items = Some(config.items);
            if data.ratings.is_empty() {
                data.ratings = config.ratings;
            }
        }
        let layout = &mut data.layout;
        layout.columns = layout.columns.take().or(Some(config.columns)).filter(|columns| !columns.is_empty());
        layout.separator = layout.separator.take().or(config.separator);
        layout.scale = layout.scale.or(config.scale);
        layout.ordered |= config.ordered;
        if let Some(model) = config.model.filter(|_| !typed("model")) {
            self.model = model;
        }
        if let Some(seed) = config.seed.filter(|_| !typed("seed")) {
            self.options.seed = seed;
        }
        self.out = self.out.take().or(Some(config.out));
        Ok(())
    }

    /// The bundle's folder.
    ///
    /// # Errors
    /// None is named, which the parser of the command line rules out.
    pub(crate) fn out(&self) -> Result<&Path> {
        self.out.as_deref().context("name the bundle's folder with --out")
    }
}

/// The seed network's settings, as it ships; the others take their seed alone.
#[derive(Debug, Args)]
pub(crate) struct TrainOptions {
    /// Passes over the ratings.
    #[arg(long, default_value_t = TrainConfig::default().epochs)]
    pub(crate) epochs: usize,
    /// Ratings in a batch.
    #[arg(long, default_value_t = TrainConfig::default().batch)]
    pub(crate) batch: usize,
    /// Adam's rate at the start.
    #[arg(long, default_value_t = TrainConfig::default().learning_rate)]
    pub(crate) learning_rate: f64,
    /// How often a history is trained with its ratings known, from 0 to 1; otherwise as clicks alone.
    #[arg(long, default_value_t = TrainConfig::default().ratings_known)]
    pub(crate) ratings_known: f64,
    /// The seed of every random number.
    #[arg(long, default_value_t = TrainConfig::default().seed)]
    pub(crate) seed: u64,
}

/// The settings of ALS, which others do without.
#[derive(Debug, Args)]
pub(crate) struct AlsOptions {
    /// With --model als: the vectors' length.
    #[arg(long, default_value_t = AlsConfig::default().settings.factors)]
    pub(crate) factors: usize,
    /// With --model als: how much more a movie that a user likes counts than another.
    #[arg(long, default_value_t = AlsConfig::default().settings.alpha)]
    pub(crate) alpha: f32,
    /// With --model als: the L2 regularisation.
    #[arg(long, default_value_t = AlsConfig::default().settings.lambda)]
    pub(crate) regularisation: f32,
    /// With --model als: how often movies and then users are solved for.
    #[arg(long, default_value_t = AlsConfig::default().settings.iterations)]
    pub(crate) iterations: usize,
}

impl AlsOptions {
    pub(crate) fn config(&self, seed: u64) -> AlsConfig {
        let Self { factors, alpha, regularisation: lambda, iterations } = *self;
        AlsConfig { settings: Settings { factors, alpha, lambda, iterations, seed }, ..AlsConfig::default() }
    }
}

impl TrainOptions {
    pub(crate) fn config(&self) -> TrainConfig {
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
pub(crate) struct EvaluateArgs {
    /// A folder with movies.csv and ratings.csv: trains on a part of its users and measures on the rest.
    #[arg(long, conflicts_with = "bundle", required_unless_present_any = ["bundle", "items"])]
    pub(crate) data: Option<PathBuf>,
    /// A file of items in place of --data, its ratings being those of --ratings.
    #[arg(long, conflicts_with_all = ["bundle", "data"], requires = "ratings")]
    pub(crate) items: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) layout: LayoutArgs,
    /// A finished bundle, measured on users whom it never saw.
    #[arg(long, requires = "ratings")]
    pub(crate) bundle: Option<PathBuf>,
    /// With --bundle: the unseen users' ratings. With --data: more ratings of the same catalogue, whose users always train
    /// and are never measured; may be given again.
    #[arg(long)]
    pub(crate) ratings: Vec<PathBuf>,
    /// With --data: the methods to train, by id, separated by commas; all if left out. The networks take minutes for each
    /// fold.
    #[arg(long, value_delimiter = ',')]
    pub(crate) methods: Vec<String>,
    /// The protocols, separated by commas; all if left out.
    #[arg(long, value_delimiter = ',', value_enum)]
    pub(crate) protocols: Vec<Protocol>,
    #[command(flatten)]
    pub(crate) options: TrainOptions,
    /// With --data: the titles' embeddings, as `trainer titles` writes them, for the ranker in P3.
    #[arg(long)]
    pub(crate) titles: Option<PathBuf>,
    /// Also reproduces the seed notebook's published figure and so shows that it is a leak.
    #[arg(long)]
    pub(crate) leaky: bool,
    /// Prints JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// A folder for evaluation.json, report.html and the pictures.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct SuggestArgs {
    /// The bundle's folder.
    #[arg(long)]
    pub(crate) bundle: PathBuf,
    /// Titles of watched movies, oldest first, such as "Heat (1995)"; a rating may follow: "Heat (1995)=4.5".
    #[arg(required = true)]
    pub(crate) titles: Vec<String>,
    /// How many suggestions.
    #[arg(long, default_value_t = 10)]
    pub(crate) limit: usize,
    /// Lets the neighbouring training states vote instead of scanning the movies.
    #[arg(long)]
    pub(crate) states: bool,
    /// From 0, the plain order of the scores, to 1, as unlike each other as can be.
    #[arg(long, default_value_t = watchnext::recommend::DEFAULT_DIVERSITY)]
    pub(crate) diversity: f32,
    /// Prints JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// The moment in seconds since 1970, in UTC; now if left out.
    #[arg(long)]
    pub(crate) at: Option<i64>,
}

#[derive(Debug, Args)]
pub(crate) struct FeaturesArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// The CSV file to write.
    #[arg(long)]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// The titles' embeddings, as `trainer titles` writes them.
    #[arg(long)]
    pub(crate) titles: Option<PathBuf>,
    /// Which of the folds, from 1.
    #[arg(long, default_value_t = 1)]
    pub(crate) fold: usize,
    /// The CSV file to write.
    #[arg(long)]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct TitlesArgs {
    /// The folder of all-MiniLM-L6-v2, with its config.json, tokenizer.json and model.safetensors.
    #[arg(long)]
    pub(crate) encoder: PathBuf,
    /// A folder with movies.csv.
    #[arg(long)]
    pub(crate) data: PathBuf,
    /// The safetensors file to write.
    #[arg(long)]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct MapArgs {
    /// The bundle's folder.
    #[arg(long)]
    pub(crate) bundle: PathBuf,
    /// The folder with the links.csv of the bundle's data set; without that file the bundle's links stay as they are.
    #[arg(long)]
    pub(crate) data: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct BooksArgs {
    /// The folder to write.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// How many readers there are.
    #[arg(long, default_value_t = BookConfig::default().readers)]
    pub(crate) readers: usize,
    /// How many books there are.
    #[arg(long, default_value_t = BookConfig::default().books)]
    pub(crate) books: usize,
    /// How many books a reader has read, on average.
    #[arg(long, default_value_t = BookConfig::default().each)]
    pub(crate) each: usize,
    /// The seed of every random number.
    #[arg(long, default_value_t = BookConfig::default().seed)]
    pub(crate) seed: u64,
}

/// How ALS reads ratings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum AlsFeedback {
    /// As how surely a movie is watched and liked: Spark's implicitPrefs.
    Implicit,
    /// As what is to be predicted.
    Explicit,
}

#[derive(Debug, Args)]
pub(crate) struct FoldInArgs {
    /// The item factors, one row an item in the catalogue's order: .npy or .safetensors.
    #[arg(long)]
    pub(crate) items: PathBuf,
    /// How the factors were trained.
    #[arg(long, value_enum)]
    pub(crate) als: AlsFeedback,
    /// The regularisation that they were trained with, Spark's regParam.
    #[arg(long)]
    pub(crate) regularisation: f32,
    /// With implicit: the α that they were trained with.
    #[arg(long, default_value_t = 1.0)]
    pub(crate) alpha: f32,
    /// The regularisation counts once, and not once for each movie of the history as in Spark.
    #[arg(long)]
    pub(crate) constant_regularisation: bool,
    /// Keeps the factors as floats, four times the bytes, and not in 8 bits.
    #[arg(long)]
    pub(crate) float: bool,
    /// The ONNX file to write.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Histories with recorded vectors and best movies, as examples/spark/train.py writes them, to compare with.
    #[arg(long, requires = "catalog")]
    pub(crate) recorded: Option<PathBuf>,
    /// With --recorded: a CSV file whose column movieId says which row is whose.
    #[arg(long, requires = "recorded")]
    pub(crate) catalog: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct MadeUpArgs {
    /// How many users.
    #[arg(long)]
    pub(crate) users: usize,
    /// How many movies.
    #[arg(long)]
    pub(crate) items: usize,
    /// About how many ratings.
    #[arg(long)]
    pub(crate) ratings: usize,
    /// The seed of every random number.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The folder for movies.csv and ratings.csv.
    #[arg(long)]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct MadeUpItemsArgs {
    /// How many items.
    #[arg(long)]
    pub(crate) items: usize,
    /// How many factors an item has.
    #[arg(long)]
    pub(crate) factors: usize,
    /// The seed of every random number.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The folder for items.csv and factors.npy.
    #[arg(long)]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct SequencesArgs {
    /// A file of lines "userId movieId movieId …", each user's movies in the order of watching, or a folder with such a
    /// sequences.txt.
    #[arg(long)]
    pub(crate) data: PathBuf,
    /// The folder for the tower, its figures and, while it is trained, its checkpoints.
    #[arg(long)]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) options: SequenceOptions,
    /// For each way in which movies followed one another is counted, what a movie counts against the one after it, separated by
    /// commas.
    #[arg(long, value_delimiter = ',', default_values_t = [0.5, 0.9])]
    pub(crate) decays: Vec<f32>,
    /// The penalty of the regression of what follows.
    #[arg(long, default_value_t = 100.0)]
    pub(crate) ridge: f32,
    /// The columns that are kept of it; 0 leaves it out.
    #[arg(long, default_value_t = 1024)]
    pub(crate) rank: usize,
    /// Stops at the validation targets, for trials: the test targets aren't looked at.
    #[arg(long)]
    pub(crate) trial: bool,
    /// Threads to compute with; the figures don't depend on them.
    #[arg(long, default_value_t = 1)]
    pub(crate) threads: usize,
    /// Prints JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The causal towers' settings.
#[derive(Debug, Args)]
pub(crate) struct SequenceOptions {
    /// A network's layers, from the first to the last, separated by commas; given again for each further network of the average.
    #[arg(long = "network", value_name = "LAYERS", value_parser = layers)]
    pub(crate) networks: Vec<Layers>,
    /// The width of a movie's embedding.
    #[arg(long, default_value_t = 64)]
    pub(crate) dim: usize,
    /// The width within a recurrence or attention.
    #[arg(long, default_value_t = 128)]
    pub(crate) channels: usize,
    /// The width of a layer's hidden part.
    #[arg(long, default_value_t = 256)]
    pub(crate) hidden: usize,
    /// Attention's heads.
    #[arg(long, default_value_t = 2)]
    pub(crate) heads: usize,
    /// The share of numbers that are dropped between layers in training.
    #[arg(long, default_value_t = 0.2)]
    pub(crate) dropout: f64,
    /// The most movies of a history that a network is given.
    #[arg(long, default_value_t = 200)]
    pub(crate) window: usize,
    /// Passes over the users.
    #[arg(long, default_value_t = 20)]
    pub(crate) epochs: usize,
    /// For each network, the epoch after which it stops, separated by commas, where all epochs would take too long; the last is for
    /// all further networks.
    #[arg(long, value_delimiter = ',')]
    pub(crate) last_epochs: Vec<usize>,
    /// Steps of a batch.
    #[arg(long, default_value_t = 2048)]
    pub(crate) batch: usize,
    /// Adam's rate at its highest.
    #[arg(long, default_value_t = 0.002)]
    pub(crate) learning_rate: f64,
    /// What each movie after the next counts against the one before it; 0 asks for the next alone.
    #[arg(long, default_value_t = 0.0)]
    pub(crate) ahead: f32,
    /// Lets movies that have been watched take part in the softmax.
    #[arg(long)]
    pub(crate) watched_compete: bool,
    /// The seed of every random number.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// A network's layers.
#[derive(Debug, Clone)]
pub(crate) struct Layers(pub(crate) Vec<Mixer>);

/// Reads a network's layers.
fn layers(text: &str) -> Result<Layers, String> {
    text.split(',').map(|name| Mixer::from_str(name.trim(), true)).collect::<Result<_, _>>().map(Layers)
}

/// Runs the command that the program's arguments name.
///
/// # Errors
/// Whatever stops the command, as a message for whoever typed it.
pub fn run() -> Result<()> {
    let matches = Cli::command().get_matches();
    let mut cli = Cli::from_arg_matches(&matches)?;
    if let (Command::Train(args), Some(matches)) = (&mut cli.command, matches.subcommand_matches("train")) {
        // What has a default can't tell by its value whether somebody typed it.
        args.complete(|name| matches.value_source(name) == Some(ValueSource::CommandLine))?;
    }
    match &cli.command {
        Command::Train(args) => commands::train(args),
        Command::Evaluate(args) => commands::evaluate(args),
        Command::Suggest(args) => commands::suggest(args),
        Command::Features(args) => commands::features(args),
        Command::Events(args) => commands::events(args),
        Command::Titles(args) => commands::titles(args),
        Command::Pack(args) => commands::pack(args),
        Command::Map(args) => commands::map(args),
        Command::New { folder } => commands::new(folder),
        Command::Books(args) => commands::books(args),
        Command::FoldIn(args) => commands::fold_in(args),
        Command::MadeUp(args) => commands::write_made_up(args),
        Command::MadeUpItems(args) => commands::write_made_up_items(args),
        Command::Sequences(args) => commands::sequences(args),
        Command::Fixture { out } => commands::fixture(out),
    }
}
