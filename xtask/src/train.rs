//! `cargo xtask train`: trains the model that ships, the same for everyone, on the users of both releases.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::project::{DATA_SET, Project};
use crate::shell::{self, cargo, step};

/// The folder of an earlier release by other users, beside that of the data set.
const SECOND_RELEASE: &str = "ml-latest-small-2015";

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
    let (data, second) = match &options.data {
        Some(folder) => (std::path::absolute(folder).context("--data is no path")?, None),
        None => {
            let folder = project.data_as_said();
            (folder.join(DATA_SET), Some(folder.join(SECOND_RELEASE).join("ratings.csv")))
        }
    };
    ensure!(
        project.root().join(&data).join("ratings.csv").is_file(),
        "{} holds no ratings.csv; download MovieLens ml-latest-small, unpack it, and name the folder above it in WATCHNEXT_DATA",
        data.display()
    );
    step(&format!("Training on {}", data.display()));
    let second = second.filter(|file| {
        let found = project.root().join(file).is_file();
        if !found {
            eprintln!(
                "{} isn't there; the shipped model learnt from its users as well, so this one will be another",
                file.display()
            );
        }
        found
    });
    let mut train = cargo();
    train
        .args(["run", "--package", "trainer", "--", "train", "--data"])
        .arg(&data)
        .args(second.iter().flat_map(|file| ["--ratings".as_ref(), file.as_os_str()]))
        .arg("--out")
        .arg(&options.out)
        .args(&options.trainer)
        .current_dir(project.root());
    shell::run(&mut train)?;
    Ok(ExitCode::SUCCESS)
}
