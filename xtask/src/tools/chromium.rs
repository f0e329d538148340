//! The browser of the browser tests: any Chromium or Chrome that is there, else Debian's.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use super::system;
use crate::shell::{ask, human, note, on_path, step};

/// The environment variable that names the browser, for this command and for the tests that it starts.
pub const CHROMIUM_VARIABLE: &str = "WATCHNEXT_CHROMIUM";

const NAMES: [&str; 5] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

const REMEDY: &str = "install Chromium or Chrome, or name its program in WATCHNEXT_CHROMIUM";

/// Finds or installs the browser.
pub fn ensure() -> Result<PathBuf> {
    if let Some(named) = env::var_os(CHROMIUM_VARIABLE).map(PathBuf::from) {
        ensure!(named.is_file(), "WATCHNEXT_CHROMIUM is {}, which is no file; {REMEDY}", named.display());
        return std::path::absolute(&named).context("WATCHNEXT_CHROMIUM is no path");
    }
    if let Some(found) = find() {
        return Ok(found);
    }
    if !system::has_apt() {
        bail!("no Chromium on this machine; {REMEDY}");
    }
    step("Chromium: for the browser tests, from this system's packages");
    note("expected: 1 to 2 minutes");
    let start = Instant::now();
    system::apt_install(&["chromium"]).with_context(|| format!("no Chromium on this machine; {REMEDY}"))?;
    note(&format!("done in {}", human(start.elapsed())));
    find().with_context(|| format!("the package chromium holds no browser that runs here; {REMEDY}"))
}

/// The first browser that runs. The question is not idle: Ubuntu's package is a stub that runs nothing by itself.
fn find() -> Option<PathBuf> {
    let on_path = NAMES.iter().filter_map(|name| on_path(name));
    on_path.chain(usual_places()).find(|program| {
        // Chrome on Windows opens a window instead of stating its version; there, to be there must do.
        program.is_file() && (cfg!(windows) || ask(Command::new(program).arg("--version")).is_some())
    })
}

/// Where installers put the browser on the systems where they don't put it on PATH.
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
