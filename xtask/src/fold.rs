//! Folding the built page: its modules are joined into the files at the top of `web/`, and scripts and styles lose
//! their comments and spaces. `xtask/fold.mjs` does it with esbuild.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::project::Project;
use crate::shell::{note, run};
use crate::tools::Builder;

/// The program that folds, from the root.
const PROGRAM: &str = "xtask/fold.mjs";

/// Folds the page in `dist`. Without Node, it leaves the page as it is.
pub fn fold(project: &Project, builder: &Builder, dist: &Path) -> Result<()> {
    if !builder.bundler {
        note("Node isn't on PATH, so the scripts aren't folded: the page works, but its scripts are twice as large");
        return Ok(());
    }
    let mut node = Command::new("node");
    node.arg(project.path(PROGRAM)).arg(dist).current_dir(project.root());
    run(&mut node).with_context(|| format!("the page in {} can't be folded; see the message above", dist.display()))
}
