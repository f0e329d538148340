//! What each command does.

mod books;
mod evaluate;
mod events;
mod fold_in;
mod map;
mod new;
pub(crate) mod pack;
mod sequences;
mod titles;
mod train;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde_json::json;
use watchnext::catalog::{Catalog, MovieIndex};
use watchnext::features::{
    EVENT_FEATURE_NAMES, EventFeatures, LocalTime, genre_features, rating_weight, time_feature_names, time_features,
};
use watchnext::history::{History, Rating, Watch};
use watchnext::recommend::{Retrieval, Strategy, Suggestion};

pub(crate) use self::pack::pack;
pub use super::commands::books::books;
pub use super::commands::evaluate::evaluate;
pub use super::commands::events::events;
pub use super::commands::fold_in::fold_in;
pub use super::commands::map::map;
pub use super::commands::new::new;
pub use super::commands::sequences::sequences;
pub use super::commands::titles::titles;
pub use super::commands::train::train;

use super::{FeaturesArgs, MadeUpArgs, MadeUpItemsArgs, SuggestArgs};
use crate::bundle::read::read_bundle;
use crate::data::links::read_links;
use crate::map::add_map;
use crate::synthetic::ratings::Amounts;
use crate::synthetic::small;

/// `trainer suggest`.
pub fn suggest(args: &SuggestArgs) -> Result<()> {
    let recommender = read_bundle(&args.bundle)?;
    let catalog = recommender.catalog();
    let watches: Vec<Watch> = args.titles.iter().map(|title| find(catalog, title)).collect::<Result<_>>()?;
    let history = History::new(watches);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    let moment = LocalTime::from_unix(args.at.unwrap_or(now), 0)?;
    let retrieval = if args.states { Retrieval::States } else { Retrieval::Movies };
    let strategy = Strategy { retrieval, diversity: args.diversity, first_stage_alone: false };
    let suggestions = recommender.suggest(&history, &moment, args.limit, strategy)?;
    let named = suggestions.iter().filter_map(|suggestion| Some((catalog.movie(suggestion.movie)?, suggestion)));
    if args.json {
        let list: Vec<_> = named
            .map(|(movie, Suggestion { score, like, .. })| {
                json!({"movieId": movie.id, "title": movie.title, "year": movie.year, "score": score, "like": like})
            })
            .collect();
        println!("{}", serde_json::to_string_pretty(&list)?);
        return Ok(());
    }
    let watched: Vec<String> = history.watches().iter().filter_map(|watch| shown(catalog, watch.movie)).collect();
    println!("After {}:\n", watched.join(", "));
    for (place, (movie, suggestion)) in named.enumerate() {
        let genres: Vec<&str> = catalog.genre_names(movie).collect();
        let year = movie.year.map_or_else(String::new, |year| format!(" ({year})"));
        let title = format!("{}{year}", movie.title);
        let like = suggestion.like.map_or_else(String::new, |like| format!("liked {:>2.0} %", like * 100.0));
        println!("{:>3}. {title:<52} {:>7.3}  {like:<11} {}", place + 1, suggestion.score, genres.join(", "));
    }
    Ok(())
}

fn shown(catalog: &Catalog, index: MovieIndex) -> Option<String> {
    let movie = catalog.movie(index)?;
    Some(movie.year.map_or_else(|| movie.title.clone(), |year| format!("{} ({year})", movie.title)))
}

/// The movie that a title on the command line means, with its rating if `=4.5` follows.
fn find(catalog: &Catalog, text: &str) -> Result<Watch> {
    let rated = text.rsplit_once('=').and_then(|(title, stars)| Some((title, stars.trim().parse::<f32>().ok()?)));
    let (title, rating) = match rated {
        Some((title, stars)) => {
            let rating = Rating::new(stars).with_context(|| format!("the rating in {text:?} is outside 0.5 to 5"))?;
            (title, Some(rating))
        }
        None => (text, None),
    };
    // MovieLens's own form of a title ("Matrix, The (1999)") is understood as well as the shown one.
    let (plain, year) = watchnext::title::parse_title(title);
    let query = year.map_or_else(|| plain.clone(), |year| format!("{plain} {year}"));
    let found = catalog.search(&query, 5);
    let movie = *found.first().with_context(|| format!("no movie's title matches {title:?}"))?;
    let exact = catalog.movie(movie).is_some_and(|movie| movie.title.eq_ignore_ascii_case(&plain));
    if !exact {
        let others: Vec<String> = found.iter().filter_map(|movie| shown(catalog, *movie)).collect();
        eprintln!("{title:?} is taken for the first of: {}", others.join(" · "));
    }
    Ok(Watch { movie, rating })
}

