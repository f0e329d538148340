//! `cargo xtask package`: the npm package, in `target/npm/`. It has the built page's element, runtime and default
//! model.
//!
//! Its README and `package.json` are in `xtask/npm/`. Its folders are those of `dist/`, because the files find each
//! other by relative addresses.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::cache::Cache;
use crate::project::Project;
use crate::shell::{note, run as run_program, script, step};
use crate::tools::Builder;
use crate::{bundle, files, page};

/// The version in `xtask/npm/package.json`. Cargo's version replaces it.
const NO_VERSION: &str = "\"version\": \"0.0.0\"";

/// The version of the workspace.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The files and folders of `web/` that only our own page uses.
const PAGE_ONLY: [&str; 7] =
    ["address.js", "examples", "icon.svg", "page.css", "page.js", "words/items/page", "words/page"];

/// The end of the help text.
pub const EXAMPLE: &str = "\
Needs Node and npm.

Example:
  cargo xtask package && npm install target/npm/watchnext-*.tgz";

/// Builds the page and packs it.
pub fn run(project: &Project) -> Result<ExitCode> {
    let builder = Builder::prepare(project, &Cache::open()?)?;
    ensure!(
        builder.optimiser && builder.bundler,
        "the package needs wasm-opt, esbuild and npm; put Node and npm on PATH"
    );
    page::build(project, &builder)?;
    step("Packing it for npm");
    pack(project)?;
    Ok(ExitCode::SUCCESS)
}

/// Packs the page in `dist/` and returns the package's path.
pub fn pack(project: &Project) -> Result<PathBuf> {
    let out = project.path("target/npm");
    let stage = out.join("package");
    // An older package in the same folder could be mistaken for this one.
    files::remove_folder(&out)?;
    files::make_folder(&stage)?;
    let raw = fill(project, &stage)?;
    let mut npm = script("npm");
    npm.args(["pack", "--silent", "--ignore-scripts", "--pack-destination"]).arg(&out).current_dir(&stage);
    run_program(&mut npm)?;
    let package = package_path(project);
    let packed = fs::metadata(&package).with_context(|| format!("npm made no {}", package.display()))?.len();
    note(&format!("{}: {:.2} MB packed, {:.2} MB raw", package.display(), megabytes(packed), megabytes(raw)));
    Ok(package)
}

