//! Node and what comes from npm: `wasm-opt`, esbuild, and for the tests Playwright, axe, Lighthouse and TypeScript.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::cache::{Cache, Entry, name_by_hash};
use crate::project::Project;
use crate::shell::{ask, note, on_path, run_logged, script};
use crate::versions::{BINARYEN, NODE_MAJOR, major, stated_version};

/// Makes sure that Node is there and new enough for the tests, and gives its version.
pub fn ensure_node() -> Result<String> {
    let remedy = format!("install Node {NODE_MAJOR} or newer, with npm, and see that it is on PATH");
    let Some(output) = ask(Command::new("node").arg("--version")) else { bail!("Node isn't on PATH; {remedy}") };
    let version = stated_version(&output).unwrap_or_default();
    ensure!(major(version).is_some_and(|number| number >= NODE_MAJOR), "Node is {version}; {remedy}");
    Ok(version.to_owned())
}

/// Whether the machine has Node and npm. Without them a page can still be built, but not made small.
pub fn is_there() -> bool {
    ask(Command::new("node").arg("--version")).is_some() && ask(script("npm").arg("--version")).is_some()
}

/// The folder of a fit `wasm-opt`, or `None` on a machine without Node, where none can be had quickly.
pub fn wasm_opt(project: &Project, cache: &Cache) -> Result<Option<PathBuf>> {
    // One on PATH is only good at the right version: old ones break the module without a word.
    if let Some(program) = on_path("wasm-opt")
        && is_fit(&program)
        && let Some(folder) = program.parent()
    {
        return Ok(Some(folder.to_path_buf()));
    }
    if !is_there() {
        return Ok(None);
    }
    let folder = packages(project, cache)?.join(".bin");
    let program = folder.join(if cfg!(windows) { "wasm-opt.cmd" } else { "wasm-opt" });
    ensure!(is_fit(&program), "{} doesn't say that it is version {BINARYEN}", program.display());
    Ok(Some(folder))
}

/// The npm packages of the clone's own `package-lock.json`.
pub fn packages(project: &Project, cache: &Cache) -> Result<PathBuf> {
    packages_of(project.root(), cache)
}

/// The npm packages of a folder's `package-lock.json`, in the cache and linked into the folder as `node_modules`.
pub fn packages_of(owner: &Path, cache: &Cache) -> Result<PathBuf> {
    let path = owner.join("package-lock.json");
    let lock = fs::read(&path).with_context(|| format!("{} can't be read", path.display()))?;
    let name = name_by_hash("npm", &lock);
    let entry = Entry { name: &name, purpose: "the npm packages of package-lock.json", expected: "10 to 30 seconds" };
    // npm writes this file last, so that it stands for a whole installation.
    let whole = |folder: &Path| folder.join("node_modules").join(".package-lock.json").is_file();
    let place = cache.install(&entry, whole, |folder| {
        for file in ["package.json", "package-lock.json"] {
            fs::copy(owner.join(file), folder.join(file)).with_context(|| format!("{file} can't be copied"))?;
        }
        let mut install = script("npm");
        // No package needs its install script, and a script is the way in for a bad package.
        install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder);
        run_logged(&mut install, &cache.log(&name)).context("is the npm registry reachable?")
    })?;
    let modules = place.join("node_modules");
    link(&modules, &owner.join("node_modules"))?;
    Ok(modules)
}

/// Makes `node_modules` in the clone stand for the cached one, unless someone made a real folder there.
fn link(modules: &Path, link: &Path) -> Result<()> {
    if fs::read_link(link).is_ok_and(|target| target == modules) {
        return Ok(());
    }
    match fs::symlink_metadata(link) {
        Ok(found) if found.is_symlink() => {
            let removed = if cfg!(windows) { fs::remove_dir(link) } else { fs::remove_file(link) };
            removed.with_context(|| format!("{} can't be replaced", link.display()))?;
        }
        Ok(_) => {
            note("node_modules is a folder of your own; it is used as it is");
            return Ok(());
        }
        Err(_) => {}
    }
    make_link(modules, link).with_context(|| format!("{} can't be linked to {}", link.display(), modules.display()))
}

#[cfg(unix)]
fn make_link(modules: &Path, link: &Path) -> Result<()> {
    Ok(std::os::unix::fs::symlink(modules, link)?)
}

/// Symbolic links need a privilege on Windows; junctions, which do the same for folders, don't.
#[cfg(not(unix))]
fn make_link(modules: &Path, link: &Path) -> Result<()> {
    crate::shell::run(Command::new("cmd").args(["/C", "mklink", "/J"]).arg(link).arg(modules))
}

fn is_fit(wasm_opt: &Path) -> bool {
    ask(Command::new(wasm_opt).arg("--version")).is_some_and(|output| stated_version(&output) == Some(BINARYEN))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_made_and_renewed_and_a_real_folder_is_left_alone() {
        let folder = std::env::temp_dir().join(format!("watchnext-xtask-link-{}", std::process::id()));
        let (old, new, place) = (folder.join("old"), folder.join("new"), folder.join("node_modules"));
        fs::create_dir_all(&old).unwrap();
        fs::create_dir_all(&new).unwrap();
        // First no link, then one to an older installation, which a changed lock file leaves behind.
        link(&old, &place).unwrap();
        link(&new, &place).unwrap();
        assert_eq!(fs::read_link(&place).unwrap(), new);
        fs::remove_file(&place).unwrap();
        fs::create_dir(&place).unwrap();
        link(&new, &place).unwrap();
        assert!(fs::read_link(&place).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
