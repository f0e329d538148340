//! What each command does.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use watchnext::bundle::{Source, sha256_hex};
use watchnext::catalog::{Catalog, MovieIndex};
use watchnext::features::{
    EVENT_FEATURE_NAMES, EventFeatures, LocalTime, genre_features, rating_weight, time_feature_names, time_features,
};
use watchnext::history::{History, Rating, Watch};
use watchnext::recommend::{Recommender, Retrieval};

use crate::cli::{EvaluateArgs, FeaturesArgs, SuggestArgs, TrainArgs};
use crate::dataset::Dataset;
use crate::evaluate::{NextMovie, Popularity, Scorer, Shipped, leaky, next_movie};
use crate::fit::fit;
use crate::fixture as made_up;
use crate::pack::read_bundle;
use crate::report::{Row, Table, model_card};
use crate::split::Split;
use crate::train::{Checkpoint, TrainConfig};

/// Epochs of the reproduction of the seed's figure, which doesn't depend on them.
const LEAKY_EPOCHS: usize = 5;

/// The command as a reader of the manifest would type it: the settings that differ from the defaults, and no path of a machine.
fn command_line(args: &TrainArgs) -> String {
    let name = |path: &Path| path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let parent = |path: &Path| path.parent().map(name).unwrap_or_default();
    let mut command = format!("trainer train --data ../shared/data/{} --out models", name(&args.data.data));
    for ratings in &args.data.ratings {
        command.push_str(&format!(" --ratings ../shared/data/{}/{}", parent(ratings), name(ratings)));
    }
    let (config, default) = (args.options.config(), TrainConfig::default());
    let mut option = |name: &str, value: String, default: String| {
        if value != default {
            command.push_str(&format!(" --{name} {value}"));
        }
    };
    option("epochs", config.epochs.to_string(), default.epochs.to_string());
    option("batch", config.batch.to_string(), default.batch.to_string());
    option("learning-rate", config.learning_rate.to_string(), default.learning_rate.to_string());
    option("ratings-known", config.ratings_known.to_string(), default.ratings_known.to_string());
    option("seed", config.seed.to_string(), default.seed.to_string());
    if args.no_states {
        command.push_str(" --no-states");
    }
    command
}

/// A fingerprint of the data that a checkpoint belongs to.
fn fingerprint(sources: &[Source]) -> String {
    let hashes: Vec<&str> = sources.iter().map(|source| source.sha256.as_str()).collect();
    sha256_hex(hashes.join(" ").as_bytes())
}

/// The figures of the bundle's methods and of popularity on the split's held-out users.
fn measure(dataset: &Dataset, recommender: &Recommender) -> Result<Vec<Row>> {
    let split = Split::by_user(&dataset.users)?;
    let popularity = Popularity::new(dataset.catalog.len(), split.train);
    let mut methods: Vec<(&str, Box<dyn Scorer + '_>)> = vec![("popularity", Box::new(popularity))];
    for retrieval in recommender.retrievals() {
        methods.push((method_name(retrieval), Box::new(Shipped { recommender, retrieval })));
    }
    let mut rows = Vec::new();
    for (method, scorer) in &methods {
        for (group, users) in [("validation", split.validation), ("test", split.test)] {
            let figures = next_movie(scorer.as_ref(), users, false)?;
            rows.push(Row { method: (*method).to_owned(), group: group.to_owned(), figures });
        }
    }
    Ok(rows)
}

const fn method_name(retrieval: Retrieval) -> &'static str {
    match retrieval {
        Retrieval::Movies => "seed network, softmax",
        Retrieval::States => "seed network, neighbours",
    }
}

