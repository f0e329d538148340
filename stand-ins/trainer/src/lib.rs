//! A stand-in for the trainer: the parts that the library's tests use, with a bundle that the trainer made before.
//!
//! The trainer is built on the library. Mutants change the library for each run of the tests, and Miri interprets it,
//! so building and running the trainer too would take most of the time.

// `xtask/src/alone.rs` copies the trainer's own file to this place.
#[path = "../../../groups.rs"]
mod groups;

/// Made-up data.
pub mod synthetic {
    /// The made-up movies.
    pub mod small {
        use std::path::Path;
        use std::{fs, io};

        use serde_json::Value;

        pub use crate::groups::{GROUPS, MOVIES_PER_GROUP, SecondStage, movie_id};

        /// The folder into which `trainer internal fixture` wrote its bundle.
        const MADE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../fixture");

        /// Copies the bundle into `folder`. Its ranker knows titles; it also serves tests that ask for a ranker without
        /// titles.
        ///
        /// # Errors
        /// The bundle is missing, or the folder can't be written to.
        pub fn write_bundle(folder: &Path, second_stage: SecondStage) -> io::Result<()> {
            let made = Path::new(MADE);
            let mut manifest: Value = serde_json::from_slice(&fs::read(made.join("manifest.json"))?)?;
            // The trainer's own `write_bundle` writes neither.
            let mut unwanted = vec!["links", "map"];
            if second_stage == SecondStage::Without {
                unwanted.extend(["ranker", "traits"]);
            }
            if let Some(files) = manifest["files"].as_object_mut() {
                files.retain(|role, _| !unwanted.contains(&role.as_str()));
                for name in files.values().filter_map(|file| file["path"].as_str()) {
                    fs::copy(made.join(name), folder.join(name))?;
                }
            }
            fs::copy(made.join("parity.json"), folder.join("parity.json"))?;
            fs::write(folder.join("manifest.json"), manifest.to_string())
        }
    }
}
