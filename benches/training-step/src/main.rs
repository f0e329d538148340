//! Measures a training step of the notebook's network in this project's trainer, candle, burn and PyTorch.

mod batch;
mod ours;
mod pytorch;
mod with_burn;
mod with_candle;

use std::fs;
use std::thread::available_parallelism;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use trainer::models::seed_network::network::Network;

use crate::batch::{MOVIES, Parameters};
use crate::ours::Ours;
use crate::with_burn::WithBurn;
use crate::with_candle::WithCandle;

/// The most that two contenders' first losses may differ. They start from the same parameters and batch, so only their
/// dropout masks differ. A mistake in a network makes a much larger difference.
const LOSS_TOLERANCE: f32 = 0.05;

/// Measures a training step of the notebook's network in this project's trainer, candle, burn and PyTorch.
#[derive(Debug, Parser)]
struct Args {
    /// Untimed steps for each contender before the timed ones.
    #[arg(long, default_value_t = 2)]
    warm_up: usize,
    /// Timed steps for each contender. PyTorch takes them before the others, and again after them.
    #[arg(long, default_value_t = 7)]
    steps: usize,
    /// Rows of the batch.
    #[arg(long, default_value_t = 5000)]
    batch: usize,
    /// The seed of the batch, the parameters and, if a contender has one, the dropout masks.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Run only these contenders and PyTorch, separated by commas. This takes less memory.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    only: Vec<String>,
}

/// Something that can take a training step.
trait Contender {
    /// Its name in the table.
    fn name(&self) -> &'static str;
    /// Its version in the lock file.
    fn version(&self) -> String;
    /// Takes one step over the whole batch and returns the loss before it.
    fn step(&mut self) -> Result<f32>;
}

/// A line of the table.
struct Row {
    name: String,
    version: String,
    /// The time of each timed step.
    milliseconds: Vec<f64>,
    /// The loss of each step, with the warm-up. PyTorch's are from its first run.
    losses: Vec<f32>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    ensure!(args.steps > 0 && args.batch > 0, "--steps and --batch must be at least 1");
    let threads = available_parallelism().context("the number of cores can't be read")?.get();
    // All contenders in this process share rayon's pool. An environment variable could give it fewer threads than
    // PyTorch has, so set their number here.
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    let mut rng = ChaCha8Rng::seed_from_u64(args.seed);
    let rows = batch::rows(args.batch, &mut rng);
    let network = Network::new(MOVIES, &mut rng)?;
    let parameters = Parameters::of(&network)?;

    let mut contenders: Vec<Box<dyn Contender>> = Vec::new();
    contenders.push(Box::new(WithCandle::new(&parameters, &rows)?));
    for (name, device) in WithBurn::backends() {
        contenders.push(Box::new(WithBurn::new(name, device, &parameters, &rows)));
    }
    contenders.insert(0, Box::new(Ours::new(network, rows.clone(), rng)));
    let names: Vec<&str> = contenders.iter().map(|contender| contender.name()).collect();
    for name in &args.only {
        ensure!(names.contains(&name.as_str()), "--only {name}: no such contender; choose from {}", names.join(", "));
    }
    contenders.retain(|contender| args.only.is_empty() || args.only.iter().any(|name| name == contender.name()));

    let before = pytorch::measure(&args, threads, &rows, &parameters)?;
    let ours = round_robin(&args, &mut contenders)?;
    let after = if before.is_some() { pytorch::measure(&args, threads, &rows, &parameters)? } else { None };

    let mut table = Vec::new();
    if let (Some(before), Some(after)) = (before, after) {
        ensure!(before.threads == threads, "PyTorch took {} threads instead of {threads}", before.threads);
        let (early, late) = (median(&before.milliseconds), median(&after.milliseconds));
        eprintln!("PyTorch's median was {early:.0} ms before the others and {late:.0} ms after them");
        let milliseconds = [before.milliseconds, after.milliseconds].concat();
        table.push(Row { name: "PyTorch".to_owned(), version: before.version, milliseconds, losses: before.losses });
    }
    table.extend(ours);
    print(&args, threads, &table);
    check(&table)
}

