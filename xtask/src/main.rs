//! The project's commands, run as `cargo xtask <command>`.
//!
//! `demo` and `test` need only rustup and Node. Each first installs the tools that are missing into a cache that
//! outlives the clone ([`cache`]), at the versions that [`versions`] pins.

// Panics are how tests fail.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod alone;
mod bench;
mod build;
mod bundle;
mod cache;
mod demo;
mod files;
mod fold;
mod miri;
mod mutants;
mod package;
mod page;
mod project;
mod scale;
mod shell;
mod size;
mod soak;
mod style;
mod summary;
mod test;
mod tools;
mod train;
mod trainer;
mod versions;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::project::Project;

/// The arguments of `cargo xtask`.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "The commands of watchnext.",
    after_help = "Start with `cargo xtask demo`. `cargo xtask <COMMAND> --help` explains a command, with an example."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure the page, the user tower and the scans in Chromium, next to other libraries.
    Bench(bench::Options),
    /// Build the page and serve it on this machine.
    Demo(demo::Options),
    /// Build the page into dist/, ready for any static host.
    #[command(after_help = build::EXAMPLE)]
    Build,
    /// Find undefined behaviour: interpret the library's tests with Miri.
    Miri(miri::Options),
    /// Find gaps in the tests: change the library line by line and see whether a test fails.
    Mutants(mutants::Options),
    /// Build the npm package into target/npm/: the element, the runtime and the default model.
    #[command(after_help = package::EXAMPLE)]
    Package,
    /// Measure a made-up catalogue of a million items in the page. Fails if it exceeds a budget.
    Scale(scale::Options),
    /// List the size of each file of the built page. Fails if a sum exceeds its budget.
    Size(size::Options),
    /// Click through the page at random for an hour and compare every answer with the native library's.
    Soak(soak::Options),
    /// Run every check: style, lints, tests and the page in a real browser.
    Test(test::Options),
    /// Train the shipped model on MovieLens and write it to models/.
    Train(train::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = Project::find().and_then(|project| match arguments.command {
        Command::Bench(options) => bench::run(&project, &options),
        Command::Demo(options) => demo::run(&project, &options),
        Command::Build => build::run(&project),
        Command::Miri(options) => miri::run(&project, &options),
        Command::Mutants(options) => mutants::run(&project, &options),
        Command::Package => package::run(&project),
        Command::Scale(options) => scale::run(&project, &options),
        Command::Size(options) => size::run(&project, &options),
        Command::Soak(options) => soak::run(&project, &options),
        Command::Test(options) => test::run(&project, &options),
        Command::Train(options) => train::run(&project, &options),
    });
    match outcome {
        Ok(code) => code,
        Err(error) => {
            // The alternate form prints the causes on one line: what failed, why, and the remedy.
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_command_says_what_it_does_and_has_an_example() {
        let arguments = Arguments::command();
        arguments.clone().debug_assert();
        for command in arguments.get_subcommands() {
            let name = command.get_name();
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(about.len() > 20, "{name} doesn't say what it does");
            let example = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(example.contains(&format!("cargo xtask {name}")), "{name} has no example");
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{name} doesn't explain {}", argument.get_id());
            }
        }
    }
}
