//! `cargo xtask demo`: builds the page and serves it.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
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
    /// A bundle's folder in place of models/, as `trainer train` writes it.
    #[arg(long)]
    bundle: Option<PathBuf>,
    /// With --bundle: a folder of web/ with the words that the page speaks; web/words speaks of movies.
    #[arg(long, default_value = "web/words/items", requires = "bundle")]
    words: String,
}

/// The page that Trunk builds around another bundle, as seen from the root.
const PAGE: &str = "target/demo/index.html";

/// What of `index.html` Trunk finds from its place, and how it is found from [`PAGE`]'s.
const LINKS: [(&str, &str); 3] = [
    ("rel=\"rust\" ", "rel=\"rust\" href=\"../../Cargo.toml\" "),
    ("rel=\"copy-dir\" href=\"web\"", "rel=\"copy-dir\" href=\"../../web\""),
    ("rel=\"copy-dir\" href=\"models\"", "rel=\"copy-dir\" href=\"models\" data-target-path=\"models\""),
];

/// Where `index.html` says that its bundle is, and before which it may say where its words are.
const BUNDLE: &str = "<watch-next id=\"app\" ";

/// What of `index.html` is true of the default bundle alone.
const CREDIT: &str = "<a href=\"https://grouplens.org/datasets/movielens/\" rel=\"noopener noreferrer\">MovieLens</a>";

/// The page with its links as seen from [`PAGE`], about another bundle.
fn moved(index: &str, words: &str) -> Result<String> {
    let mut page = index.to_owned();
    let spoken = format!("{BUNDLE}words=\"{words}\" ");
    for (here, there) in LINKS.into_iter().chain([(BUNDLE, spoken.as_str()), (CREDIT, "")]) {
        ensure!(page.matches(here).count() == 1, "index.html must hold {here} once; mend xtask/src/demo.rs");
        page = page.replace(here, there);
    }
    Ok(page)
}

/// Puts a bundle beside a copy of the page.
fn place(project: &Project, bundle: &Path, words: &str) -> Result<()> {
    ensure!(
        project.path(words).join("page").is_dir(),
        "--words {words} must be a folder of web/ like web/words, with page/ in it"
    );
    let page = project.path(PAGE);
    let models = page.with_file_name("models");
    if models.exists() {
        fs::remove_dir_all(&models).with_context(|| format!("{} can't be emptied", models.display()))?;
    }
    fs::create_dir_all(&models).with_context(|| format!("{} can't be made", models.display()))?;
    for entry in fs::read_dir(bundle).with_context(|| format!("{} can't be read", bundle.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), models.join(entry.file_name()))
                .with_context(|| format!("{} can't be copied", entry.path().display()))?;
        }
    }
    let index = fs::read_to_string(project.path("index.html")).context("index.html can't be read")?;
    fs::write(&page, moved(&index, words)?).with_context(|| format!("{} can't be written", page.display()))
}

/// Prepares, builds and serves until it is interrupted.
pub fn run(project: &Project, options: &Options) -> Result<ExitCode> {
    let manifest = match &options.bundle {
        Some(folder) => std::path::absolute(folder).context("--bundle is no path")?.join("manifest.json"),
        None => project.path("models/manifest.json"),
    };
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
    if let Some(bundle) = manifest.parent().filter(|_| options.bundle.is_some()) {
        place(project, bundle, &options.words)?;
        serve.arg(PAGE);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Trunk resolves each link from the folder of the page, which is two folders below the root.
    #[test]
    fn the_page_finds_everything_from_its_other_place() {
        let index = fs::read_to_string(Project::find().unwrap().path("index.html")).unwrap();
        let page = moved(&index, "web/words/items").unwrap();
        assert_eq!(page.matches("data-trunk").count(), LINKS.len());
        assert!(page.contains("href=\"../../web\"") && page.contains("data-target-path=\"models\""));
        assert!(page.contains("words=\"web/words/items\"") && !page.contains("grouplens.org"));
        assert!(moved(&page, "web/words/items").is_err());
    }
}
