//! The `style` suite: rules about source files that neither rustfmt nor clippy checks. They limit the length of lines
//! and of files, and forbid some phrases.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::files;
use crate::project::Project;
use crate::shell::{ask, note};

/// The most characters of a line: `max_line_length` in `.editorconfig`.
const LONGEST_LINE: usize = 120;

/// The most lines of a file.
const LONGEST_FILE: usize = 500;

/// The endings of source files. Data, lock files and documents have others.
const ENDINGS: [&str; 8] = ["rs", "js", "mjs", "ts", "css", "html", "py", "toml"];

/// Folders without sources. They are skipped if there is no git to list the files.
const NO_SOURCES: [&str; 4] = [".git", "dist", "node_modules", "target"];

/// Phrases that code must not contain, in small letters, each with the remedy. They are written in two parts so that
/// this file doesn't contain them.
const PHRASES: [(&str, &str); 1] =
    [(concat!("seed", " row"), "it cites a list outside this repository; say the thing itself")];

/// How many findings are shown.
const SHOWN: usize = 20;

/// A place where a rule doesn't apply.
struct Exemption {
    /// The file, from the root, with slashes.
    file: &'static str,
    /// Text of the lines that may be long; empty for a file that may be long.
    line: &'static str,
    /// Why the rule can't apply.
    #[expect(dead_code, reason = "it is for those who read the table")]
    reason: &'static str,
}

/// Lines that can't be wrapped.
const LONG_LINES: [Exemption; 0] = [];

/// Files that may be long, because they are tables of data.
const LONG_FILES: [Exemption; 0] = [];

/// Something to change, and where.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    file: String,
    /// From 1; 0 for the whole file.
    line: usize,
    problem: String,
}

impl Finding {
    fn text(&self) -> String {
        let Self { file, line, problem } = self;
        if *line == 0 { format!("{file}: {problem}") } else { format!("{file}:{line}: {problem}") }
    }
}

/// Checks every source file, shows what to change, and fails if there is anything.
pub fn check(project: &Project) -> Result<()> {
    let sources = sources(project.root())?;
    let mut findings = Vec::new();
    for file in &sources {
        let text = String::from_utf8_lossy(&files::read(&project.path(file))?).into_owned();
        findings.extend(examine(file, &text, &LONG_LINES, &LONG_FILES));
    }
    note(&format!("{} source files", sources.len()));
    for line in summarize(&findings) {
        note(&line);
    }
    ensure!(findings.is_empty(), "{} findings", findings.len());
    Ok(())
}

/// The paths of the source files from the root, sorted: those that git tracks and new ones that it doesn't ignore.
/// Without git, all files of the tree.
fn sources(root: &Path) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let mut paths = match ask(&mut git) {
        Some(list) => list.split('\0').map(str::to_owned).collect(),
        None => walk(root, root)?,
    };
    // git lists a removed file until you commit the removal.
    paths.retain(|path| is_source(path) && root.join(path).is_file());
    paths.sort();
    paths.dedup();
    Ok(paths)
}

fn walk(root: &Path, folder: &Path) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    for path in files::entries(folder)? {
        let is_left_out = path.file_name().is_some_and(|name| NO_SOURCES.iter().any(|folder| name == *folder));
        if path.is_dir() && !path.is_symlink() && !is_left_out {
            paths.extend(walk(root, &path)?);
        } else if path.is_file() {
            paths.push(files::relative(root, &path));
        }
    }
    Ok(paths)
}

fn is_source(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending))
}

/// The findings in a file.
fn examine(file: &str, text: &str, long_lines: &[Exemption], long_files: &[Exemption]) -> Vec<Finding> {
    let finding = |line: usize, problem: String| Finding { file: file.to_owned(), line, problem };
    let mut findings = Vec::new();
    let wide: Vec<&Exemption> = long_lines.iter().filter(|exemption| exemption.file == file).collect();
    let mut lines = 0;
    for (line, content) in (1..).zip(text.lines()) {
        lines = line;
        // Characters, not bytes: the columns that an editor shows.
        let length = content.chars().count();
        if length > LONGEST_LINE && !wide.iter().any(|exemption| content.contains(exemption.line)) {
            findings.push(finding(line, format!("{length} characters; at most {LONGEST_LINE}")));
        }
        let small = content.to_lowercase();
        for (phrase, remedy) in PHRASES {
            if small.contains(phrase) {
                findings.push(finding(line, format!("\"{phrase}\": {remedy}")));
            }
        }
    }
    if lines > LONGEST_FILE && !long_files.iter().any(|exemption| exemption.file == file) {
        findings.push(finding(0, format!("{lines} lines; at most {LONGEST_FILE}. Split it by meaning")));
    }
    findings
}

