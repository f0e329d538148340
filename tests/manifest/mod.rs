//! The manifest of a small bundle, for tests that have their own tower and read no files.
#![allow(missing_docs)]

use std::collections::BTreeMap;

use watchnext::bundle::{FORMAT_VERSION, FileEntry, Manifest, Role, Training};
use watchnext::features::FEATURES_VERSION;

/// A manifest of `movies` × `dim` that has the required files, all empty.
pub fn small(movies: usize, dim: usize) -> Manifest {
    let empty = |role: Role| {
        let (path, sha256) = (role.file_name().to_owned(), String::new());
        (role, FileEntry { path, bytes: 0, sha256, optional: false })
    };
    Manifest {
        format_version: FORMAT_VERSION,
        features_version: FEATURES_VERSION,
        name: "small".to_owned(),
        movies,
        dim,
        files: Role::ALL.into_iter().filter(|role| role.is_required()).map(empty).collect(),
        training: Training {
            command: String::new(),
            seed: 1,
            dataset: "small".to_owned(),
            sources: Vec::new(),
            users: 0,
            ratings: 0,
        },
        held_out: BTreeMap::new(),
    }
}
