//! Where the project's files lie on this machine.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The environment variable that names the folder of the MovieLens data sets.
pub const DATA_VARIABLE: &str = "WATCHNEXT_DATA";

/// The data set that the shipped model is trained on: a folder in the data folder.
pub const DATA_SET: &str = "ml-latest-small";

/// The clone that the command was started in.
pub struct Project {
    root: PathBuf,
}

impl Project {
    /// Finds the project from the folder of this package, or else upwards from the current folder.
    ///
    /// The package's folder is read when the command runs, not when it was built, because you may move a clone.
    pub fn find() -> Result<Self> {
        let start = match env::var_os("CARGO_MANIFEST_DIR") {
            Some(package) => PathBuf::from(package),
            None => env::current_dir().context("the current folder can't be read")?,
        };
        let root = start
            .ancestors()
            .find(|folder| folder.join("Trunk.toml").is_file())
            .with_context(|| format!("no Trunk.toml in {} or above it; run this inside the clone", start.display()))?;
        Ok(Self { root: root.to_path_buf() })
    }

    /// The root of the clone.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path inside the project.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The folder of the MovieLens data sets: the one that the environment names, or else the one next to the clone.
    ///
    /// The path stays as it was given, relative to the root if it is relative. The trainer records its command line in
    /// the bundle, and the folders of one machine don't belong there.
    pub fn data_as_given(&self) -> PathBuf {
        data_folder(env::var_os(DATA_VARIABLE).map(PathBuf::from))
    }

    /// The absolute path of the same folder, for programs that don't run at the root.
    pub fn data(&self) -> Result<PathBuf> {
        let folder = self.root.join(self.data_as_given());
        // A missing folder has no canonical form, but messages still name it.
        folder
            .canonicalize()
            .or_else(|_| std::path::absolute(&folder))
            .with_context(|| format!("{} isn't a valid path", folder.display()))
    }
}

fn data_folder(named: Option<PathBuf>) -> PathBuf {
    named.unwrap_or_else(|| ["..", "shared", "data"].iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_data_folder_overrides_the_one_next_to_the_clone() {
        assert_eq!(data_folder(None), Path::new("../shared/data"));
        assert_eq!(data_folder(Some("/movies".into())), Path::new("/movies"));
    }

    #[test]
    fn the_project_is_found_from_its_own_package() {
        assert!(Project::find().unwrap().path("Trunk.toml").is_file());
    }
}