/// `trainer train`.
pub fn train(args: &TrainArgs) -> Result<()> {
    let started = Instant::now();
    let dataset = Dataset::read(&args.data.data, &args.data.ratings)?;
    eprintln!(
        "{} ratings of {} movies by {} users, read in {:.1} s",
        dataset.ratings(),
        dataset.catalog.len(),
        dataset.users.len(),
        started.elapsed().as_secs_f64()
    );
    let mut partial = args.out.clone().into_os_string();
    partial.push(".partial");
    let checkpoint = Checkpoint::new(Path::new(&partial), &fingerprint(&dataset.sources));
    let name =
        args.data.data.file_name().map_or_else(|| "ratings".to_owned(), |name| name.to_string_lossy().into_owned());
    let config = args.options.config();
    let mut fitted = fit(&dataset, &config, !args.no_states, &name, &command_line(args), Some(&checkpoint))?;
    eprintln!("trained in {:.0} s; measuring on the held-out users", started.elapsed().as_secs_f64());
    let rows = measure(&dataset, &fitted.packed.recommender()?)?;
    fitted.packed.manifest.held_out = held_out_figures(&rows, fitted.recall);
    fitted.packed.write(&args.out)?;
    let card = model_card(&fitted.packed.manifest, &config, &rows, &fitted.epochs, fitted.compact.as_ref());
    let card_path = args.out.join("README.md");
    std::fs::write(&card_path, card).with_context(|| format!("{} can't be written", card_path.display()))?;
    checkpoint.remove();
    println!("{}", Table(&rows));
    for file in fitted.packed.manifest.files.values() {
        println!("{:>10} bytes  {}  {}", file.bytes, file.sha256.get(..12).unwrap_or_default(), file.path);
    }
    println!("wrote {} in {:.0} s", args.out.display(), started.elapsed().as_secs_f64());
    Ok(())
}

fn held_out_figures(rows: &[Row], recall: Option<f64>) -> BTreeMap<String, f64> {
    // Four digits are more than the intervals warrant and keep the file readable.
    let rounded = |value: f64| (value * 1e4).round() / 1e4;
    let mut figures = BTreeMap::new();
    for row in rows {
        let retrieval = match row.method.as_str() {
            "popularity" => "popularity",
            "seed network, softmax" => "movies",
            _ => "states",
        };
        for (name, figure) in row.figures.named() {
            figures.insert(format!("p1.{}.{retrieval}.{name}", row.group), rounded(figure.mean));
        }
    }
    figures.extend(recall.map(|recall| ("states.recall100".to_owned(), rounded(recall))));
    figures
}

/// `trainer evaluate`.
pub fn evaluate(args: &EvaluateArgs) -> Result<()> {
    let (rows, leak, left_out) = match (&args.bundle, &args.data) {
        (Some(bundle), _) => {
            let (rows, left_out) = evaluate_bundle(bundle, &args.ratings)?;
            (rows, None, Some(left_out))
        }
        (None, Some(data)) => {
            let dataset = Dataset::read(data, &args.ratings)?;
            let config = args.options.config();
            let fitted = fit(&dataset, &config, true, "evaluation", "", None)?;
            let rows = measure(&dataset, &fitted.packed.recommender()?)?;
            let leak = args
                .leaky
                .then(|| leaky(&dataset, &TrainConfig { epochs: LEAKY_EPOCHS, ratings_known: 0.0, ..config }))
                .transpose()?;
            (rows, leak, None)
        }
        (None, None) => {
            bail!("give --data to train on a split, or --bundle and --ratings to measure a finished bundle")
        }
    };
    let table = Table(&rows);
    let mut json = table.json();
    if let (Some(object), Some(left_out)) = (json.as_object_mut(), left_out) {
        object.insert("left_out".to_owned(), json!(left_out));
    }
    if let (Some(object), Some(leak)) = (json.as_object_mut(), leak) {
        object.insert("p1_leaky".to_owned(), json!(leak));
    }
    if let Some(out) = &args.out {
        let place = || format!("the report can't be written to {}", out.display());
        std::fs::create_dir_all(out).with_context(place)?;
        std::fs::write(out.join("evaluation.json"), serde_json::to_vec_pretty(&json)?).with_context(place)?;
        std::fs::write(out.join("evaluation.svg"), table.svg()?).with_context(place)?;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&json)?);
        return Ok(());
    }
    println!("{table}");
    if let Some(leak) = leak {
        println!(
            "P1-leaky, the seed notebook's way, in which every query finds itself: {:.3} validation, {:.3} test",
            leak.validation, leak.test
        );
    }
    if let Some(left_out) = left_out.filter(|left_out| *left_out > 0) {
        println!("{left_out} ratings were left out: their movies aren't in the bundle's catalogue");
    }
    Ok(())
}

