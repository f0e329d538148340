//! `trainer suggest`.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use watchnext::catalog::{Catalog, Movie, MovieIndex};
use watchnext::features::LocalTime;
use watchnext::history::{History, Rating, Watch};
use watchnext::recommend::{DEFAULT_NOVELTY, Retrieval, Strategy, Suggestion};

use crate::bundle::read::read_bundle;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  trainer suggest --bundle models 'Heat (1995)' 'Alien (1979)=4.5'")]
pub(crate) struct SuggestArgs {
    /// The bundle's folder.
    #[arg(long, value_name = "FOLDER")]
    bundle: PathBuf,
    /// Titles of watched movies, oldest first; a rating may follow, as in "Heat (1995)=4.5".
    #[arg(required = true)]
    titles: Vec<String>,
    /// Number of suggestions.
    #[arg(long, default_value_t = 10)]
    limit: usize,
    /// Let the nearest training states vote instead of scanning the movies.
    #[arg(long)]
    states: bool,
    /// From well known, 0 (the best scores), to hidden, 1.
    #[arg(long, default_value_t = DEFAULT_NOVELTY)]
    novelty: f32,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Time of the visit, in seconds since 1970 in UTC [default: now].
    #[arg(long)]
    at: Option<i64>,
}

/// Suggests movies after those that were named.
pub(crate) fn suggest(args: &SuggestArgs) -> Result<()> {
    let recommender = read_bundle(&args.bundle)?;
    let catalog = recommender.catalog();
    let watches: Vec<Watch> = args.titles.iter().map(|title| find(catalog, title)).collect::<Result<_>>()?;
    let history = History::new(watches);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    let moment = LocalTime::from_unix(args.at.unwrap_or(now), 0)?;
    let retrieval = if args.states { Retrieval::States } else { Retrieval::Movies };
    let strategy = Strategy { retrieval, novelty: args.novelty, ..retrieval.into() };
    let suggestions = recommender.suggest(&history, &moment, args.limit, strategy)?;
    let suggested: Vec<(&Movie, &Suggestion)> =
        suggestions.iter().filter_map(|suggestion| Some((catalog.movie(suggestion.movie)?, suggestion))).collect();
    if args.json {
        println!("{}", json(&suggested)?);
        return Ok(());
    }
    let watched: Vec<String> = history.watches().iter().filter_map(|watch| title(catalog, watch.movie)).collect();
    println!("After {}:\n", watched.join(", "));
    for (place, (movie, suggestion)) in suggested.into_iter().enumerate() {
        let genres: Vec<&str> = catalog.genre_names(movie).collect();
        let like = suggestion.like.map_or_else(String::new, |like| format!("liked {:>2.0} %", like * 100.0));
        let (title, score) = (title_and_year(movie), suggestion.score);
        println!("{:>3}. {title:<52} {score:>7.3}  {like:<11} {}", place + 1, genres.join(", "));
    }
    Ok(())
}

fn json(suggested: &[(&Movie, &Suggestion)]) -> Result<String> {
    let entry = |(movie, suggestion): &(&Movie, &Suggestion)| {
        let Movie { id, title, year, .. } = movie;
        let Suggestion { score, like, .. } = suggestion;
        json!({"movieId": id, "title": title, "year": year, "score": score, "like": like})
    };
    Ok(serde_json::to_string_pretty(&suggested.iter().map(entry).collect::<Vec<_>>())?)
}

fn title(catalog: &Catalog, index: MovieIndex) -> Option<String> {
    catalog.movie(index).map(title_and_year)
}

fn title_and_year(movie: &Movie) -> String {
    movie.year.map_or_else(|| movie.title.clone(), |year| format!("{} ({year})", movie.title))
}

/// Finds the movie of a title on the command line, with its rating if `=4.5` follows.
fn find(catalog: &Catalog, text: &str) -> Result<Watch> {
    let rated = text.rsplit_once('=').and_then(|(title, stars)| Some((title, stars.trim().parse::<f32>().ok()?)));
    let (typed, rating) = match rated {
        Some((title, stars)) => {
            let rating = Rating::new(stars).with_context(|| format!("the rating in {text:?} is outside 0.5 to 5"))?;
            (title, Some(rating))
        }
        None => (text, None),
    };
    // MovieLens writes "Matrix, The (1999)"; that form is understood too.
    let (plain, year) = watchnext::title::parse_title(typed);
    let query = year.map_or_else(|| plain.clone(), |year| format!("{plain} {year}"));
    let found = catalog.search(&query, 5);
    let movie = *found.first().with_context(|| format!("no movie's title matches {typed:?}"))?;
    let exact = catalog.movie(movie).is_some_and(|movie| movie.title.eq_ignore_ascii_case(&plain));
    if !exact {
        let others: Vec<String> = found.iter().filter_map(|movie| title(catalog, *movie)).collect();
        eprintln!("{typed:?} is taken for the first of: {}", others.join(" · "));
    }
    Ok(Watch { movie, rating })
}
