//! `cargo xtask test`: every check there is, from the formatter to the page in a real browser.
//!
//! Set-up that fails ends the run at once, with the remedy. After it every suite runs, whatever fails, so that one run
//! shows all that is wrong.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};

use crate::cache::Cache;
use crate::project::{DATA_SET, DATA_VARIABLE, Project};
use crate::shell::{self, ask, cargo, note, step};
use crate::summary::{Outcome, Summary};
use crate::tools::python::{self, Python};
use crate::tools::rust::TARGET;
use crate::tools::titles::{self, ENCODER_VARIABLE, Encoder};
use crate::tools::{Builder, chromium, node, rust};
use crate::versions::major;
use crate::{module, package, size};

/// Browser tests that measure.
const MEASURING: [&str; 2] = ["lighthouse.test.mjs", "performance.test.mjs"];

/// What the command line may say.
#[derive(Args)]
pub struct Options {
    /// Run this suite alone, with what it is built from; may be given again.
    #[arg(long, value_name = "SUITE")]
    only: Vec<Suite>,
    /// Leave this suite out; may be given again.
    #[arg(long, value_name = "SUITE")]
    skip: Vec<Suite>,
}

/// The suites, in the order in which they run: what fails soonest comes first.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Suite {
    /// The formatter finds nothing to change.
    Format,
    /// The linter, for this machine.
    Clippy,
    /// The linter, for the browser.
    ClippyWasm,
    /// Tests on this machine.
    Native,
    /// The examples in the documentation.
    Doc,
    /// The library's tests as wasm, under Node.
    Wasm,
    /// The small bundle that the tests use, made by the trainer.
    Fixture,
    /// The page, built as it ships.
    Page,
    /// What the page weighs, within its budgets.
    Size,
    /// The package for npm, made of the page.
    Package,
    /// The page in a real browser.
    Browser,
    /// The exported models, checked by ONNX's own checker and by ONNX Runtime.
    Onnx,
    /// Licences and sources of all dependencies.
    Deny,
}

impl Suite {
    fn name(self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::Clippy => "clippy",
            Self::ClippyWasm => "clippy-wasm",
            Self::Native => "native",
            Self::Doc => "doc",
            Self::Wasm => "wasm",
            Self::Fixture => "fixture",
            Self::Page => "page",
            Self::Size => "size",
            Self::Package => "package",
            Self::Browser => "browser",
            Self::Onnx => "onnx",
            Self::Deny => "deny",
        }
    }

    /// The suites whose results this one uses.
    fn needs(self) -> &'static [Suite] {
        match self {
            Self::Browser => &[Self::Fixture, Self::Page, Self::Package],
            Self::Size | Self::Package => &[Self::Page],
            Self::Onnx => &[Self::Fixture],
            _ => &[],
        }
    }
}

/// The suites that a command line asks for, in their order.
fn selected(only: &[Suite], skip: &[Suite]) -> Vec<Suite> {
    let all = Suite::value_variants().iter().copied();
    let asked: Vec<Suite> = all.clone().filter(|suite| only.is_empty() || only.contains(suite)).collect();
    all.filter(|suite| asked.contains(suite) || asked.iter().any(|user| user.needs().contains(suite)))
        .filter(|suite| !skip.contains(suite))
        .collect()
}

