//! The fold-in compared with Apache Spark: Spark's own user factors and recommendations for recorded histories.
//!
//! `spark/` has the output of `examples/spark/train.py` for the trainer's made-up ratings, so that the test runs
//! without Spark. `spark/README.md` has the commands. The last test trains again.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use trainer::fold_in::check::{Agreement, Recorded, read_rows_of_items};
use trainer::fold_in::{Equations, Feedback, FoldIn};
use trainer::models::external::arrays::only_table;

/// Folds in the factors of a folder that `train.py` wrote, in tract, and compares with its recorded histories.
fn agreement(folder: &Path, as_floats: bool) -> Agreement {
    let parameters: Value = serde_json::from_slice(&std::fs::read(folder.join("als.json")).unwrap()).unwrap();
    let number = |name: &str| parameters[name].as_f64().unwrap() as f32;
    let feedback = match parameters["feedback"].as_str() {
        Some("implicit") => Feedback::Implicit { alpha: number("alpha") },
        _ => Feedback::Explicit,
    };
    let equations = Equations { feedback, lambda: number("regularisation"), by_count: true };
    let items = only_table(&folder.join("item_factors.npy")).unwrap();
    let onnx = FoldIn::new(&items, equations, as_floats).unwrap().onnx();
    let rows = read_rows_of_items(&folder.join("items.csv")).unwrap();
    Recorded::read(&folder.join("recorded.json")).unwrap().compare(&onnx, &items, &rows).unwrap()
}

/// Spark solves in 64 bits and stores 32, so all digits but the last one or two are equal.
fn assert_equal(folder: &Path) {
    let found = agreement(folder, true);
    println!("{}: {found}", folder.display());
    assert!(found.largest_relative < 5e-6, "{found}");
    // Movies with equal ratings by the same few users tie, and Spark orders them in its own way.
    assert_eq!(found.tied_tops, found.histories, "{found}");
}

#[test]
fn the_fold_in_gives_sparks_own_vectors_and_recommendations() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spark");
    for feedback in ["implicit", "explicit"] {
        assert_equal(&folder.join(feedback));
        // With 8 bits, most of the ten best stay.
        let coarse = agreement(&folder.join(feedback), false);
        assert!(coarse.largest_relative < 0.03 && coarse.shared * 10 >= coarse.recorded * 9, "{coarse}");
    }
}

/// A recorded history is compared as a whole or refused, and an error names the missing item.
#[test]
fn recordings_that_dont_fit_are_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spark/implicit");
    let items = only_table(&folder.join("item_factors.npy")).unwrap();
    let equations = Equations { feedback: Feedback::Explicit, lambda: 1.0, by_count: true };
    let onnx = FoldIn::new(&items, equations, true).unwrap().onnx();
    let rows = read_rows_of_items(&folder.join("items.csv")).unwrap();
    let refusal = |watch: &str, count: usize, dim: usize| {
        let history = vec![watch; count].join(",");
        let vector = vec!["0.5"; dim].join(",");
        let text = format!(r#"{{"cases": [{{"history": [{history}], "user_vector": [{vector}], "top": []}}]}}"#);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        format!("{:#}", Recorded::read(file.path()).unwrap().compare(&onnx, &items, &rows).unwrap_err())
    };
    let (good, dim) = (r#"{"movieId": 100, "rating": 4.0}"#, items.ncols());
    assert!(refusal(good, 51, dim).contains("recorded history 1: it has 51 movies"));
    assert!(refusal(good, 2, 3).contains("a vector of 3 numbers"));
    assert!(refusal(r#"{"movieId": 7, "rating": 4.0}"#, 1, dim).contains("movie 7 isn't among the items"));
    assert!(refusal(r#"{"movieId": 100, "rating": 40.0}"#, 1, dim).contains("rating 40 of movie 100"));
}

/// Trains by Spark on ml-latest-small, from the ratings on.
#[test]
#[ignore = "takes minutes, and needs Java and a Python with pyspark in WATCHNEXT_SPARK_PYTHON"]
fn spark_trains_and_the_fold_in_follows() {
    let python = std::env::var("WATCHNEXT_SPARK_PYTHON").expect("WATCHNEXT_SPARK_PYTHON names a Python with pyspark");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let data = std::env::var_os("WATCHNEXT_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let data = data.join("ml-latest-small");
    for feedback in ["implicit", "explicit"] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(&python);
        command.arg(root.join("examples/spark/train.py")).args(["--master", "local[2]", "--out"]).arg(folder.path());
        command.arg("--ratings").arg(data.join("ratings.csv")).arg("--movies").arg(data.join("movies.csv"));
        if feedback == "explicit" {
            command.arg("--explicit");
        }
        assert!(command.status().unwrap().success());
        assert_equal(folder.path());
    }
}
