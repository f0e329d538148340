//! Building the page: Trunk builds it, then it is folded.

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

/// Trunk with a subcommand and all that a build of the page needs. It doesn't use the network.
pub fn trunk(project: &Project, builder: &Builder, subcommand: &str) -> Command {
    let mut trunk = Command::new(&builder.trunk);
    trunk.args([subcommand, "--offline"]);
    if builder.optimiser {
        trunk.arg("--release");
    } else {
        // `--release` would make Trunk run wasm-opt, so without wasm-opt only the profile is set.
        trunk.args(["--cargo-profile", PROFILE]);
    }
    trunk.current_dir(project.root()).env("PATH", &builder.path);
    if env::var_os("NO_COLOR").is_some() {
        // Trunk takes only true or false here and stops at the usual 1.
        trunk.env("NO_COLOR", "true");
    }
    trunk
}

/// Builds the page that ships into `dist/`.
pub fn build(project: &Project, builder: &Builder) -> Result<()> {
    step("Building the page (3 to 6 minutes the first time, then seconds)");
    run(&mut trunk(project, builder, "build")).context("the page can't be built")?;
    fold::fold(project, builder, &project.path("dist"))
}

/// Builds the page and returns the path of Chromium to open it with.
pub fn build_for_chromium(project: &Project, cache: &Cache) -> Result<PathBuf> {
    step("Set-up: Node, Chromium");
    node::ensure_node()?;
    let chromium = chromium::ensure()?;
    let builder = Builder::prepare(project, cache)?;
    build(project, &builder)?;
    Ok(chromium)
}
