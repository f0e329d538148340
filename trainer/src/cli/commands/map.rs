//! `trainer map`.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;
use watchnext::catalog::{Catalog, Movie};

use crate::bundle::read::read_bundle;
use crate::files;
use crate::map::renew::{Renewed, renew};
use crate::map::{DrawnMap, NEIGHBOURS, nearest_on_map};
use crate::report::renew_card;

/// How many of the best-known movies are shown with their neighbours.
const SHOWN: usize = 12;

/// How many neighbours are shown.
const SHOWN_NEIGHBOURS: usize = 5;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  trainer map --bundle models --data ml-latest-small")]
pub(crate) struct MapArgs {
    /// The bundle's folder.
    #[arg(long, value_name = "FOLDER")]
    bundle: PathBuf,
    /// Folder with the links.csv of the bundle's data set. Without that file the bundle keeps its links.
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
}

/// Gives a finished bundle its links and its map, and shows the neighbours of the best-known movies.
pub(crate) fn map(args: &MapArgs) -> Result<()> {
    let started = Instant::now();
    let Renewed { manifest, map } = renew(&args.bundle, &args.data)?;
    let card = args.bundle.join("README.md");
    if card.is_file() {
        let text = fs::read_to_string(&card)
            .with_context(|| format!("{} can't be read. Check its permissions.", card.display()))?;
        files::write(&card, renew_card(&text, &manifest).as_bytes())?;
    }
    println!("{}\n", describe(&map, started));
    let recommender = read_bundle(&args.bundle)?;
    let catalog = recommender.catalog();
    let near = nearest_on_map(&map.positions, SHOWN_NEIGHBOURS);
    let mut known: Vec<(&Movie, &Vec<usize>)> = catalog.movies().iter().zip(&near).collect();
    known.sort_by_key(|(movie, _)| std::cmp::Reverse(movie.ratings));
    for (movie, near) in known.into_iter().take(SHOWN) {
        println!("{}: {}", movie.title, titles(catalog, near));
    }
    Ok(())
}

/// The map's figures in one line.
pub(super) fn describe(map: &DrawnMap, started: Instant) -> String {
    let kept = map.kept.map_or_else(String::new, |kept| {
        format!("; it keeps {:.1} % of each movie's {NEIGHBOURS} nearest", kept * 100.0)
    });
    format!(
        "a map of {} movies, {:.1} % of them on a spot of their own, in {:.0} s{kept}",
        map.positions.len(),
        map.distinct() * 100.0,
        started.elapsed().as_secs_f64()
    )
}

fn titles(catalog: &Catalog, rows: &[usize]) -> String {
    let movies = rows.iter().filter_map(|row| catalog.movies().get(*row));
    movies.map(|movie| movie.title.as_str()).collect::<Vec<_>>().join(" · ")
}
