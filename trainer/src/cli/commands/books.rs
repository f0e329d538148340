//! `trainer books`.

use std::time::Instant;

use anyhow::Result;

use crate::cli::BooksArgs;
use crate::config::CONFIG_FILE;
use crate::synthetic::books::{BookConfig, GROUPS, write};

/// Writes made-up books and their readers.
pub fn books(args: &BooksArgs) -> Result<()> {
    let started = Instant::now();
    let config = BookConfig { readers: args.readers, books: args.books, each: args.each, seed: args.seed };
    let ratings = write(&args.out, &config)?;
    println!(
        "wrote {} books and {ratings} ratings by {} readers of {GROUPS} tastes to {} in {:.1} s; next: trainer train --config {}",
        config.books,
        config.readers,
        args.out.display(),
        started.elapsed().as_secs_f64(),
        args.out.join(CONFIG_FILE).display()
    );
    Ok(())
}
