//! `trainer internal sequences`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};
use clap::Args;
use serde::Serialize;

use crate::choice::Choice;
use crate::files;
use crate::models::sequence::data::{Sequences, Target};
use crate::models::sequence::evaluate::{Figures, popularity, rank};
use crate::models::sequence::followers::{Followers, FollowersConfig};
use crate::models::sequence::network::{Mixer, Sizes};
use crate::models::sequence::shipped::{Measured, measure};
use crate::models::sequence::tower::{Choice as Combination, Tower};
use crate::models::sequence::train::{EpochFigures, SequenceConfig, train};
use crate::nn::checkpoint::Checkpoint;

/// Published NDCG@10 and HR@10 on MovieLens 1M by leave-one-out with full ranking.
const PUBLISHED: [(&str, f64, f64); 4] = [
    ("gSASRec (RecSys 2023)", 0.1726, 0.3003),
    ("SASRec with sampled cross entropy", 0.1857, 0.3159),
    ("LRURec (WSDM 2024), on this file", 0.1930, 0.3264),
    ("HSTU-large in RecTools, with time stamps", 0.2164, 0.3642),
];

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  trainer internal sequences --data ml-1m-sequences --out sequences")]
pub(crate) struct SequencesArgs {
    /// A file of lines "userId movieId movieId …", the movies in the order of watching, or a folder with such a
    /// sequences.txt.
    #[arg(long, value_name = "PATH")]
    data: PathBuf,
    /// Folder for the tower, its figures and, during training, its checkpoints.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    #[command(flatten)]
    networks: NetworkOptions,
    #[command(flatten)]
    followers: FollowersOptions,
    /// Stop at the validation targets and leave the test targets alone, for trials.
    #[arg(long)]
    trial: bool,
    /// Threads to compute with. The figures don't depend on them.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// The settings of the causal networks.
#[derive(Debug, Args)]
struct NetworkOptions {
    /// Layers of a network from first to last, separated by commas: recurrence or attention. Repeat it for each
    /// network of the average [default: recurrence,recurrence and recurrence,attention].
    #[arg(long = "network", value_name = "LAYERS", value_parser = layers)]
    networks: Vec<Layers>,
    /// Width of a movie's embedding.
    #[arg(long, default_value_t = 64)]
    dim: usize,
    /// Width within a recurrence or attention.
    #[arg(long, default_value_t = 128)]
    channels: usize,
    /// Width of a layer's hidden part.
    #[arg(long, default_value_t = 256)]
    hidden: usize,
    /// Heads of attention.
    #[arg(long, default_value_t = 2)]
    heads: usize,
    /// Share of numbers dropped between layers in training, from 0 to 1.
    #[arg(long, default_value_t = 0.2)]
    dropout: f64,
    /// Latest movies of a history that a network reads.
    #[arg(long, default_value_t = 200)]
    window: usize,
    /// Passes over the users.
    #[arg(long, default_value_t = 20)]
    epochs: usize,
    /// Last epoch to run of each network, separated by commas [default: all epochs]. The last number holds for all
    /// further networks.
    #[arg(long, value_delimiter = ',')]
    last_epochs: Vec<usize>,
    /// Steps in a batch.
    #[arg(long, default_value_t = 2048)]
    batch: usize,
    /// Adam's learning rate at its peak.
    #[arg(long, default_value_t = 0.002)]
    learning_rate: f64,
    /// Weight of each further movie as a target, relative to the one before it; 0 trains on the next movie alone.
    #[arg(long, default_value_t = 0.0)]
    ahead: f32,
    /// Let watched movies take part in the softmax.
    #[arg(long)]
    watched_compete: bool,
    /// Seed of all random numbers.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The settings of the regression on the movies that followed.
#[derive(Debug, Args)]
struct FollowersOptions {
    /// Weights of a movie relative to the one after it, separated by commas: one per way of counting what followed.
    #[arg(long, value_delimiter = ',', default_values_t = [0.5, 0.9])]
    decays: Vec<f32>,
    /// L2 penalty of the regression.
    #[arg(long, default_value_t = 100.0)]
    ridge: f32,
    /// Columns kept of its solution; 0 leaves the regression out.
    #[arg(long, default_value_t = 1024)]
    rank: usize,
}

/// A network's layers.
#[derive(Debug, Clone)]
struct Layers(Vec<Mixer>);

/// Reads a network's layers.
fn layers(text: &str) -> Result<Layers, String> {
    let layer = |name: &str| {
        let known = || Mixer::names().collect::<Vec<_>>().join(" or ");
        Mixer::from_name(&name.trim().to_ascii_lowercase())
            .ok_or_else(|| format!("there is no layer {name:?}; a layer is {}", known()))
    };
    text.split(',').map(layer).collect::<Result<_, _>>().map(Layers)
}

/// The results of a run.
#[derive(Debug, Serialize)]
struct Outcome {
    users: usize,
    movies: usize,
    sha256: String,
    networks: Vec<TrainedNetwork>,
    followers: Option<FollowersConfig>,
    choices: Vec<Combination>,
    /// None for a trial.
    test: Option<Test>,
    seconds: f64,
}

/// A network and how it was trained.
#[derive(Debug, Serialize)]
struct TrainedNetwork {
    config: SequenceConfig,
    best_epoch: Option<EpochFigures>,
    epochs: Vec<EpochFigures>,
}

/// The figures on the test targets.
#[derive(Debug, Serialize)]
struct Test {
    popularity: Figures,
    tower: Measured,
}

/// Trains causal towers and compares them with published figures.
pub(crate) fn sequences(args: &SequencesArgs) -> Result<()> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads).build();
    let outcome = pool.context("the threads can't be started; try another --threads")?.install(|| run(args))?;
    let json = serde_json::to_string_pretty(&outcome)?;
    files::write(&args.out.join("figures.json"), json.as_bytes())?;
    println!("{}", if args.json { json } else { text(&outcome) });
    Ok(())
}

