//! `cargo xtask soak`: a long visit at random, in headless Chromium, whose every answer the native library then gives too.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::Args;

use crate::cache::Cache;
use crate::module;
use crate::project::Project;
use crate::shell::{cargo, run as run_program, step};
use crate::tools::chromium;

/// What the command line may say.
#[derive(Args)]
pub struct Options {
    /// How long the visit lasts.
    #[arg(long, default_value_t = 60.0)]
    minutes: f64,
    /// What the visitor does.
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// The folder for soak.json and answers.jsonl.
    #[arg(long, default_value = "target/soak")]
    out: PathBuf,
}

/// Builds the page, visits it, and compares.
pub fn run(project: &Project, options: &Options) -> Result<ExitCode> {
    let chromium = module::build_for_chromium(project, &Cache::open()?)?;
    let out = project.root().join(&options.out);
    fs::create_dir_all(&out).with_context(|| format!("{} can't be made", out.display()))?;

    step(&format!("The visit: {} minutes", options.minutes));
    let mut node = Command::new("node");
    node.arg("tests/browser/soak.mjs")
        .args(["--minutes", &options.minutes.to_string(), "--seed", &options.seed.to_string(), "--out"])
        .arg(&out)
        .env("WATCHNEXT_DIST", project.path("dist"))
        .env(chromium::CHROMIUM_VARIABLE, chromium)
        .current_dir(project.root());
    run_program(&mut node)?;

    step("The same questions to the native library");
    let mut replay = cargo();
    replay.args(["test", "--package", "watchnext", "--test", "soak", "--", "--ignored", "--nocapture"]);
    run_program(replay.env("WATCHNEXT_SOAK", &out).current_dir(project.root()))?;
    Ok(ExitCode::SUCCESS)
}
