//! `trainer new`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::config::{CONFIG_FILE, scaffold};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  trainer new my-books")]
pub(crate) struct NewArgs {
    /// The folder to fill. It may exist, but not hold a watchnext.toml.
    folder: PathBuf,
}

/// Makes a folder for your own catalogue.
pub(crate) fn new(args: &NewArgs) -> Result<()> {
    scaffold(&args.folder)?;
    let file = args.folder.join(CONFIG_FILE);
    println!("wrote {0}\nnext: name your files in it, then run: trainer train --config {0}", file.display());
    Ok(())
}
