//! The project's commands, run as `cargo xtask <command>`.
//!
//! `demo` and `test` need nothing but rustup and Node on the machine: each first installs what is missing, at the
//! versions that [`versions`] pins, into a cache that outlives the clone ([`cache`]).

// Panics are how tests fail.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod alone;
mod bench;
mod build;
mod cache;
mod demo;
mod fold;
mod miri;
mod module;
mod mutants;
mod package;
mod project;
mod scale;
mod shell;
mod size;
mod soak;
mod summary;
mod test;
mod tools;
mod train;
mod versions;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::project::Project;

/// What `cargo xtask` understands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The commands of watchnext.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure the user tower and the scans in a browser, beside what else there is.
    Bench(bench::Options),
    /// Build the page and serve it on this machine.
    Demo(demo::Options),
    /// Build the page into `dist/`, each file compressed beside itself, ready for any static host.
    Build,
    /// Interpret the library's tests with Miri, which finds undefined behaviour.
    Miri(miri::Options),
    /// Change the library in one place after the other, and see whether a test fails for each.
    Mutants(mutants::Options),
    /// Build the page and pack its element, runtime and default model for npm, into `target/npm/`.
    Package,
    /// Measure a made-up catalogue of a million items in the page, and fail where it is over its budget.
    Scale(scale::Options),
    /// Say what each file of the built page weighs, and fail where a sum is over its budget.
    Size(size::Options),
    /// Visit the page at random for an hour, and hold every answer to the native library's.
    Soak(soak::Options),
    /// Run every test, the browser tests included.
    Test(test::Options),
    /// Train the shipped model on MovieLens and write it to `models/`.
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
            // The alternate form prints the chain of causes on one line: what failed, then why, then the remedy.
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