/// The first findings, a line each, and how many more there are.
fn summarize(findings: &[Finding]) -> Vec<String> {
    let mut lines: Vec<String> = findings.iter().take(SHOWN).map(Finding::text).collect();
    if findings.len() > SHOWN {
        lines.push(format!("… and {} more", findings.len() - SHOWN));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(file: &str, text: &str) -> Vec<String> {
        let wide = Exemption { file: "wide.css", line: "url(data:", reason: "a picture is one string" };
        let long = Exemption { file: "table.rs", line: "", reason: "a table" };
        examine(file, text, &[wide], &[long]).iter().map(Finding::text).collect()
    }

    #[test]
    fn a_line_may_have_120_characters_whatever_their_bytes() {
        let line = "é".repeat(120);
        assert!(problems("a.rs", &format!("{line}\r\n{line}\n")).is_empty());
        assert_eq!(problems("a.rs", &format!("one\n{line}x\n")), ["a.rs:2: 121 characters; at most 120"]);
    }

    #[test]
    fn an_exempt_line_is_exempt_in_its_file_alone() {
        let line = format!("background: url(data:{})", "0".repeat(120));
        assert!(problems("wide.css", &line).is_empty());
        assert_eq!(problems("other.css", &line).len(), 1);
        assert_eq!(problems("wide.css", &"x".repeat(121)).len(), 1);
    }

    #[test]
    fn a_file_may_have_500_lines_unless_it_is_a_table() {
        assert!(problems("a.rs", &"x\n".repeat(500)).is_empty());
        assert!(problems("table.rs", &"x\n".repeat(501)).is_empty());
        assert_eq!(problems("a.rs", &"x\n".repeat(501)), ["a.rs: 501 lines; at most 500. Split it by meaning"]);
    }

    #[test]
    fn a_phrase_is_found_in_any_letters() {
        let text = format!("//! Adam ({}{} 12).\n", "Seed", " row");
        let found = problems("a.py", &text);
        assert!(matches!(found.as_slice(), [only] if only.starts_with("a.py:1: ")), "{found:?}");
    }

    #[test]
    fn twenty_findings_are_shown_and_the_others_counted() {
        let findings = |count: usize| -> Vec<Finding> {
            (1..=count).map(|line| Finding { file: "a.rs".to_owned(), line, problem: "long".to_owned() }).collect()
        };
        assert_eq!(summarize(&findings(20)).len(), 20);
        assert_eq!(summarize(&findings(23)).last().map(String::as_str), Some("… and 3 more"));
    }

    #[test]
    fn sources_are_known_by_their_endings() {
        assert!(is_source("web/app.js") && is_source("Cargo.toml") && is_source("xtask/fold.mjs"));
        assert!(!is_source("Cargo.lock") && !is_source("README.md") && !is_source("models/catalog.json"));
    }

    #[test]
    fn a_tree_without_git_is_walked() {
        let root = tempfile::tempdir().unwrap();
        for name in ["src/lib.rs", "src/.hidden.rs", "target/debug/build.rs", "web/node_modules/a.js", "README.md"] {
            let file = root.path().join(name);
            files::make_parent(&file).unwrap();
            files::write(&file, "").unwrap();
        }
        let mut found = walk(root.path(), root.path()).unwrap();
        found.retain(|path| is_source(path));
        assert_eq!(found, ["src/.hidden.rs", "src/lib.rs"]);
    }

    #[test]
    fn editors_and_rustfmt_have_the_same_limit() {
        let project = Project::find().unwrap();
        for (file, setting) in [(".editorconfig", "max_line_length"), ("rustfmt.toml", "max_width")] {
            let text = files::read_text(&project.path(file)).unwrap();
            assert!(text.contains(&format!("{setting} = {LONGEST_LINE}\n")), "{file}");
        }
    }

    /// An exemption for a line that is gone would hide the next long one.
    #[test]
    fn every_exemption_is_used() {
        let project = Project::find().unwrap();
        for Exemption { file, line, .. } in &LONG_LINES {
            let text = files::read_text(&project.path(file)).unwrap();
            let is_used = text.lines().any(|content| content.contains(line) && content.chars().count() > LONGEST_LINE);
            assert!(is_used, "{file} has no long line with {line}; take it out of LONG_LINES");
        }
        for Exemption { file, .. } in &LONG_FILES {
            let text = files::read_text(&project.path(file)).unwrap();
            assert!(text.lines().count() > LONGEST_FILE, "{file} is short; take it out of LONG_FILES");
        }
    }
}