/// `trainer features`.
pub fn features(args: &FeaturesArgs) -> Result<()> {
    let dataset = args.data.read()?;
    let catalog = &dataset.catalog;
    let place = || format!("{} can't be written", args.out.display());
    let mut writer = csv::Writer::from_path(&args.out).with_context(place)?;
    let mut header: Vec<String> = ["userId", "movieId", "rating", "timestamp"].map(str::to_owned).to_vec();
    header.extend(time_feature_names());
    header.extend(EVENT_FEATURE_NAMES.map(str::to_owned));
    header.extend(catalog.genres().iter().cloned());
    header.extend(["watched_movies", "watched_weights"].map(str::to_owned));
    writer.write_record(&header).with_context(place)?;
    for user in &dataset.users {
        let mut before: Option<i64> = None;
        for (at, event) in user.events.iter().enumerate() {
            let movie = catalog.movie(event.movie).context("a rating of a movie outside the catalogue")?;
            let moment = LocalTime::from_unix(event.timestamp, 0)?;
            let elapsed = before.map_or(0, |before| event.timestamp - before);
            let own = EventFeatures::new(movie.year, &moment, at + 1, elapsed);
            let recent = user.events.get(at.saturating_sub(watchnext::features::HISTORY_LEN)..at).unwrap_or_default();
            let ids = recent.iter().filter_map(|event| catalog.movie(event.movie)).map(|movie| movie.id.0.to_string());
            let weights = recent.iter().map(|event| rating_weight(event.rating).to_string());
            let mut record = vec![
                user.id.to_string(),
                movie.id.0.to_string(),
                event.rating.map_or_else(String::new, |rating| rating.stars().to_string()),
                event.timestamp.to_string(),
            ];
            let numbers =
                time_features(&moment).into_iter().chain(own.columns()).chain(genre_features(catalog, event.movie));
            record.extend(numbers.map(|number| number.to_string()));
            record.push(ids.collect::<Vec<_>>().join(" "));
            record.push(weights.collect::<Vec<_>>().join(" "));
            writer.write_record(&record).with_context(place)?;
            before = Some(event.timestamp);
        }
    }
    writer.flush().with_context(place)?;
    println!("wrote {} rows of {} columns to {}", dataset.ratings(), header.len(), args.out.display());
    Ok(())
}

/// `trainer made-up`.
pub fn write_made_up(args: &MadeUpArgs) -> Result<()> {
    let MadeUpArgs { users, items, ratings, seed, .. } = *args;
    let written = crate::synthetic::ratings::write(&args.out, &Amounts { users, items, ratings, seed })?;
    println!("wrote {written} ratings of {items} movies by {users} users to {}", args.out.display());
    Ok(())
}

/// `trainer made-up-items`.
pub fn write_made_up_items(args: &MadeUpItemsArgs) -> Result<()> {
    let MadeUpItemsArgs { items, factors, seed, .. } = *args;
    crate::synthetic::items::write(&args.out, items, factors, seed)?;
    println!("wrote {items} items of {factors} factors to {}", args.out.display());
    Ok(())
}

/// `trainer fixture`.
pub fn fixture(out: &Path) -> Result<()> {
    let data = out.join("data");
    small::write_data(&data)?;
    let (mut packed, dataset) = small::packed(&data, small::SecondStage::Titled)?;
    if let Some((links, source)) = read_links(&data, &dataset.catalog)? {
        packed.add_links(&links, source)?;
    }
    add_map(&mut packed)?;
    packed.write(out)?;
    println!(
        "wrote a bundle of {} movies in {} taste groups to {}",
        dataset.catalog.len(),
        small::GROUPS.len(),
        out.display()
    );
    Ok(())
}
