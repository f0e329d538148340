//! `trainer new`.

use std::path::Path;

use anyhow::Result;

use crate::config::{CONFIG_FILE, scaffold};

/// Makes a folder for a catalogue of one's own.
pub fn new(folder: &Path) -> Result<()> {
    scaffold(folder)?;
    let file = folder.join(CONFIG_FILE);
    println!("wrote {}: name your files in it, then: trainer train --config {}", file.display(), file.display());
    Ok(())
}
