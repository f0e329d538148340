//! `trainer internal fixture`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::cli::origin::CommandLine;
use crate::data::links::read_links;
use crate::map::add_map;
use crate::synthetic::small::{self, GROUPS, SecondStage};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  trainer internal fixture --out made-up")]
pub(crate) struct FixtureArgs {
    /// The bundle's folder. Its data go into the folder `data` within.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

/// Writes a bundle of made-up movies with a known answer.
pub(crate) fn fixture(args: &FixtureArgs, line: &CommandLine<'_>) -> Result<()> {
    let data = args.out.join("data");
    small::write_data(&data)?;
    let (mut packed, dataset) = small::packed(&data, SecondStage::Titled)?;
    packed.manifest.training.command = line.to_string();
    if let Some((links, source)) = read_links(&data, &dataset.catalog)? {
        packed.add_links(&links, source)?;
    }
    add_map(&mut packed)?;
    packed.write(&args.out)?;
    println!(
        "wrote a bundle of {} movies in {} taste groups to {}",
        dataset.catalog.len(),
        GROUPS.len(),
        args.out.display()
    );
    Ok(())
}
