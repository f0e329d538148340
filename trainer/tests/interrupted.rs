//! Whatever stops the trainer, the bundle that was there stays whole until the new one is.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use trainer::commit::{Step, steps};
use trainer::pack::read_bundle;
use watchnext::bundle::{Manifest, Role};

/// Two bundles of one catalogue whose towers differ: the second's network was trained with another seed.
struct Bundles {
    old: tempfile::TempDir,
    new: tempfile::TempDir,
}

fn bundles() -> Bundles {
    let of_seed = |seed| {
        let folder = tempfile::tempdir().unwrap();
        trainer::fixture::write_data(folder.path()).unwrap();
        let dataset = trainer::dataset::Dataset::read(folder.path(), &[]).unwrap();
        let config = trainer::train::TrainConfig { seed, ..trainer::fixture::config() };
        let fitted = trainer::fit::fit(&dataset, &config, true, "fixture", "trainer fixture", None).unwrap();
        fitted.packed.write(folder.path()).unwrap();
        folder
    };
    Bundles { old: of_seed(1), new: of_seed(2) }
}

/// The bundle of a folder by its manifest's words and the bytes that it names; fails for a bundle that doesn't load.
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

/// After any number of the steps, and in the middle of each write, the folder holds the one bundle or the other. And whatever was left,
/// writing again ends with the very files of a first writing.
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
            // Killed while it writes: half of the file lies beside its place.
            fs::write(folder.path().join(format!(".{name}.new")), &bytes[..bytes.len() / 2]).unwrap();
        }
        let found = state(folder.path());
        assert!(found == before || found == after, "after {stop} steps: a mix");
        seen.push(found == after);
        trainer::commit::commit(folder.path(), &manifest, &files, &[]).unwrap();
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

/// The real program, killed at moments that a seed picks, over a bundle of another seed: what is left loads as the old one or the new
/// one, and the run that isn't killed ends with the bytes of one that never was, from whatever checkpoint it found.
#[test]
fn killed_at_any_moment_it_goes_on_to_the_same_bundle() {
    let data = tempfile::tempdir().unwrap();
    trainer::fixture::write_data(data.path()).unwrap();
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

/// A disk that has room for some blocks more: the program isn't told by a signal, but by a write that fails, as on a full disk.
#[cfg(unix)]
#[test]
fn a_full_disk_is_told_and_leaves_the_old_bundle() {
    let data = tempfile::tempdir().unwrap();
    trainer::fixture::write_data(data.path()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("models");
    assert!(train(data.path(), &out, 1).status().unwrap().success());
    let before = state(&out);
    // The first limit lets the checkpoint fail, the later ones a file of the bundle.
    let mut told = 0;
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
        assert!(said.contains("can't be written") && said.contains("Free the disk"), "{blocks} blocks: {said}");
        assert_eq!(state(&out), before, "{blocks} blocks");
        told += 1;
    }
    assert!(told > 0, "no limit was low enough");
}

/// A place that can't be written to, whoever asks: below a file there are no folders. (The rights of a read-only folder don't hold for
/// the administrator, as whom tests in containers run.)
#[test]
fn a_place_that_cant_be_written_to_is_named() {
    let data = tempfile::tempdir().unwrap();
    trainer::fixture::write_data(data.path()).unwrap();
    let out = data.path().join("ratings.csv").join("models");
    let output = train(data.path(), &out, 1).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("ratings.csv") && said.contains("mend the rights"), "{said}");
}
