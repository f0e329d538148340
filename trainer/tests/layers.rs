//! The order of the trainer's rooms: a file imports from its own room and from rooms above it, and no two files import each
//! other, directly or in a circle.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms from the ground up: each may use those that come before it.
const ROOMS: [&str; 17] = [
    "files",
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

/// One import: the line that it stands on and the path from the crate's root.
struct Import {
    line: usize,
    path: Vec<String>,
}

/// A source file with its path as a module.
struct Module {
    file: PathBuf,
    imports: Vec<Import>,
}

/// The trainer's modules by path, such as `data::csv`, but for the crate's root.
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

/// `data/csv.rs` as `["data", "csv"]`; `mod.rs` is its folder, and the crate's root is empty.
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

fn room(name: &str) -> usize {
    let first = name.split("::").next().unwrap_or_default();
    ROOMS.iter().position(|room| *room == first).unwrap_or_else(|| {
        panic!("`{first}` is no room of the trainer's list in tests/layers.rs. Add it where its imports allow, or move the file.")
    })
}

#[test]
fn every_import_points_to_its_own_room_or_to_one_above() {
    let modules = modules();
    let mut wrong = Vec::new();
    for (name, module) in &modules {
        for import in &module.imports {
            let Some(target) = target(&import.path, &modules) else { continue };
            if room(&target) > room(name) {
                let (own, other) = (ROOMS[room(name)], ROOMS[room(&target)]);
                wrong.push(format!(
                    "trainer/src/{}:{}: `{own}` imports {} from `{other}`, which comes after it. Move what both need up, or turn the \
                     import round.",
                    module.file.display(),
                    import.line,
                    import.path.join("::"),
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "imports that run down the list of rooms:\n{}", wrong.join("\n"));
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
    // A file that imports none of the others, or that none of them imports, is on no circle.
    let mut left: BTreeSet<&str> = edges.keys().copied().collect();
    loop {
        let imports = |from: &str, to: &str| edges[from].contains_key(to);
        let is_between = |name: &&str| {
            left.iter().any(|other| imports(name, other)) && left.iter().any(|other| imports(other, name))
        };
        let kept: BTreeSet<&str> = left.iter().copied().filter(is_between).collect();
        if kept.len() == left.len() {
            break;
        }
        left = kept;
    }
    let lines: Vec<String> = left
        .iter()
        .flat_map(|name| {
            let file = modules[*name].file.display();
            let within = edges[name].iter().filter(|(to, _)| left.contains(to.as_str()));
            within.map(move |(to, line)| format!("trainer/src/{file}:{line}: imports {to}"))
        })
        .collect();
    assert!(
        lines.is_empty(),
        "these files import each other in a circle. Move what both need into a file of its own:\n{}",
        lines.join("\n")
    );
}

/// The reader of imports itself, on every form that stands in the sources.
#[test]
fn imports_are_read_in_every_form() {
    let text = "use crate::data::{self, User, split::{Fold, folds as parts}};\nuse super::{csv,\n    row::Read};\nuse std::fs;\n\
                use anyhow::Result;\nfn f() { crate::nn::ops::softmax(); items::read() } // crate::cli::run\n\
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
