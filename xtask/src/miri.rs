//! `cargo xtask miri`: the library's tests and the registry's, interpreted, which finds undefined behaviour.
//!
//! The browser's kernels run with the instructions by their definitions; see `stand-ins/wasm32.rs`.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Result, bail};
use clap::Args;

use crate::alone::{Form, prepare};
use crate::project::Project;
use crate::shell::{ask, run as run_program, step};

/// Tests that take long when they aren't interpreted: what is large in them is a table, a list or a time limit.
const LEFT_OUT: [&str; 11] = [
    "a_file_of_open_quotations_takes_linear_time",
    "a_pasted_book_finds_nothing",
    "long_records_of_many_cells_are_read_whole",
    "ten_thousand_rows_against_ten_thousand_movies_take_no_time",
    "the_columns_are_those_of_their_definitions",
    "the_order_is_that_of_the_definition",
    "the_rounded_scan_alone_misses_next_to_nothing",
    "the_shipped_index_answers_as_the_one_over_floats",
    "the_wall_is_the_plain_one",
    "titles_of_many_parentheses_do_no_harm",
    "where_single_precision_decides_it_decides_the_same",
];

/// What the command line may say.
#[derive(Args)]
pub struct Options {
    /// Only tests whose names hold one of these.
    tests: Vec<String>,
}

/// Runs Miri in the copy.
pub fn run(project: &Project, options: &Options) -> Result<ExitCode> {
    if ask(miri().arg("--version")).is_none() {
        bail!("Miri isn't there; `rustup toolchain install nightly --component miri,rust-src` brings it");
    }
    let root = prepare(project, Form::Interpreted)?;
    step("The registry of tract's kernels");
    run_program(&mut test(&root, &["--package", "inventory"]))?;
    step("The library");
    let mut library = test(&root, &["--package", "watchnext", "--lib", "--"]);
    library.args(&options.tests).args(LEFT_OUT.into_iter().flat_map(|name| ["--skip", name]));
    run_program(&mut library)?;
    Ok(ExitCode::SUCCESS)
}

/// A run of tests in a folder. They read files, which Miri allows when it is told so; a logarithm is the same each time, which
/// Miri doesn't promise by itself; and few of the cases are made at random, since each takes hundreds of times as long.
fn test(folder: &Path, arguments: &[&str]) -> Command {
    let mut test = miri();
    test.arg("test").args(arguments).current_dir(folder);
    test.env("MIRIFLAGS", "-Zmiri-disable-isolation -Zmiri-deterministic-floats").env("PROPTEST_CASES", "4");
    test
}

/// Miri of the nightly compiler, whichever compiler runs this program.
fn miri() -> Command {
    let mut miri = Command::new("rustup");
    miri.args(["run", "nightly", "cargo", "miri"]).env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
    miri
}
