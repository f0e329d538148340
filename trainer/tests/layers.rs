//! The order of the trainer's layers. A file imports from its own layer and from layers above it, and no two files
//! import each other, directly or in a circle.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The layers. Each may use those before it.
const LAYERS: [&str; 18] = [
    "files",
    "choice",
    "math",
    "nn",
    "onnx",
    "data",
    "bundle",
    "titles",
    "map",
    "evaluate",
    "fold_in",
    "models",
    "baselines",
    "registry",
    "config",
    "synthetic",
    "report",
    "cli",
];

/// One import: its line, and its path from the crate's root.
struct Import {
    line: usize,
    path: Vec<String>,
}

/// A source file and its imports.
struct Module {
    file: PathBuf,
    imports: Vec<Import>,
}

/// The trainer's modules by path, such as `data::csv`, without the crate's root.
fn modules() -> BTreeMap<String, Module> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path.strip_prefix(&root).unwrap().to_owned());
            }
        }
    }
    let names: BTreeMap<Vec<String>, PathBuf> =
        files.into_iter().map(|file| (segments(&file), file)).filter(|(name, _)| !name.is_empty()).collect();
    let module = |(name, file): (&Vec<String>, &PathBuf)| {
        let text = fs::read_to_string(root.join(file)).unwrap();
        (
            name.join("::"),
            Module { file: file.clone(), imports: imports(&text, name, &|path| names.contains_key(path)) },
        )
    };
    names.iter().map(module).collect()
}

/// Turns `data/csv.rs` into `["data", "csv"]`. A `mod.rs` is its folder, and the crate's root is empty.
fn segments(file: &Path) -> Vec<String> {
    let mut parts: Vec<String> =
        file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

/// The paths of this crate that a file names, in `use` items and elsewhere; its unit tests are left out.
fn imports(text: &str, module: &[String], is_module: &dyn Fn(&[String]) -> bool) -> Vec<Import> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let mut imports = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (at, line) in code.lines().enumerate() {
        let line = line.split("//").next().unwrap_or_default();
        let (start, item) = match open.take() {
            Some((start, item)) => (start, item + line),
            None if is_use(line) => (at + 1, line.to_owned()),
            None => {
                let paths = paths_in(line).filter_map(|path| resolve(&path, module, is_module));
                imports.extend(paths.map(|path| Import { line: at + 1, path }));
                continue;
            }
        };
        if !item.contains(';') {
            open = Some((start, item));
            continue;
        }
        let tree = item.split_once("use ").unwrap().1.split(';').next().unwrap_or_default().to_owned();
        let mut leaves = Vec::new();
        expand(&tree, "", &mut leaves);
        let paths = leaves.iter().map(|leaf| leaf.split("::").map(str::to_owned).collect::<Vec<_>>());
        let paths = paths.filter_map(|path| resolve(&path, module, is_module));
        imports.extend(paths.map(|path| Import { line: start, path }));
    }
    imports
}

fn is_use(line: &str) -> bool {
    let line = line.trim_start();
    ["use ", "pub use ", "pub(crate) use ", "pub(super) use "].iter().any(|start| line.starts_with(start))
}

