//! Causal towers end to end on made-up sequences: learnt, resumable, and the same in tract.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const MOVIES: usize = 100;

/// All users go round the same circle of movies, from different places and for different lengths. The latest movie
/// tells the next; popularity, which is the same for all movies, tells nothing.
fn circle(folder: &Path) -> PathBuf {
    let line = |user: usize| {
        let movies: Vec<String> =
            (0..8 + user % 17).map(|step| (500 + (user * 37 + step) % MOVIES).to_string()).collect();
        format!("{} {}\n", user + 1, movies.join(" "))
    };
    let path = folder.join("sequences.txt");
    fs::write(&path, (0..150).map(line).collect::<String>()).unwrap();
    path
}

/// A small run of about a second.
fn command(data: &Path, out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trainer"));
    command.args(["internal", "sequences", "--json", "--epochs", "12", "--batch", "128", "--learning-rate", "0.01"]);
    command.args([
        "--dim",
        "16",
        "--channels",
        "16",
        "--hidden",
        "16",
        "--window",
        "20",
        "--rank",
        "20",
        "--ridge",
        "1",
    ]);
    command.arg("--data").arg(data).arg("--out").arg(out);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn log(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The window is shorter than the longest history, so a cut history is compared too.
#[test]
fn a_circle_is_learnt_where_popularity_fails_and_tract_ranks_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let output = command(&circle(folder.path()), &folder.path().join("out")).output().unwrap();
    assert!(output.status.success(), "{}", log(&output));
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((outcome["users"].as_u64(), outcome["movies"].as_u64()), (Some(150), Some(100)));
    let test = &outcome["test"];
    let ndcg = |figures: &Value| figures["ndcg10"]["mean"].as_f64().unwrap();
    assert!(ndcg(&test["tower"]["trainer"]) > 0.95, "{test}");
    assert!(ndcg(&test["popularity"]) < 0.3, "{test}");
    assert_eq!(test["tower"]["equal_ranks"].as_u64(), Some(150), "{test}");
    assert!(test["tower"]["largest_score_difference"].as_f64().unwrap() < 1e-4, "{test}");
    // Both kinds of networks learn it by themselves.
    for network in outcome["networks"].as_array().unwrap() {
        assert!(network["best_epoch"]["validation_ndcg10"].as_f64().unwrap() > 0.9, "{network}");
    }
}

/// Kills a run after its first checkpoint and repeats it: the tower equals that of an undisturbed run.
#[test]
fn an_interrupted_run_resumes_to_the_same_tower() {
    let folder = tempfile::tempdir().unwrap();
    let data = circle(folder.path());
    let (whole, broken) = (folder.path().join("whole"), folder.path().join("broken"));
    assert!(command(&data, &whole).output().unwrap().status.success());
    let mut child = command(&data, &broken).spawn().unwrap();
    let checkpoint = broken.join("network-1").join("checkpoint.safetensors");
    while !checkpoint.is_file() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(checkpoint.is_file() && !broken.join("user_tower.onnx").exists());
    let resumed = command(&data, &broken).output().unwrap();
    assert!(resumed.status.success(), "{}", log(&resumed));
    assert!(log(&resumed).contains("resuming after epoch"), "{}", log(&resumed));
    for file in ["user_tower.onnx", "movies.safetensors"] {
        assert_eq!(fs::read(whole.join(file)).unwrap(), fs::read(broken.join(file)).unwrap(), "{file}");
    }
}

/// A trial must not see the test targets, and threads must not change what is learnt.
#[test]
fn a_trial_measures_no_test_target_and_threads_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = circle(folder.path());
    let trial = |out: &str, threads: &str| {
        let mut command = command(&data, &folder.path().join(out));
        let output = command.args(["--trial", "--last-epochs", "3,2", "--threads", threads]).output().unwrap();
        assert!(output.status.success(), "{}", log(&output));
        let mut outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
        let epochs = |network: usize| outcome["networks"][network]["epochs"].as_array().unwrap().len();
        assert!(outcome["test"].is_null() && (epochs(0), epochs(1)) == (3, 2));
        assert!(!folder.path().join(out).join("user_tower.onnx").exists());
        outcome["choices"].take()
    };
    assert_eq!(trial("one", "1"), trial("two", "2"));
}

#[test]
fn a_line_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("sequences.txt");
    fs::write(&data, "1 10 20 30 40\n2 10 20 x 40\n").unwrap();
    let output = command(&data, &folder.path().join("out")).output().unwrap();
    let log = log(&output);
    assert!(!output.status.success() && log.contains("line 2\n") && log.contains("column 4: \"x\""), "{log}");
}
