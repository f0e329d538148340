//! Made-up books, whose answer is known: two commands lead from CSV to a recommender that finds the tastes.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use trainer::bundle::read::read_bundle;
use trainer::data::{Dataset, Layout};
use trainer::synthetic::books::{BookConfig, TASTES, write};
use watchnext::bundle::sha256_hex;
use watchnext::catalog::MovieIndex;
use watchnext::features::LocalTime;
use watchnext::history::{History, Watch};
use watchnext::recommend::{DEFAULT_NOVELTY, Recommender, Retrieval, Strategy};

/// Half as many books and readers as by default, so that the test takes seconds; a taste still has thirty books.
const SMALL: BookConfig = BookConfig { readers: 400, books: 240, each: 14, seed: 1 };

fn trainer(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trainer")).args(arguments).output().unwrap()
}

fn assert_ok(output: &Output) -> (String, String) {
    let texts = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    assert!(output.status.success(), "{texts:?}");
    let [out, err] = texts;
    (out, err)
}

/// Each book's taste by its ISBN.
fn groups(folder: &Path) -> BTreeMap<String, usize> {
    let text = std::fs::read_to_string(folder.join("groups.csv")).unwrap();
    let row = |line: &str| {
        let (isbn, group) = line.split_once(',').unwrap();
        (isbn.to_owned(), group.parse().unwrap())
    };
    text.lines().skip(1).map(row).collect()
}

/// For every taste, how many of ten suggestions are of it after clicks on three of its books. By chance it would be
/// one or two.
fn found(recommender: &Recommender, groups: &BTreeMap<String, usize>) -> Vec<usize> {
    let catalog = recommender.catalog();
    let group = |index: MovieIndex| groups[catalog.movie(index).unwrap().key.as_deref().unwrap()];
    let of_taste = |taste: usize| {
        // Neither the best known nor the least.
        let own = catalog.best_known().iter().copied().filter(|index| group(*index) == taste).skip(4).step_by(3);
        let clicks = own.take(3).map(|movie| Watch { movie, rating: None });
        let moment = LocalTime::from_unix(1_700_000_000, 0).unwrap();
        let strategy = Strategy { novelty: DEFAULT_NOVELTY, ..Retrieval::Movies.into() };
        let suggestions = recommender.suggest(&History::new(clicks), &moment, 10, strategy).unwrap();
        suggestions.iter().filter(|suggestion| group(suggestion.movie) == taste).count()
    };
    (1..=TASTES).map(of_taste).collect()
}

#[test]
fn from_csv_to_suggestions_of_the_right_taste() {
    let folder = tempfile::tempdir().unwrap();
    let books = folder.path().join("books");
    write(&books, &SMALL).unwrap();
    let config = books.join("watchnext.toml");
    let (out, err) = assert_ok(&trainer(&["train", "--config", config.to_str().unwrap()]));
    assert!(err.contains("item=isbn, title=title, categories=subjects, year=year"), "{err}");
    assert!(err.contains("have no rating; they are clicks and count as likes"), "{err}");
    assert!(out.contains("next movie") || out.contains("P1"), "{out}");
    let recommender = read_bundle(&books.join("models")).unwrap();
    assert!(recommender.has_ranker());
    let right = found(&recommender, &groups(&books));
    assert!(right.iter().all(|right| *right >= 8), "{right:?}");
    let manifest = recommender.manifest();
    assert_eq!(manifest.training.dataset, "books");
    assert_eq!(manifest.training.command, "trainer train --config watchnext.toml");
    // The configuration was typed as well, so it is a source like the data.
    let sources: Vec<(&str, usize)> =
        manifest.training.sources.iter().map(|source| (source.name.as_str(), source.rows)).collect();
    let count = recommender.manifest().training.ratings;
    assert_eq!(sources, [("items.csv", SMALL.books), ("ratings.parquet", count), ("watchnext.toml", 0)]);
    let hash = sha256_hex(&std::fs::read(&config).unwrap());
    assert_eq!(manifest.training.sources[2].sha256, hash);
    let card = std::fs::read_to_string(books.join("models/README.md")).unwrap();
    assert!(!card.contains("GroupLens") && card.contains("ratings.parquet"), "{card}");
    assert!(card.contains(&format!("| `watchnext.toml` | – | `{hash}` |")), "{card}");
}

