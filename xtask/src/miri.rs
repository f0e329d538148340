//! `cargo xtask miri`: interprets the library's tests and the registry's, which finds undefined behaviour.
//!
//! Miri doesn't know the browser's instructions, so the kernels use copies of them in Rust: `stand-ins/wasm32.rs`.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Result, bail};
use clap::Args;

use crate::alone::{Form, prepare};
use crate::project::Project;
use crate::shell::{ask, run as run_program, step};

/// Tests that are too slow to interpret: they have a large table, a long list or a time limit.
const LEFT_OUT: [&str; 11] = [
    "a_file_of_open_quotations_takes_linear_time",
    "a_pasted_book_finds_nothing",
    "long_records_of_many_cells_are_read_whole",
    "ten_thousand_rows_against_ten_thousand_movies_take_no_time",
    "the_columns_are_those_of_their_definitions",
    "the_order_is_that_of_the_definition",
    "the_rounded_scan_misses_next_to_nothing",
    "the_shipped_index_answers_as_the_one_over_floats",
    "the_wall_is_the_plain_one",
    "titles_of_many_parentheses_do_no_harm",
    "where_single_precision_decides_it_decides_the_same",
];

const EXAMPLE: &str = "\
Needs `rustup toolchain install nightly --component miri,rust-src`. The indexes' tests alone take 40 minutes.

Example:
  cargo xtask miri diversity catalog";

/// The arguments of `cargo xtask miri`.
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct Options {
    /// Run only the tests whose names contain one of these words.
    #[arg(value_name = "NAME")]
    tests: Vec<String>,
}

/// Runs Miri in the copy of the library.
pub fn run(project: &Project, options: &Options) -> Result<ExitCode> {
    if ask(miri().arg("--version")).is_none() {
        bail!("Miri isn't installed; run: rustup toolchain install nightly --component miri,rust-src");
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

/// A run of the tests in a folder, with Miri's settings.
fn test(folder: &Path, arguments: &[&str]) -> Command {
    let mut test = miri();
    test.arg("test").args(arguments).current_dir(folder);
    // The tests read files, which isolation forbids, and expect the same logarithm each time.
    test.env("MIRIFLAGS", "-Zmiri-disable-isolation -Zmiri-deterministic-floats");
    // Each random case takes hundreds of times as long as without Miri.
    test.env("PROPTEST_CASES", "4");
    test
}

/// The nightly compiler's Miri, even if another compiler runs this program.
fn miri() -> Command {
    let mut miri = Command::new("rustup");
    miri.args(["run", "nightly", "cargo", "miri"]).env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
    miri
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files;

    /// A renamed test would no longer be left out, and Miri would take hours for it.
    #[test]
    fn every_test_that_is_left_out_exists() {
        let project = Project::find().unwrap();
        let folders = ["src", "tests"].map(|folder| files::files_below(&project.path(folder)).unwrap());
        let sources = folders.iter().flatten().filter(|file| file.extension().is_some_and(|ending| ending == "rs"));
        let text: String = sources.map(|file| files::read_text(file).unwrap()).collect();
        for name in LEFT_OUT {
            assert!(text.contains(&format!("fn {name}(")), "no test is named {name}; correct LEFT_OUT");
        }
    }
}
