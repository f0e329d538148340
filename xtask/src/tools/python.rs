//! Python with packages: for the one test that sees the exported models through other eyes than ours, by ONNX's own
//! checker and ONNX Runtime, and for the bench's native peer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::system;
use crate::cache::{Cache, Entry, name_by_hash};
use crate::project::Project;
use crate::shell::{ask, note, run_logged};

/// What a script of this repository needs of Python.
pub struct Packages {
    /// The file that pins the packages, from the root.
    pub requirements: &'static str,
    /// What they are for, for the reader who waits.
    pub purpose: &'static str,
    /// A statement that fails unless they work.
    pub imports: &'static str,
    /// What to do where they can't be had.
    pub remedy: &'static str,
}

/// What the check of the exported models needs.
pub const ONNX: Packages = Packages {
    requirements: "tests/onnx/requirements.txt",
    purpose: "ONNX's checker and ONNX Runtime, for the test of the exported models",
    imports: "import numpy, onnx, onnxruntime",
    remedy: "`cargo xtask test --skip onnx` does without",
};

/// What the bench's native peer needs.
pub const FAISS: Packages = Packages {
    requirements: "benches/browser/requirements.txt",
    purpose: "FAISS, for the bench",
    imports: "import numpy, faiss",
    remedy: "the bench does without FAISS where no Python is on PATH",
};

/// A Python that has the packages, or why there is none: Python is the one tool that no one is asked to install.
pub enum Python {
    /// The interpreter of a virtual environment.
    Ready(PathBuf),
    /// Why the check is left out.
    Missing(String),
}

/// Finds Python and gives it the packages in a virtual environment of the cache.
pub fn prepare(project: &Project, cache: &Cache, packages: &Packages) -> Result<Python> {
    let (name, version) = match find_with_venv() {
        Ok(found) => found,
        Err(reason) => return Ok(Python::Missing(reason)),
    };
    let path = project.path(packages.requirements);
    let mut key = fs::read(&path).with_context(|| format!("{} can't be read", path.display()))?;
    // Packages are built for one version of Python, so another version needs another environment.
    key.extend_from_slice(version.as_bytes());
    let environment = name_by_hash("python", &key);
    let entry = Entry { name: &environment, purpose: packages.purpose, expected: "30 to 60 seconds" };
    let imports = ["-c", packages.imports];
    let place = cache.install(
        &entry,
        |folder| ask(Command::new(interpreter(folder)).args(imports)).is_some(),
        |folder| {
            let log = cache.log(&environment);
            run_logged(Command::new(name).args(["-m", "venv"]).arg(folder), &log)?;
            // Wheels only: a version of Python without one should fail at once, not compile for an hour.
            let mut install = Command::new(interpreter(folder));
            install.args(["-m", "pip", "install", "--disable-pip-version-check", "--only-binary", ":all:", "-r"]);
            run_logged(install.arg(&path), &log)
                .with_context(|| format!("is the package index reachable? {}", packages.remedy))
        },
    )?;
    note(&format!("Python {version} with the packages of {}", packages.requirements));
    Ok(Python::Ready(interpreter(&place)))
}

/// A Python 3 that can make virtual environments, by its name and version, or why there is none.
pub fn find_with_venv() -> Result<(&'static str, String), String> {
    let (name, version) = find().ok_or("no python3 on PATH")?;
    if ask(Command::new(name).args(["-c", "import venv, ensurepip"])).is_none()
        && (!system::has_apt() || system::apt_install(&["python3-venv"]).is_err())
    {
        return Err(format!("{name} has no venv module; install python3-venv"));
    }
    Ok((name, version))
}

/// The name by which a Python 3 answers, and its version.
fn find() -> Option<(&'static str, String)> {
    let question = "import sys; assert sys.version_info >= (3, 10); print('%d.%d' % sys.version_info[:2])";
    ["python3", "python"]
        .into_iter()
        .find_map(|name| ask(Command::new(name).args(["-c", question])).map(|version| (name, version)))
}

/// The interpreter of a virtual environment.
pub fn interpreter(environment: &Path) -> PathBuf {
    if cfg!(windows) { environment.join("Scripts").join("python.exe") } else { environment.join("bin").join("python") }
}
