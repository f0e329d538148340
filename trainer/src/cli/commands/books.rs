//! `trainer books`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::Args;

use crate::config::CONFIG_FILE;
use crate::synthetic::books::{BookConfig, TASTES, write};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  trainer books --out my-books\n  trainer train --config my-books/watchnext.toml")]
pub(crate) struct BooksArgs {
    /// Folder to write to.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Number of readers.
    #[arg(long, default_value_t = BookConfig::default().readers)]
    readers: usize,
    /// Number of books.
    #[arg(long, default_value_t = BookConfig::default().books)]
    books: usize,
    /// Books per reader, on average.
    #[arg(long, default_value_t = BookConfig::default().each)]
    each: usize,
    /// Seed of all random numbers.
    #[arg(long, default_value_t = BookConfig::default().seed)]
    seed: u64,
}

/// Writes made-up books and their readers.
pub(crate) fn books(args: &BooksArgs) -> Result<()> {
    let started = Instant::now();
    let config = BookConfig { readers: args.readers, books: args.books, each: args.each, seed: args.seed };
    let ratings = write(&args.out, &config)?;
    println!(
        "wrote {} books and {ratings} ratings by {} readers of {TASTES} tastes to {} in {:.1} s\n\
         next: trainer train --config {}",
        config.books,
        config.readers,
        args.out.display(),
        started.elapsed().as_secs_f64(),
        args.out.join(CONFIG_FILE).display()
    );
    Ok(())
}
