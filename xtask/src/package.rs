//! `cargo xtask package`: the built page's element, runtime and default model as a package for npm, in `target/npm/`.
//!
//! What it says of itself is in `xtask/npm/`. The folders stand in it as they stand in `dist/`, since the files find one
//! another by their addresses.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::cache::Cache;
use crate::module;
use crate::project::Project;
use crate::shell::{note, run as run_program, script, step};
use crate::tools::Builder;

/// The version that the package's `package.json` has in the clone, where the real one is Cargo's.
const NO_VERSION: &str = "\"version\": \"0.0.0\"";

/// Cargo's version of all the workspace.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What of `web/` belongs to our own page and to nobody else's.
const PAGE_ONLY: [&str; 7] =
    ["address.js", "examples", "icon.svg", "page.css", "page.js", "words/items/page", "words/page"];

/// Builds the page and packs it.
pub fn run(project: &Project) -> Result<ExitCode> {
    let builder = Builder::prepare(project, &Cache::open()?)?;
    ensure!(builder.optimiser && builder.bundler, "Node isn't on PATH; the package needs wasm-opt, esbuild and npm");
    step("The page (3 to 6 minutes at first, then seconds)");
    module::build(project, &builder)?;
    step("The package");
    pack(project)?;
    Ok(ExitCode::SUCCESS)
}

/// Packs the page in `dist/`, says how large the package is, and where it lies.
pub fn pack(project: &Project) -> Result<PathBuf> {
    let out = project.path("target/npm");
    let stage = out.join("package");
    if out.exists() {
        // An older version's package beside this one would be taken for it.
        fs::remove_dir_all(&out).with_context(|| format!("{} can't be removed", out.display()))?;
    }
    fs::create_dir_all(&stage).with_context(|| format!("{} can't be made", stage.display()))?;
    let raw = fill(project, &stage)?;
    let mut npm = script("npm");
    npm.args(["pack", "--silent", "--ignore-scripts", "--pack-destination"]).arg(&out).current_dir(&stage);
    run_program(&mut npm)?;
    let package = place(project);
    let packed = fs::metadata(&package).with_context(|| format!("npm left no {}", package.display()))?.len();
    note(&format!("{}: {:.2} MB packed, {:.2} MB raw", package.display(), megabytes(packed), megabytes(raw)));
    Ok(package)
}

/// Where the package lies once it is made.
pub fn place(project: &Project) -> PathBuf {
    project.path("target/npm").join(format!("watchnext-{VERSION}.tgz"))
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Copies all that the package holds into an empty folder, and says how many bytes that is.
fn fill(project: &Project, stage: &Path) -> Result<u64> {
    let dist = project.path("dist");
    let mut bytes = 0;
    let mut take = |from: &Path, name: &str| -> Result<()> {
        let to = stage.join(name);
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
        }
        bytes += fs::copy(from, &to).with_context(|| format!("{} can't be copied", from.display()))?;
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
    let text =
        fs::read_to_string(project.path("xtask/npm/package.json")).context("xtask/npm/package.json is missing")?;
    let text = with_version(&text, VERSION)?;
    let description = serde_json::from_str(&text).context("xtask/npm/package.json isn't JSON")?;
    for target in targets(&description) {
        ensure!(stage.join(&target).is_file(), "xtask/npm/package.json exports {target}, which the built page lacks");
    }
    fs::write(stage.join("package.json"), &text).context("the package's package.json can't be written")?;
    Ok(bytes + text.len() as u64)
}

/// The text of a `package.json` with a version in its place.
fn with_version(text: &str, version: &str) -> Result<String> {
    ensure!(text.matches(NO_VERSION).count() == 1, "xtask/npm/package.json must say {NO_VERSION} once");
    Ok(text.replace(NO_VERSION, &format!("\"version\": \"{version}\"")))
}

/// The files that a `package.json` exports by name, whatever the condition; patterns aside.
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

/// The files of the built `web/` that others need, by their paths in it, sorted.
fn web_files(web: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    collect(web, "", &mut files)?;
    files.sort();
    let (parts, mut taken): (Vec<String>, Vec<String>) =
        files.into_iter().filter(|file| is_for_others(file)).partition(|file| is_shared_part(file));
    // Folding makes files of what several modules have in common; those that only our page's have in common stay here.
    let mut texts = Vec::new();
    for script in taken.iter().filter(|file| file.ends_with(".js")) {
        texts.push(fs::read_to_string(web.join(script)).with_context(|| format!("{script} can't be read"))?);
    }
    let mut waiting = parts;
    while let Some(at) = waiting.iter().position(|part| texts.iter().any(|text| text.contains(part.as_str()))) {
        let part = waiting.swap_remove(at);
        texts.push(fs::read_to_string(web.join(&part)).with_context(|| format!("{part} can't be read"))?);
        taken.push(part);
    }
    taken.sort();
    Ok(taken)
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("{} can't be read", folder.display()))? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() { collect(&entry.path(), &format!("{name}/"), files)? } else { files.push(name) }
    }
    Ok(())
}

/// Whether a file of `web/` is more than our own page's, and no compressed copy of another.
fn is_for_others(file: &str) -> bool {
    let is_ours = PAGE_ONLY.iter().any(|ours| Path::new(file).starts_with(ours));
    !is_ours && !file.ends_with(".br") && !file.ends_with(".gz")
}

/// Whether folding made this file. Its name then ends in a hash of capitals and digits.
fn is_shared_part(file: &str) -> bool {
    let parts = file.strip_suffix(".js").and_then(|stem| stem.rsplit_once('-'));
    parts.is_some_and(|(_, hash)| hash.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()))
}

/// The default bundle: its manifest, its card with the data's terms, and the files that the manifest names.
fn bundle_files(dist: &Path) -> Result<Vec<String>> {
    let place = dist.join("models/manifest.json");
    let text = fs::read(&place).with_context(|| format!("{} can't be read", place.display()))?;
    let manifest: Value = serde_json::from_slice(&text).with_context(|| format!("{} isn't JSON", place.display()))?;
    let named = manifest.get("files").and_then(Value::as_object).context("the manifest names no files")?;
    let paths = named.values().filter_map(|file| file.get("path")?.as_str());
    Ok(["manifest.json", "README.md"].into_iter().chain(paths).map(|path| format!("models/{path}")).collect())
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
    fn every_export_with_a_name_is_looked_for() {
        let description = serde_json::from_str(DESCRIPTION).unwrap();
        let mut found = targets(&description);
        found.sort();
        let expected = ["./web/runtime.d.ts", "./web/runtime.js", "./web/watch-next.d.ts", "./web/watch-next.js"];
        assert_eq!(found, expected);
    }

    /// A built `web/` with what our page has alone, what the element and the runtime share, and compressed copies.
    #[test]
    fn others_get_what_they_need_and_nothing_of_our_page() {
        let web = std::env::temp_dir().join(format!("watchnext-package-{}", std::process::id()));
        fs::create_dir_all(web.join("words/items/page")).unwrap();
        fs::create_dir_all(web.join("words/page")).unwrap();
        fs::create_dir_all(web.join("examples")).unwrap();
        let files = [
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
        for (name, text) in files {
            fs::write(web.join(name), text).unwrap();
        }
        let taken = web_files(&web).unwrap();
        assert_eq!(
            taken,
            ["chunk-A.js", "chunk-B.js", "watch-next.d.ts", "watch-next.js", "words/de.json", "words/items/de.json"]
        );
        fs::remove_dir_all(&web).unwrap();
    }
}
