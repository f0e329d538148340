//! `trainer titles`.

use std::time::Instant;

use anyhow::Result;

use crate::cli::TitlesArgs;
use crate::data::read_movie_titles;
use crate::titles::{TITLE_DIM, TitleEncoder, nearest, overlap, reduce_titles, write_titles};

/// The widths whose loss is shown.
const WIDTHS: [usize; 4] = [24, 32, 48, 64];

/// How many nearest titles are compared.
const NEIGHBOURS: usize = 10;

/// Writes the titles' embeddings, and shows what is left of them in fewer dimensions.
pub fn titles(args: &TitlesArgs) -> Result<()> {
    let (ids, titles): (Vec<_>, Vec<_>) = read_movie_titles(&args.data)?.into_iter().unzip();
    let encoder = TitleEncoder::load(&args.encoder)?;
    let started = Instant::now();
    let embeddings = encoder.encode(&titles)?;
    let seconds = started.elapsed().as_secs_f64();
    write_titles(&args.out, &ids, &embeddings, encoder.sha256())?;
    println!("{} titles, {TITLE_DIM} numbers each, in {seconds:.1} s: {}\n", titles.len(), args.out.display());
    if titles.len() <= NEIGHBOURS {
        return Ok(());
    }
    let full = nearest(&embeddings, NEIGHBOURS)?;
    println!("dimensions  variance kept  of the {NEIGHBOURS} nearest titles kept, in 8 bits");
    for dim in WIDTHS {
        let reduced = reduce_titles(&embeddings, dim)?;
        let kept = overlap(&full, &nearest(&reduced.values()?, NEIGHBOURS)?)?;
        println!("{dim:>10}  {:>11.1} %  {:>5.1} %", reduced.variance_kept * 100.0, kept * 100.0);
    }
    Ok(())
}
