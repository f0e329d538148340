//! From rustup: components and the wasm target. From the crate registry: wasm-bindgen's tool and Trunk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::executable;
use crate::cache::{Cache, Entry};
use crate::files;
use crate::project::Project;
use crate::shell::{ask, cargo, note, on_path, run, run_logged};
use crate::versions::{TRUNK, WASM_BINDGEN, locked_version, stated_version};

/// The target of the page's module and of the wasm tests.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Installs the compiler's standard library for the browser if it is missing.
///
/// `rust-toolchain.toml` lists it too, but rustup reads that list only when it installs the toolchain.
pub fn ensure_target() -> Result<()> {
    let mut question = Command::new("rustc");
    question.args(["--print", "target-libdir", "--target", TARGET]);
    if ask(&mut question).is_some_and(|folder| Path::new(&folder).is_dir()) {
        return Ok(());
    }
    note(&format!("the compiler has no {TARGET} yet"));
    run(Command::new("rustup").args(["target", "add", TARGET])).with_context(|| {
        format!("install the compiler's target {TARGET}; if the compiler isn't from rustup, ask its distributor")
    })
}

/// Installs the formatter and the linter if they are missing.
pub fn ensure_components() -> Result<()> {
    for (component, subcommand) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if ask(cargo().args([subcommand, "--version"])).is_none() {
            note(&format!("the compiler has no {component} yet"));
            run(Command::new("rustup").args(["component", "add", component]))
                .with_context(|| format!("install the compiler's component {component}"))?;
        }
    }
    Ok(())
}

/// Downloads the crates that `Cargo.lock` names, because Trunk builds without the network.
pub fn fetch(project: &Project) -> Result<()> {
    let mut fetch = cargo();
    fetch.args(["fetch", "--quiet", "--locked"]).current_dir(project.root());
    run(&mut fetch).context("the crates can't be downloaded; is the registry reachable, and is Cargo.lock up to date?")
}

/// The folder of wasm-bindgen's tools, at the library's version in `Cargo.lock`. The tools and the library share a
/// format that changes with every release.
pub fn wasm_bindgen(project: &Project, cache: &Cache) -> Result<PathBuf> {
    let lock = files::read_text(&project.path("Cargo.lock"))?;
    let version = locked_version(&lock, WASM_BINDGEN).context("Cargo.lock names no wasm-bindgen")?;
    // An incomplete installation lacks the tests' runner.
    let is_complete = |folder: &Path| {
        is_version(&folder.join(executable("wasm-bindgen")), version)
            && folder.join(executable("wasm-bindgen-test-runner")).is_file()
    };
    from_crate(cache, "wasm-bindgen-cli", "wasm-bindgen", version, "2 to 4 minutes", is_complete)
}

/// Trunk, which builds and serves the page.
pub fn trunk(cache: &Cache) -> Result<PathBuf> {
    let program = executable("trunk");
    let is_complete = |folder: &Path| is_version(&folder.join(&program), TRUNK);
    let folder = from_crate(cache, "trunk", "trunk", TRUNK, "5 to 8 minutes", is_complete)?;
    Ok(folder.join(program))
}

/// The folder of a crate's programs: in the cache, on PATH, or newly installed.
///
/// Programs from the projects' release pages would be quicker, but nothing vouches for their hashes. cargo checks every
/// crate against the lock file that the installed crate carries.
fn from_crate(
    cache: &Cache,
    package: &str,
    program: &str,
    version: &str,
    expected: &str,
    is_complete: impl Fn(&Path) -> bool,
) -> Result<PathBuf> {
    let name = format!("{package}-{version}");
    let cached = cache.place(&name).join("bin");
    if is_complete(&cached) {
        return Ok(cached);
    }
    if let Some(folder) = on_path(program).and_then(|file| file.parent().map(Path::to_path_buf))
        && is_complete(&folder)
    {
        note(&format!("{name}: found in {}", folder.display()));
        return Ok(folder);
    }
    let entry =
        Entry { name: &name, purpose: "built from source, because this machine doesn't have this version", expected };
    let place = cache.install(
        &entry,
        |folder| is_complete(&folder.join("bin")),
        |folder| build(cache, &name, package, version, folder),
    )?;
    Ok(place.join("bin"))
}

/// Builds a crate's programs into a folder.
///
/// The tools' own release profiles compile very slowly (fat link-time optimisation, one codegen unit). The tools run
/// for seconds, so the lightest optimisation is better.
fn build(cache: &Cache, name: &str, package: &str, version: &str, folder: &Path) -> Result<()> {
    let workspace = cache.workspace(name);
    let mut install = cargo();
    install
        .args(["install", "--locked", "--version", version, "--root"])
        .arg(folder)
        .arg(package)
        // Outside the clone, because its cargo configuration is for the browser.
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", &workspace)
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
        .env_remove("CARGO_BUILD_TARGET");
    if let Err(error) = run_logged(&mut install, &cache.log(name)) {
        bail!(
            "{error:#}; check that the crate registry is reachable and that a C compiler (cc) is installed, then run \
             this again: it continues where it stopped"
        )
    }
    // The build's files are large and no longer needed. If they can't be removed, they do no harm.
    let _ = fs::remove_dir_all(&workspace);
    Ok(())
}

/// Whether a program prints this version.
fn is_version(program: &Path, version: &str) -> bool {
    ask(Command::new(program).arg("--version")).is_some_and(|output| stated_version(&output) == Some(version))
}
