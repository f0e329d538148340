//! `trainer map`.

use std::fs;
use std::time::Instant;

use anyhow::{Context, Result};
use watchnext::catalog::{Catalog, Movie};

use crate::bundle::read::read_bundle;
use crate::cli::MapArgs;
use crate::map::renew::{Renewed, renew};
use crate::map::{DrawnMap, NEIGHBOURS, nearest_on_map};
use crate::report::renew_card;

/// How many of the best-known movies are shown with their neighbours.
const SHOWN: usize = 12;

/// How many neighbours are shown.
const SHOWN_NEIGHBOURS: usize = 5;

/// Gives a finished bundle its links and its map, and shows who lies beside whom.
pub fn map(args: &MapArgs) -> Result<()> {
    let started = Instant::now();
    let Renewed { manifest, map } = renew(&args.bundle, &args.data)?;
    let card = args.bundle.join("README.md");
    if card.is_file() {
        let place = || format!("{} can't be renewed", card.display());
        let text = fs::read_to_string(&card).with_context(place)?;
        fs::write(&card, renew_card(&text, &manifest)).with_context(place)?;
    }
    println!("{}\n", said(&map, started));
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
pub(super) fn said(map: &DrawnMap, started: Instant) -> String {
    let kept = map.kept.map_or_else(String::new, |kept| {
        format!("; of each one's {NEIGHBOURS} nearest {:.1} % are so on the map", kept * 100.0)
    });
    format!(
        "a map of {} movies, {:.1} % of them on a spot of their own, in {:.0} s{kept}",
        map.positions.len(),
        map.distinct() * 100.0,
        started.elapsed().as_secs_f64()
    )
}

fn titles(catalog: &Catalog, rows: &[usize]) -> String {
    let titles: Vec<&str> =
        rows.iter().filter_map(|row| catalog.movies().get(*row)).map(|movie| movie.title.as_str()).collect();
    titles.join(" · ")
}
