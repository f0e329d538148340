//! `cargo xtask test`: every check, from the formatter to the page in a real browser.
//!
//! If set-up fails, the run ends at once with the remedy. After set-up every suite runs, even if one fails, so one run
//! shows all that is wrong.

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
use crate::{files, package, page, size, style, trainer};

/// The browser tests that measure times.
const MEASURING: [&str; 2] = ["lighthouse.test.mjs", "performance.test.mjs"];

const EXAMPLE: &str = "\
Installs missing tools first. The first run takes about a quarter of an hour.

Examples:
  cargo xtask test
  cargo xtask test --only style --only clippy
  cargo xtask test --skip browser";

/// The arguments of `cargo xtask test`.
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct Options {
    /// Run only this suite and the suites that it needs. You may repeat it.
    #[arg(long, value_name = "SUITE")]
    only: Vec<Suite>,
    /// Skip this suite. You may repeat it.
    #[arg(long, value_name = "SUITE")]
    skip: Vec<Suite>,
}

/// The suites, in the order in which they run: the quick ones first.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Suite {
    /// rustfmt finds nothing to change.
    Format,
    /// Lines and files aren't too long.
    Style,
    /// Clippy, for this machine.
    Clippy,
    /// Clippy, for the browser.
    ClippyWasm,
    /// All Rust tests on this machine.
    Native,
    /// The examples in the doc comments.
    Doc,
    /// The library's tests as wasm, in Node.
    Wasm,
    /// The trainer makes the small bundle that the tests use.
    Fixture,
    /// The page is built as it ships.
    Page,
    /// The page's size is within its budgets.
    Size,
    /// The npm package is made from the page.
    Package,
    /// The page works in a real browser.
    Browser,
    /// ONNX's own checker and ONNX Runtime accept the exported models.
    Onnx,
    /// The licences and sources of all dependencies are allowed.
    Deny,
}