/// Prepares the machine, runs the suites, and prints the table.
pub fn run(project: &Project, options: &Options) -> Result<ExitCode> {
    let suites = selected(&options.only, &options.skip);
    let start = Instant::now();
    let bench = Bench::prepare(project, &suites)?;
    let set_up = start.elapsed();

    let mut summary = Summary::default();
    for (number, suite) in suites.iter().enumerate() {
        println!();
        step(&format!("{} ({} of {})", suite.name(), number + 1, suites.len()));
        let start = Instant::now();
        let outcome = match suite.needs().iter().find(|needed| summary.has_failed(needed.name())) {
            Some(needed) => Outcome::Failed(format!("not run, since {} failed", needed.name())),
            None => bench.run(*suite).unwrap_or_else(|error| Outcome::Failed(format!("{error:#}"))),
        };
        match &outcome {
            Outcome::Passed => note("passed"),
            Outcome::Failed(reason) => note(&format!("FAILED: {reason}")),
            Outcome::Skipped(reason) => note(&format!("left out: {reason}")),
        }
        summary.add(suite.name(), outcome, start.elapsed());
    }

    summary.note(bench.data_sentence());
    bench.encoder_sentence().into_iter().for_each(|sentence| summary.note(sentence));
    summary.note(format!("set-up {}, all together {}", shell::human(set_up), shell::human(start.elapsed())));
    println!();
    step("Summary");
    println!("{}", summary.text());
    Ok(if summary.is_green() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The prepared machine. What no selected suite needs isn't there.
struct Bench<'a> {
    project: &'a Project,
    builder: Option<Builder>,
    chromium: Option<PathBuf>,
    python: Option<Python>,
    encoder: Option<Encoder>,
    data: PathBuf,
}

impl<'a> Bench<'a> {
    fn prepare(project: &'a Project, suites: &[Suite]) -> Result<Self> {
        let cache = Cache::open()?;
        let any = |wanted: &[Suite]| suites.iter().any(|suite| wanted.contains(suite));

        if any(&[Suite::Format, Suite::Clippy, Suite::ClippyWasm]) {
            rust::ensure_components()?;
        }
        if any(&[Suite::ClippyWasm]) {
            rust::ensure_target()?;
        }
        if any(&[Suite::Wasm, Suite::Package, Suite::Browser]) {
            node::ensure_node()?;
        }
        // The short installations come before the long ones, so that a missing piece is known early.
        let chromium = if any(&[Suite::Browser]) {
            node::packages(project, &cache)?;
            Some(chromium::ensure()?)
        } else {
            None
        };
        let python = if any(&[Suite::Onnx]) { Some(python::prepare(project, &cache, &python::ONNX)?) } else { None };
        let encoder = any(&[Suite::Native]).then(|| titles::encoder(&cache));
        let builder = if any(&[Suite::Wasm, Suite::Page]) { Some(Builder::prepare(project, &cache)?) } else { None };
        let bench = Self { project, builder, chromium, python, encoder, data: project.data()? };
        note(&bench.data_sentence());
        bench.encoder_sentence().iter().for_each(|sentence| note(sentence));
        Ok(bench)
    }

    fn run(&self, suite: Suite) -> Result<Outcome> {
        match suite {
            Suite::Format => self.format(),
            Suite::Clippy => self.cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
            Suite::ClippyWasm => {
                self.cargo(&["clippy", "--package", "watchnext", "--lib", "--target", TARGET, "--", "-D", "warnings"])
            }
            // Not by cargo-nextest, which runs each test alone: the tests of a program share a bundle that takes seconds to train.
            Suite::Native => self.cargo(&["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"]),
            Suite::Doc => self.cargo(&["test", "--workspace", "--doc"]),
            Suite::Wasm => self.wasm(),
            Suite::Fixture => self.fixture(),
            Suite::Page => module::build(self.project, self.builder()?).map(|()| Outcome::Passed),
            Suite::Size => self.size(),
            Suite::Package => package::pack(self.project).map(|_| Outcome::Passed),
            Suite::Browser => self.browser(),
            Suite::Onnx => self.onnx(),
            Suite::Deny => self.deny(),
        }
    }

    /// Runs a program that fails if and only if the suite does.
    fn check(&self, command: &mut Command) -> Result<Outcome> {
        command.current_dir(self.project.root());
        if self.has_data() {
            command.env(DATA_VARIABLE, &self.data);
        }
        if let Some(folder) = self.encoder.as_ref().and_then(Encoder::folder) {
            command.env(ENCODER_VARIABLE, folder);
        }
        shell::run(command).map(|()| Outcome::Passed)
    }

    fn cargo(&self, arguments: &[&str]) -> Result<Outcome> {
        self.check(cargo().args(arguments))
    }

    /// The formatter colours its findings even where no one sees colours, unless it is told.
    fn format(&self) -> Result<Outcome> {
        let color = if io::stdout().is_terminal() { "auto" } else { "never" };
        self.cargo(&["fmt", "--all", "--check", "--", "--color", color])
    }

    /// In the profile that ships, whose dependencies the page's module is built of next.
    fn wasm(&self) -> Result<Outcome> {
        let mut test = cargo();
        test.args(["test", "--release", "--package", "watchnext", "--target", TARGET, "--lib", "--test", "wasm"])
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", &self.builder()?.test_runner);
        // It has relaxed SIMD when it is asked, and right when its first compiler is left out; later ones no longer know the question.
        if major(&node::ensure_node()?) == Some(20) {
            test.env("NODE_ARGS", "--experimental-wasm-relaxed-simd,--no-liftoff");
        }
        self.check(&mut test)
    }

    fn fixture(&self) -> Result<Outcome> {
        let mut make = cargo();
        make.args(["run", "--package", "trainer", "--", "internal", "fixture", "--out"]).arg(self.fixture_folder());
        self.check(&mut make)
    }

    /// Without wasm-opt the module is a quarter larger and nobody's to ship, so only an optimised one is held to the budgets.
    fn size(&self) -> Result<Outcome> {
        if !self.builder()?.optimiser {
            return Ok(Outcome::Skipped("wasm-opt isn't there, so the module isn't the one that ships".to_owned()));
        }
        note(&size::check(self.project)?);
        Ok(Outcome::Passed)
    }

    fn browser(&self) -> Result<Outcome> {
        let folder = self.project.path("tests/browser");
        let chromium = self.chromium.as_ref().context("the browser was not prepared")?;
        let (measuring, others): (Vec<_>, Vec<_>) = test_files(&folder)?.into_iter().partition(|file| measures(file));
        ensure!(measuring.len() == MEASURING.len(), "{} lacks one of {}", folder.display(), MEASURING.join(", "));
        // Most of the time goes into waiting, so files share the machine; those that measure have it for themselves.
        let parts = [(others, "--test-concurrency=2"), (measuring, "--test-concurrency=1")];
        let results = parts.map(|(files, at_once)| {
            let mut node = Command::new("node");
            node.args(["--test", "--test-reporter=spec", at_once])
                .args(files)
                .env("WATCHNEXT_DIST", self.project.path("dist"))
                .env("WATCHNEXT_FIXTURE", self.fixture_folder())
                .env("WATCHNEXT_PACKAGE", package::place(self.project))
                .env(chromium::CHROMIUM_VARIABLE, chromium);
            self.check(&mut node)
        });
        // Both have been run by now: a failure of one must not hide the other's.
        for result in results {
            result?;
        }
        Ok(Outcome::Passed)
    }

    fn onnx(&self) -> Result<Outcome> {
        match self.python.as_ref().context("Python was not prepared")? {
            Python::Missing(reason) => Ok(Outcome::Skipped(reason.clone())),
            Python::Ready(interpreter) => {
                let mut python = Command::new(interpreter);
                python
                    .arg(self.project.path("tests/onnx/check.py"))
                    .arg(self.fixture_folder())
                    .arg(self.project.path("models"))
                    .arg(self.project.path("models/seed-network"));
                self.check(&mut python)
            }
        }
    }

    /// Advisories are not asked for here: they change with the day, and the same commit should pass tomorrow as it
    /// does today. Building cargo-deny takes minutes, so it is used where it is there and not installed.
    fn deny(&self) -> Result<Outcome> {
        if ask(cargo().args(["deny", "--version"])).is_none() {
            return Ok(Outcome::Skipped("cargo-deny isn't on PATH".to_owned()));
        }
        self.cargo(&["deny", "--all-features", "check", "bans", "licenses", "sources"])
    }

    fn builder(&self) -> Result<&Builder> {
        self.builder.as_ref().context("the tools were not prepared")
    }

    fn fixture_folder(&self) -> PathBuf {
        self.project.path("target/fixture")
    }

    fn has_data(&self) -> bool {
        self.data.join(DATA_SET).join("ratings.csv").is_file()
    }

    fn data_sentence(&self) -> String {
        if self.has_data() {
            format!("MovieLens: the tests that need it use {}", self.data.display())
        } else {
            format!(
                "MovieLens: the tests that need it are left out; {DATA_VARIABLE} may name a folder with {DATA_SET} in it"
            )
        }
    }

    /// Said where a suite needs the title encoder.
    fn encoder_sentence(&self) -> Option<String> {
        self.encoder.as_ref().map(|encoder| match encoder {
            Encoder::Ready(folder) => format!("title encoder: the tests that need it use {}", folder.display()),
            Encoder::Missing(reason) => format!("title encoder: the tests that need it are left out: {reason}"),
        })
    }
}

/// The test files of a folder, sorted. Node would find them by itself, but not in the same way in every version.
fn test_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("{} can't be read", folder.display()))? {
        let entry = entry?;
        if is_test_file(&entry.file_name().to_string_lossy()) {
            files.push(entry.path());
        }
    }
    files.sort();
    ensure!(!files.is_empty(), "{} holds no *.test.js or *.test.mjs", folder.display());
    Ok(files)
}

