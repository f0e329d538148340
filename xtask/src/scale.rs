//! `cargo xtask scale`: a made-up bundle of any size in the page, held to the budget that `docs/cost.md` states.

mod report;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Args;

use crate::cache::Cache;
use crate::module;
use crate::project::Project;
use crate::shell::{cargo, note, run as run_program, step};
use crate::tools::chromium;
use report::{Browser, Report, Step};

/// What the command line may say.
#[derive(Args)]
pub struct Options {
    /// How many items the catalogue has.
    #[arg(long, default_value_t = 1_000_000)]
    items: usize,
    /// How many numbers an item's vector has.
    #[arg(long, default_value_t = 128)]
    dim: usize,
    /// The folder for the bundle, what it is made of, and scale.json.
    #[arg(long, default_value = "target/scale")]
    out: PathBuf,
}

/// Makes the bundle, opens the page with it, measures, and says whether the budget is kept.
pub fn run(project: &Project, options: &Options) -> Result<ExitCode> {
    let chromium = module::build_for_chromium(project, &Cache::open()?)?;
    let out = project.root().join(&options.out);
    fs::create_dir_all(&out).with_context(|| format!("{} can't be made", out.display()))?;

    step(&format!("A bundle of {} items with vectors of {} numbers", options.items, options.dim));
    // Built before anything is timed.
    run_program(cargo().args(["build", "--package", "trainer"]).current_dir(project.root()))?;
    let steps = make(project, options, &out)?;

    step("Chromium (a minute or two)");
    let file = out.join("browser.json");
    let mut node = Command::new("node");
    node.arg("tests/browser/scale.mjs")
        .arg("--bundle")
        .arg(out.join("bundle"))
        .arg("--out")
        .arg(&file)
        .env("WATCHNEXT_DIST", project.path("dist"))
        .env(chromium::CHROMIUM_VARIABLE, chromium)
        .current_dir(project.root());
    run_program(&mut node)?;
    let text = fs::read(&file).with_context(|| format!("{} can't be read", file.display()))?;
    let browser: Browser =
        serde_json::from_slice(&text).with_context(|| format!("{} isn't what was expected", file.display()))?;

    let report = Report::new(steps, browser);
    println!();
    step("Results");
    println!("{}", report.text());
    let file = out.join("scale.json");
    fs::write(&file, report.json()?).with_context(|| format!("{} can't be written", file.display()))?;
    note(&format!("{}", file.display()));
    Ok(if report.is_within_budget() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the trainer's commands that make the bundle, and says how long each took.
fn make(project: &Project, options: &Options, out: &Path) -> Result<Vec<Step>> {
    let (factors, tower) = (out.join("factors.npy"), out.join("user_tower.onnx"));
    let mut steps = Vec::new();
    let mut trainer = |name: &[&str], arguments: &dyn Fn(&mut Command)| -> Result<()> {
        let mut command = cargo();
        command.args(["run", "--quiet", "--package", "trainer", "--"]).args(name).current_dir(project.root());
        arguments(&mut command);
        let start = Instant::now();
        run_program(&mut command)?;
        steps.push(Step { command: format!("trainer {}", name.join(" ")), seconds: start.elapsed().as_secs_f64() });
        Ok(())
    };
    trainer(&["internal", "made-up-items"], &|command| {
        let amounts = ["--items", &options.items.to_string(), "--factors", &options.dim.to_string()];
        command.args(amounts).arg("--out").arg(out);
    })?;
    trainer(&["fold-in"], &|command| {
        command
            .args(["--als", "implicit", "--regularisation", "0.1", "--items"])
            .arg(&factors)
            .arg("--out")
            .arg(&tower);
    })?;
    trainer(&["pack"], &|command| {
        command.arg("--user-tower").arg(&tower).arg("--items").arg(&factors);
        command.arg("--catalog").arg(out.join("items.csv")).arg("--out").arg(out.join("bundle"));
    })?;
    Ok(steps)
}
