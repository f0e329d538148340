//! `trainer internal features`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use watchnext::catalog::Catalog;
use watchnext::features::{
    EVENT_FEATURE_NAMES, EventFeatures, HISTORY_LEN, LocalTime, genre_features, rating_weight, time_feature_names,
    time_features,
};

use crate::cli::data::DataArgs;
use crate::data::User;
use crate::files::WRITE_REMEDY;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  trainer internal features --data ml-latest-small --out features.csv")]
pub(crate) struct FeaturesArgs {
    #[command(flatten)]
    data: DataArgs,
    /// The CSV file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Writes a row of features for every rating.
pub(crate) fn features(args: &FeaturesArgs) -> Result<()> {
    let dataset = args.data.read()?;
    let catalog = &dataset.catalog;
    let place = || format!("{} can't be written. {WRITE_REMEDY}", args.out.display());
    let mut writer = csv::Writer::from_path(&args.out).with_context(place)?;
    let header = header(catalog);
    writer.write_record(&header).with_context(place)?;
    for user in &dataset.users {
        for at in 0..user.events.len() {
            writer.write_record(record(catalog, user, at)?).with_context(place)?;
        }
    }
    writer.flush().with_context(place)?;
    println!("wrote {} rows of {} columns to {}", dataset.ratings(), header.len(), args.out.display());
    Ok(())
}

fn header(catalog: &Catalog) -> Vec<String> {
    let mut header: Vec<String> = ["userId", "movieId", "rating", "timestamp"].map(str::to_owned).to_vec();
    header.extend(time_feature_names());
    header.extend(EVENT_FEATURE_NAMES.map(str::to_owned));
    header.extend(catalog.genres().iter().cloned());
    header.extend(["watched_movies", "watched_weights"].map(str::to_owned));
    header
}

/// The row of a user's `at`-th event, counted from 0.
fn record(catalog: &Catalog, user: &User, at: usize) -> Result<Vec<String>> {
    let event = user.events.get(at).context("an event that the user doesn't have")?;
    let movie = catalog.movie(event.movie).context("a rating of a movie outside the catalogue")?;
    let moment = LocalTime::from_unix(event.timestamp, 0)?;
    let before = at.checked_sub(1).and_then(|before| user.events.get(before));
    let elapsed = before.map_or(0, |before| event.timestamp - before.timestamp);
    let own = EventFeatures::new(movie.year, &moment, at + 1, elapsed);
    let recent = user.events.get(at.saturating_sub(HISTORY_LEN)..at).unwrap_or_default();
    let ids = recent.iter().filter_map(|event| catalog.movie(event.movie)).map(|movie| movie.id.0.to_string());
    let weights = recent.iter().map(|event| rating_weight(event.rating).to_string());
    let mut record = vec![
        user.id.to_string(),
        movie.id.0.to_string(),
        event.rating.map_or_else(String::new, |rating| rating.stars().to_string()),
        event.timestamp.to_string(),
    ];
    let numbers = time_features(&moment).into_iter().chain(own.columns()).chain(genre_features(catalog, event.movie));
    record.extend(numbers.map(|number| number.to_string()));
    record.push(ids.collect::<Vec<_>>().join(" "));
    record.push(weights.collect::<Vec<_>>().join(" "));
    Ok(record)
}
