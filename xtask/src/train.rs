//! `cargo xtask train`: trains the model that ships, the same for everyone.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::project::{DATA_SET, Project};
use crate::shell::{self, cargo, step};

/// What the command line may say.
#[derive(Args)]
pub struct Options {
    /// The folder of movies.csv and ratings.csv [default: ml-latest-small of the data folder].
    #[arg(long)]
    data: Option<PathBuf>,
    /// The folder that the bundle is written to.
    #[arg(long, default_value = "models")]
    out: PathBuf,
    /// More arguments for `trainer train`, after `--`.
    #[arg(last = true)]
    trainer: Vec<String>,
}

/// Runs the trainer. Its build is the development profile, which is optimised for it; the release profile is the
/// browser's, where small is better than fast.
pub fn run(project: &Project, options: &Options) -> Result<ExitCode> {
    let data = match &options.data {
        Some(folder) => std::path::absolute(folder).context("--data is no path")?,
        None => project.data_as_said().join(DATA_SET),
    };
    ensure!(
        project.root().join(&data).join("ratings.csv").is_file(),
        "{} holds no ratings.csv; download MovieLens ml-latest-small, unpack it, and name the folder above it in WATCHNEXT_DATA",
        data.display()
    );
    step(&format!("Training on {}", data.display()));
    let mut train = cargo();
    train
        .args(["run", "--package", "trainer", "--", "train", "--data"])
        .arg(&data)
        .arg("--out")
        .arg(&options.out)
        .args(&options.trainer)
        .current_dir(project.root());
    shell::run(&mut train)?;
    Ok(ExitCode::SUCCESS)
}
