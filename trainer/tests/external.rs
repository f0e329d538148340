//! Models that PyTorch trained and exported, from their files to a bundle that suggests. The scripts in
//! `examples/pytorch` wrote the files in `tests/external` with `--made-up`.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use candle_core::Tensor;
use serde_json::Value;
use trainer::bundle::read::read_bundle;
use trainer::data::Layout;
use trainer::models::external::recorded::TOLERANCE;
use trainer::models::external::request::{Metric, PackRequest, Storage};
use trainer::models::external::{PackedExternal, pack};
use trainer::report::external_card;
use watchnext::bundle::Role;
use watchnext::catalog::{MovieId, MovieIndex};
use watchnext::features::LocalTime;
use watchnext::history::History;
use watchnext::recommend::{Recommender, Retrieval};

/// The scripts' taste groups. Every fourth movie is of one group.
const GROUPS: usize = 4;

fn request(from: &Path) -> PackRequest {
    PackRequest {
        layout: Layout::default(),
        user_tower: from.join("user_tower.onnx"),
        items: from.join("vectors.npy"),
        bias: Some(from.join("bias.npy")),
        catalog: from.join("items.csv"),
        name: Some("made-up".to_owned()),
        metric: Metric::Dot,
        precision: Storage::Int8,
        recorded: Some(from.join("recorded.npz")),
        ratings: Some(from.join("held_out.csv")),
        command: "trainer pack".to_owned(),
    }
}

fn given(model: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/external").join(model)
}

fn moment() -> LocalTime {
    LocalTime::from_unix(1_450_000_000, 0).unwrap()
}

/// Clicks the fourth to the sixth movie of each group. Returns whether each list begins with the group's seventh, and
/// how many of the lists' first five are of the group, over all groups.
fn after_three(recommender: &Recommender) -> (bool, usize) {
    let id = |row: usize| recommender.catalog().movie(MovieIndex::new(row).unwrap()).unwrap().id;
    let (mut is_next, mut of_group) = (true, 0);
    for group in 0..GROUPS {
        let clicked = [3, 4, 5].map(|step| (id(group + GROUPS * step), None));
        let (history, _) = History::from_ids(recommender.catalog(), clicked).unwrap();
        let found = recommender.suggest(&history, &moment(), 5, Retrieval::Movies).unwrap();
        is_next &= found[0].movie.as_usize() == group + GROUPS * 6;
        of_group += found.iter().filter(|suggestion| suggestion.movie.as_usize() % GROUPS == group).count();
    }
    (is_next, of_group)
}

fn assert_packs(from: &Path, inputs: &[&str], slots: usize) {
    let out = tempfile::tempdir().unwrap();
    let packed = pack(&request(from)).unwrap();
    assert!(packed.warnings.is_empty(), "{:?}", packed.warnings);
    let parity = packed.parity.unwrap();
    assert!(parity.cases == 15 && parity.worst < TOLERANCE, "{parity:?}");
    let cost = packed.cost.unwrap();
    assert!(cost.recall > 0.95 && cost.histories == 15, "{cost:?}");
    packed.packed.write(out.path()).unwrap();
    let card = external_card(&packed).unwrap();

    let recommender = read_bundle(out.path()).unwrap();
    // The model with weights pools the history, the other knows its order.
    let (is_next, of_group) = after_three(&recommender);
    let learnt = if inputs.contains(&"weights") { of_group >= 18 } else { is_next };
    assert!(learnt, "{is_next}, {of_group} of 20");
    let manifest = recommender.manifest();
    let hit = |who: &str| manifest.held_out[&format!("p1.unseen.{who}.hit10")];
    assert!(hit("movies-plain") > 1.5 * hit("popularity"), "{:?}", manifest.held_out);
    assert!(manifest.held_out.values().all(|figure| figure.is_finite()));
    assert_eq!(manifest.training.command, "trainer pack");
    let sources: Vec<&str> = manifest.training.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(sources, ["user_tower.onnx", "vectors.npy", "bias.npy", "items.csv", "recorded.npz"]);
    let movie = recommender.catalog().movie(MovieIndex::new(1).unwrap()).unwrap();
    assert_eq!((movie.id, movie.title.as_str(), movie.year), (MovieId(13), "Movie 1", Some(1961)));

    let parity: Value = serde_json::from_slice(&fs::read(out.path().join("parity.json")).unwrap()).unwrap();
    for case in parity["cases"].as_array().unwrap() {
        let named: Vec<&String> = case["inputs"].as_object().unwrap().keys().collect();
        assert_eq!(named, inputs, "the inputs that the model asks for, by name");
        assert_eq!(case["inputs"]["history"][0].as_array().unwrap().len(), slots);
    }
    for part in ["# Model card: made-up", "In 15 recorded runs the program computes", "Protocol P1", "| user_tower |"] {
        assert!(card.contains(part), "{part}: {}", card);
    }
    assert!(!card.contains('{'), "{}", card);
}

