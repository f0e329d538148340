//! Building the page by Trunk, and folding what it built.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::cache::Cache;
use crate::fold;
use crate::project::Project;
use crate::shell::{run, step};
use crate::tools::{Builder, chromium, node};

/// The Cargo profile of the module that ships.
const PROFILE: &str = "release";

/// Trunk with its subcommand and all that a build of the page needs, the network not among it.
pub fn trunk(project: &Project, builder: &Builder, subcommand: &str) -> Command {
    let mut trunk = Command::new(&builder.trunk);
    trunk.args([subcommand, "--offline"]);
    if builder.optimiser {
        trunk.arg("--release");
    } else {
        // Trunk runs wasm-opt in release builds only, so without it the profile alone is asked for.
        trunk.args(["--cargo-profile", PROFILE]);
    }
    trunk.current_dir(project.root()).env("PATH", &builder.path);
    if env::var_os("NO_COLOR").is_some() {
        // Trunk reads this variable as a yes or no and stops at any other value, such as the usual 1.
        trunk.env("NO_COLOR", "true");
    }
    trunk
}

/// Builds the page that ships into `dist/`.
pub fn build(project: &Project, builder: &Builder) -> Result<()> {
    run(&mut trunk(project, builder, "build")).context("the page can't be built")?;
    fold::fold(project, builder, &project.path("dist"))
}

/// Builds the page with all that opening it by a script needs, and says where Chromium is.
pub fn build_for_chromium(project: &Project, cache: &Cache) -> Result<PathBuf> {
    step("Set-up: Node, Chromium");
    node::ensure_node()?;
    let chromium = chromium::ensure()?;
    let builder = Builder::prepare(project, cache)?;
    step("The page (3 to 6 minutes at first, then seconds)");
    build(project, &builder)?;
    Ok(chromium)
}
