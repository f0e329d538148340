//! `trainer internal events`: the rows that the ranker trains on and is measured on, for a reference from outside.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use watchnext::features::reaction::REACTION_FEATURES;

use crate::cli::data::DataArgs;
use crate::data::split::folds;
use crate::data::training_set::TrainingSet;
use crate::evaluate::few_clicks::{FOLD_SEED, FOLDS};
use crate::evaluate::reaction::EVENTS_BEFORE;
use crate::files::WRITE_REMEDY;
use crate::models::ranker::rows::{Known, Row, cross_fitted, held_out};
use crate::models::ranker::traits::TraitTables;
use crate::titles::reduced_titles;

/// The seed of the traits and of their cross-fitting.
const SEED: u64 = 1;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  trainer internal events --data ml-latest-small --fold 1 --out events.csv")]
pub(crate) struct EventsArgs {
    #[command(flatten)]
    data: DataArgs,
    /// The titles' embeddings that `trainer titles` wrote [default: without titles].
    #[arg(long, value_name = "FILE")]
    titles: Option<PathBuf>,
    /// The fold, counted from 1.
    #[arg(long, default_value_t = 1)]
    fold: usize,
    /// The CSV file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Writes the features of every event of a fold: its training users' cross-fitted, its held-out users' as they are
/// measured.
pub(crate) fn events(args: &EventsArgs) -> Result<()> {
    ensure!((1..=FOLDS).contains(&args.fold), "--fold is a number from 1 to {FOLDS}");
    let dataset = args.data.read()?;
    let titles = reduced_titles(args.titles.as_deref(), &dataset.catalog)?;
    let fold = folds(&dataset.users, dataset.main_users, FOLDS, FOLD_SEED).into_iter().nth(args.fold - 1);
    let fold = fold.context("there is no such fold")?;
    let training = TrainingSet::new(&dataset.catalog, fold.train, fold.main)?;
    let catalog = &training.catalog;
    let train = cross_fitted(catalog, &training.users, training.main, titles.as_ref(), SEED, || ())?;
    let traits = TraitTables::new(catalog, &training.users, titles.as_ref(), SEED)?.load(catalog)?;
    let mut test = held_out(catalog, &traits, &fold.held_out)?;
    test.retain(|row| row.before >= EVENTS_BEFORE);

    let place = || format!("{} can't be written. {WRITE_REMEDY}", args.out.display());
    let mut writer = csv::Writer::from_path(&args.out).with_context(place)?;
    let header = ["fold", "part", "user", "known", "like"].map(str::to_owned).into_iter();
    let names = REACTION_FEATURES.iter().map(|name| format!("f_{name}"));
    writer.write_record(header.chain(names)).with_context(place)?;
    let parts = [("train", &train), ("test", &test)].into_iter();
    for (part, row) in parts.flat_map(|(part, rows)| rows.iter().map(move |row| (part, row))) {
        if let Some(record) = record(args.fold, part, row) {
            writer.write_record(record).with_context(place)?;
        }
    }
    writer.flush().with_context(place)
}

/// The record of a row whose history has all of its ratings or none.
fn record(fold: usize, part: &str, row: &Row) -> Option<Vec<String>> {
    let known = match row.known {
        Known::All => "1",
        Known::None => "0",
        Known::Some => return None,
    };
    let like = if row.reaction == 2 { "1" } else { "0" };
    let mut record = vec![fold.to_string(), part.to_owned(), row.user.to_string(), known.to_owned(), like.to_owned()];
    record.extend(row.features.iter().map(f32::to_string));
    Some(record)
}
