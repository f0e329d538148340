//! The project's own commands, for its tests, benchmarks and experiments. Help hides them.

mod events;
mod features;
mod fixture;
mod made_up;
mod made_up_items;
mod sequences;

use anyhow::Result;
use clap::Subcommand;

use self::events::{EventsArgs, events};
use self::features::{FeaturesArgs, features};
use self::fixture::{FixtureArgs, fixture};
use self::made_up::{MadeUpArgs, made_up};
use self::made_up_items::{MadeUpItemsArgs, made_up_items};
use self::sequences::{SequencesArgs, sequences};
use crate::cli::origin::CommandLine;

#[derive(Debug, Subcommand)]
pub(crate) enum Internal {
    /// Write the bundle that tests use: made-up movies with a known answer.
    Fixture(FixtureArgs),
    /// Write the features of every rating as CSV, for models that are trained elsewhere.
    Features(FeaturesArgs),
    /// Write the ranker's features of a fold's events as CSV, for the reference in benches/reaction.
    Events(EventsArgs),
    /// Write any number of made-up ratings, to measure the cost of training.
    MadeUp(MadeUpArgs),
    /// Write a made-up catalogue of any size with item factors, to measure the cost of a bundle.
    MadeUpItems(MadeUpItemsArgs),
    /// Train causal towers on sequences and measure them as published figures are: leave-one-out with full ranking.
    Sequences(SequencesArgs),
}

impl Internal {
    pub(crate) fn run(&self, line: &CommandLine<'_>) -> Result<()> {
        match self {
            Self::Fixture(args) => fixture(args, line),
            Self::Features(args) => features(args),
            Self::Events(args) => events(args),
            Self::MadeUp(args) => made_up(args),
            Self::MadeUpItems(args) => made_up_items(args),
            Self::Sequences(args) => sequences(args),
        }
    }
}
