//! Node, and from npm: `wasm-opt`, esbuild, and for the tests Playwright, axe, Lighthouse and TypeScript.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::cache::{Cache, Entry, name_by_hash};
use crate::files;
use crate::project::Project;
use crate::shell::{ask, note, on_path, run_logged, script};
use crate::versions::{BINARYEN, NODE_MAJOR, major, stated_version};

/// The file name of wasm-opt as npm installs it.
pub const WASM_OPT: &str = if cfg!(windows) { "wasm-opt.cmd" } else { "wasm-opt" };

/// Checks that Node is there and new enough for the tests, and returns its version.
pub fn ensure_node() -> Result<String> {
    let remedy = format!("install Node {NODE_MAJOR} or newer with npm, and put it on PATH");
    let Some(output) = ask(Command::new("node").arg("--version")) else { bail!("Node isn't on PATH; {remedy}") };
    let version = stated_version(&output).unwrap_or_default();
    ensure!(major(version).is_some_and(|number| number >= NODE_MAJOR), "Node is {version}; {remedy}");
    Ok(version.to_owned())
}

/// Whether the machine has Node and npm. Without them the page can be built, but is larger.
pub fn is_there() -> bool {
    ask(Command::new("node").arg("--version")).is_some() && ask(script("npm").arg("--version")).is_some()
}

/// The folder of `wasm-opt` at the right version, or `None` on a machine without Node.
pub fn wasm_opt(project: &Project, cache: &Cache) -> Result<Option<PathBuf>> {
    // Another version on PATH won't do: old ones silently break the module.
    if let Some(program) = on_path("wasm-opt")
        && is_right_version(&program)
        && let Some(folder) = program.parent()
    {
        return Ok(Some(folder.to_path_buf()));
    }
    if !is_there() {
        return Ok(None);
    }
    let folder = packages(project, cache)?.join(".bin");
    let program = folder.join(WASM_OPT);
    ensure!(is_right_version(&program), "{} isn't version {BINARYEN}", program.display());
    Ok(Some(folder))
}

/// The folder of the npm packages in the root's `package-lock.json`.
pub fn packages(project: &Project, cache: &Cache) -> Result<PathBuf> {
    packages_of(project.root(), cache)
}

/// The folder of the npm packages in a folder's `package-lock.json`: in the cache, and linked as `node_modules`.
pub fn packages_of(owner: &Path, cache: &Cache) -> Result<PathBuf> {
    let path = owner.join("package-lock.json");
    let lock = files::read(&path)?;
    let name = name_by_hash("npm", &lock);
    let entry = Entry { name: &name, purpose: "the npm packages of package-lock.json", expected: "10 to 30 seconds" };
    // npm writes this file last, so the installation is complete if it exists.
    let is_complete = |folder: &Path| folder.join("node_modules").join(".package-lock.json").is_file();
    let place = cache.install(&entry, is_complete, |folder| {
        for file in ["package.json", "package-lock.json"] {
            files::copy(&owner.join(file), &folder.join(file))?;
        }
        let mut install = script("npm");
        // No package needs its install script, and a malicious package would use one.
        install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder);
        run_logged(&mut install, &cache.log(&name)).context("is the npm registry reachable?")
    })?;
    let modules = place.join("node_modules");
    link(&modules, &owner.join("node_modules"))?;
    Ok(modules)
}

/// Links `node_modules` to the cached folder, unless it is a real folder.
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
            note("node_modules is your own folder, so it is used as it is");
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

/// On Windows, symbolic links need a privilege. Junctions, which link folders, don't.
#[cfg(not(unix))]
fn make_link(modules: &Path, link: &Path) -> Result<()> {
    crate::shell::run(Command::new("cmd").args(["/C", "mklink", "/J"]).arg(link).arg(modules))
}

fn is_right_version(wasm_opt: &Path) -> bool {
    ask(Command::new(wasm_opt).arg("--version")).is_some_and(|output| stated_version(&output) == Some(BINARYEN))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_made_and_renewed_and_a_real_folder_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path();
        let (old, new, place) = (folder.join("old"), folder.join("new"), folder.join("node_modules"));
        fs::create_dir_all(&old).unwrap();
        fs::create_dir_all(&new).unwrap();
        // At first there is no link, then one to an older installation: the lock file has changed.
        link(&old, &place).unwrap();
        link(&new, &place).unwrap();
        assert_eq!(fs::read_link(&place).unwrap(), new);
        fs::remove_file(&place).unwrap();
        fs::create_dir(&place).unwrap();
        link(&new, &place).unwrap();
        assert!(fs::read_link(&place).is_err());
    }
}
