//! `cargo xtask mutants`: cargo-mutants over the library, built and tested without the trainer so that a mutant costs seconds.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;

use crate::alone::{Form, prepare};
use crate::project::Project;
use crate::shell::{ask, cargo, run as run_program, step};

/// What decides which movies come, in which order, and from which bundle.
const FILES: [&str; 10] = [
    "src/bundle.rs",
    "src/diversity.rs",
    "src/features.rs",
    "src/features/*.rs",
    "src/filter.rs",
    "src/history.rs",
    "src/index.rs",
    "src/index/*.rs",
    "src/ranker.rs",
    "src/recommend.rs",
];

/// The kernels of the browser aren't compiled here; `tests/wasm.rs` holds them to the scalar ones.
const ELSEWHERE: &str = "src/index/simd128.rs";

/// What the command line may say.
#[derive(Args)]
pub struct Options {
    /// Change this file alone, a glob; may be given again. Without it, what decides about suggestions and bundles.
    #[arg(long, value_name = "FILE")]
    file: Vec<String>,
    /// A part of all mutants, as `k/n`.
    #[arg(long, value_name = "K/N")]
    shard: Option<String>,
    /// Only those whose name matches this regular expression.
    #[arg(long, value_name = "REGEX")]
    only: Option<String>,
    /// List them instead.
    #[arg(long)]
    list: bool,
}

/// Runs cargo-mutants in the copy; what it found goes to `target/mutants.out`.
pub fn run(project: &Project, options: &Options) -> Result<ExitCode> {
    if ask(cargo().args(["mutants", "--version"])).is_none() {
        bail!("cargo-mutants isn't on PATH; `cargo install cargo-mutants --locked` brings it");
    }
    let root = prepare(project, Form::Mutated)?;
    step("Mutants");
    let mut mutants = cargo();
    mutants.args(["mutants", "--in-place", "--exclude", ELSEWHERE, "--output"]).arg(project.path("target"));
    let files: Vec<&str> =
        if options.file.is_empty() { FILES.to_vec() } else { options.file.iter().map(String::as_str).collect() };
    for file in files {
        mutants.args(["--file", file]);
    }
    for (flag, value) in [("--shard", &options.shard), ("--re", &options.only)] {
        if let Some(value) = value {
            mutants.args([flag, value]);
        }
    }
    if options.list {
        mutants.arg("--list");
    }
    // A mutant that loops for ever is found out by this time; all tests together take a few seconds.
    mutants.args(["--timeout", "60", "--", "--lib"]);
    // A quarter of the cases that are made at random: what fails at all fails for many of them.
    mutants.env("PROPTEST_CASES", "64");
    run_program(mutants.current_dir(root))?;
    Ok(ExitCode::SUCCESS)
}
