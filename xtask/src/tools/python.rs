//! Python with packages: ONNX's checker and ONNX Runtime for the test of the exported models, FAISS for the bench.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::system;
use crate::cache::{Cache, Entry, name_by_hash};
use crate::files;
use crate::project::Project;
use crate::shell::{ask, note, run_logged};

/// The packages that a script of this repository needs.
pub struct Packages {
    /// The file that pins the packages, from the root.
    pub requirements: &'static str,
    /// What they are for, for the user who waits.
    pub purpose: &'static str,
    /// Python code that fails unless they work.
    pub imports: &'static str,
    /// What to do if they can't be installed.
    pub remedy: &'static str,
}

/// For the test of the exported models.
pub const ONNX: Packages = Packages {
    requirements: "tests/onnx/requirements.txt",
    purpose: "ONNX's checker and ONNX Runtime, for the test of the exported models",
    imports: "import numpy, onnx, onnxruntime",
    remedy: "`cargo xtask test --skip onnx` doesn't need them",
};

/// For the bench.
pub const FAISS: Packages = Packages {
    requirements: "benches/browser/requirements.txt",
    purpose: "FAISS, for the bench",
    imports: "import numpy, faiss",
    remedy: "without Python on PATH, the bench leaves FAISS out",
};

/// A Python with the packages, or why there is none. Python is optional, so a missing one is no error.
pub enum Python {
    /// The interpreter of a virtual environment.
    Ready(PathBuf),
    /// Why there is none.
    Missing(String),
}

/// Finds Python and installs the packages into a virtual environment in the cache.
pub fn prepare(project: &Project, cache: &Cache, packages: &Packages) -> Result<Python> {
    let (name, version) = match find_with_venv() {
        Ok(found) => found,
        Err(reason) => return Ok(Python::Missing(reason)),
    };
    let path = project.path(packages.requirements);
    let mut key = files::read(&path)?;
    // Packages are built for one version of Python, so each version has its own environment.
    key.extend_from_slice(version.as_bytes());
    let environment = name_by_hash("python", &key);
    let entry = Entry { name: &environment, purpose: packages.purpose, expected: "30 to 60 seconds" };
    let imports = ["-c", packages.imports];
    let place = cache.install(
        &entry,
        |folder| ask(Command::new(interpreter(folder)).args(imports)).is_some(),
        |folder| {
            let log = cache.log(&environment);
            make_environment(name, folder, &log)?;
            // Wheels only: if there is none for this Python, fail at once instead of compiling for an hour.
            let mut install = Command::new(interpreter(folder));
            install.args(["-m", "pip", "install", "--disable-pip-version-check", "--only-binary", ":all:", "-r"]);
            run_logged(install.arg(&path), &log)
                .with_context(|| format!("is the package index reachable? {}", packages.remedy))
        },
    )?;
    note(&format!("Python {version} with the packages of {}", packages.requirements));
    Ok(Python::Ready(interpreter(&place)))
}

/// The name and version of a Python 3 that can make virtual environments, or why there is none.
pub fn find_with_venv() -> Result<(&'static str, String), String> {
    let (name, version) = find().ok_or("no python3 on PATH")?;
    if ask(Command::new(name).args(["-c", "import venv, ensurepip"])).is_none()
        && (!system::has_apt() || system::apt_install(&["python3-venv"]).is_err())
    {
        return Err(format!("{name} has no venv module; install python3-venv"));
    }
    Ok((name, version))
}

/// The name and version of a Python 3 on PATH.
fn find() -> Option<(&'static str, String)> {
    let question = "import sys; assert sys.version_info >= (3, 10); print('%d.%d' % sys.version_info[:2])";
    ["python3", "python"]
        .into_iter()
        .find_map(|name| ask(Command::new(name).args(["-c", question])).map(|version| (name, version)))
}

/// Makes a virtual environment.
pub fn make_environment(python: &str, folder: &Path, log: &Path) -> Result<()> {
    run_logged(Command::new(python).args(["-m", "venv"]).arg(folder), log)
}

/// The interpreter of a virtual environment.
pub fn interpreter(environment: &Path) -> PathBuf {
    if cfg!(windows) { environment.join("Scripts").join("python.exe") } else { environment.join("bin").join("python") }
}
