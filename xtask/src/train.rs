//! `cargo xtask train`: trains the model that ships, on the users of two MovieLens releases.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::cache::Cache;
use crate::project::{DATA_SET, DATA_VARIABLE, Project};
use crate::shell::{note, run as run_program, step};
use crate::tools::titles::{Encoder, encoder};
use crate::trainer::trainer;

/// The folder of an earlier release, whose users are others. It lies next to the data set's folder.
const SECOND_RELEASE: &str = "ml-latest-small-2015";

const EXAMPLE: &str = "\
The same data and seed give the same bytes.

Examples:
  cargo xtask train
  cargo xtask train --out target/trial -- --seed 2";

/// The arguments of `cargo xtask train`.
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct Options {
    /// The folder with movies.csv and ratings.csv [default: ml-latest-small in WATCHNEXT_DATA or ../shared/data].
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Write the bundle to this folder.
    #[arg(long, value_name = "FOLDER", default_value = "models")]
    out: PathBuf,
    /// More arguments for `trainer train`.
    #[arg(last = true, value_name = "ARGUMENT")]
    trainer: Vec<String>,
}

/// Runs the trainer.
pub fn run(project: &Project, options: &Options) -> Result<ExitCode> {
    let (data, second) = match &options.data {
        Some(folder) => (std::path::absolute(folder).context("--data isn't a valid path")?, None),
        None => {
            let folder = project.data_as_given();
            (folder.join(DATA_SET), Some(folder.join(SECOND_RELEASE).join("ratings.csv")))
        }
    };
    ensure!(
        project.root().join(&data).join("ratings.csv").is_file(),
        "{} has no ratings.csv; unpack MovieLens ml-latest-small and set {DATA_VARIABLE} to the folder above it",
        data.display()
    );
    step(&format!("Training on {}", data.display()));
    let second = second.filter(|file| {
        let found = project.root().join(file).is_file();
        if !found {
            note(&format!(
                "{} is missing. The shipped model learnt from its users too, so this model will differ",
                file.display()
            ));
        }
        found
    });
    let titles = titles(project, &data)?;
    let mut train = trainer(project, &["train"]);
    train
        .arg("--data")
        .arg(&data)
        .args(titles.iter().flat_map(|file| ["--titles".as_ref(), file.as_os_str()]))
        .args(second.iter().flat_map(|file| ["--ratings".as_ref(), file.as_os_str()]))
        .arg("--out")
        .arg(&options.out)
        .args(&options.trainer);
    run_program(&mut train)?;
    Ok(ExitCode::SUCCESS)
}

/// The file of the titles' embeddings, computed once for each clone and data set. `None` if the title encoder is
/// missing.
fn titles(project: &Project, data: &Path) -> Result<Option<PathBuf>> {
    let name =
        data.file_name().map_or_else(|| "titles".to_owned(), |name| format!("titles-{}", name.to_string_lossy()));
    let file = project.path("target").join(format!("{name}.safetensors"));
    if file.is_file() {
        return Ok(Some(file));
    }
    let folder = match encoder(&Cache::open()?) {
        Encoder::Ready(folder) => folder,
        Encoder::Missing(reason) => {
            note(&format!("the ranker gets no titles, so this model will differ from the shipped one: {reason}"));
            return Ok(None);
        }
    };
    let mut titles = trainer(project, &["titles"]);
    titles.arg("--encoder").arg(folder).arg("--data").arg(data).arg("--out").arg(&file);
    run_program(&mut titles)?;
    Ok(Some(file))
}
