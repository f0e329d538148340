//! The old bundle stays whole until the new one is, whatever stops the trainer.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use trainer::bundle::commit::{Step, steps};
use trainer::bundle::read::read_bundle;
use watchnext::bundle::{Manifest, Role};

/// Two bundles of one catalogue whose towers differ by the seed of their training.
struct Bundles {
    old: tempfile::TempDir,
    new: tempfile::TempDir,
}

fn bundles() -> Bundles {
    let of_seed = |seed| {
        let folder = tempfile::tempdir().unwrap();
        trainer::synthetic::small::write_data(folder.path()).unwrap();
        let dataset = trainer::data::Dataset::read(folder.path(), &[]).unwrap();
        let config = trainer::models::seed_network::train::TrainConfig { seed, ..trainer::synthetic::small::config() };
        let fitted = trainer::models::seed_network::fit::fit(
            &dataset,
            &config,
            true,
            "fixture",
            "trainer internal fixture",
            None,
        )
        .unwrap();
        fitted.packed.write(folder.path()).unwrap();
        folder
    };
    Bundles { old: of_seed(1), new: of_seed(2) }
}

/// The roles and hashes of a folder's bundle. Panics if the bundle doesn't load.
fn state(folder: &Path) -> Vec<(Role, String)> {
    let recommender = read_bundle(folder).unwrap_or_else(|error| panic!("no bundle is left: {error:#}"));
    recommender.manifest().files.iter().map(|(role, file)| (*role, file.sha256.clone())).collect()
}

fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
        }
    }
    to
}

/// After any number of steps, and in the middle of each write, the folder holds the one bundle or the other. Writing
/// again then ends with exactly the files of a first writing.
#[test]
fn stopped_after_any_step_the_old_bundle_is_whole_or_the_new_one() {
    let Bundles { old, new } = bundles();
    let manifest = Manifest::from_json(&fs::read(new.path().join("manifest.json")).unwrap()).unwrap();
    let bytes: Vec<(String, Vec<u8>)> = manifest
        .files
        .values()
        .map(|entry| (entry.path.clone(), fs::read(new.path().join(&entry.path)).unwrap()))
        .collect();
    let files: Vec<(&str, &[u8])> = bytes.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let (before, after) = (state(old.path()), state(new.path()));
    assert_ne!(before, after);
    let count = steps(old.path(), &manifest, &files, &["map.safetensors"]).unwrap().len();
    assert!(count > 6, "{count} steps");
    let mut seen = Vec::new();
    for stop in 0..=count {
        let folder = copy(old.path());
        let steps = steps(folder.path(), &manifest, &files, &["map.safetensors"]).unwrap();
        for step in &steps[..stop] {
            step.apply(folder.path()).unwrap();
        }
        if let Some(Step::Write(name, bytes)) = steps.get(stop) {
            // Killed while it writes: half of the file lies next to its place.
            fs::write(folder.path().join(format!(".{name}.new")), &bytes[..bytes.len() / 2]).unwrap();
        }
        let found = state(folder.path());
        assert!(found == before || found == after, "after {stop} steps: a mix");
        seen.push(found == after);
        trainer::bundle::commit::commit(folder.path(), &manifest, &files, &[]).unwrap();
        assert_eq!(state(folder.path()), after);
        assert_eq!(
            fs::read(folder.path().join("manifest.json")).unwrap(),
            fs::read(new.path().join("manifest.json")).unwrap()
        );
        let unnamed: Vec<String> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.split('.').nth(1).is_some_and(|part| part.len() == 16))
            .collect();
        assert!(unnamed.is_empty(), "after {stop} steps and a new writing {unnamed:?} are left");
    }
    assert!(seen.is_sorted() && !seen[0] && seen[count], "{seen:?}");
}

fn trainer() -> Command {
    Command::new(env!("CARGO_BIN_EXE_trainer"))
}

fn train(data: &Path, out: &Path, seed: u64) -> Command {
    let mut command = trainer();
    command.args([
        "train",
        "--model",
        "seed-network",
        "--epochs",
        "6",
        "--batch",
        "200",
        "--no-map",
        "--seed",
        &seed.to_string(),
        "--data",
    ]);
    command.arg(data).arg("--out").arg(out).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Kills the real program at random moments, over a bundle of another seed. The folder then holds the old bundle or
/// the new one, and the last run, which isn't killed, ends with the bytes of an undisturbed one, whatever checkpoint
/// it found.
#[test]
fn killed_at_any_moment_it_goes_on_to_the_same_bundle() {
    let data = tempfile::tempdir().unwrap();
    trainer::synthetic::small::write_data(data.path()).unwrap();
    let [calm, killed] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let [calm, killed] = [calm.path().join("models"), killed.path().join("models")];
    let start = std::time::Instant::now();
    assert!(train(data.path(), &calm, 2).status().unwrap().success());
    let whole = start.elapsed();
    assert!(train(data.path(), &killed, 1).status().unwrap().success());
    let (before, after) = (state(&killed), state(&calm));
    assert_ne!(before, after);
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for _ in 0..12 {
        let mut run = train(data.path(), &killed, 2).spawn().unwrap();
        std::thread::sleep(rng.random_range(Duration::ZERO..whole));
        // It may have ended by itself.
        let _ = run.kill();
        run.wait().unwrap();
        let found = state(&killed);
        assert!(found == before || found == after, "a mix");
    }
    assert!(train(data.path(), &killed, 2).status().unwrap().success());
    for name in ["manifest.json", "parity.json", "README.md", "user_tower.onnx", "movies.safetensors"] {
        assert!(fs::read(killed.join(name)).unwrap() == fs::read(calm.join(name)).unwrap(), "{name} differs");
    }
}

/// A limit on file sizes acts like a full disk: the program gets no signal, but a write fails.
#[cfg(unix)]
#[test]
fn a_full_disk_is_reported_and_leaves_the_old_bundle() {
    let data = tempfile::tempdir().unwrap();
    trainer::synthetic::small::write_data(data.path()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("models");
    assert!(train(data.path(), &out, 1).status().unwrap().success());
    let before = state(&out);
    // The first limit makes the checkpoint fail, the later ones a file of the bundle.
    let mut reported = 0;
    for blocks in [1, 8, 40, 60, 100] {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        let run = train(data.path(), &out, 2);
        let mut limited = Command::new("sh");
        limited.args(["-c", &script, "sh"]).arg(run.get_program()).args(run.get_args());
        let output = limited.output().unwrap();
        if output.status.success() {
            continue;
        }
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("can't be written") && said.contains("Free disk space"), "{blocks} blocks: {said}");
        assert_eq!(state(&out), before, "{blocks} blocks");
        reported += 1;
    }
    assert!(reported > 0, "no limit was low enough");
}

/// A path below a file can't be written to by anyone. (A read-only folder would not do: tests in containers run as
/// root.)
#[test]
fn a_place_that_cant_be_written_to_is_named() {
    let data = tempfile::tempdir().unwrap();
    trainer::synthetic::small::write_data(data.path()).unwrap();
    let out = data.path().join("ratings.csv").join("models");
    let output = train(data.path(), &out, 1).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("ratings.csv") && said.contains("check the folder's permissions"), "{said}");
}
