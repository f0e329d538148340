//! `cargo xtask demo`: builds the page and serves it.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::cache::Cache;
use crate::files;
use crate::page;
use crate::project::Project;
use crate::shell::{self, note, step};
use crate::tools::Builder;

const EXAMPLE: &str = "\
Installs missing tools first. The first build takes about a quarter of an hour.

Examples:
  cargo xtask demo --open
  cargo xtask demo --bundle books/models";

/// The arguments of `cargo xtask demo`.
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct Options {
    /// The port to serve on.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Open the page in the browser after the build.
    #[arg(long)]
    open: bool,
    /// Serve the bundle in this folder instead of models/. `trainer train` writes such a folder.
    #[arg(long, value_name = "FOLDER")]
    bundle: Option<PathBuf>,
    /// With --bundle: the folder of the page's texts. web/words/items speaks of titles, web/words of movies.
    #[arg(long, value_name = "FOLDER", default_value = "web/words/items", requires = "bundle")]
    words: String,
}

/// The page that Trunk builds around another bundle, from the root.
const PAGE: &str = "target/demo/index.html";

/// The links of `index.html` that Trunk follows, and the same links as seen from [`PAGE`].
const LINKS: [(&str, &str); 3] = [
    ("rel=\"rust\" ", "rel=\"rust\" href=\"../../Cargo.toml\" "),
    ("rel=\"copy-dir\" href=\"web\"", "rel=\"copy-dir\" href=\"../../web\""),
    ("rel=\"copy-dir\" href=\"models\"", "rel=\"copy-dir\" href=\"models\" data-target-path=\"models\""),
];

/// The beginning of the element in `index.html`. The attribute for the texts goes after it.
const ELEMENT: &str = "<watch-next id=\"app\" ";

/// The credit in `index.html`, which is true of the default bundle only.
const CREDIT: &str = "<a href=\"https://grouplens.org/datasets/movielens/\" rel=\"noopener noreferrer\">MovieLens</a>";

/// The text of the page at [`PAGE`], for another bundle.
fn page_elsewhere(index: &str, words: &str) -> Result<String> {
    let mut page = index.to_owned();
    let with_texts = format!("{ELEMENT}words=\"{words}\" ");
    for (old, new) in LINKS.into_iter().chain([(ELEMENT, with_texts.as_str()), (CREDIT, "")]) {
        ensure!(page.matches(old).count() == 1, "index.html doesn't hold {old} once; correct xtask/src/demo.rs");
        page = page.replace(old, new);
    }
    Ok(page)
}

/// Copies a bundle, and the page that shows it, into the folder of [`PAGE`].
fn place(project: &Project, bundle: &Path, words: &str) -> Result<()> {
    ensure!(
        project.path(words).join("page").is_dir(),
        "--words {words} must be a folder like web/words, with a folder page in it"
    );
    let page = project.path(PAGE);
    let models = page.with_file_name("models");
    files::remove_folder(&models)?;
    files::make_folder(&models)?;
    for file in files::entries(bundle)?.into_iter().filter(|path| path.is_file()) {
        if let Some(name) = file.file_name() {
            files::copy(&file, &models.join(name))?;
        }
    }
    let index = files::read_text(&project.path("index.html"))?;
    files::write(&page, page_elsewhere(&index, words)?)
}

/// Builds the page and serves it until it is interrupted.
pub fn run(project: &Project, options: &Options) -> Result<ExitCode> {
    let manifest = match &options.bundle {
        Some(folder) => std::path::absolute(folder).context("--bundle isn't a valid path")?.join("manifest.json"),
        None => project.path("models/manifest.json"),
    };
    ensure!(manifest.is_file(), "{} is missing; train a model first: cargo xtask train", manifest.display());
    // Check the port before minutes of building. The listener is dropped at once, which frees the port.
    TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))
        .with_context(|| format!("port {} isn't free; choose another with --port", options.port))?;
    let builder = Builder::prepare(project, &Cache::open()?)?;
    let port = options.port.to_string();
    step(&format!("Building the page (3 to 6 minutes the first time), then serving it at http://127.0.0.1:{port}/"));
    note("press Ctrl-C to stop");
    let mut serve = page::trunk(project, &builder, "serve");
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

/// Replaces this process with the server, so ending one ends the other.
#[cfg(unix)]
fn become_program(mut program: Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;

    note(&format!("$ {}", shell::shown(&program)));
    Err(program.exec()).context("Trunk can't be started")
}

/// Other systems can't replace a process, but Ctrl-C reaches both.
#[cfg(not(unix))]
fn become_program(mut program: Command) -> Result<ExitCode> {
    shell::run(&mut program)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Trunk follows each link from the folder of the page, two folders below the root.
    #[test]
    fn the_page_finds_all_files_from_its_other_folder() {
        let index = files::read_text(&Project::find().unwrap().path("index.html")).unwrap();
        let page = page_elsewhere(&index, "web/words/items").unwrap();
        assert_eq!(page.matches("data-trunk").count(), LINKS.len());
        assert!(page.contains("href=\"../../web\"") && page.contains("data-target-path=\"models\""));
        assert!(page.contains("words=\"web/words/items\"") && !page.contains("grouplens.org"));
        assert!(page_elsewhere(&page, "web/words/items").is_err());
    }
}
