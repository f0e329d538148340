//! The browser of the browser tests: any Chromium or Chrome on this machine, or else Debian's package.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use super::system;
use crate::project::Project;
use crate::shell::{ask, human, note, on_path, step};

/// The environment variable that names the browser's program, for this command and for the tests that it starts.
pub const CHROMIUM_VARIABLE: &str = "WATCHNEXT_CHROMIUM";

const NAMES: [&str; 5] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

const REMEDY: &str = "install Chromium or Chrome, or set WATCHNEXT_CHROMIUM to its program";

/// Finds or installs the browser.
pub fn ensure() -> Result<PathBuf> {
    if let Some(named) = env::var_os(CHROMIUM_VARIABLE).map(PathBuf::from) {
        ensure!(named.is_file(), "WATCHNEXT_CHROMIUM is {}, which isn't a file; {REMEDY}", named.display());
        return std::path::absolute(&named).context("WATCHNEXT_CHROMIUM isn't a valid path");
    }
    if let Some(found) = find() {
        return Ok(found);
    }
    if !system::has_apt() {
        bail!("no Chromium on this machine; {REMEDY}");
    }
    step("Chromium: for the browser tests, from this system's packages");
    note("takes 1 to 2 minutes");
    let start = Instant::now();
    system::apt_install(&["chromium"]).with_context(|| format!("no Chromium on this machine; {REMEDY}"))?;
    note(&format!("done in {}", human(start.elapsed())));
    find().with_context(|| format!("the browser of the package chromium doesn't run here; {REMEDY}"))
}

/// Node for a script that opens the built page in the browser.
pub fn node(project: &Project, chromium: &Path) -> Command {
    let mut node = Command::new("node");
    node.env("WATCHNEXT_DIST", project.path("dist")).env(CHROMIUM_VARIABLE, chromium).current_dir(project.root());
    node
}

/// Node with one such script, given by its path from the root.
pub fn script(project: &Project, chromium: &Path, script: &str) -> Command {
    let mut node = node(project, chromium);
    node.arg(script);
    node
}

/// The first browser that runs. Ubuntu's package, for example, is a stub that doesn't.
fn find() -> Option<PathBuf> {
    let on_path = NAMES.iter().filter_map(|name| on_path(name));
    on_path.chain(usual_places()).find(|program| {
        // On Windows, Chrome would open a window instead of printing its version, so the file must do.
        program.is_file() && (cfg!(windows) || ask(Command::new(program).arg("--version")).is_some())
    })
}

/// Where the browser is on systems whose installers don't put it on PATH.
fn usual_places() -> Vec<PathBuf> {
    let mut places: Vec<PathBuf> = ["Chromium", "Google Chrome"]
        .map(|name| PathBuf::from(format!("/Applications/{name}.app/Contents/MacOS/{name}")))
        .into();
    for variable in ["PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"] {
        if let Some(folder) = env::var_os(variable) {
            places.push(PathBuf::from(folder).join("Google").join("Chrome").join("Application").join("chrome.exe"));
        }
    }
    places
}
