//! `cargo xtask bench`: the user tower and the scans in headless Chromium, beside what an engineer would take instead,
//! all in one run. It measures and reports; no number fails it.

mod plot;
mod report;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::Args;

use crate::cache::Cache;
use crate::module;
use crate::project::Project;
use crate::shell::{cargo, note, run as run_program, step};
use crate::tools::python::{self, Python};
use crate::tools::rust::TARGET;
use crate::tools::{chromium, node, rust};
use report::{Browser, Native, Report};

/// The crate of what is measured, from the root.
const KERNELS: &str = "benches/browser/kernels";

/// What the command line may say.
#[derive(Args)]
pub struct Options {
    /// Measure the scans over tables of this many rows; may be given again.
    #[arg(long, value_name = "NUMBER", default_values_t = [9_724, 101_947, 1_000_000])]
    rows: Vec<usize>,
    /// The folder for bench.json and bench.svg.
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
}

/// Prepares, measures, and reports.
pub fn run(project: &Project, options: &Options) -> Result<ExitCode> {
    let cache = Cache::open()?;
    let chromium = module::build_for_chromium(project, &cache)?;
    step("Set-up: what it is compared with");
    node::packages_of(&project.path("benches/browser"), &cache)?;
    // FAISS is one line of the table, so a machine that can't have it measures the others.
    let python =
        python::prepare(project, &cache, &python::FAISS).unwrap_or_else(|error| Python::Missing(format!("{error:#}")));
    let out = project.root().join(&options.out);
    fs::create_dir_all(&out).with_context(|| format!("{} can't be made", out.display()))?;
    let kernels = build_kernels(project, &cache, &out)?;

    let rows: Vec<String> = options.rows.iter().map(usize::to_string).collect();
    step("Chromium");
    let file = out.join("browser.json");
    let mut node = Command::new("node");
    node.arg("benches/browser/run.mjs")
        .arg(&file)
        .args(&rows)
        .current_dir(project.root())
        .env("WATCHNEXT_KERNELS", kernels)
        .env(chromium::CHROMIUM_VARIABLE, chromium);
    run_program(&mut node)?;
    let browser: Browser = read(&file)?;

    step("FAISS, natively");
    let native = match python {
        Python::Missing(reason) => {
            note(&format!("left out: {reason}"));
            Native::Skipped(reason)
        }
        Python::Ready(interpreter) => {
            let file = out.join("faiss.json");
            let mut python = Command::new(interpreter);
            python.arg("benches/browser/faiss_scan.py").arg(&file).args(&rows).current_dir(project.root());
            // Some of its libraries make their threads before anyone can tell them not to.
            run_program(python.env("OMP_NUM_THREADS", "1"))?;
            Native::Measured(read(&file)?)
        }
    };

    let report = Report { browser, native };
    println!();
    step("Results");
    println!("{}", report.text());
    for (name, text) in [("bench.json", report.json()?), ("bench.svg", plot::svg(&report))] {
        let file = out.join(name);
        fs::write(&file, text).with_context(|| format!("{} can't be written", file.display()))?;
        note(&format!("{}", file.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// The module of what is measured, built and optimised as the page's is, with its JavaScript.
fn build_kernels(project: &Project, cache: &Cache, out: &Path) -> Result<PathBuf> {
    step("What is measured, as a module of its own (4 to 8 minutes at first, then seconds)");
    let mut build = cargo();
    build
        .args(["build", "--release", "--locked", "--target", TARGET, "--manifest-path"])
        .arg(project.path(KERNELS).join("Cargo.toml"))
        // The folder of the page's own build, since most of the crates are the same.
        .arg("--target-dir")
        .arg(project.path("target"))
        .current_dir(project.root());
    run_program(&mut build)?;
    let module = project.path("target").join(TARGET).join("release/kernels.wasm");
    let folder = out.join("kernels");
    let program = |folder: PathBuf, name: &str| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let mut bindgen = Command::new(program(rust::wasm_bindgen(project, cache)?, "wasm-bindgen"));
    run_program(bindgen.args(["--target", "web", "--no-typescript", "--out-dir"]).arg(&folder).arg(&module))?;
    if let Some(tools) = node::wasm_opt(project, cache)? {
        let optimised = folder.join("kernels_bg.wasm");
        let name = if cfg!(windows) { "wasm-opt.cmd" } else { "wasm-opt" };
        run_program(Command::new(tools.join(name)).arg("-O1").arg(&optimised).arg("-o").arg(&optimised))?;
    }
    Ok(folder)
}

fn read<T: serde::de::DeserializeOwned>(file: &Path) -> Result<T> {
    let text = fs::read(file).with_context(|| format!("{} can't be read", file.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} isn't what was expected", file.display()))
}
