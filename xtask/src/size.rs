//! `cargo xtask size`: the size of the page. It compresses every file of `dist/` for hosts that send ready-made
//! compressed files, lists the sizes, and fails if a sum exceeds its budget.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;

use anyhow::{Result, bail, ensure};
use clap::Args;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::project::Project;
use crate::shell::step;
use crate::{bundle, files};

/// Brotli's best quality, and a window as large as the largest file.
const BROTLI_QUALITY: i32 = 11;
const BROTLI_WINDOW: i32 = 24;

/// The most bytes, in Brotli, of each sum.
const BUDGETS: [(&str, u64); 3] = [("first_suggestions_br", 1_600_000), ("wasm_br", 800_000), ("js_br", 30_000)];

/// The endings of the files to compress. Images are compressed already.
const COMPRESSED: [&str; 8] = ["css", "html", "js", "json", "onnx", "safetensors", "svg", "wasm"];

const EXAMPLE: &str = "\
Build the page first: cargo xtask build.

Example:
  cargo xtask size --json";

/// The arguments of `cargo xtask size`.
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct Options {
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// One file of the built page.
struct Asset {
    /// Its path in `dist/`, with slashes.
    path: String,
    raw: u64,
    gzip: u64,
    brotli: u64,
    /// Whether the first suggestions need it.
    is_first: bool,
}

/// Measures `dist/`.
pub fn run(project: &Project, options: &Options) -> Result<ExitCode> {
    let dist = project.path("dist");
    ensure!(dist.join("index.html").is_file(), "{} is missing; build it first: cargo xtask build", dist.display());
    if !options.json {
        step("Compressing the page (the module takes some seconds)");
    }
    let assets = compress(&dist)?;
    let sums = sums(&assets);
    if options.json {
        println!("{}", json(&assets, &sums));
    } else {
        println!("{}", table(&assets, &sums));
    }
    let over = over_budget(&sums);
    for line in &over {
        eprintln!("over budget: {line}");
    }
    Ok(if over.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Compresses every file of the built page and fails if a sum exceeds its budget. Returns the sums as text.
pub fn check(project: &Project) -> Result<String> {
    let sums = sums(&compress(&project.path("dist"))?);
    let over = over_budget(&sums);
    ensure!(over.is_empty(), "over budget: {}", over.join("; "));
    let shown: Vec<String> = sums.iter().map(|(name, bytes)| format!("{name} {}", kilobytes(*bytes))).collect();
    Ok(shown.join(", "))
}

/// Writes `.br` and `.gz` files next to those in `dist` and returns their sizes, the largest first.
fn compress(dist: &Path) -> Result<Vec<Asset>> {
    let first = first_files(dist)?;
    let todo = Mutex::new(files::files_below(dist)?.into_iter());
    // A large file takes seconds, so each core takes the next one when it is free.
    let work = || -> Result<Vec<Asset>> {
        let mut done = Vec::new();
        while let Some(file) = todo.lock().ok().and_then(|mut files| files.next()) {
            done.extend(compress_one(dist, &file, &first)?);
        }
        Ok(done)
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let parts: Vec<Result<Vec<Asset>>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| bail!("a thread panicked"))).collect()
    });
    let mut assets: Vec<Asset> = parts.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    assets.sort_by(|one, other| other.brotli.cmp(&one.brotli).then(one.path.cmp(&other.path)));
    Ok(assets)
}

/// Compresses a file. `None` for one that isn't sent compressed.
fn compress_one(dist: &Path, file: &Path, first: &[String]) -> Result<Option<Asset>> {
    let path = files::relative(dist, file);
    let ending = file.extension().map(|ending| ending.to_string_lossy().into_owned()).unwrap_or_default();
    if !COMPRESSED.contains(&ending.as_str()) {
        return Ok(None);
    }
    let bytes = files::read(file)?;
    let gzip = write_next_to(file, "gz", &gzip(&bytes)?)?;
    let brotli = write_next_to(file, "br", &brotli(&bytes)?)?;
    let is_first = first.contains(&path) || is_page(&path);
    Ok(Some(Asset { path, raw: bytes.len() as u64, gzip, brotli, is_first }))
}

/// Whether a file belongs to the page itself: its markup, styles, scripts, icon and module.
fn is_page(path: &str) -> bool {
    path == "index.html" || (path.starts_with("web/") && !path.contains("/examples/"))
}

/// The default bundle's files that the first suggestions need: the manifest, and those that it doesn't call optional.
fn first_files(dist: &Path) -> Result<Vec<String>> {
    let required = bundle::files(dist)?.into_iter().filter(|file| !file.is_optional).map(|file| file.path);
    Ok(required.chain([bundle::MANIFEST.to_owned()]).collect())
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn brotli(mut bytes: &[u8]) -> Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        lgwin: BROTLI_WINDOW,
        size_hint: bytes.len(),
        ..Default::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut bytes, &mut compressed, &parameters)?;
    Ok(compressed)
}

/// Writes a file named `file` with one more ending, and returns its size.
fn write_next_to(file: &Path, ending: &str, bytes: &[u8]) -> Result<u64> {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{ending}"));
    files::write(&PathBuf::from(name), bytes)?;
    Ok(bytes.len() as u64)
}

