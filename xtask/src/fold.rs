//! Folding the built page: its modules into those at the top of `web/`, and scripts and styles without what only readers
//! need. What becomes of what is written in `xtask/fold.mjs`, which has esbuild do it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::project::Project;
use crate::shell::{note, run};
use crate::tools::Builder;

/// The program that folds, from the root.
const PROGRAM: &str = "xtask/fold.mjs";

/// Folds the page in `dist`. A machine without Node leaves it as it is, which works as well.
pub fn fold(project: &Project, builder: &Builder, dist: &Path) -> Result<()> {
    if !builder.bundler {
        note(
            "Node isn't on PATH, so the scripts stay the modules that they are: they work as well but are twice as large",
        );
        return Ok(());
    }
    let mut node = Command::new("node");
    node.arg(project.path(PROGRAM)).arg(dist).current_dir(project.root());
    run(&mut node)
        .with_context(|| format!("the page in {} can't be folded; what is wrong stands above", dist.display()))
}
