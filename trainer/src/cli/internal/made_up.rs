//! `trainer internal made-up`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::synthetic::ratings::{Amounts, write};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  trainer internal made-up --users 1000 --items 2000 --ratings 50000 --out made-up")]
pub(crate) struct MadeUpArgs {
    /// Number of users.
    #[arg(long)]
    users: usize,
    /// Number of movies.
    #[arg(long)]
    items: usize,
    /// Number of ratings, roughly.
    #[arg(long)]
    ratings: usize,
    /// Seed of all random numbers.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder for movies.csv and ratings.csv.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

/// Writes made-up ratings.
pub(crate) fn made_up(args: &MadeUpArgs) -> Result<()> {
    let MadeUpArgs { users, items, ratings, seed, .. } = *args;
    let written = write(&args.out, &Amounts { users, items, ratings, seed })?;
    println!("wrote {written} ratings of {items} movies by {users} users to {}", args.out.display());
    Ok(())
}
