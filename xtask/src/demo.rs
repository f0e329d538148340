//! `cargo xtask demo`: builds the page and serves it.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::cache::Cache;
use crate::module;
use crate::project::Project;
use crate::shell::{self, note, step};
use crate::tools::Builder;

/// What the command line may say.
#[derive(Args)]
pub struct Options {
    /// The port to serve on.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Open the page in the browser once it is built.
    #[arg(long)]
    open: bool,
}

/// Prepares, builds and serves until it is interrupted.
pub fn run(project: &Project, options: &Options) -> Result<ExitCode> {
    let manifest = project.path("models/manifest.json");
    ensure!(manifest.is_file(), "{} is missing: train a model first, by cargo xtask train", manifest.display());
    // Asked before minutes of building, not after. The listener is dropped at once, and the port free again.
    TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))
        .with_context(|| format!("port {} can't be served on; choose another by --port", options.port))?;
    let builder = Builder::prepare(project, &Cache::open()?)?;
    let port = options.port.to_string();
    step(&format!("The page: built (3 to 6 minutes at first, then seconds), then served at http://127.0.0.1:{port}/"));
    note("Ctrl-C ends it");
    let mut serve = module::trunk(project, &builder, "serve");
    serve.args(["--address", "127.0.0.1", "--port", &port]);
    if options.open {
        serve.arg("--open");
    }
    become_program(serve)
}

/// Gives this process over to the server, so that whoever ends the one ends the other.
#[cfg(unix)]
fn become_program(mut program: Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;

    note(&format!("$ {}", shell::shown(&program)));
    Err(program.exec()).context("Trunk can't be started")
}

/// Elsewhere a process can't be given over, and Ctrl-C reaches both.
#[cfg(not(unix))]
fn become_program(mut program: Command) -> Result<ExitCode> {
    shell::run(&mut program)?;
    Ok(ExitCode::SUCCESS)
}