/// The sums that have a budget, in the budgets' order.
fn sums(assets: &[Asset]) -> Vec<(&'static str, u64)> {
    let sum = |wanted: fn(&Asset) -> bool| assets.iter().filter(|asset| wanted(asset)).map(|asset| asset.brotli).sum();
    let first: fn(&Asset) -> bool = |asset| asset.is_first;
    let wasm: fn(&Asset) -> bool = |asset| asset.path.ends_with(".wasm");
    let scripts: fn(&Asset) -> bool = |asset| is_page(&asset.path) && asset.path.ends_with(".js");
    BUDGETS.iter().map(|(name, _)| *name).zip([first, wasm, scripts].map(sum)).collect()
}

fn over_budget(sums: &[(&str, u64)]) -> Vec<String> {
    let over = sums.iter().zip(BUDGETS).filter(|((_, bytes), (_, budget))| bytes > budget);
    over.map(|((name, bytes), (_, budget))| format!("{name} is {} of {}", kilobytes(*bytes), kilobytes(budget)))
        .collect()
}

fn kilobytes(bytes: u64) -> String {
    format!("{:.1} kB", bytes as f64 / 1000.0)
}

fn table(assets: &[Asset], sums: &[(&str, u64)]) -> String {
    let width = assets.iter().map(|asset| asset.path.len()).max().unwrap_or_default().max(4);
    let mut text = format!("{:<width$}  {:>10}  {:>10}  {:>10}  first\n", "file", "raw", "gzip", "Brotli");
    for asset in assets {
        let first = if asset.is_first { "yes" } else { "" };
        let [raw, gzip, brotli] = [asset.raw, asset.gzip, asset.brotli].map(kilobytes);
        let _ = writeln!(text, "{:<width$}  {raw:>10}  {gzip:>10}  {brotli:>10}  {first}", asset.path);
    }
    text.push('\n');
    for ((name, bytes), (_, budget)) in sums.iter().zip(BUDGETS) {
        let _ = writeln!(text, "{name:<22}{:>12} of {:>10}", kilobytes(*bytes), kilobytes(budget));
    }
    text
}

fn json(assets: &[Asset], sums: &[(&str, u64)]) -> String {
    let files = assets.iter().map(|asset| {
        serde_json::json!({
            "path": asset.path, "raw": asset.raw, "gzip": asset.gzip, "brotli": asset.brotli, "first": asset.is_first,
        })
    });
    let mut all = serde_json::Map::new();
    all.insert("files".to_owned(), files.collect());
    all.extend(sums.iter().map(|(name, bytes)| ((*name).to_owned(), (*bytes).into())));
    serde_json::Value::Object(all).to_string()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn asset(path: &str, brotli: u64, is_first: bool) -> Asset {
        Asset { path: path.to_owned(), raw: 2 * brotli, gzip: brotli, brotli, is_first }
    }

    #[test]
    fn each_sum_adds_its_own_files() {
        let assets = [
            asset("web/engine/watchnext_bg.wasm", 700_000, true),
            asset("models/movies.safetensors", 300_000, true),
            asset("models/traits.safetensors", 900_000, false),
            asset("web/page.js", 2_000, true),
            asset("web/engine/failure.js", 500, true),
            asset("web/examples/plain.js", 300, false),
        ];
        let sums = sums(&assets);
        assert_eq!(sums, [("first_suggestions_br", 1_002_500), ("wasm_br", 700_000), ("js_br", 2_500)]);
        assert!(over_budget(&sums).is_empty());
        assert!(table(&assets, &sums).contains("models/traits.safetensors"));
        let read: serde_json::Value = serde_json::from_str(&json(&assets, &sums)).unwrap();
        assert_eq!(read.get("first_suggestions_br"), Some(&1_002_500.into()));
    }

    #[test]
    fn a_sum_over_its_budget_is_named_with_both_sizes() {
        let over = over_budget(&[("first_suggestions_br", 1_600_001), ("wasm_br", 800_000), ("js_br", 30_000)]);
        assert_eq!(over, ["first_suggestions_br is 1600.0 kB of 1600.0 kB"]);
    }

    /// A built page of four files: the compressed ones can be read back, and optional files don't come first.
    #[test]
    fn a_page_is_compressed_next_to_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let dist = folder.path();
        fs::create_dir_all(dist.join("models")).unwrap();
        fs::write(dist.join("index.html"), "<!doctype html>".repeat(100)).unwrap();
        let manifest = r#"{"files": {"movies": {"path": "m.json"}, "traits": {"path": "t.json", "optional": true}}}"#;
        fs::write(dist.join("models/manifest.json"), manifest).unwrap();
        fs::write(dist.join("models/m.json"), "[1]").unwrap();
        fs::write(dist.join("models/t.json"), "[2]").unwrap();
        let assets = compress(dist).unwrap();
        // A second run doesn't compress the compressed files.
        assert_eq!(compress(dist).unwrap().len(), assets.len());
        let first: Vec<&str> = assets.iter().filter(|asset| asset.is_first).map(|asset| asset.path.as_str()).collect();
        assert!(first.contains(&"index.html") && first.contains(&"models/m.json") && !first.contains(&"models/t.json"));
        let page = assets.iter().find(|asset| asset.path == "index.html").unwrap();
        assert!(page.brotli < page.raw / 10 && page.gzip < page.raw / 10);
        let mut back = Vec::new();
        let packed = fs::read(dist.join("index.html.br")).unwrap();
        brotli::BrotliDecompress(&mut packed.as_slice(), &mut back).unwrap();
        assert_eq!(back, fs::read(dist.join("index.html")).unwrap());
    }
}
