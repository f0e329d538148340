//! The numbers and names that the page's scripts share with the library are stated once, in Rust.
//!
//! The scripts get the numbers by a generated file, because the list is shown before the module can be asked for them.
#![cfg(not(target_arch = "wasm32"))]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use watchnext::bundle::Role;
use watchnext::filter::Fame;
use watchnext::history::{DISLIKED_STARS, LIKED_STARS, Rating};
use watchnext::lists::{ListFormat, MAX_LIST_BYTES, MatchedBy};
use watchnext::recommend::{DEFAULT_LIMIT, Retrieval};

const FAMES: [Fame; 3] = [Fame::Famous, Fame::Known, Fame::Gems];

const RETRIEVALS: [Retrieval; 2] = [Retrieval::Movies, Retrieval::States];

const FORMATS: [ListFormat; 7] = [
    ListFormat::LetterboxdWatched,
    ListFormat::LetterboxdRatings,
    ListFormat::LetterboxdDiary,
    ListFormat::Imdb,
    ListFormat::Movielens,
    ListFormat::MovielensDataset,
    ListFormat::Watchnext,
];

const MATCHED_BY: [MatchedBy; 3] = [MatchedBy::Id, MatchedBy::Imdb, MatchedBy::Title];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap()
}

/// The texts of all scripts in `web/`, without those of the examples.
fn scripts() -> String {
    let files = ["web", "web/element", "web/engine", "web/page"].map(|folder| fs::read_dir(path(folder)).unwrap());
    let files = files.into_iter().flatten().map(|entry| entry.unwrap().path());
    files
        .filter(|file| file.extension().is_some_and(|ending| ending == "js"))
        .map(|file| fs::read_to_string(file).unwrap())
        .collect()
}

/// A value as it stands in a script: its JSON with single quotes.
fn literal(value: impl Serialize) -> String {
    serde_json::to_string(&value).unwrap().replace('"', "'").replace("','", "', '")
}

/// A union of names as a declaration writes it: `'famous' | 'known' | 'gems'`.
fn union(values: &[impl Serialize]) -> String {
    values.iter().map(literal).collect::<Vec<_>>().join(" | ")
}

fn constants() -> String {
    let (lowest, highest) = (Rating::LOWEST.stars(), Rating::HIGHEST.stars());
    format!(
        "/**
 * The numbers and names that the scripts share with the library.
 * They are made from its constants: `BLESS=1 cargo test --test constants`.
 */

/** The lowest and the highest rating, in stars. */
export const LOWEST_STARS = {lowest};
export const HIGHEST_STARS = {highest};

/** A rating from here on is a like. */
export const LIKED_STARS = {LIKED_STARS};

/** A rating up to here is a dislike. */
export const DISLIKED_STARS = {DISLIKED_STARS};

/** The largest file that `readList` takes. */
export const MAX_LIST_BYTES = {MAX_LIST_BYTES};

/** The files of each part of a bundle that is fetched when it is needed, by their names in the manifest. */
export const EXTRA_FILES = {{
  states: {states},
  ranker: {ranker},
  links: {links},
  map: {map},
}};
",
        states = literal([Role::States]),
        ranker = literal([Role::Ranker, Role::Traits]),
        links = literal([Role::Links]),
        map = literal([Role::Map]),
    )
}

/// `cargo test --test constants` compares. With `BLESS=1` it writes the file.
#[test]
fn the_scripts_have_the_numbers_of_the_library() {
    const FILE: &str = "web/engine/constants.js";
    if std::env::var_os("BLESS").is_some() {
        fs::write(path(FILE), constants()).unwrap();
    }
    assert_eq!(read(FILE), constants(), "write {FILE} again by: BLESS=1 cargo test --test constants");
}

#[test]
fn the_declarations_name_what_the_library_knows() {
    let runtime = read("web/runtime.d.ts");
    for line in [
        format!("export type Fame = {};", union(&FAMES)),
        format!("export type Retrieval = {};", union(&RETRIEVALS)),
        format!("by: {} }}", union(&MATCHED_BY)),
        format!("Stars from {} to {};", Rating::LOWEST.stars(), Rating::HIGHEST.stars()),
        format!("How many suggestions; {DEFAULT_LIMIT} if left out."),
    ] {
        assert!(runtime.contains(&line), "web/runtime.d.ts lacks: {line}");
    }
    for format in FORMATS {
        let name = literal(format);
        assert!(runtime.contains(&name), "web/runtime.d.ts has no list format {name}");
    }
    let fames = format!("const FAMES = {};", literal(FAMES));
    assert!(read("web/element/filters.js").contains(&fames), "web/element/filters.js lacks: {fames}");
    let element = read("web/watch-next.d.ts");
    for part in [
        format!("| `limit` | {DEFAULT_LIMIT} |"),
        format!("stars from {} to {}", Rating::LOWEST.stars(), Rating::HIGHEST.stars()),
    ] {
        assert!(element.contains(&part), "web/watch-next.d.ts lacks: {part}");
    }
}

/// Codes are names, so the scripts may write them down, but each must be one of the library's or of the runtime's.
#[test]
fn every_error_code_in_the_scripts_is_known() {
    let library = read("src/error.rs");
    let declarations = read("web/runtime.d.ts");
    let (_, listed) = declarations.split_once("From the runtime:").unwrap();
    let (listed, _) = listed.split_once("From Rust:").unwrap();
    let ours: Vec<&str> = listed.split('`').skip(1).step_by(2).collect();
    assert!(ours.contains(&"fetch-failed") && ours.contains(&"unexpected"), "{ours:?}");

    let all = scripts();
    let thrown = all.split("new WatchNextError(").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('\''));
    let errors = read("web/element/errors.js");
    let (_, kinds) = errors.split_once("const KINDS = {").unwrap();
    let (kinds, _) = kinds.split_once("};").unwrap();
    let explained =
        kinds.lines().filter_map(|line| line.trim().split_once(": ")).map(|(code, _)| code.trim_matches('\''));
    let codes: Vec<&str> = thrown.map(|rest| rest.split('\'').next().unwrap()).chain(explained).collect();
    assert!(codes.len() > 20, "{codes:?}");
    for code in codes {
        let is_known = ours.contains(&code) || library.contains(&format!("=> \"{code}\""));
        assert!(is_known, "the scripts name the error code {code}, which nobody throws");
    }
    for code in ours {
        assert!(
            all.contains(&format!("'{code}'")),
            "web/runtime.d.ts lists the error code {code}, which no script throws"
        );
    }
}
