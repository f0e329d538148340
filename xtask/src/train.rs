//! `cargo xtask train`: trains the model that ships, on the users of both releases.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::cache::Cache;
use crate::project::{DATA_SET, Project};
use crate::shell::{self, cargo, step};
use crate::tools::titles::{Encoder, encoder};

/// The folder of an earlier release with other users, next to that of the data set.
const SECOND_RELEASE: &str = "ml-latest-small-2015";

/// The arguments.
#[derive(Args)]
pub struct Options {
    /// Folder with movies.csv and ratings.csv [default: ml-latest-small in the data folder].
    #[arg(long)]
    data: Option<PathBuf>,
    /// The bundle's folder.
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
        "{} holds no ratings.csv. Download MovieLens ml-latest-small, unpack it, and name the folder above it in \
         WATCHNEXT_DATA.",
        data.display()
    );
    step(&format!("Training on {}", data.display()));
    let second = second.filter(|file| {
        let found = project.root().join(file).is_file();
        if !found {
            eprintln!(
                "{} isn't there. The shipped model also learnt from its users, so this one will differ.",
                file.display()
            );
        }
        found
    });
    let titles = titles(project, &data)?;
    let mut train = cargo();
    train
        .args(["run", "--package", "trainer", "--", "train", "--data"])
        .arg(&data)
        .args(titles.iter().flat_map(|file| ["--titles".as_ref(), file.as_os_str()]))
        .args(second.iter().flat_map(|file| ["--ratings".as_ref(), file.as_os_str()]))
        .arg("--out")
        .arg(&options.out)
        .args(&options.trainer)
        .current_dir(project.root());
    shell::run(&mut train)?;
    Ok(ExitCode::SUCCESS)
}

/// The titles' embeddings, computed once for each clone and data set; none where the model that reads titles can't be
/// had.
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
            eprintln!("the ranker does without titles, so this model will differ from the shipped one: {reason}");
            return Ok(None);
        }
    };
    let mut titles = cargo();
    titles.args(["run", "--package", "trainer", "--", "titles", "--encoder"]).arg(folder).arg("--data").arg(data);
    shell::run(titles.arg("--out").arg(&file).current_dir(project.root()))?;
    Ok(Some(file))
}