/// The leaves of a tree such as `a::{b, c::{d, self}}`.
fn expand(tree: &str, prefix: &str, leaves: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((head, rest)) = tree.split_once('{') else {
        let leaf = tree.split(" as ").next().unwrap_or_default().trim();
        leaves.push(format!("{prefix}{leaf}").trim_end_matches("::self").to_owned());
        return;
    };
    let inner = rest.rsplit_once('}').map_or(rest, |(inner, _)| inner);
    let (mut depth, mut start) = (0_usize, 0);
    for (at, character) in inner.char_indices().chain([(inner.len(), ',')]) {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let part = &inner[start..at];
                if !part.trim().is_empty() {
                    expand(part, &format!("{prefix}{}", head.trim()), leaves);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// The runs of identifiers joined by `::` in a line of code.
fn paths_in(line: &str) -> impl Iterator<Item = Vec<String>> {
    let words = line.split(|character: char| !(character.is_alphanumeric() || matches!(character, '_' | ':')));
    let paths = words.map(|word| word.split("::").map(str::to_owned).collect::<Vec<String>>());
    paths.filter(|path| path.len() > 1 && path.iter().all(|part| !part.is_empty() && !part.contains(':')))
}

/// A path from the crate's root, if it leads into this crate.
fn resolve(path: &[String], module: &[String], is_module: &dyn Fn(&[String]) -> bool) -> Option<Vec<String>> {
    let supers = path.iter().take_while(|part| *part == "super").count();
    let skipped = if supers == 0 && path[0] == "self" { 1 } else { supers };
    if path[0] == "crate" {
        return Some(path[1..].to_vec());
    }
    if skipped > 0 {
        let above = module.len().checked_sub(supers)?;
        return Some([&module[..above], &path[skipped..]].concat());
    }
    // A path may also begin with a child of the module.
    let child = [module, &path[..1]].concat();
    is_module(&child).then(|| [module, path].concat())
}

/// The file that a path leads to: the longest of its beginnings that is one.
fn target(path: &[String], modules: &BTreeMap<String, Module>) -> Option<String> {
    (1..=path.len()).rev().map(|length| path[..length].join("::")).find(|name| modules.contains_key(name))
}

fn layer(name: &str) -> usize {
    let first = name.split("::").next().unwrap_or_default();
    LAYERS.iter().position(|layer| *layer == first).unwrap_or_else(|| {
        panic!("`{first}` isn't a layer of tests/layers.rs. Add it where its imports allow, or move the file.")
    })
}

#[test]
fn every_import_points_to_its_own_layer_or_to_one_above() {
    let modules = modules();
    let mut wrong = Vec::new();
    for (name, module) in &modules {
        for import in &module.imports {
            let Some(target) = target(&import.path, &modules) else { continue };
            if layer(&target) > layer(name) {
                let (own, other) = (LAYERS[layer(name)], LAYERS[layer(&target)]);
                wrong.push(format!(
                    "trainer/src/{}:{}: `{own}` imports {} from `{other}`, which comes after it. Move the code that \
                     both need up, or reverse the import.",
                    module.file.display(),
                    import.line,
                    import.path.join("::"),
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "imports that run down the list of layers:\n{}", wrong.join("\n"));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let modules = modules();
    let mut edges: BTreeMap<&str, BTreeMap<String, usize>> = BTreeMap::new();
    for (name, module) in &modules {
        for import in &module.imports {
            if let Some(target) = target(&import.path, &modules).filter(|target| target != name) {
                edges.entry(name).or_default().entry(target).or_insert(import.line);
            }
        }
    }
    let on_circle = |(name, to, _): &(&str, &str, usize)| reachable(&edges, to).contains(name);
    let imports = edges.iter().flat_map(|(name, to)| to.iter().map(move |(to, line)| (*name, to.as_str(), *line)));
    let line = |(name, to, line)| format!("trainer/src/{}:{line}: imports {to}", modules[name].file.display());
    let lines: Vec<String> = imports.filter(on_circle).map(line).collect();
    assert!(
        lines.is_empty(),
        "these files import each other in a circle. Move the code that both need into its own file:\n{}",
        lines.join("\n")
    );
}

/// The files that a file imports, and those that they import, and so on.
fn reachable<'a>(edges: &'a BTreeMap<&str, BTreeMap<String, usize>>, from: &'a str) -> BTreeSet<&'a str> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(name) = open.pop() {
        let imported = edges.get(name).into_iter().flat_map(BTreeMap::keys).map(String::as_str);
        open.extend(imported.filter(|to| found.insert(*to)));
    }
    found
}

/// The reader of imports itself, on every form in the sources.
#[test]
fn imports_are_read_in_every_form() {
    let text = "use crate::data::{self, User, split::{Fold, folds as parts}};\nuse super::{csv,\n    row::Read};\n\
                use std::fs;\nuse anyhow::Result;\n\
                fn f() { crate::nn::ops::softmax(); items::read() } // crate::cli::run\n\
                #[cfg(test)]\nmod tests { use crate::report::text; }\n";
    let module = ["data".to_owned(), "table".to_owned()];
    let is_module = |path: &[String]| path.join("::") == "data::table::items";
    let found: Vec<(usize, String)> =
        imports(text, &module, &is_module).into_iter().map(|import| (import.line, import.path.join("::"))).collect();
    let expected = [
        (1, "data"),
        (1, "data::User"),
        (1, "data::split::Fold"),
        (1, "data::split::folds"),
        (2, "data::csv"),
        (2, "data::row::Read"),
        (6, "nn::ops::softmax"),
        (6, "data::table::items::read"),
    ];
    assert_eq!(found, expected.map(|(line, path)| (line, path.to_owned())));
}
