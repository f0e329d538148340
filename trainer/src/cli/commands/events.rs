//! `trainer events`: what the ranker trains on and is measured on, for a reference from outside.

use anyhow::{Context, Result, ensure};
use watchnext::features::reaction::REACTION_FEATURES;

use crate::cli::EventsArgs;
use crate::data::split::folds;
use crate::data::training_set::TrainingSet;
use crate::evaluate::few_clicks::{FOLD_SEED, FOLDS};
use crate::evaluate::reaction::EVENTS_BEFORE;
use crate::models::ranker::rows::{Known, Row, cross_fitted, held_out};
use crate::models::ranker::traits::TraitTables;
use crate::titles::reduced_titles;

/// Writes the features of every event of a fold, its training users' cross-fitted and its held-out users' as they are measured.
pub fn events(args: &EventsArgs) -> Result<()> {
    ensure!((1..=FOLDS).contains(&args.fold), "--fold is a number from 1 to {FOLDS}");
    let dataset = args.data.read()?;
    let titles = reduced_titles(args.titles.as_deref(), &dataset.catalog)?;
    let fold = folds(&dataset.users, dataset.main_users, FOLDS, FOLD_SEED).into_iter().nth(args.fold - 1);
    let fold = fold.context("there is no such fold")?;
    let training = TrainingSet::new(&dataset.catalog, fold.train, fold.main)?;
    let (catalog, seed) = (&training.catalog, 1);
    let train = cross_fitted(catalog, &training.users, training.main, titles.as_ref(), seed, || ())?;
    let traits = TraitTables::new(catalog, &training.users, titles.as_ref(), seed)?.load(catalog)?;
    let test = held_out(catalog, &traits, &fold.held_out)?;
    let place = || format!("{} can't be written", args.out.display());
    let mut writer = csv::Writer::from_path(&args.out).with_context(place)?;
    let header = ["fold", "part", "user", "known", "like"].map(str::to_owned).into_iter();
    let names = REACTION_FEATURES.iter().map(|name| format!("f_{name}"));
    writer.write_record(header.chain(names)).with_context(place)?;
    for (part, rows) in [("train", &train), ("test", &test)] {
        let measured = |row: &&Row| part == "train" || row.before >= EVENTS_BEFORE;
        for row in rows.iter().filter(measured) {
            let known = match row.known {
                Known::All => "1",
                Known::None => "0",
                Known::Some => continue,
            };
            let like = if row.reaction == 2 { "1" } else { "0" };
            let start =
                [args.fold.to_string(), part.to_owned(), row.user.to_string(), known.to_owned(), like.to_owned()];
            let numbers = row.features.iter().map(f32::to_string);
            writer.write_record(start.into_iter().chain(numbers)).with_context(place)?;
        }
    }
    writer.flush().with_context(place)
}
