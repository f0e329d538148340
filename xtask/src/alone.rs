//! The library and its tests without the trainer, as one crate: what mutants and Miri are run on.
//!
//! The library's tests are made of a bundle that the trainer makes, and the trainer is built on the library, so a change of one
//! line of the library has the trainer and twenty test programs built and linked anew. Here a stand-in hands the tests a bundle
//! that was made before, and the tests are modules of the library's own test program: one crate is compiled and linked, which
//! takes seconds. The sources are copies of the project's own with a few lines replaced, which stand in this file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::project::Project;
use crate::shell::{cargo, run, step};

/// What the copy is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// All of the library.
    Whole,
    /// Without what tract runs: features, index and diversity, with the tests that need no bundle.
    Core,
    /// The same with the kernels of the browser in place of the scalar ones, for Miri.
    Interpreted,
}

/// What the copy holds of the project, files and folders.
const PARTS: [&str; 8] = [
    "Cargo.lock",
    "build.rs",
    "MODEL_CONTRACT.md",
    "models",
    "src",
    "stand-ins",
    "tests",
    "trainer/src/fixture/groups.rs",
];

/// Test programs that can't be modules of the library: they need the real trainer, `web/`, the
/// browser, or the allocator for themselves.
const LEFT_OUT: [&str; 4] = ["constants", "hostile", "soak", "wasm"];

/// Test programs that need neither tract nor a bundle of made-up movies: those that hold the core to its word, and more.
const OF_CORE: [&str; 3] = ["features", "index", "reactions"];
const INTERPRETED: [&str; 5] = ["catalog", "features", "index", "lists", "reactions"];

/// A line of a file and what stands there instead.
type Replaced = (&'static str, &'static str);

/// No other crate of the workspace, the trainer's stand-in, no test programs beside the library's own, and a profile that
/// compiles quickly. What it depends on stays as it is.
const MANIFEST: [Replaced; 5] = [
    ("members = [\"stand-ins/inventory\", \"trainer\", \"xtask\"]", "members = [\"stand-ins/inventory\"]"),
    ("trainer = { path = \"trainer\" }", "trainer = { path = \"stand-ins/trainer\" }"),
    ("[package]\n", "[package]\nautotests = false\n"),
    ("crate-type = [\"rlib\", \"cdylib\"]", "crate-type = [\"rlib\"]"),
    ("[profile.dev.package.brotli]", "[profile.dev.package.watchnext]\nopt-level = 1\n\n[profile.dev.package.brotli]"),
];

/// The modules that tract runs.
const LIBRARY: [Replaced; 5] = [
    ("pub mod model;\n", ""),
    ("pub mod onnx;\n", ""),
    ("pub mod ranker;\n", ""),
    ("pub mod reasons;\n", ""),
    ("pub mod recommend;\n", ""),
];

/// The condition under which the browser's kernels are compiled.
const BROWSER: &str = "all(target_arch = \"wasm32\", target_feature = \"simd128\")";

/// The kernels' instructions and their tests.
const KERNELS: [Replaced; 2] =
    [("use core::arch::wasm32::{", "use crate::wasm32::{"), ("use wasm_bindgen_test::wasm_bindgen_test;", "")];

/// Makes the copy, or brings it up to date, and gives its folder.
pub fn prepare(project: &Project, form: Form) -> Result<PathBuf> {
    let root = project.path(match form {
        Form::Whole => "target/alone/whole",
        Form::Core => "target/alone/core",
        Form::Interpreted => "target/alone/interpreted",
    });
    step(&format!("The library without the trainer, in {}", root.display()));
    for part in PARTS {
        copy(&project.path(part), &root.join(part))?;
    }
    let mut manifest = replaced(project, "Cargo.toml", &MANIFEST)?;
    let mut library = read(&project.path("src/lib.rs"))?;
    let mut tests = test_programs(&project.path("tests"))?;
    if form == Form::Whole {
        make_fixture(project)?;
    } else {
        manifest = manifest.replacen("tract-onnx.workspace = true\n", "", 1);
        library = replaced(project, "src/lib.rs", &LIBRARY)?;
        let wanted: &[&str] = if form == Form::Core { &OF_CORE } else { &INTERPRETED };
        tests.retain(|name| wanted.contains(&name.as_str()));
    }
    if form == Form::Interpreted {
        library.push_str("#[path = \"../stand-ins/wasm32.rs\"]\npub mod wasm32;\n");
        for file in ["src/index.rs", "src/index/scalar.rs"] {
            // Conditions that are always and never met.
            let text = read(&project.path(file))?;
            let text = text.replace(&format!("not({BROWSER})"), "any()").replace(BROWSER, "all()");
            write(&root.join(file), text.as_bytes())?;
        }
        let kernels = replaced(project, "src/index/simd128.rs", &KERNELS)?.replace("#[wasm_bindgen_test]", "#[test]");
        write(&root.join("src/index/simd128.rs"), kernels.as_bytes())?;
    }
    write(&root.join("Cargo.toml"), manifest.as_bytes())?;
    library.push_str("\n#[cfg(test)]\nextern crate self as watchnext;\n");
    for name in tests {
        library.push_str(&format!("#[cfg(test)]\n#[path = \"../tests/{name}.rs\"]\nmod {name}_tests;\n"));
    }
    write(&root.join("src/lib.rs"), library.as_bytes())?;
    Ok(root)
}

/// The bundle of made-up movies, as the trainer makes it now: one that was left by an earlier trainer fails its tests.
fn make_fixture(project: &Project) -> Result<()> {
    let fixture = project.path("target/fixture");
    step("The bundle of made-up movies");
    let mut make = cargo();
    make.args(["run", "--package", "trainer", "--", "fixture", "--out"]).arg(&fixture);
    run(make.current_dir(project.root()))
}

/// A file of the project with some lines replaced, each of which must be there once.
fn replaced(project: &Project, file: &str, lines: &[Replaced]) -> Result<String> {
    let mut text = read(&project.path(file))?;
    for (ours, instead) in lines {
        ensure!(text.matches(ours).count() == 1, "{file} doesn't hold {ours:?} once, as xtask/src/alone.rs expects");
        text = text.replace(ours, instead);
    }
    Ok(text)
}

/// The names of the test programs that become modules, sorted.
fn test_programs(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("{} can't be read", folder.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".rs").map(str::to_owned));
    }
    names.retain(|name| !LEFT_OUT.contains(&name.as_str()));
    names.sort();
    Ok(names)
}

/// Copies a file, or a folder's files. What is the same already isn't touched, so that cargo builds no more than it must; what
/// the project no longer has goes.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if from.is_file() {
        let bytes = fs::read(from).with_context(|| format!("{} can't be read", from.display()))?;
        return write(to, &bytes);
    }
    let names = |folder: &Path| -> Result<Vec<std::ffi::OsString>> {
        let entries = fs::read_dir(folder).with_context(|| format!("{} can't be read", folder.display()))?;
        entries.map(|entry| Ok(entry?.file_name())).collect()
    };
    fs::create_dir_all(to).with_context(|| format!("{} can't be made", to.display()))?;
    let wanted = names(from)?;
    for name in names(to)?.into_iter().filter(|name| !wanted.contains(name)) {
        let old = to.join(name);
        let gone = if old.is_dir() { fs::remove_dir_all(&old) } else { fs::remove_file(&old) };
        gone.with_context(|| format!("{} can't be removed", old.display()))?;
    }
    wanted.iter().try_for_each(|name| copy(&from.join(name), &to.join(name)))
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))
}

fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(file).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
    }
    fs::write(file, bytes).with_context(|| format!("{} can't be written", file.display()))
}