/// The path of the package.
pub fn package_path(project: &Project) -> PathBuf {
    project.path("target/npm").join(format!("watchnext-{VERSION}.tgz"))
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Copies the package's files into an empty folder and returns the sum of their sizes.
fn fill(project: &Project, stage: &Path) -> Result<u64> {
    let dist = project.path("dist");
    let mut bytes = 0;
    let mut take = |from: &Path, name: &str| -> Result<()> {
        bytes += files::copy(from, &stage.join(name))?;
        Ok(())
    };
    take(&project.path("xtask/npm/README.md"), "README.md")?;
    for name in ["LICENSE-APACHE", "LICENSE-MIT"] {
        take(&project.path(name), name)?;
    }
    let web = web_files(&dist.join("web"))?;
    for name in web.iter().map(|name| format!("web/{name}")).chain(bundle_files(&dist)?) {
        take(&dist.join(&name), &name)?;
    }
    let text = with_version(&files::read_text(&project.path("xtask/npm/package.json"))?, VERSION)?;
    let description = serde_json::from_str(&text).context("xtask/npm/package.json isn't JSON")?;
    for target in targets(&description) {
        ensure!(
            stage.join(&target).is_file(),
            "xtask/npm/package.json exports {target}, but the built page has no such file"
        );
    }
    files::write(&stage.join("package.json"), &text)?;
    Ok(bytes + text.len() as u64)
}

/// The text of `package.json` with the version put in.
fn with_version(text: &str, version: &str) -> Result<String> {
    ensure!(text.matches(NO_VERSION).count() == 1, "xtask/npm/package.json must contain {NO_VERSION} once");
    Ok(text.replace(NO_VERSION, &format!("\"version\": \"{version}\"")))
}

/// The files that `package.json` exports by name, under all conditions. Patterns are left out.
fn targets(description: &Value) -> Vec<String> {
    fn below(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::String(target) if !target.contains('*') && target != "./package.json" => found.push(target.clone()),
            Value::Object(conditions) => conditions.values().for_each(|value| below(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    description.get("exports").iter().for_each(|exports| below(exports, &mut found));
    found
}

/// The files of the built `web/` that other sites need, by their paths in it, sorted.
fn web_files(web: &Path) -> Result<Vec<String>> {
    let all = files::files_below(web)?.into_iter().map(|file| files::relative(web, &file));
    let (mut chunks, mut taken): (Vec<String>, Vec<String>) =
        all.filter(|file| is_for_others(file)).partition(|file| is_shared_part(file));
    // Code that several modules share is in chunks. Take those that the taken scripts import, and those that they
    // import.
    let mut texts = Vec::new();
    for script in taken.iter().filter(|file| file.ends_with(".js")) {
        texts.push(files::read_text(&web.join(script))?);
    }
    while let Some(at) = chunks.iter().position(|chunk| texts.iter().any(|text| text.contains(chunk.as_str()))) {
        let chunk = chunks.swap_remove(at);
        texts.push(files::read_text(&web.join(&chunk))?);
        taken.push(chunk);
    }
    taken.sort();
    Ok(taken)
}

/// Whether other sites may need a file of `web/`. Compressed copies are left out too.
fn is_for_others(file: &str) -> bool {
    let is_ours = PAGE_ONLY.iter().any(|ours| Path::new(file).starts_with(ours));
    !is_ours && !file.ends_with(".br") && !file.ends_with(".gz")
}

/// Whether folding made this file. Its name then ends in a hash of capitals and digits.
fn is_shared_part(file: &str) -> bool {
    let parts = file.strip_suffix(".js").and_then(|stem| stem.rsplit_once('-'));
    parts.is_some_and(|(_, hash)| hash.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()))
}

/// The default bundle: the manifest, the model card with the data's terms, and the files that the manifest names.
fn bundle_files(dist: &Path) -> Result<Vec<String>> {
    let named = bundle::files(dist)?.into_iter().map(|file| file.path);
    Ok([bundle::MANIFEST, "models/README.md"].into_iter().map(str::to_owned).chain(named).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESCRIPTION: &str = include_str!("../npm/package.json");

    #[test]
    fn the_version_is_cargos() {
        let description: Value = serde_json::from_str(&with_version(DESCRIPTION, "1.2.3").unwrap()).unwrap();
        assert_eq!(description.get("version"), Some(&"1.2.3".into()));
        assert!(with_version(r#"{"version": "1.0.0"}"#, "1.2.3").is_err());
    }

    #[test]
    fn every_named_export_is_found() {
        let description = serde_json::from_str(DESCRIPTION).unwrap();
        let mut found = targets(&description);
        found.sort();
        let expected = ["./web/runtime.d.ts", "./web/runtime.js", "./web/watch-next.d.ts", "./web/watch-next.js"];
        assert_eq!(found, expected);
    }

    /// A built `web/` with files of our page, chunks that the element and the runtime share, and compressed copies.
    #[test]
    fn other_sites_get_what_they_need_and_nothing_of_our_page() {
        let folder = tempfile::tempdir().unwrap();
        let web = folder.path();
        let built = [
            ("page.js", "import './chunk-PAGE.js'; import './chunk-A.js'; import('./map-MAP2.js')"),
            ("map-MAP2.js", "import './chunk-B.js'"),
            ("watch-next.js", "import './chunk-A.js'"),
            ("watch-next.js.br", ""),
            ("watch-next.d.ts", ""),
            ("chunk-A.js", "import './chunk-B.js'"),
            ("chunk-B.js", ""),
            ("chunk-PAGE.js", ""),
            ("words/de.json", "{}"),
            ("words/items/de.json", "{}"),
            ("words/items/page/de.json", "{}"),
            ("words/page/de.json", "{}"),
            ("examples/index.html", ""),
        ];
        for (name, text) in built {
            files::make_parent(&web.join(name)).unwrap();
            files::write(&web.join(name), text).unwrap();
        }
        let taken = web_files(web).unwrap();
        assert_eq!(
            taken,
            ["chunk-A.js", "chunk-B.js", "watch-next.d.ts", "watch-next.js", "words/de.json", "words/items/de.json"]
        );
    }
}
