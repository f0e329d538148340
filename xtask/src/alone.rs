//! A copy of the library and its tests without the trainer, as one crate: mutants and Miri run on it.
//!
//! The library's tests use a bundle that the trainer makes, and the trainer is built on the library. So one changed
//! line of the library would rebuild the trainer and link twenty test programs again. In the copy, a stand-in hands the
//! tests a bundle that was made before, and the tests are modules of the library's own test program. One crate is
//! compiled and linked, which takes seconds. A few lines of the sources differ; this file lists them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, str};

use anyhow::{Context, Result, ensure};

use crate::files;
use crate::project::Project;
use crate::shell::{run, step};
use crate::trainer;

/// What the copy is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// All of the library.
    Whole,
    /// The modules that don't need tract, with the tests that need no bundle.
    Core,
    /// The same for Miri: with the browser's kernels in place of the scalar ones.
    Interpreted,
}

/// The files and folders of the project that are copied.
const PARTS: [&str; 7] = ["Cargo.lock", "Cargo.toml", "build.rs", "MODEL_CONTRACT.md", "models", "src", "stand-ins"];

/// The folder of the test programs, which is copied too.
const TESTS: &str = "tests";

/// The file of the trainer that its stand-in shares: the facts of the made-up movies. The stand-in finds it at the root
/// of the copy.
const SHARED: &str = "groups.rs";

/// Test programs that can't be modules of the library: they need the real trainer, `web/`, the browser, or the memory
/// allocator to themselves.
const LEFT_OUT: [&str; 4] = ["constants", "hostile", "soak", "wasm"];

/// Test programs that need neither tract nor a bundle.
const OF_CORE: [&str; 3] = ["features", "index", "reactions"];
const INTERPRETED: [&str; 5] = ["catalog", "features", "index", "lists", "reactions"];

/// A text of a file and its replacement.
type Replacement = (&'static str, &'static str);

/// No other member of the workspace, the trainer's stand-in, no separate test programs, and a profile that compiles
/// quickly.
const MANIFEST: [Replacement; 5] = [
    ("members = [\"stand-ins/inventory\", \"trainer\", \"xtask\"]", "members = [\"stand-ins/inventory\"]"),
    ("trainer = { path = \"trainer\" }", "trainer = { path = \"stand-ins/trainer\" }"),
    ("[package]\n", "[package]\nautotests = false\n"),
    ("crate-type = [\"rlib\", \"cdylib\"]", "crate-type = [\"rlib\"]"),
    ("[profile.dev.package.brotli]", "[profile.dev.package.watchnext]\nopt-level = 1\n\n[profile.dev.package.brotli]"),
];

/// The dependency on tract, in the library's own list.
const TRACT: Replacement = ("\ntract-onnx.workspace = true\n", "\n");

/// The modules that need tract.
const TRACT_MODULES: [Replacement; 5] = [
    ("pub mod model;\n", ""),
    ("pub mod onnx;\n", ""),
    ("pub mod ranker;\n", ""),
    ("pub mod reasons;\n", ""),
    ("pub mod recommend;\n", ""),
];

/// The condition under which the browser's kernels are compiled.
const BROWSER: &str = "all(target_arch = \"wasm32\", target_feature = \"simd128\")";

/// The kernels, whose instructions and tests come from elsewhere in the copy.
const KERNELS: &str = "src/index/simd128.rs";
const INSTRUCTIONS: [Replacement; 2] =
    [("use core::arch::wasm32::{", "use crate::wasm32::{"), ("use wasm_bindgen_test::wasm_bindgen_test;", "")];

/// Makes the copy or brings it up to date, and returns its folder.
pub fn prepare(project: &Project, form: Form) -> Result<PathBuf> {
    let root = project.path(match form {
        Form::Whole => "target/alone/whole",
        Form::Core => "target/alone/core",
        Form::Interpreted => "target/alone/interpreted",
    });
    step(&format!("The library without the trainer, in {}", root.display()));
    let mut copy = Copy::read(project)?;
    let mut tests = copy.test_programs();
    copy.replace("Cargo.toml", &MANIFEST)?;
    if form == Form::Whole {
        // Made again each time: an older trainer's bundle would fail its tests.
        step("The bundle of made-up movies");
        run(&mut trainer::fixture(project))?;
    } else {
        copy.replace("Cargo.toml", &[TRACT])?;
        copy.replace("src/lib.rs", &TRACT_MODULES)?;
        let wanted: &[&str] = if form == Form::Core { &OF_CORE } else { &INTERPRETED };
        tests.retain(|name| wanted.contains(&name.as_str()));
    }
    let mut library = copy.text("src/lib.rs")?.to_owned();
    if form == Form::Interpreted {
        copy.choose_kernels()?;
        library.push_str("#[path = \"../stand-ins/wasm32.rs\"]\npub mod wasm32;\n");
    }
    library.push_str("\n#[cfg(test)]\nextern crate self as watchnext;\n");
    for name in tests {
        library.push_str(&format!("#[cfg(test)]\n#[path = \"../tests/{name}.rs\"]\nmod {name}_tests;\n"));
    }
    copy.set("src/lib.rs", library);
    copy.write(&root)?;
    Ok(root)
}

/// The files of the copy, by their paths from its root.
struct Copy(BTreeMap<String, Vec<u8>>);