/// Whether a file's tests measure; a browser beside theirs would be measured with them.
fn measures(file: &Path) -> bool {
    file.file_name().is_some_and(|name| MEASURING.iter().any(|measuring| name == *measuring))
}

fn is_test_file(name: &str) -> bool {
    name.ends_with(".test.js") || name.ends_with(".test.mjs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(suites: &[Suite]) -> Vec<&'static str> {
        suites.iter().map(|suite| suite.name()).collect()
    }

    #[test]
    fn nothing_said_means_every_suite() {
        assert_eq!(selected(&[], &[]).len(), Suite::value_variants().len());
    }

    #[test]
    fn a_suite_brings_what_it_is_built_from() {
        assert_eq!(names(&selected(&[Suite::Browser], &[])), ["fixture", "page", "package", "browser"]);
        assert_eq!(names(&selected(&[Suite::Onnx, Suite::Format], &[])), ["format", "fixture", "onnx"]);
        // Whoever has a built page may leave the build out.
        assert_eq!(names(&selected(&[Suite::Browser], &[Suite::Page])), ["fixture", "package", "browser"]);
    }

    #[test]
    fn names_on_the_command_line_are_those_of_the_table() {
        for suite in Suite::value_variants() {
            assert_eq!(suite.to_possible_value().unwrap().get_name(), suite.name());
        }
    }

    #[test]
    fn helpers_beside_the_tests_are_not_run_as_tests() {
        assert!(is_test_file("page.test.mjs") && is_test_file("element.test.js"));
        assert!(!is_test_file("server.mjs") && !is_test_file("README.md") && !is_test_file("test.js.map"));
    }
}
