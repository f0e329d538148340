//! The tools that the commands need. A tool comes from the cache, or from PATH if its version is right, or is
//! installed.

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

/// The tools that build the page.
pub struct Builder {
    /// Trunk itself.
    pub trunk: PathBuf,
    /// The runner of the wasm tests, which comes with wasm-bindgen's command-line tool.
    pub test_runner: PathBuf,
    /// Whether `wasm-opt` is there. Only a machine without Node lacks it.
    pub optimiser: bool,
    /// Whether Node and esbuild are there, which fold the page's modules.
    pub bundler: bool,
    /// PATH for Trunk, which uses the first wasm-bindgen and wasm-opt that it finds: the right ones are in front.
    pub path: OsString,
}

impl Builder {
    /// Finds or installs the tools.
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
                note("Node isn't on PATH, so there is no wasm-opt: the module works, but is a seventh larger");
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
pub fn executable(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}
