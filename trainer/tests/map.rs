//! A bundle's links and map: training, packing and renewing agree, and synthetic tastes lie apart.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use trainer::bundle::packed::Packed;
use trainer::bundle::read::read_bundle;
use trainer::data::Dataset;
use trainer::data::links::{LINKS_FILE, read_links};
use trainer::map::renew::renew;
use trainer::map::{add_map, nearest_on_map};
use trainer::models::seed_network::fit::fit;
use trainer::models::seed_network::train::TrainConfig;
use trainer::synthetic::small::{self, GROUPS, IMDB, MOVIES_PER_GROUP, TMDB, write_data};
use watchnext::bundle::Role;
use watchnext::catalog::MovieIndex;

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    write_data(folder.path()).unwrap();
    folder
});

static DATA: LazyLock<Dataset> = LazyLock::new(|| Dataset::read(FOLDER.path(), &[]).unwrap());

fn plain(config: &TrainConfig) -> Packed {
    fit(&DATA, config, false, "made up", "", None).unwrap().packed
}

fn short() -> TrainConfig {
    TrainConfig { epochs: 2, ..small::config() }
}

fn with_both(mut packed: Packed) -> Packed {
    let (links, source) = read_links(FOLDER.path(), &DATA.catalog).unwrap().unwrap();
    packed.add_links(&links, source).unwrap();
    add_map(&mut packed).unwrap();
    packed
}

/// A folder's files by name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())).collect()
}

#[test]
fn packed_links_and_maps_are_read_back() {
    let packed = with_both(plain(&short()));
    for role in [Role::Links, Role::Map] {
        assert!(packed.manifest.files[&role].optional, "{role}");
    }
    let source = packed.manifest.training.sources.last().unwrap();
    assert_eq!((source.name.as_str(), source.rows), (LINKS_FILE, DATA.catalog.len()));
    let folder = tempfile::tempdir().unwrap();
    packed.write(folder.path()).unwrap();
    let from_disk = read_bundle(folder.path()).unwrap();
    for recommender in [&packed.recommender().unwrap(), &from_disk] {
        assert_eq!(recommender.map().unwrap().positions().count(), DATA.catalog.len());
        for (row, movie) in DATA.catalog.movies().iter().enumerate() {
            let link = recommender.links().unwrap().of(MovieIndex::new(row).unwrap());
            let last = row % MOVIES_PER_GROUP + 1 == MOVIES_PER_GROUP;
            assert_eq!(link.imdb, Some(IMDB + movie.id.0));
            assert_eq!(link.tmdb, (!last).then_some(TMDB + movie.id.0));
        }
    }
}

#[test]
fn a_bundle_without_either_loses_the_files_of_an_earlier_one() {
    let folder = tempfile::tempdir().unwrap();
    with_both(plain(&short())).write(folder.path()).unwrap();
    let both = files(folder.path());
    assert!(both.contains_key("links.json") && both.contains_key("map.safetensors"));
    plain(&short()).write(folder.path()).unwrap();
    let neither = files(folder.path());
    assert!(!neither.contains_key("links.json") && !neither.contains_key("map.safetensors"));
    let recommender = read_bundle(folder.path()).unwrap();
    assert!(recommender.links().is_none() && recommender.map().is_none());
}

#[test]
fn tastes_lie_apart_on_the_map() {
    let drawn = add_map(&mut plain(&small::config())).unwrap();
    let near = nearest_on_map(&drawn.positions, 5);
    let own = |(movie, near): (usize, &Vec<usize>)| {
        near.iter().filter(|other| **other / MOVIES_PER_GROUP == movie / MOVIES_PER_GROUP).count()
    };
    let own: usize = near.iter().enumerate().map(own).sum();
    let share = own as f64 / (5 * GROUPS.len() * MOVIES_PER_GROUP) as f64;
    assert!(share > 0.9, "{share}");
    // Chance alone gives a twelfth.
    assert!(drawn.kept.unwrap() > 0.3, "{:?}", drawn.kept);
    assert!(drawn.distinct() > 0.999);
}

#[test]
fn one_thread_draws_the_same_map_as_many() {
    let map = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| add_map(&mut plain(&short())).unwrap().positions)
    };
    let alone = map(1);
    assert_eq!(alone, map(2));
    assert_eq!(alone, map(3));
}

/// A renewed bundle equals a trained one, whether it had the two files before or not.
#[test]
fn renewing_gives_the_bytes_of_training() {
    let [trained, renewed] = [(), ()].map(|()| tempfile::tempdir().unwrap());
    with_both(plain(&short())).write(trained.path()).unwrap();
    plain(&short()).write(renewed.path()).unwrap();
    let before = files(renewed.path());
    for _ in 0..2 {
        renew(renewed.path(), FOLDER.path()).unwrap();
        assert_eq!(files(trained.path()), files(renewed.path()));
    }
    for (name, bytes) in before {
        assert!(name == "manifest.json" || files(renewed.path())[&name] == bytes, "{name}");
    }
}

#[test]
fn renewing_without_a_file_of_links_draws_the_map_alone() {
    let [bundle, data] = [(), ()].map(|()| tempfile::tempdir().unwrap());
    plain(&short()).write(bundle.path()).unwrap();
    let renewed = renew(bundle.path(), data.path()).unwrap();
    assert!(renewed.manifest.files.contains_key(&Role::Map) && !renewed.manifest.files.contains_key(&Role::Links));
    let message = format!("{:#}", renew(bundle.path(), Path::new("/no/such/folder")).unwrap_err());
    assert!(message.contains("--data"), "{message}");
}

/// The command line: training makes both, `--no-map` leaves the map out, the model card names the files, and `trainer
/// map` adds the missing ones.
#[test]
fn the_commands_make_both_and_the_card_names_them() {
    // Both have one name, since the command in the manifest has it.
    let parents = [(), ()].map(|()| tempfile::tempdir().unwrap());
    let models =
        |parent: &tempfile::TempDir| tempfile::Builder::new().prefix("models").rand_bytes(0).tempdir_in(parent);
    let [whole, renewed] = parents.each_ref().map(|parent| models(parent).unwrap());
    let trainer = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_trainer")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    let data = FOLDER.path().to_str().unwrap();
    let train = ["train", "--model", "seed-network", "--epochs", "1", "--batch", "256", "--no-states", "--data", data];
    let output = trainer(&[&train[..], &["--out", whole.path().to_str().unwrap()]].concat());
    assert!(output.contains("a map of 120 movies"), "{output}");
    let folder = renewed.path().to_str().unwrap();
    trainer(&[&train[..], &["--no-map", "--out", folder]].concat());
    assert!(!files(renewed.path()).contains_key("map.safetensors"));
    let shown = trainer(&["map", "--bundle", folder, "--data", data]);
    assert!(shown.contains("a map of 120 movies") && shown.lines().count() > 10, "{shown}");
    let (mut whole, mut renewed) = (files(whole.path()), files(renewed.path()));
    let card = String::from_utf8(whole["README.md"].clone()).unwrap();
    assert!(card.contains("| map | `map.safetensors` |") && card.contains("| `links.csv` | 120 |"), "{card}");
    // Only the command in the manifest and in the card differs.
    for files in [&mut whole, &mut renewed] {
        for name in ["README.md", "manifest.json"] {
            let text = String::from_utf8(files[name].clone()).unwrap();
            files.insert(name.to_owned(), text.replace(" --no-map", "").into_bytes());
        }
    }
    assert_eq!(whole, renewed);
}