/// Lets the contenders take turns step by step, so that other work on the machine slows all of them alike.
fn round_robin(args: &Args, contenders: &mut [Box<dyn Contender>]) -> Result<Vec<Row>> {
    let row = |contender: &Box<dyn Contender>| Row {
        name: contender.name().to_owned(),
        version: contender.version(),
        milliseconds: Vec::new(),
        losses: Vec::new(),
    };
    let mut rows: Vec<Row> = contenders.iter().map(row).collect();
    for round in 0..args.warm_up + args.steps {
        for (contender, row) in contenders.iter_mut().zip(&mut rows) {
            let start = Instant::now();
            let loss = contender.step().with_context(|| format!("{} failed in round {round}", row.name))?;
            let milliseconds = start.elapsed().as_secs_f64() * 1e3;
            row.losses.push(loss);
            if round >= args.warm_up {
                row.milliseconds.push(milliseconds);
            }
            eprintln!("round {round}: {} {milliseconds:.0} ms, loss {loss:.4}", row.name);
        }
    }
    Ok(rows)
}

/// The median of `values`: the middle one, or the mean of the two in the middle. NaN if there are none.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN);
    let lower = sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN);
    (lower + upper) / 2.0
}

fn print(args: &Args, threads: usize, table: &[Row]) {
    let gemm = if cfg!(feature = "avx512") { "with" } else { "without" };
    println!("{}, {threads} threads; a batch of {} rows, {MOVIES} movies.", processor(), args.batch);
    println!("{} timed steps after {} of warm-up; the gemm crate {gemm} AVX-512.\n", args.steps, args.warm_up);
    println!("| Contender | Version | Median (ms) | Min (ms) | Max (ms) | Ratio to PyTorch | Loss, first to last |");
    println!("| --- | --- | ---: | ---: | ---: | ---: | --- |");
    let reference = table.iter().find(|row| row.name == "PyTorch").map(|row| median(&row.milliseconds));
    for row in table {
        let middle = median(&row.milliseconds);
        let least = row.milliseconds.iter().copied().fold(f64::INFINITY, f64::min);
        let most = row.milliseconds.iter().copied().fold(0.0, f64::max);
        let ratio = reference.map_or_else(|| "–".to_owned(), |reference| format!("{:.2}", middle / reference));
        let losses = row.losses.first().zip(row.losses.last());
        let losses = losses.map_or_else(String::new, |(first, last)| format!("{first:.3} → {last:.3}"));
        println!("| {} | {} | {middle:.0} | {least:.0} | {most:.0} | {ratio} | {losses} |", row.name, row.version);
    }
}

/// Checks that all contenders compute the same.
fn check(table: &[Row]) -> Result<()> {
    let first = |row: &Row| row.losses.first().copied().unwrap_or(f32::NAN);
    let Some(reference) = table.first() else { return Ok(()) };
    for row in table {
        ensure!(
            (first(row) - first(reference)).abs() < LOSS_TOLERANCE,
            "the first loss of {} is {}, but that of {} is {}: they don't compute the same network",
            row.name,
            first(row),
            reference.name,
            first(reference)
        );
    }
    Ok(())
}

/// The processor's name, family and model from Linux. A virtual machine may hide the name, but not the numbers.
fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let lines = info.lines().filter_map(|line| line.split_once(':'));
        lines.into_iter().find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
    };
    match (field("model name"), field("cpu family"), field("model")) {
        (Some(name), Some(family), Some(model)) => format!("{name} (family {family}, model {model})"),
        _ => format!("An unknown processor ({})", std::env::consts::ARCH),
    }
}

/// The version of a package in this crate's lock file.
fn version_of(package: &str) -> String {
    let name = format!("name = \"{package}\"");
    let mut lines = include_str!("../Cargo.lock").lines().skip_while(|line| *line != name);
    let version = lines.nth(1).and_then(|line| line.strip_prefix("version = \""));
    version.map_or_else(|| "?".to_owned(), |version| version.trim_end_matches('"').to_owned())
}