impl Copy {
    /// The project's own files.
    fn read(project: &Project) -> Result<Self> {
        let mut copy = Self(BTreeMap::new());
        for part in PARTS.into_iter().chain([TESTS]) {
            let path = project.path(part);
            for file in if path.is_file() { vec![path] } else { files::files_below(&path)? } {
                copy.0.insert(files::relative(project.root(), &file), files::read(&file)?);
            }
        }
        let sources = files::files_below(&project.path("trainer/src"))?;
        let shared: Vec<&PathBuf> = sources.iter().filter(|file| file.ends_with(SHARED)).collect();
        let [shared] = shared.as_slice() else {
            anyhow::bail!("trainer/src holds {} files named {SHARED}; the trainer's stand-in needs one", shared.len());
        };
        copy.0.insert(SHARED.to_owned(), files::read(shared)?);
        Ok(copy)
    }

    fn text(&self, file: &str) -> Result<&str> {
        let bytes = self.0.get(file).with_context(|| format!("{file} isn't there; correct xtask/src/alone.rs"))?;
        str::from_utf8(bytes).with_context(|| format!("{file} isn't text"))
    }

    fn set(&mut self, file: &str, text: String) {
        self.0.insert(file.to_owned(), text.into_bytes());
    }

    /// Replaces some texts of a file. Each must occur exactly once.
    fn replace(&mut self, file: &str, replacements: &[Replacement]) -> Result<()> {
        let mut text = self.text(file)?.to_owned();
        for (old, new) in replacements {
            let count = text.matches(old).count();
            ensure!(count == 1, "{file} holds {old:?} {count} times instead of once; correct xtask/src/alone.rs");
            text = text.replace(old, new);
        }
        self.set(file, text);
        Ok(())
    }

    /// The test programs that can be modules of the library, sorted.
    fn test_programs(&self) -> Vec<String> {
        let name = |path: &String| -> Option<String> {
            let name = path.strip_prefix(TESTS)?.strip_prefix('/')?.strip_suffix(".rs")?;
            (!name.contains('/') && !LEFT_OUT.contains(&name)).then(|| name.to_owned())
        };
        self.0.keys().filter_map(name).collect()
    }

    /// Compiles the browser's kernels on every machine, with the instructions' stand-ins.
    fn choose_kernels(&mut self) -> Result<()> {
        let sources = self.0.iter_mut().filter(|(path, _)| path.starts_with("src/") && path.ends_with(".rs"));
        let mut count = 0;
        for (_, bytes) in sources {
            let text = String::from_utf8_lossy(bytes);
            if text.contains(BROWSER) {
                // `any()` never holds, `all()` always does.
                *bytes = text.replace(&format!("not({BROWSER})"), "any()").replace(BROWSER, "all()").into_bytes();
                count += 1;
            }
        }
        ensure!(count > 0, "no file of src/ holds the condition {BROWSER}; correct xtask/src/alone.rs");
        self.replace(KERNELS, &INSTRUCTIONS)?;
        let kernels = self.text(KERNELS)?.replace("#[wasm_bindgen_test]", "#[test]");
        self.set(KERNELS, kernels);
        Ok(())
    }

    /// Writes the files that differ, so that cargo builds only what it must, and removes those that the project no
    /// longer has.
    fn write(&self, root: &Path) -> Result<()> {
        for folder in PARTS.into_iter().chain([TESTS]).map(|part| root.join(part)).filter(|part| part.is_dir()) {
            for file in files::files_below(&folder)? {
                if !self.0.contains_key(&files::relative(root, &file)) {
                    fs::remove_file(&file).with_context(|| format!("{} can't be removed", file.display()))?;
                }
            }
        }
        for (path, bytes) in &self.0 {
            let file = root.join(path);
            if !fs::read(&file).is_ok_and(|old| old == *bytes) {
                files::make_parent(&file)?;
                files::write(&file, bytes)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sources change; this finds what this file no longer matches before somebody needs the copy.
    #[test]
    fn the_sources_hold_what_the_copy_replaces() {
        let project = Project::find().unwrap();
        let mut copy = Copy::read(&project).unwrap();
        copy.replace("Cargo.toml", &MANIFEST).unwrap();
        copy.replace("Cargo.toml", &[TRACT]).unwrap();
        copy.replace("src/lib.rs", &TRACT_MODULES).unwrap();
        copy.choose_kernels().unwrap();
        assert!(!copy.text("src/index.rs").unwrap().contains("target_feature"));
        let tests = copy.test_programs();
        let named = OF_CORE.iter().chain(&INTERPRETED);
        assert!(named.copied().all(|name| tests.iter().any(|test| test == name)), "{tests:?}");
        assert!(!tests.iter().any(|name| LEFT_OUT.contains(&name.as_str())));
    }

    #[test]
    fn writing_the_copy_touches_only_what_differs() {
        let root = tempfile::tempdir().unwrap();
        let files = [("src/lib.rs", "one"), ("src/index/int8.rs", "two")];
        let mut copy = Copy(files.map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).into());
        copy.write(root.path()).unwrap();
        let modified = |path: &str| fs::metadata(root.path().join(path)).unwrap().modified().unwrap();
        let before = modified("src/lib.rs");
        copy.0.remove("src/index/int8.rs");
        copy.write(root.path()).unwrap();
        assert_eq!(modified("src/lib.rs"), before);
        assert!(!root.path().join("src/index/int8.rs").exists());
    }
}
