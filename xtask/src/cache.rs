//! The folder of installed tools. Each user has one, so a new clone finds the tools that an older clone installed.
//!
//! Each entry is a folder named after a tool and its version (or the hash of its lock file). An entry is complete or
//! missing, never half made: it is made under another name and then renamed. A lock file stops two commands from making
//! the same entry.

use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use etcetera::base_strategy::{BaseStrategy, choose_base_strategy};

use crate::files::{self, hex_digest};
use crate::shell::{human, note, step};

/// The environment variable that names another folder for the tools.
pub const CACHE_VARIABLE: &str = "WATCHNEXT_CACHE";

/// The folder of installed tools.
pub struct Cache {
    root: PathBuf,
}

/// What to install, and what to tell the user about it.
pub struct Entry<'a> {
    /// The folder's name, such as `trunk-0.21.14`.
    pub name: &'a str,
    /// What it is, for the user who waits.
    pub purpose: &'a str,
    /// How long it takes on a machine with two cores.
    pub expected: &'a str,
}

impl Cache {
    /// The folder that the environment names, or else the usual folder for a user's caches on this system.
    pub fn open() -> Result<Self> {
        let root = match env::var_os(CACHE_VARIABLE) {
            Some(folder) => std::path::absolute(folder).context("WATCHNEXT_CACHE isn't a valid path")?,
            None => choose_base_strategy()
                .context("this user has no home folder; set WATCHNEXT_CACHE to a folder for the tools")?
                .cache_dir()
                .join("watchnext"),
        };
        Self::at(root)
    }

    fn at(root: PathBuf) -> Result<Self> {
        files::make_folder(&root).with_context(|| format!("set {CACHE_VARIABLE} to a folder for the tools"))?;
        Ok(Self { root })
    }

    /// The folder of an entry, whether it exists or not.
    pub fn place(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A folder for an entry's build files. An interrupted installation continues from them.
    pub fn workspace(&self, name: &str) -> PathBuf {
        self.root.join("build").join(name)
    }

    /// The log file of an entry's installation.
    pub fn log(&self, name: &str) -> PathBuf {
        self.root.join("log").join(format!("{name}.log"))
    }

    /// The entry's folder. If `is_complete` refuses it, `make` makes it.
    ///
    /// `make` gets an empty folder to fill. `is_complete` also checks the result, so an installation that reports
    /// success but doesn't work never enters the cache.
    pub fn install(
        &self,
        entry: &Entry<'_>,
        is_complete: impl Fn(&Path) -> bool,
        make: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let place = self.place(entry.name);
        if is_complete(&place) {
            return Ok(place);
        }
        let _lock = self.lock(entry.name)?;
        if is_complete(&place) {
            // Another command made it while we waited for the lock.
            return Ok(place);
        }
        step(&format!("{}: {}", entry.name, entry.purpose));
        note(&format!("into {}, once on this machine; takes {}", place.display(), entry.expected));
        let start = Instant::now();
        let partial = self.root.join(format!(".partial-{}", entry.name));
        files::remove_folder(&partial)?;
        files::make_folder(&partial)?;
        make(&partial)?;
        ensure!(
            is_complete(&partial),
            "{} was installed but doesn't work; see the log {}",
            entry.name,
            self.log(entry.name).display()
        );
        files::remove_folder(&place)?;
        fs::rename(&partial, &place)
            .with_context(|| format!("{} can't be renamed to {}", partial.display(), place.display()))?;
        note(&format!("done in {}", human(start.elapsed())));
        Ok(place)
    }

    /// Waits for the lock of an entry and takes it. Dropping the file releases it.
    fn lock(&self, name: &str) -> Result<File> {
        let folder = self.root.join("lock");
        files::make_folder(&folder)?;
        let path = folder.join(name);
        let file = File::create(&path).with_context(|| format!("{} can't be written", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                note(&format!("waiting for another command, which is installing {name}"));
                file.lock().with_context(|| format!("{} can't be locked", path.display()))?;
            }
            // Some network file systems have no locks. Two commands at once are rare, so go on without one.
            Err(TryLockError::Error(_)) => {}
        }
        Ok(file)
    }
}

/// The name of an entry that depends on a file: the tool's name and the beginning of the file's hash.
pub fn name_by_hash(tool: &str, content: &[u8]) -> String {
    let digest = hex_digest(content);
    format!("{tool}-{}", digest.get(..12).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const ENTRY: Entry<'_> = Entry { name: "tool-1.0", purpose: "for a test", expected: "no time" };

    /// A cache in a folder that is removed when the first of the two is dropped.
    fn temporary() -> (TempDir, Cache) {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::at(root.path().join("cache")).unwrap();
        (root, cache)
    }

    fn has_file(folder: &Path) -> bool {
        folder.join("file").is_file()
    }

    #[test]
    fn an_entry_is_made_once() {
        let (_root, cache) = temporary();
        let place = cache.install(&ENTRY, has_file, |folder| Ok(fs::write(folder.join("file"), "1")?)).unwrap();
        assert_eq!(place, cache.place("tool-1.0"));
        let again = cache.install(&ENTRY, has_file, |_| anyhow::bail!("made twice"));
        assert_eq!(again.unwrap(), place);
    }

    #[test]
    fn a_failed_installation_leaves_no_entry_and_the_next_one_starts_again() {
        let (_root, cache) = temporary();
        let failed = cache.install(&ENTRY, has_file, |folder| {
            fs::write(folder.join("half"), "")?;
            anyhow::bail!("no network")
        });
        assert_eq!(failed.unwrap_err().to_string(), "no network");
        assert!(!cache.place("tool-1.0").exists());
        let place = cache.install(&ENTRY, has_file, |folder| Ok(fs::write(folder.join("file"), "1")?)).unwrap();
        assert!(!place.join("half").exists());
    }

    #[test]
    fn an_installation_that_does_not_work_is_an_error() {
        let (_root, cache) = temporary();
        let useless = cache.install(&ENTRY, has_file, |_| Ok(()));
        assert!(useless.unwrap_err().to_string().contains("doesn't work"));
        assert!(!cache.place("tool-1.0").exists());
    }

    #[test]
    fn an_incomplete_entry_is_replaced() {
        // An entry is incomplete when somebody interrupts a plain `cargo install` into it.
        let (_root, cache) = temporary();
        fs::create_dir_all(cache.place("tool-1.0").join("bin")).unwrap();
        let place = cache.install(&ENTRY, has_file, |folder| Ok(fs::write(folder.join("file"), "1")?)).unwrap();
        assert!(has_file(&place) && !place.join("bin").exists());
    }

    #[test]
    fn a_name_by_hash_changes_with_the_content_only() {
        assert_eq!(name_by_hash("npm", b"abc"), "npm-ba7816bf8f01");
        assert_ne!(name_by_hash("npm", b"abc"), name_by_hash("npm", b"abd"));
    }
}
