//! `cargo xtask build`: the page as a folder that any static host can serve.

use std::process::ExitCode;

use anyhow::Result;

use crate::cache::Cache;
use crate::project::Project;
use crate::shell::{note, step};
use crate::tools::Builder;
use crate::{page, size};

/// The end of the help text.
pub const EXAMPLE: &str = "\
Next to each file lie compressed copies, .br and .gz, for hosts that send them.

Example:
  cargo xtask build && python3 -m http.server --directory dist";

/// Builds `dist/` and compresses each of its files.
pub fn run(project: &Project) -> Result<ExitCode> {
    let builder = Builder::prepare(project, &Cache::open()?)?;
    page::build(project, &builder)?;
    step("Compressing the page");
    note(&size::check(project)?);
    note("dist/ is ready for any static host; hosts that send compressed files find them next to each file (.br, .gz)");
    Ok(ExitCode::SUCCESS)
}