impl Suite {
    /// The name on the command line and in the table.
    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
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

/// The suites that the command line selects, in their order.
fn selected(only: &[Suite], skip: &[Suite]) -> Vec<Suite> {
    let all = Suite::value_variants().iter().copied();
    let asked: Vec<Suite> = all.clone().filter(|suite| only.is_empty() || only.contains(suite)).collect();
    all.filter(|suite| asked.contains(suite) || asked.iter().any(|user| user.needs().contains(suite)))
        .filter(|suite| !skip.contains(suite))
        .collect()
}

/// Prepares the machine, runs the suites and prints the table.
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
        let outcome = match suite.needs().iter().find(|needed| summary.has_failed(&needed.name())) {
            Some(needed) => Outcome::Failed(format!("not run, because {} failed", needed.name())),
            None => bench.run(*suite).unwrap_or_else(|error| Outcome::Failed(format!("{error:#}"))),
        };
        match &outcome {
            Outcome::Passed => note("passed"),
            Outcome::Failed(reason) => note(&format!("FAILED: {reason}")),
            Outcome::Skipped(reason) => note(&format!("skipped: {reason}")),
        }
        summary.add(suite.name(), outcome, start.elapsed());
    }

    summary.note(bench.data_sentence());
    bench.encoder_sentence().into_iter().for_each(|sentence| summary.note(sentence));
    summary.note(format!("set-up {}, total {}", shell::human(set_up), shell::human(start.elapsed())));
    println!();
    step("Summary");
    println!("{}", summary.text());
    Ok(if summary.is_green() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The prepared machine. It has only the tools that the selected suites need.
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
        // Short installations come first, so you learn early what is missing.
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
            Suite::Style => style::check(self.project).map(|()| Outcome::Passed),
            Suite::Clippy => self.cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
            Suite::ClippyWasm => {
                self.cargo(&["clippy", "--package", "watchnext", "--lib", "--target", TARGET, "--", "-D", "warnings"])
            }
            // cargo-nextest would run each test in its own process, but a program's tests share a bundle that takes
            // seconds to train.
            Suite::Native => self.cargo(&["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"]),
            Suite::Doc => self.cargo(&["test", "--workspace", "--doc"]),
            Suite::Wasm => self.wasm(),
            Suite::Fixture => self.check(&mut trainer::fixture(self.project)),
            Suite::Page => page::build(self.project, self.builder()?).map(|()| Outcome::Passed),
            Suite::Size => self.size(),
            Suite::Package => package::pack(self.project).map(|_| Outcome::Passed),
            Suite::Browser => self.browser(),
            Suite::Onnx => self.onnx(),
            Suite::Deny => self.deny(),
        }
    }

    /// Runs a program whose exit code is the suite's outcome.
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

    fn format(&self) -> Result<Outcome> {
        // rustfmt colours its output even in a log file, unless it is told not to.
        let color = if io::stdout().is_terminal() { "auto" } else { "never" };
        self.cargo(&["fmt", "--all", "--check", "--", "--color", color])
    }

    /// Runs in the profile that ships; the page is built next and uses the same dependencies.
    fn wasm(&self) -> Result<Outcome> {
        let mut test = cargo();
        test.args(["test", "--release", "--package", "watchnext", "--target", TARGET, "--lib", "--test", "wasm"])
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", &self.builder()?.test_runner);
        // Node 20 has relaxed SIMD behind a flag and computes it right only without its baseline compiler, Liftoff.
        // Later versions refuse the flag.
        if major(&node::ensure_node()?) == Some(20) {
            test.env("NODE_ARGS", "--experimental-wasm-relaxed-simd,--no-liftoff");
        }
        self.check(&mut test)
    }

    /// Only an optimised module must keep the budgets: without wasm-opt it is larger and isn't for shipping.
    fn size(&self) -> Result<Outcome> {
        if !self.builder()?.optimiser {
            return Ok(Outcome::Skipped("wasm-opt is missing, so the module isn't the one that ships".to_owned()));
        }
        note(&size::check(self.project)?);
        Ok(Outcome::Passed)
    }

    fn browser(&self) -> Result<Outcome> {
        let folder = self.project.path("tests/browser");
        let chromium = self.chromium.as_ref().context("the browser wasn't prepared")?;
        let (measuring, others): (Vec<_>, Vec<_>) = test_files(&folder)?.into_iter().partition(|file| measures(file));
        ensure!(measuring.len() == MEASURING.len(), "{} must have {}", folder.display(), MEASURING.join(" and "));
        // The tests mostly wait, so two files run at once. Those that measure run alone.
        let parts = [(others, "--test-concurrency=2"), (measuring, "--test-concurrency=1")];
        let results = parts.map(|(files, at_once)| {
            let mut node = chromium::node(self.project, chromium);
            node.args(["--test", "--test-reporter=spec", at_once])
                .args(files)
                .env("WATCHNEXT_FIXTURE", trainer::fixture_folder(self.project))
                .env("WATCHNEXT_PACKAGE", package::package_path(self.project));
            self.check(&mut node)
        });
        // Both have run by now, so a failure of one doesn't hide the other's.
        for result in results {
            result?;
        }
        Ok(Outcome::Passed)
    }

    fn onnx(&self) -> Result<Outcome> {
        match self.python.as_ref().context("Python wasn't prepared")? {
            Python::Missing(reason) => Ok(Outcome::Skipped(reason.clone())),
            Python::Ready(interpreter) => {
                let mut python = Command::new(interpreter);
                python
                    .arg(self.project.path("tests/onnx/check.py"))
                    .arg(trainer::fixture_folder(self.project))
                    .arg(self.project.path("models"))
                    .arg(self.project.path("models/seed-network"));
                self.check(&mut python)
            }
        }
    }

    /// Advisories aren't checked: they change every day, and a commit that passes today must pass tomorrow. cargo-deny
    /// isn't installed, because building it takes minutes.
    fn deny(&self) -> Result<Outcome> {
        if ask(cargo().args(["deny", "--version"])).is_none() {
            return Ok(Outcome::Skipped("cargo-deny isn't on PATH".to_owned()));
        }
        self.cargo(&["deny", "--all-features", "check", "bans", "licenses", "sources"])
    }

    fn builder(&self) -> Result<&Builder> {
        self.builder.as_ref().context("the tools weren't prepared")
    }

    fn has_data(&self) -> bool {
        self.data.join(DATA_SET).join("ratings.csv").is_file()
    }

    fn data_sentence(&self) -> String {
        if self.has_data() {
            format!("MovieLens: the tests that need it use {}", self.data.display())
        } else {
            format!("MovieLens: the tests that need it are skipped; set {DATA_VARIABLE} to the folder above {DATA_SET}")
        }
    }

    /// `None` if no suite needs the title encoder.
    fn encoder_sentence(&self) -> Option<String> {
        self.encoder.as_ref().map(|encoder| match encoder {
            Encoder::Ready(folder) => format!("title encoder: the tests that need it use {}", folder.display()),
            Encoder::Missing(reason) => format!("title encoder: the tests that need it are skipped: {reason}"),
        })
    }
}

/// The test files of a folder, sorted. Node could find them, but its versions do it differently.
fn test_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut tests = files::entries(folder)?;
    tests.retain(|file| file.file_name().is_some_and(|name| is_test_file(&name.to_string_lossy())));
    ensure!(!tests.is_empty(), "{} has no *.test.js or *.test.mjs", folder.display());
    Ok(tests)
}

/// Whether a file's tests measure times. A second browser would slow them down.
fn measures(file: &Path) -> bool {
    file.file_name().is_some_and(|name| MEASURING.iter().any(|measuring| name == *measuring))
}

fn is_test_file(name: &str) -> bool {
    name.ends_with(".test.js") || name.ends_with(".test.mjs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(suites: &[Suite]) -> Vec<String> {
        suites.iter().map(|suite| suite.name()).collect()
    }

    #[test]
    fn every_suite_runs_by_default() {
        assert_eq!(selected(&[], &[]).len(), Suite::value_variants().len());
    }

    #[test]
    fn a_suite_brings_the_suites_that_it_needs() {
        assert_eq!(names(&selected(&[Suite::Browser], &[])), ["fixture", "page", "package", "browser"]);
        assert_eq!(names(&selected(&[Suite::Onnx, Suite::Format], &[])), ["format", "fixture", "onnx"]);
        // If you have a built page, you may skip the build.
        assert_eq!(names(&selected(&[Suite::Browser], &[Suite::Page])), ["fixture", "package", "browser"]);
    }

    #[test]
    fn helpers_of_the_tests_are_not_run_as_tests() {
        assert!(is_test_file("page.test.mjs") && is_test_file("element.test.js"));
        assert!(!is_test_file("server.mjs") && !is_test_file("README.md") && !is_test_file("test.js.map"));
    }
}
