//! `cargo xtask miri`: the library's tests, interpreted.

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};
use clap::Args;

use crate::alone::{Form, prepare};
use crate::project::Project;
use crate::shell::{ask, run as run_program, step};

/// What the command line may say.
#[derive(Args)]
pub struct Options {
    /// What `cargo miri test` gets, such as the names of tests.
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Runs Miri in the copy.
pub fn run(project: &Project, options: &Options) -> Result<ExitCode> {
    if ask(&mut miri().arg("--version")).is_none() {
        bail!("Miri isn't there; `rustup toolchain install nightly --component miri,rust-src` brings it");
    }
    let root = prepare(project, Form::Interpreted)?;
    step("Miri");
    let mut test = miri();
    test.args(["test", "--lib", "--"]).args(&options.arguments);
    run_program(test.current_dir(root))?;
    Ok(ExitCode::SUCCESS)
}

/// Miri of the nightly compiler, whichever compiler runs this program.
fn miri() -> Command {
    let mut miri = Command::new("rustup");
    miri.args(["run", "nightly", "cargo", "miri"]).env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
    miri
}
