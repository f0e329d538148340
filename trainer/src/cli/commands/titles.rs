//! `trainer titles`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::Args;

use crate::data::read_movie_titles;
use crate::titles::{TITLE_DIM, TitleEncoder, nearest, overlap, reduce_titles, write_titles};

/// The widths whose loss is shown.
const WIDTHS: [usize; 4] = [24, 32, 48, 64];

/// How many nearest titles are compared.
const NEIGHBOURS: usize = 10;

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  trainer titles --encoder all-MiniLM-L6-v2 --data ml-latest-small --out titles.safetensors"
)]
pub(crate) struct TitlesArgs {
    /// Folder of all-MiniLM-L6-v2, with config.json, tokenizer.json and model.safetensors.
    #[arg(long, value_name = "FOLDER")]
    encoder: PathBuf,
    /// Folder with movies.csv.
    #[arg(long, value_name = "FOLDER")]
    data: PathBuf,
    /// The safetensors file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Writes the titles' embeddings, and shows how much of them fewer dimensions keep.
pub(crate) fn titles(args: &TitlesArgs) -> Result<()> {
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
