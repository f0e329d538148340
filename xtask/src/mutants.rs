//! `cargo xtask mutants`: cargo-mutants over the library, built and tested without the trainer so that a mutant costs seconds.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::alone::{Form, prepare};
use crate::project::Project;
use crate::shell::{ask, cargo, run as run_program, step};

/// What needs no model, and is built and tested without tract in a few seconds.
const CORE: [&str; 5] = ["src/diversity.rs", "src/features.rs", "src/features/*.rs", "src/index.rs", "src/index/*.rs"];

/// What else decides which movies come, in which order, and from which bundle.
const WHOLE: [&str; 5] =
    ["src/bundle/*.rs", "src/filter.rs", "src/history.rs", "src/ranker.rs", "src/{recommend,recommend/suggest}.rs"];

/// The kernels of the browser aren't compiled here; `tests/wasm.rs` holds them to the scalar ones.
const ELSEWHERE: &str = "src/index/simd128.rs";

/// What the command line may say.
#[derive(Args)]
pub struct Options {
    /// Which part of the library is changed.
    part: Part,
    /// Change this file alone, a glob; may be given again.
    #[arg(long, value_name = "FILE")]
    file: Vec<String>,
    /// A part of all mutants, as `k/n`.
    #[arg(long, value_name = "K/N")]
    shard: Option<String>,
    /// Only those whose name matches this regular expression.
    #[arg(long, value_name = "REGEX")]
    only: Option<String>,
    /// Leave out those that earlier runs caught, of which the whole takes an hour or two.
    #[arg(long)]
    iterate: bool,
    /// List them instead.
    #[arg(long)]
    list: bool,
}

/// The parts of the library whose mutants are looked at.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Features, index and diversity, which need no model.
    Core,
    /// Filter, history, second stage, recommender and bundle.
    Whole,
}

/// Runs cargo-mutants in the copy; what it found goes to `target/mutants`.
pub fn run(project: &Project, options: &Options) -> Result<ExitCode> {
    if ask(cargo().args(["mutants", "--version"])).is_none() {
        bail!("cargo-mutants isn't on PATH; `cargo install cargo-mutants --locked` brings it");
    }
    let (form, name, files) = match options.part {
        Part::Core => (Form::Core, "core", CORE),
        Part::Whole => (Form::Whole, "whole", WHOLE),
    };
    let root = prepare(project, form)?;
    step("Mutants");
    let mut mutants = cargo();
    let place = project.path("target/mutants").join(name);
    fs::create_dir_all(&place).with_context(|| format!("{} can't be made", place.display()))?;
    mutants.args(["mutants", "--in-place", "--exclude", ELSEWHERE, "--output"]).arg(place);
    let asked = options.file.iter().map(String::as_str);
    for file in asked.chain(files.into_iter().filter(|_| options.file.is_empty())) {
        mutants.args(["--file", file]);
    }
    for (flag, value) in [("--shard", &options.shard), ("--re", &options.only)] {
        if let Some(value) = value {
            mutants.args([flag, value]);
        }
    }
    for (flag, is_wanted) in [("--iterate", options.iterate), ("--list", options.list)] {
        if is_wanted {
            mutants.arg(flag);
        }
    }
    // A mutant that loops for ever is found out by this time; all tests together take a few seconds.
    mutants.args(["--timeout", "60", "--", "--lib"]);
    // A quarter of the cases that are made at random: what fails at all fails for many of them.
    mutants.env("PROPTEST_CASES", "64");
    run_program(mutants.current_dir(root))?;
    Ok(ExitCode::SUCCESS)
}
