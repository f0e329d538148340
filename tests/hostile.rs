//! Hostile bytes: a seeded run of the targets that `fuzz/` runs without end. Any input ends in a result or an error,
//! never in a panic, a hang or an allocation above the cap.
//!
//! `WATCHNEXT_SEEDS=fuzz/corpus cargo test --test hostile` writes the good inputs as corpora for `fuzz/`.
//! `WATCHNEXT_HOSTILE_INPUTS` sets how many inputs each target gets, and `WATCHNEXT_HOSTILE_TARGET` leaves one target
//! alone.
#![cfg(not(target_arch = "wasm32"))]
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod fixture;
mod graphs;
#[path = "hostile/mutate.rs"]
mod mutate;
#[path = "hostile/seeds.rs"]
mod seeds;
#[path = "hostile/targets.rs"]
mod targets;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use peak_alloc::PeakAlloc;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use targets::{TARGETS, Target};
use watchnext::lists::MAX_LIST_BYTES;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The most bytes that may be allocated at a time for an input: the numbers that a model may make, and as many again
/// for computing.
const MOST_BYTES: usize = 256 << 20;

/// The longest time for one input.
const MOST_TIME: Duration = Duration::from_secs(10);

/// Inputs of each target by default.
const INPUTS: usize = 10_000;

/// Saves an input that breaks something, and names the place.
fn keep(target: &str, number: usize, input: &[u8]) -> String {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hostile-{target}-{number}"));
    std::fs::write(&place, input).unwrap();
    place.display().to_string()
}

fn input(target: &str, seeds: &[Vec<u8>], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let (seed, other) = (seeds.choose(rng).unwrap(), seeds.choose(rng).unwrap());
    let is_model = matches!(target, "graph" | "tower" | "ranker");
    let model = (is_model && rng.random_bool(0.8)).then(|| mutate::model(seed, rng)).flatten();
    model.unwrap_or_else(|| mutate::bytes(seed, other, rng))
}

/// The results of a target's inputs.
#[derive(Default)]
struct Outcome {
    /// The most bytes that were allocated at a time.
    most_bytes: usize,
    /// The first input for each place in the code that panicked, with that place.
    panics: BTreeMap<String, Vec<u8>>,
}

/// Runs a target on its inputs. Each input is sent first, so that the receiver knows which one hangs.
fn attack(name: &str, target: Target, rng: &mut ChaCha8Rng, inputs: usize, report: &mpsc::Sender<Vec<u8>>) -> Outcome {
    let seeds = seeds::of(name);
    let mut outcome = Outcome::default();
    for _ in 0..inputs {
        let input = input(name, &seeds, rng);
        report.send(input.clone()).unwrap();
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let answered = std::panic::catch_unwind(|| target(&input));
        let used = MEMORY.peak_usage().saturating_sub(before);
        outcome.most_bytes = outcome.most_bytes.max(used);
        if answered.is_err() {
            let place = PANICKED_AT.lock().unwrap().clone();
            outcome.panics.entry(place).or_insert(input);
        } else if used > MOST_BYTES {
            outcome.panics.entry(format!("{used} bytes are allocated")).or_insert(input);
        }
    }
    outcome
}

/// Held by a test that measures memory, which all threads share.
static MEASURES: Mutex<()> = Mutex::new(());

/// The place of the last panic, which a caught panic doesn't have.
static PANICKED_AT: Mutex<String> = Mutex::new(String::new());

