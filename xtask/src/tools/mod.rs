//! The tools that the commands need: found where the machine has them at the right version, else installed.
//!
//! The order is always the same, quickest first: the cache, PATH, then an installation.

pub mod chromium;
pub mod node;
pub mod python;
pub mod rust;
mod system;
pub mod titles;

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Result;

use crate::cache::Cache;
use crate::project::Project;
use crate::shell::{note, path_with, step};

/// What building the page takes.
pub struct Builder {
    /// Trunk itself.
    pub trunk: PathBuf,
    /// The runner of the wasm tests, which comes with wasm-bindgen's command-line tool.
    pub test_runner: PathBuf,
    /// Whether `wasm-opt` is there. Only a machine without Node builds without it.
    pub optimiser: bool,
    /// Whether Node and the npm packages are there, esbuild among them, to fold the page's modules.
    pub bundler: bool,
    /// PATH with the folders of the right wasm-bindgen and wasm-opt first, since Trunk takes the first it finds.
    pub path: OsString,
}

impl Builder {
    /// Finds or installs all of it.
    pub fn prepare(project: &Project, cache: &Cache) -> Result<Self> {
        step("Set-up: compiler, wasm-bindgen, Trunk, wasm-opt, esbuild");
        rust::ensure_target()?;
        rust::fetch(project)?;
        let bindgen = rust::wasm_bindgen(project, cache)?;
        let trunk = rust::trunk(cache)?;
        let mut folders = vec![bindgen.clone()];
        folders.extend(trunk.parent().map(PathBuf::from));
        let optimiser = match node::wasm_opt(project, cache)? {
            Some(folder) => {
                folders.insert(0, folder);
                true
            }
            None => {
                note("Node isn't on PATH, so wasm-opt is left out: the module works as well but is a seventh larger");
                false
            }
        };
        let bundler = node::is_there();
        if bundler {
            node::ensure_node()?;
            node::packages(project, cache)?;
        }
        Ok(Self {
            trunk,
            test_runner: bindgen.join(executable("wasm-bindgen-test-runner")),
            optimiser,
            bundler,
            path: path_with(&folders)?,
        })
    }
}

/// A program's file name on this system.
fn executable(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}
