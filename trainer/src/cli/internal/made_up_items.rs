//! `trainer internal made-up-items`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::synthetic::items::write;

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  trainer internal made-up-items --items 100000 --factors 64 --out made-up")]
pub(crate) struct MadeUpItemsArgs {
    /// Number of items.
    #[arg(long)]
    items: usize,
    /// Factors per item.
    #[arg(long)]
    factors: usize,
    /// Seed of all random numbers.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder for items.csv and factors.npy.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

/// Writes made-up items with their factors.
pub(crate) fn made_up_items(args: &MadeUpItemsArgs) -> Result<()> {
    let MadeUpItemsArgs { items, factors, seed, .. } = *args;
    write(&args.out, items, factors, seed)?;
    println!("wrote {items} items of {factors} factors to {}", args.out.display());
    Ok(())
}