fn evaluate_bundle(bundle: &Path, ratings: &[std::path::PathBuf]) -> Result<(Vec<Row>, usize)> {
    let recommender = read_bundle(bundle)?;
    let [ratings] = ratings else { bail!("--bundle is measured on one --ratings file") };
    let (users, left_out) = Dataset::read_users(ratings, recommender.catalog())?;
    ensure!(!users.is_empty(), "{} holds no rating of a movie that the bundle knows", ratings.display());
    let mut rows = Vec::new();
    for retrieval in recommender.retrievals() {
        let shipped = Shipped { recommender: &recommender, retrieval };
        let figures: NextMovie = next_movie(&shipped, &users, false)?;
        rows.push(Row { method: method_name(retrieval).to_owned(), group: "unseen users".to_owned(), figures });
    }
    Ok((rows, left_out))
}

/// `trainer suggest`.
pub fn suggest(args: &SuggestArgs) -> Result<()> {
    let recommender = read_bundle(&args.bundle)?;
    let catalog = recommender.catalog();
    let watches: Vec<Watch> = args.titles.iter().map(|title| find(catalog, title)).collect::<Result<_>>()?;
    let history = History::new(watches);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    let moment = LocalTime::from_unix(args.at.unwrap_or(now), 0)?;
    let retrieval = if args.states { Retrieval::States } else { Retrieval::Movies };
    let suggestions = recommender.suggest(&history, &moment, args.limit, retrieval)?;
    let named = suggestions.iter().filter_map(|suggestion| Some((catalog.movie(suggestion.movie)?, suggestion.score)));
    if args.json {
        let list: Vec<_> = named
            .map(
                |(movie, score)| json!({"movieId": movie.id, "title": movie.title, "year": movie.year, "score": score}),
            )
            .collect();
        println!("{}", serde_json::to_string_pretty(&list)?);
        return Ok(());
    }
    let watched: Vec<String> = history.watches().iter().filter_map(|watch| shown(catalog, watch.movie)).collect();
    println!("After {}:\n", watched.join(", "));
    for (place, (movie, score)) in named.enumerate() {
        let genres: Vec<&str> = catalog.genre_names(movie).collect();
        let year = movie.year.map_or_else(String::new, |year| format!(" ({year})"));
        println!("{:>3}. {:<52} {score:>7.3}  {}", place + 1, format!("{}{year}", movie.title), genres.join(", "));
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
    let dataset = Dataset::read(&args.data.data, &args.data.ratings)?;
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
            let weights = recent.iter().map(|event| rating_weight(Some(event.rating)).to_string());
            let mut record = vec![
                user.id.to_string(),
                movie.id.0.to_string(),
                event.rating.stars().to_string(),
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

/// `trainer fixture`.
pub fn fixture(out: &Path) -> Result<()> {
    let data = out.join("data");
    made_up::write_data(&data)?;
    let dataset = Dataset::read(&data, &[])?;
    let fitted = fit(&dataset, &made_up::config(), true, "fixture", "trainer fixture", None)?;
    fitted.packed.write(out)?;
    println!(
        "wrote a bundle of {} movies in {} taste groups to {}",
        dataset.catalog.len(),
        made_up::GROUPS.len(),
        out.display()
    );
    Ok(())
}
