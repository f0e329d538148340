//! What comes from rustup and from the crate registry: components, the wasm target, wasm-bindgen's tool, Trunk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::executable;
use crate::cache::{Cache, Entry};
use crate::project::Project;
use crate::shell::{ask, cargo, note, on_path, run, run_logged};
use crate::versions::{TRUNK, WASM_BINDGEN, locked_version, stated_version};

/// The target of the page's module and of the wasm tests.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Makes sure that the compiler has a standard library for the browser.
///
/// `rust-toolchain.toml` asks for it too, but rustup heeds that file's lists only while it installs the toolchain.
pub fn ensure_target() -> Result<()> {
    let mut question = Command::new("rustc");
    question.args(["--print", "target-libdir", "--target", TARGET]);
    if ask(&mut question).is_some_and(|folder| Path::new(&folder).is_dir()) {
        return Ok(());
    }
    note(&format!("the compiler has no {TARGET} yet"));
    run(Command::new("rustup").args(["target", "add", TARGET])).with_context(|| {
        format!("add the target {TARGET} to the compiler by hand; without rustup, see its distributor")
    })
}

/// Makes sure that the formatter and the linter are there.
pub fn ensure_components() -> Result<()> {
    for (component, subcommand) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if ask(cargo().args([subcommand, "--version"])).is_none() {
            note(&format!("the compiler has no {component} yet"));
            run(Command::new("rustup").args(["component", "add", component]))
                .with_context(|| format!("add the component {component} to the compiler by hand"))?;
        }
    }
    Ok(())
}

/// Downloads the crates that `Cargo.lock` names, because Trunk then builds without the network.
pub fn fetch(project: &Project) -> Result<()> {
    let mut fetch = cargo();
    fetch.args(["fetch", "--quiet", "--locked"]).current_dir(project.root());
    run(&mut fetch).context("the crates can't be downloaded; is the registry reachable, and is Cargo.lock up to date?")
}

/// The folder of wasm-bindgen's tools, at the version of the library in `Cargo.lock`: the two speak a common format
/// that changes with every release.
pub fn wasm_bindgen(project: &Project, cache: &Cache) -> Result<PathBuf> {
    let path = project.path("Cargo.lock");
    let lock = fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))?;
    let version = locked_version(&lock, WASM_BINDGEN).context("Cargo.lock names no wasm-bindgen")?;
    // The tests' runner is looked for because it is the one that an incomplete copy lacks.
    let whole = |folder: &Path| {
        states(&folder.join(executable("wasm-bindgen")), version)
            && folder.join(executable("wasm-bindgen-test-runner")).is_file()
    };
    from_crate(cache, "wasm-bindgen-cli", "wasm-bindgen", version, "2 to 4 minutes", whole)
}

/// Trunk, which builds and serves the page.
pub fn trunk(cache: &Cache) -> Result<PathBuf> {
    let program = executable("trunk");
    let whole = |folder: &Path| states(&folder.join(&program), TRUNK);
    let folder = from_crate(cache, "trunk", "trunk", TRUNK, "5 to 8 minutes", whole)?;
    Ok(folder.join(program))
}

/// The folder of a crate's programs: the cache's, PATH's, or a new installation's.
///
/// Ready-made programs from the projects' release pages would be quicker still, but a download is only as good as the
/// hash it is checked against, and these have none that this repository could vouch for; cargo checks every crate
/// against the lock file that the crate itself carries.
fn from_crate(
    cache: &Cache,
    package: &str,
    program: &str,
    version: &str,
    expected: &str,
    whole: impl Fn(&Path) -> bool,
) -> Result<PathBuf> {
    let name = format!("{package}-{version}");
    let cached = cache.place(&name).join("bin");
    if whole(&cached) {
        return Ok(cached);
    }
    if let Some(folder) = on_path(program).and_then(|file| file.parent().map(Path::to_path_buf))
        && whole(&folder)
    {
        note(&format!("{name}: found in {}", folder.display()));
        return Ok(folder);
    }
    let entry = Entry { name: &name, purpose: "built from source, since this machine hasn't this version", expected };
    let place = cache.install(
        &entry,
        |folder| whole(&folder.join("bin")),
        |folder| build(cache, &name, package, version, folder),
    )?;
    Ok(place.join("bin"))
}

/// Builds a crate's programs into a folder.
///
/// The release profiles of these tools ask for the slowest compilation there is (fat link-time optimisation, one
/// codegen unit); they run for seconds, so the quickest that still optimises at all serves better.
fn build(cache: &Cache, name: &str, package: &str, version: &str, folder: &Path) -> Result<()> {
    let workspace = cache.workspace(name);
    let mut install = cargo();
    install
        .args(["install", "--locked", "--version", version, "--root"])
        .arg(folder)
        .arg(package)
        // Outside the clone, whose configuration for the browser is not meant for tools of this machine.
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", &workspace)
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
        .env_remove("CARGO_BUILD_TARGET");
    if let Err(error) = run_logged(&mut install, &cache.log(name)) {
        bail!(
            "{error:#}; see that the crate registry is reachable and that a C compiler (cc) is installed, then run this again: it goes on where it stopped"
        )
    }
    // The build's own files are large and of no further use. If they can't be removed, nothing depends on it.
    let _ = fs::remove_dir_all(&workspace);
    Ok(())
}

/// Whether a program says that it has the version.
fn states(program: &Path, version: &str) -> bool {
    ask(Command::new(program).arg("--version")).is_some_and(|output| stated_version(&output) == Some(version))
}
