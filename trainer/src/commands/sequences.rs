//! `trainer sequences`.

use std::path::Path;

use anyhow::{Context, Result};

use crate::cli::{Layers, SequenceOptions, SequencesArgs};
use crate::sequence::data::Sequences;
use crate::sequence::network::{Mixer, Sizes};
use crate::sequence::train::{SequenceConfig, Trained, train};
use crate::train::Checkpoint;

/// Trains causal towers and measures them beside published figures.
pub fn sequences(args: &SequencesArgs) -> Result<()> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.threads).build();
    pool.context("the threads can't be started; try another --threads")?.install(|| run(args))
}

fn run(args: &SequencesArgs) -> Result<()> {
    let sequences = Sequences::read(&args.data)?;
    let configs = configs(&args.options);
    let mut trained: Vec<Trained> = Vec::with_capacity(configs.len());
    for (at, config) in configs.iter().enumerate() {
        let checkpoint = Checkpoint::new(&folder(&args.out, at), &sequences.sha256);
        trained.push(train(&sequences, config, Some(&checkpoint))?);
    }
    Ok(())
}

/// Where a network's checkpoint lies.
fn folder(out: &Path, at: usize) -> std::path::PathBuf {
    out.join(format!("network-{}", at + 1))
}

/// The networks' settings, which differ in their layers and their seeds.
fn configs(options: &SequenceOptions) -> Vec<SequenceConfig> {
    let usual = [Layers(vec![Mixer::Recurrence, Mixer::Recurrence])];
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