#[test]
fn no_bytes_make_it_panic_hang_or_allocate_without_bound() {
    let _alone = MEASURES.lock();
    let inputs = std::env::var("WATCHNEXT_HOSTILE_INPUTS").map_or(INPUTS, |inputs| inputs.parse().unwrap());
    let only = std::env::var("WATCHNEXT_HOSTILE_TARGET").ok();
    std::panic::set_hook(Box::new(|panic| {
        // Printed at once, since a panic that can't be caught ends the program.
        eprintln!("{panic}");
        *PANICKED_AT.lock().unwrap() = panic.to_string();
    }));
    let mut broken = Vec::new();
    for (number, (name, target)) in TARGETS.into_iter().enumerate() {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        // The first run sets things up that aren't counted. It also shows that the good inputs are good.
        seeds::of(name).iter().for_each(|seed| target(seed));
        let (report, reports) = mpsc::channel();
        let started = Instant::now();
        let worker = std::thread::spawn(move || {
            attack(name, target, &mut ChaCha8Rng::seed_from_u64(number as u64), inputs, &report)
        });
        let mut last = Vec::new();
        let is_done = loop {
            match reports.recv_timeout(MOST_TIME) {
                Ok(input) => last = input,
                Err(error) => break error == mpsc::RecvTimeoutError::Disconnected,
            }
        };
        if !is_done {
            broken.push(format!("{name} takes more than {MOST_TIME:?} for {}", keep(name, 0, &last)));
            continue;
        }
        let Outcome { most_bytes, panics } = worker.join().unwrap();
        println!("{name}: {inputs} inputs in {:.1?}, {most_bytes} bytes at most", started.elapsed());
        for (number, (place, input)) in panics.iter().enumerate() {
            broken.push(format!("{name}: {place} for {}", keep(name, number, input)));
        }
    }
    drop(std::panic::take_hook());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Inputs as long as a list may be, or longer than anybody types, that make readers go back or compare much.
#[test]
fn long_inputs_take_no_longer_than_their_length_allows() {
    let _alone = MEASURES.lock();
    let header = "movieId,title,year\n";
    let long = |piece: &str| piece.repeat(MAX_LIST_BYTES / piece.len() - header.len());
    let lists =
        ["\"\n", "\"", ",", "a,\"b\n", "1,\"\"\"x\ny,2\n", "x", "é\r"].map(|piece| format!("{header}{}", long(piece)));
    let queries = ["a ", "heat", "the ", "\u{301}", "(1995) ", "é,"]
        .map(|piece| piece.repeat(100_000))
        .into_iter()
        .chain(["heat".repeat(125)]);
    let cases = lists.into_iter().map(|text| ("list", text)).chain(queries.map(|text| ("query", text)));
    for (name, text) in cases {
        let (_, target) = TARGETS.into_iter().find(|(other, _)| *other == name).unwrap();
        let (started, before) = (Instant::now(), MEMORY.current_usage());
        MEMORY.reset_peak_usage();
        target(text.as_bytes());
        let used = MEMORY.peak_usage().saturating_sub(before);
        let (took, piece) = (started.elapsed(), text.chars().rev().take(9).collect::<String>());
        println!("{name}: {} bytes of {piece:?}, reversed, in {took:.1?}, {used} bytes at most", text.len());
        assert!(took < MOST_TIME && used < MOST_BYTES, "{name}: {piece:?} takes {took:?} and {used} bytes");
    }
}

/// Inputs that once broke something stay in the folder of their target.
#[test]
fn inputs_that_broke_something_are_answered() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/found");
    let mut count = 0;
    for (name, target) in TARGETS {
        let Ok(entries) = std::fs::read_dir(folder.join(name)) else { continue };
        for entry in entries {
            target(&std::fs::read(entry.unwrap().path()).unwrap());
            count += 1;
        }
    }
    assert!(count > 0, "{} is empty", folder.display());
}

/// Without the variable this does nothing; with it, it writes files, as `BLESS` does elsewhere.
#[test]
fn good_inputs_are_written_where_they_are_asked_for() {
    let Some(folder) = std::env::var_os("WATCHNEXT_SEEDS").map(PathBuf::from) else { return };
    for (name, _) in TARGETS {
        let folder = folder.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        for (number, seed) in seeds::of(name).into_iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number}")), seed).unwrap();
        }
    }
}
