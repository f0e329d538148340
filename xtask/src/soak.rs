//! `cargo xtask soak`: a long random visit in headless Chromium. The native library then repeats every answer.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::cache::Cache;
use crate::files;
use crate::page;
use crate::project::Project;
use crate::shell::{cargo, run as run_program, step};
use crate::tools::chromium;

const EXAMPLE: &str = "\
Example:
  cargo xtask soak --minutes 5 --seed 7";

/// The arguments of `cargo xtask soak`.
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct Options {
    /// How many minutes the visit lasts.
    #[arg(long, default_value_t = 60.0)]
    minutes: f64,
    /// The seed of the visitor's random choices.
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// Write soak.json and answers.jsonl to this folder.
    #[arg(long, value_name = "FOLDER", default_value = "target/soak")]
    out: PathBuf,
}

/// Builds the page, visits it and compares the answers.
pub fn run(project: &Project, options: &Options) -> Result<ExitCode> {
    let chromium = page::build_for_chromium(project, &Cache::open()?)?;
    let out = project.root().join(&options.out);
    files::make_folder(&out)?;

    step(&format!("The visit: {} minutes", options.minutes));
    let mut visit = chromium::script(project, &chromium, "tests/browser/soak.mjs");
    visit.args(["--minutes", &options.minutes.to_string(), "--seed", &options.seed.to_string(), "--out"]).arg(&out);
    run_program(&mut visit)?;

    step("The native library answers the same questions");
    let mut replay = cargo();
    replay.args(["test", "--package", "watchnext", "--test", "soak", "--", "--ignored", "--nocapture"]);
    run_program(replay.env("WATCHNEXT_SOAK", &out).current_dir(project.root()))?;
    Ok(ExitCode::SUCCESS)
}