#[test]
fn a_two_tower_model_of_pytorch_suggests() {
    assert_packs(&given("two-tower"), &["history", "weights", "year"], 12);
}

#[test]
fn a_sasrec_of_pytorch_suggests() {
    assert_packs(&given("sasrec"), &["history"], 9);
}

fn manifest_bytes(packed: &PackedExternal) -> Vec<u8> {
    serde_json::to_vec(&packed.packed.manifest).unwrap()
}

/// Vectors as safetensors and as floats, another metric, and a catalogue with the fewest columns. The same files give
/// the same bytes.
#[test]
fn files_come_in_other_forms() {
    let (from, folder) = (given("sasrec"), tempfile::tempdir().unwrap());
    let tensors = std::collections::HashMap::from([
        ("embedding", Tensor::read_npy(from.join("vectors.npy")).unwrap()),
        ("bias", Tensor::read_npy(from.join("bias.npy")).unwrap()),
    ]);
    let items = folder.path().join("items.safetensors");
    candle_core::safetensors::save(&tensors, &items).unwrap();
    let catalog = folder.path().join("movies.csv");
    let rows = fs::read_to_string(from.join("items.csv")).unwrap().replacen("itemId", "movieId", 1);
    let rows: Vec<String> = rows.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned() + "\n").collect();
    fs::write(&catalog, rows.concat()).unwrap();
    let base = request(&from);
    let of = |items: &Path, bias: Option<PathBuf>| PackRequest {
        items: items.to_owned(),
        bias,
        catalog: catalog.clone(),
        recorded: None,
        ratings: None,
        ..base.clone()
    };
    let safetensors = pack(&of(&items, None)).unwrap();
    let npy = pack(&of(&base.items, base.bias.clone())).unwrap();
    let hash = |packed: &PackedExternal| packed.packed.manifest.files[&Role::Movies].sha256.clone();
    assert_eq!(hash(&safetensors), hash(&npy));
    assert_eq!(manifest_bytes(&npy), manifest_bytes(&pack(&of(&base.items, base.bias.clone())).unwrap()));
    // One warning for the missing ratings in the catalogue, and one for the missing records.
    assert_eq!(npy.warnings.len(), 2);
    assert!(npy.parity.is_none() && npy.evaluation.is_none() && npy.packed.manifest.held_out.is_empty());
    assert_eq!(npy.cost.unwrap().histories, 200);
    assert!(after_three(&npy.packed.recommender().unwrap()).0);

    let mut floats = of(&base.items, base.bias.clone());
    floats.precision = Storage::Float;
    let floats = pack(&floats).unwrap();
    assert!(
        floats.cost.is_none()
            && floats.packed.manifest.files[&Role::Movies].bytes > npy.packed.manifest.files[&Role::Movies].bytes
    );
    for metric in [Metric::Cosine, Metric::L2] {
        let packed = pack(&PackRequest { metric, ..of(&base.items, None) }).unwrap();
        assert_eq!(packed.packed.recommender().unwrap().catalog().len(), 60);
    }
}

/// The scripts themselves, by a Python with the packages of `examples/pytorch/requirements.txt`.
#[test]
#[ignore = "trains by PyTorch: name a Python with it in WATCHNEXT_TORCH_PYTHON and give --ignored"]
fn the_examples_run_and_what_they_write_is_packed() {
    let Some(python) = std::env::var_os("WATCHNEXT_TORCH_PYTHON") else {
        eprintln!("WATCHNEXT_TORCH_PYTHON names no Python with PyTorch, so the examples weren't run");
        return;
    };
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/pytorch");
    for (script, inputs, slots) in
        [("two_tower.py", &["history", "weights", "year"][..], 12), ("sasrec.py", &["history"], 9)]
    {
        let out = tempfile::tempdir().unwrap();
        let run = Command::new(&python)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .args([scripts.join(script).as_os_str(), "--made-up".as_ref(), "--out".as_ref(), out.path().as_os_str()])
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        assert_packs(out.path(), inputs, slots);
    }
}
