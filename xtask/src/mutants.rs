//! `cargo xtask mutants`: cargo-mutants over the library, built and tested without the trainer, so that a mutant takes
//! seconds.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::alone::{Form, prepare};
use crate::files;
use crate::project::Project;
use crate::shell::{ask, cargo, run as run_program, step};

/// The modules that need no model. They are built and tested without tract in a few seconds.
const CORE: [&str; 3] = ["diversity", "features", "index"];

/// The other modules that decide which movies are suggested, in which order, and from which bundle.
const WHOLE: [&str; 5] = ["bundle", "filter", "history", "ranker", "recommend"];

/// The browser's kernels, which aren't compiled here. `tests/wasm.rs` compares them with the scalar ones.
const KERNELS: &str = "src/index/simd128.rs";

const EXAMPLE: &str = "\
Needs `cargo install cargo-mutants --locked`. The results are in target/mutants/.

Examples:
  cargo xtask mutants core
  cargo xtask mutants whole --file src/filter.rs --iterate";

/// The arguments of `cargo xtask mutants`.
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct Options {
    /// The part of the library to change.
    part: Part,
    /// Change only the files that match this glob. You may repeat it.
    #[arg(long, value_name = "GLOB")]
    file: Vec<String>,
    /// Run only part K of N equal parts.
    #[arg(long, value_name = "K/N")]
    shard: Option<String>,
    /// Run only the mutants whose names match this regular expression.
    #[arg(long, value_name = "REGEX")]
    only: Option<String>,
    /// Skip the mutants that earlier runs caught. A whole run takes an hour or two.
    #[arg(long)]
    iterate: bool,
    /// List the mutants and run nothing.
    #[arg(long)]
    list: bool,
}

/// The parts of the library.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Features, index and diversity, which need no model.
    Core,
    /// Filter, history, second stage, recommender and bundle.
    Whole,
}

/// Runs cargo-mutants in the copy of the library and writes its results to `target/mutants`.
pub fn run(project: &Project, options: &Options) -> Result<ExitCode> {
    if ask(cargo().args(["mutants", "--version"])).is_none() {
        bail!("cargo-mutants isn't installed; run: cargo install cargo-mutants --locked");
    }
    let (form, name, modules): (_, _, &[&str]) = match options.part {
        Part::Core => (Form::Core, "core", &CORE),
        Part::Whole => (Form::Whole, "whole", &WHOLE),
    };
    let root = prepare(project, form)?;
    step("Mutants");
    let out = project.path("target/mutants").join(name);
    files::make_folder(&out)?;
    let mut mutants = cargo();
    mutants.args(["mutants", "--in-place", "--exclude", KERNELS, "--output"]).arg(out);
    let all = if options.file.is_empty() { globs(modules) } else { options.file.clone() };
    for file in all {
        mutants.args(["--file", &file]);
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
    // This stops a mutant that loops for ever; all tests together take a few seconds.
    mutants.args(["--timeout", "60", "--", "--lib"]);
    // A quarter of the usual random cases: a mutant that fails at all fails for many of them.
    mutants.env("PROPTEST_CASES", "64");
    run_program(mutants.current_dir(root))?;
    Ok(ExitCode::SUCCESS)
}

/// The files of some modules, whether a module is one file or a folder too.
fn globs(modules: &[&str]) -> Vec<String> {
    modules.iter().flat_map(|module| [format!("src/{module}.rs"), format!("src/{module}/**/*.rs")]).collect()
}
