//! `trainer sequences`.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};
use serde::Serialize;

use crate::cli::{Layers, SequenceOptions, SequencesArgs};
use crate::models::sequence::data::{Sequences, Target};
use crate::models::sequence::evaluate::{Figures, popularity, rank};
use crate::models::sequence::followers::{Followers, FollowersConfig};
use crate::models::sequence::network::{Mixer, Sizes};
use crate::models::sequence::shipped::{Measured, measure};
use crate::models::sequence::tower::{Choice, Tower};
use crate::models::sequence::train::{EpochFigures, SequenceConfig, train};
use crate::nn::checkpoint::Checkpoint;

/// Published NDCG@10 and HR@10 on MovieLens 1M by leave-one-out with full ranking.
const PUBLISHED: [(&str, f64, f64); 4] = [
    ("gSASRec (RecSys 2023)", 0.1726, 0.3003),
    ("SASRec with sampled cross entropy", 0.1857, 0.3159),
    ("LRURec (WSDM 2024), on this file", 0.1930, 0.3264),
    ("HSTU-large in RecTools, with time stamps", 0.2164, 0.3642),
];

/// What the command found.
#[derive(Debug, Serialize)]
struct Outcome {
    users: usize,
    movies: usize,
    sha256: String,
    networks: Vec<TrainedNetwork>,
    followers: Option<FollowersConfig>,
    choices: Vec<Choice>,
    /// None in a trial.
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

/// Trains causal towers and measures them beside published figures.
pub fn sequences(args: &SequencesArgs) -> Result<()> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads).build();
    let outcome = pool.context("the threads can't be started; try another --threads")?.install(|| run(args))?;
    let json = serde_json::to_string_pretty(&outcome)?;
    write(&args.out.join("figures.json"), json.as_bytes())?;
    println!("{}", if args.json { json } else { text(&outcome) });
    Ok(())
}

fn run(args: &SequencesArgs) -> Result<Outcome> {
    let started = Instant::now();
    let sequences = Sequences::read(&args.data)?;
    let followers = (args.rank > 0).then(|| FollowersConfig {
        decays: args.decays.clone(),
        ridge: args.ridge,
        rank: args.rank,
        window: args.options.window,
    });
    let (mut trained, mut networks) = (Vec::new(), Vec::new());
    for (at, config) in configs(&args.options).iter().enumerate() {
        let checkpoint = Checkpoint::new(&args.out.join(format!("network-{}", at + 1)), &sequences.sha256);
        let last_epochs = &args.options.last_epochs;
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

/// Writes the tower and measures it, once all has been chosen.
fn test(sequences: &Sequences, tower: &Tower, out: &Path) -> Result<Test> {
    let model = tower.onnx()?;
    write(&out.join("user_tower.onnx"), &model)?;
    let (movies, dim) = tower.table.vectors.dim();
    let vectors: Vec<f32> = tower.table.vectors.iter().copied().collect();
    let tensors = HashMap::from([
        ("embedding", Tensor::from_vec(vectors, (movies, dim), &Device::Cpu)?),
        ("bias", Tensor::from_slice(&tower.table.bias, movies, &Device::Cpu)?),
        ("movie_ids", Tensor::from_slice(&sequences.movies, movies, &Device::Cpu)?),
    ]);
    write(&out.join("movies.safetensors"), &safetensors::serialize(&tensors, None)?)?;
    let popular = popularity(sequences);
    let questions = sequences.questions(Target::Test);
    let ranks: Vec<usize> =
        questions.iter().map(|(history, target)| rank(&popular, history, *target)).collect::<Result<_>>()?;
    Ok(Test { popularity: Figures::new(&ranks), tower: measure(sequences, tower, &model)? })
}

fn write(path: &PathBuf, bytes: &[u8]) -> Result<()> {
    let place = || format!("{} can't be written", path.display());
    path.parent().map_or(Ok(()), fs::create_dir_all).with_context(place)?;
    fs::write(path, bytes).with_context(place)
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

/// The networks' settings, which differ in their layers and their seeds.
fn configs(options: &SequenceOptions) -> Vec<SequenceConfig> {
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
