//! `cargo xtask bench`: the page, the user tower and the scans in headless Chromium, compared in one run with the
//! libraries that an engineer would use without this project. It measures and reports; no number fails it.

mod plot;
mod report;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Result;
use clap::Args;

use crate::cache::Cache;
use crate::files;
use crate::page;
use crate::project::Project;
use crate::shell::{cargo, note, run as run_program, step};
use crate::tools::python::{self, Python};
use crate::tools::rust::TARGET;
use crate::tools::{chromium, executable, node, rust};
use report::{Browser, Native, Report};

/// The crate that the bench measures, from the root.
const KERNELS: &str = "benches/browser/kernels";

const EXAMPLE: &str = "\
The table of 1,000,000 rows takes 1.5 GB of memory. The bench takes about 6 minutes after the build.

Example:
  cargo xtask bench --rows 9724 --rows 101947";

/// The arguments of `cargo xtask bench`.
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct Options {
    /// Measure the scans of a table with this many rows. You may repeat it.
    #[arg(long, value_name = "NUMBER", default_values_t = [9_724, 101_947, 1_000_000])]
    rows: Vec<usize>,
    /// Write bench.json and bench.svg to this folder.
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    out: PathBuf,
}

/// Prepares the machine, measures and reports.
pub fn run(project: &Project, options: &Options) -> Result<ExitCode> {
    let cache = Cache::open()?;
    let chromium = page::build_for_chromium(project, &cache)?;
    step("Set-up: the libraries to compare with");
    node::packages_of(&project.path("benches/browser"), &cache)?;
    // FAISS is one line of the table, so a machine without it measures the others.
    let python =
        python::prepare(project, &cache, &python::FAISS).unwrap_or_else(|error| Python::Missing(format!("{error:#}")));
    let out = project.root().join(&options.out);
    files::make_folder(&out)?;
    let kernels = build_kernels(project, &cache, &out)?;

    let rows: Vec<String> = options.rows.iter().map(usize::to_string).collect();
    step("Chromium");
    let file = out.join("browser.json");
    let mut node = chromium::script(project, &chromium, "benches/browser/run.mjs");
    node.arg(&file).args(&rows).env("WATCHNEXT_KERNELS", kernels);
    run_program(&mut node)?;
    let browser: Browser = files::read_json(&file)?;

    step("FAISS, natively");
    let native = match python {
        Python::Missing(reason) => {
            note(&format!("skipped: {reason}"));
            Native::Skipped(reason)
        }
        Python::Ready(interpreter) => {
            let file = out.join("faiss.json");
            let mut python = Command::new(interpreter);
            python.arg("benches/browser/faiss_scan.py").arg(&file).args(&rows).current_dir(project.root());
            // Some libraries start their threads before the script can set their number.
            run_program(python.env("OMP_NUM_THREADS", "1"))?;
            Native::Measured(files::read_json(&file)?)
        }
    };

    let report = Report { browser, native };
    println!();
    step("Results");
    println!("{}", report.text());
    for (name, text) in [("bench.json", report.json()?), ("bench.svg", plot::svg(&report))] {
        let file = out.join(name);
        files::write(&file, text)?;
        note(&format!("{}", file.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the module to measure, with the same settings as the page's, and its JavaScript. Returns their folder.
fn build_kernels(project: &Project, cache: &Cache, out: &Path) -> Result<PathBuf> {
    step("Building the module to measure (4 to 8 minutes the first time, then seconds)");
    let mut build = cargo();
    build
        .args(["build", "--release", "--locked", "--target", TARGET, "--manifest-path"])
        .arg(project.path(KERNELS).join("Cargo.toml"))
        // The page's build folder, because most crates are the same.
        .arg("--target-dir")
        .arg(project.path("target"))
        .current_dir(project.root());
    run_program(&mut build)?;
    let module = project.path("target").join(TARGET).join("release/kernels.wasm");
    let folder = out.join("kernels");
    let mut bindgen = Command::new(rust::wasm_bindgen(project, cache)?.join(executable("wasm-bindgen")));
    run_program(bindgen.args(["--target", "web", "--no-typescript", "--out-dir"]).arg(&folder).arg(&module))?;
    if let Some(tools) = node::wasm_opt(project, cache)? {
        let optimised = folder.join("kernels_bg.wasm");
        run_program(Command::new(tools.join(node::WASM_OPT)).arg("-O1").arg(&optimised).arg("-o").arg(&optimised))?;
    }
    Ok(folder)
}