/// The least data: who read what as CSV, without ratings and times.
#[test]
fn clicks_without_times_are_enough() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &SMALL).unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (items, ratings, models) = (path("items.csv"), path("ratings.csv"), path("models"));
    let (_, err) = assert_ok(&trainer(&[
        "train",
        "--items",
        &items,
        "--ratings",
        &ratings,
        "--columns",
        "rating=,time=",
        "--out",
        &models,
        "--no-map",
    ]));
    assert!(err.contains("no ratings: every row is a click") && err.contains("no times:"), "{err}");
    let recommender = read_bundle(Path::new(&models)).unwrap();
    assert!(!recommender.has_ranker());
    let right = found(&recommender, &groups(folder.path()));
    assert!(right.iter().all(|right| *right >= 8), "{right:?}");
    // The year of the visit has no part in the answer.
    let catalog = recommender.catalog();
    let history = History::new([Watch { movie: catalog.best_known()[0], rating: None }]);
    let vector = |seconds| recommender.user_vector(&history, &LocalTime::from_unix(seconds, 0).unwrap()).unwrap();
    assert_eq!(vector(0), vector(1_700_000_000));
    let figures = &recommender.manifest().held_out;
    assert!(
        figures.keys().any(|name| name.starts_with("p2."))
            && !figures.keys().any(|name| name.starts_with("p1.") || name.starts_with("p3."))
    );
    let card = std::fs::read_to_string(path("models/README.md")).unwrap();
    assert!(card.contains("isn't measured") && card.contains("There is no second stage"), "{card}");
    let refused = trainer(&[
        "train",
        "--items",
        &items,
        "--ratings",
        &ratings,
        "--columns",
        "rating=,time=",
        "--out",
        &models,
        "--model",
        "seed-network",
    ]);
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("--ordered"));
}

#[test]
fn csv_and_parquet_hold_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let count = write(folder.path(), &SMALL).unwrap();
    let layout = Layout { scale: "1..10".parse().unwrap(), ..Layout::default() };
    let read =
        |name: &str| Dataset::read_own(&folder.path().join("items.csv"), &[folder.path().join(name)], &layout).unwrap();
    let (csv, parquet) = (read("ratings.csv"), read("ratings.parquet"));
    assert_eq!(csv.users, parquet.users);
    assert_eq!((csv.ratings(), csv.users.len()), (count, SMALL.readers));
    // The same seed gives the same files.
    let again = tempfile::tempdir().unwrap();
    write(again.path(), &SMALL).unwrap();
    for file in ["items.csv", "ratings.csv", "ratings.parquet", "groups.csv", "watchnext.toml"] {
        assert_eq!(
            std::fs::read(folder.path().join(file)).unwrap(),
            std::fs::read(again.path().join(file)).unwrap(),
            "{file}"
        );
    }
}

#[test]
fn a_scaffold_is_written_once_and_its_missing_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own");
    let own = own.to_str().unwrap();
    assert_ok(&trainer(&["new", own]));
    let again = trainer(&["new", own]);
    assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains("is there already"));
    let config = format!("{own}/watchnext.toml");
    let empty = trainer(&["train", "--config", &config]);
    let message = String::from_utf8_lossy(&empty.stderr).into_owned();
    assert!(!empty.status.success() && message.contains("items.csv can't be read"), "{message}");
    std::fs::write(&config, "[items]\nfil = \"a.csv\"\n").unwrap();
    let wrong = trainer(&["train", "--config", &config]);
    let message = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(!wrong.status.success() && message.contains("[items] has no key fil (did you mean file?)"), "{message}");
    let nothing = trainer(&["train", "--out", own]);
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("--items FILE"));
}

/// 20,000 items and 50,000 users would take the tower hours, so it refuses them before it starts.
#[test]
fn data_too_large_for_the_tower_are_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let items: String = (1..=20_001).map(|id| format!("{id},Item {id}\n")).collect();
    let ratings: String = (1..=50_000).map(|user| format!("{user},{}\n", user % 20_001 + 1)).collect();
    let (items_file, ratings_file) = (folder.path().join("items.csv"), folder.path().join("ratings.csv"));
    std::fs::write(&items_file, format!("id,title\n{items}")).unwrap();
    std::fs::write(&ratings_file, format!("user,item\n{ratings}")).unwrap();
    let out = folder.path().join("models");
    let [items, ratings, out] = [&items_file, &ratings_file, &out].map(|path| path.to_str().unwrap());
    let refused = trainer(&["train", "--items", items, "--ratings", ratings, "--out", out]);
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && message.contains("--model als"), "{message}");
}
