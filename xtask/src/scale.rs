//! `cargo xtask scale`: a made-up bundle of any size in the page, compared with the budget in `docs/cost.md`.

mod report;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::Result;
use clap::Args;

use crate::cache::Cache;
use crate::files;
use crate::page;
use crate::project::Project;
use crate::shell::{cargo, note, run as run_program, step};
use crate::tools::chromium;
use crate::trainer::trainer;
use report::{Browser, Report, Step};

const EXAMPLE: &str = "\
A million items take about 1 GB on the disk.

Example:
  cargo xtask scale --items 5000 --dim 32 --out target/small";

/// The arguments of `cargo xtask scale`.
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct Options {
    /// The number of items in the catalogue.
    #[arg(long, default_value_t = 1_000_000)]
    items: usize,
    /// The number of dimensions of an item's vector.
    #[arg(long, default_value_t = 128)]
    dim: usize,
    /// Write the bundle, its sources and scale.json to this folder.
    #[arg(long, value_name = "FOLDER", default_value = "target/scale")]
    out: PathBuf,
}

/// Makes the bundle, opens the page with it and measures. Fails if it exceeds the budget.
pub fn run(project: &Project, options: &Options) -> Result<ExitCode> {
    let chromium = page::build_for_chromium(project, &Cache::open()?)?;
    let out = project.root().join(&options.out);
    files::make_folder(&out)?;

    step(&format!("A bundle of {} items with vectors of {} dimensions", options.items, options.dim));
    // Build the trainer before its commands are timed.
    run_program(cargo().args(["build", "--package", "trainer"]).current_dir(project.root()))?;
    let steps = make(project, options, &out)?;

    step("Chromium (a minute or two)");
    let file = out.join("browser.json");
    let mut node = chromium::script(project, &chromium, "tests/browser/scale.mjs");
    node.arg("--bundle").arg(out.join("bundle")).arg("--out").arg(&file);
    run_program(&mut node)?;
    let browser: Browser = files::read_json(&file)?;

    let report = Report::new(steps, browser);
    println!();
    step("Results");
    println!("{}", report.text());
    let file = out.join("scale.json");
    files::write(&file, report.json()?)?;
    note(&format!("{}", file.display()));
    Ok(if report.is_within_budget() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the trainer's commands that make the bundle, and returns how long each took.
fn make(project: &Project, options: &Options, out: &Path) -> Result<Vec<Step>> {
    let (factors, tower) = (out.join("factors.npy"), out.join("user_tower.onnx"));
    let mut steps = Vec::new();
    let mut run_timed = |subcommand: &[&str], arguments: &dyn Fn(&mut Command)| -> Result<()> {
        let mut command = trainer(project, subcommand);
        arguments(&mut command);
        let start = Instant::now();
        run_program(&mut command)?;
        let command = format!("trainer {}", subcommand.join(" "));
        steps.push(Step { command, seconds: start.elapsed().as_secs_f64() });
        Ok(())
    };
    run_timed(&["internal", "made-up-items"], &|command| {
        let amounts = ["--items", &options.items.to_string(), "--factors", &options.dim.to_string()];
        command.args(amounts).arg("--out").arg(out);
    })?;
    run_timed(&["fold-in"], &|command| {
        command
            .args(["--als", "implicit", "--regularisation", "0.1", "--items"])
            .arg(&factors)
            .arg("--out")
            .arg(&tower);
    })?;
    run_timed(&["pack"], &|command| {
        command.arg("--user-tower").arg(&tower).arg("--items").arg(&factors);
        command.arg("--catalog").arg(out.join("items.csv")).arg("--out").arg(out.join("bundle"));
    })?;
    Ok(steps)
}
