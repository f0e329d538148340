//! `cargo xtask build`: the page as a folder that any static host can serve.

use std::process::ExitCode;

use anyhow::Result;

use crate::cache::Cache;
use crate::project::Project;
use crate::shell::{note, step};
use crate::tools::Builder;
use crate::{module, size};

/// Builds `dist/` and compresses every file of it.
pub fn run(project: &Project) -> Result<ExitCode> {
    let builder = Builder::prepare(project, &Cache::open()?)?;
    step("The page (3 to 6 minutes at first, then seconds)");
    module::build(project, &builder)?;
    step("Compressing it");
    note(&size::check(project)?);
    note("dist/ is ready for any static host; .br and .gz lie beside the files, for hosts that send them");
    Ok(ExitCode::SUCCESS)
}