fn run(args: &SequencesArgs) -> Result<Outcome> {
    let started = Instant::now();
    let sequences = Sequences::read(&args.data)?;
    let FollowersOptions { decays, ridge, rank } = &args.followers;
    let followers = (*rank > 0).then(|| FollowersConfig {
        decays: decays.clone(),
        ridge: *ridge,
        rank: *rank,
        window: args.networks.window,
    });
    let (mut trained, mut networks) = (Vec::new(), Vec::new());
    for (at, config) in configs(&args.networks).iter().enumerate() {
        let checkpoint = Checkpoint::new(&args.out.join(format!("network-{}", at + 1)), &sequences.sha256);
        let last_epochs = &args.networks.last_epochs;
        let last_epoch = last_epochs.get(at).or(last_epochs.last()).copied();
        let network = train(&sequences, config, last_epoch, Some(&checkpoint))?;
        networks.push(TrainedNetwork {
            config: config.clone(),
            best_epoch: network.best().copied(),
            epochs: network.history.clone(),
        });
        trained.push(network);
    }
    let fitted = followers.as_ref().map(|config| Followers::fit(&sequences, config)).transpose()?;
    let (tower, choices) = Tower::choose(&sequences, trained, fitted)?;
    let test = if args.trial { None } else { Some(test(&sequences, &tower, &args.out)?) };
    Ok(Outcome {
        users: sequences.users.len(),
        movies: sequences.len(),
        sha256: sequences.sha256,
        networks,
        followers,
        choices,
        test,
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// Writes the chosen tower and measures it.
fn test(sequences: &Sequences, tower: &Tower, out: &Path) -> Result<Test> {
    let model = tower.onnx()?;
    files::write(&out.join("user_tower.onnx"), &model)?;
    let (movies, dim) = tower.table.vectors.dim();
    let vectors: Vec<f32> = tower.table.vectors.iter().copied().collect();
    let tensors = HashMap::from([
        ("embedding", Tensor::from_vec(vectors, (movies, dim), &Device::Cpu)?),
        ("bias", Tensor::from_slice(&tower.table.bias, movies, &Device::Cpu)?),
        ("movie_ids", Tensor::from_slice(&sequences.movies, movies, &Device::Cpu)?),
    ]);
    files::write(&out.join("movies.safetensors"), &safetensors::serialize(&tensors, None)?)?;
    let popular = popularity(sequences);
    let questions = sequences.questions(Target::Test);
    let ranks: Vec<usize> =
        questions.iter().map(|(history, target)| rank(&popular, history, *target)).collect::<Result<_>>()?;
    Ok(Test { popularity: Figures::new(&ranks), tower: measure(sequences, tower, &model)? })
}

/// The outcome as tables.
fn text(outcome: &Outcome) -> String {
    let mut text = format!("{} users, {} movies; validation NDCG@10\n", outcome.users, outcome.movies);
    for choice in &outcome.choices {
        text.push_str(&format!("  {:<44} {:.4}\n", choice.what, choice.validation_ndcg10));
    }
    let Some(Test { popularity, tower }) = &outcome.test else { return text };
    text.push_str("\ntest targets, full ranking                    NDCG@10           HR@10             MRR\n");
    for (what, figures) in [
        ("popularity", popularity),
        ("this tower, by the trainer", &tower.trainer),
        ("this tower, by tract", &tower.tract),
    ] {
        let Figures { ndcg10, hit10, mrr, .. } = figures;
        let figures =
            [ndcg10, hit10, mrr].map(|figure| format!("{:.4} ±{:.4}", figure.mean, (figure.high - figure.low) / 2.0));
        text.push_str(&format!("  {what:<43} {}\n", figures.join("    ")));
    }
    for (what, ndcg, hit) in PUBLISHED {
        text.push_str(&format!("  {what:<43} {ndcg:.4}            {hit:.4}\n"));
    }
    text.push_str(&format!(
        "\nequal ranks {} of {}, largest difference of a rank {}, of a score {:.1e}; {:.1} ms a vector, {} bytes\n",
        tower.equal_ranks,
        outcome.users,
        tower.largest_rank_difference,
        tower.largest_score_difference,
        tower.milliseconds,
        tower.model_bytes,
    ));
    text
}

/// The networks' settings. They differ in their layers and seeds.
fn configs(options: &NetworkOptions) -> Vec<SequenceConfig> {
    let usual = [Layers(vec![Mixer::Recurrence, Mixer::Recurrence]), Layers(vec![Mixer::Recurrence, Mixer::Attention])];
    let networks = if options.networks.is_empty() { usual.as_slice() } else { &options.networks };
    let config = |(at, layers): (usize, &Layers)| SequenceConfig {
        sizes: Sizes {
            layers: layers.0.clone(),
            dim: options.dim,
            channels: options.channels,
            hidden: options.hidden,
            heads: options.heads,
            distances: options.window,
        },
        dropout: options.dropout,
        window: options.window,
        epochs: options.epochs,
        batch: options.batch,
        learning_rate: options.learning_rate,
        ahead: options.ahead,
        watched_compete: options.watched_compete,
        seed: options.seed + at as u64,
    };
    networks.iter().enumerate().map(config).collect()
}
