//! The folder of installed tools: one for each user, so that a new clone finds what an old one installed.
//!
//! Each entry is a folder named for a tool and its version (or the hash of its lock file). An entry appears whole
//! or not at all: it is made beside its place and then renamed, and a lock file keeps two commands from making the
//! same one.

use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use etcetera::base_strategy::{BaseStrategy, choose_base_strategy};
use sha2::{Digest, Sha256};

use crate::shell::{human, note, step};

/// The environment variable that names another folder for the tools.
pub const CACHE_VARIABLE: &str = "WATCHNEXT_CACHE";

/// The folder of installed tools.
pub struct Cache {
    root: PathBuf,
}

/// What to install and what to say about it.
pub struct Entry<'a> {
    /// The folder's name, such as `trunk-0.21.14`.
    pub name: &'a str,
    /// What is done and why, for the reader who waits.
    pub purpose: &'a str,
    /// How long it takes on a machine with two cores.
    pub expected: &'a str,
}

impl Cache {
    /// The folder that the environment names, else the system's place for a user's caches.
    pub fn open() -> Result<Self> {
        let root = match env::var_os(CACHE_VARIABLE) {
            Some(folder) => std::path::absolute(folder).context("WATCHNEXT_CACHE is no path")?,
            None => choose_base_strategy()
                .context("this user has no home folder; set WATCHNEXT_CACHE to a folder for the tools")?
                .cache_dir()
                .join("watchnext"),
        };
        Self::at(root)
    }

    fn at(root: PathBuf) -> Result<Self> {
        fs::create_dir_all(&root)
            .with_context(|| format!("{} can't be made; set WATCHNEXT_CACHE to another folder", root.display()))?;
        Ok(Self { root })
    }

    /// Where an entry lies, or will lie.
    pub fn place(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// A folder for an entry's unfinished work, which an interrupted installation takes up again.
    pub fn workspace(&self, name: &str) -> PathBuf {
        self.root.join("build").join(name)
    }

    /// The log file of an entry's installation.
    pub fn log(&self, name: &str) -> PathBuf {
        self.root.join("log").join(format!("{name}.log"))
    }

    /// The entry's folder, made by `make` if `whole` finds it missing or unfit.
    ///
    /// `make` gets an empty folder to fill. `whole` judges the result too, so that an installation that reports
    /// success and yields nothing usable never enters the cache.
    pub fn install(
        &self,
        entry: &Entry<'_>,
        whole: impl Fn(&Path) -> bool,
        make: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let place = self.place(entry.name);
        if whole(&place) {
            return Ok(place);
        }
        let _lock = self.lock(entry.name)?;
        if whole(&place) {
            // Another command made it while this one waited for the lock.
            return Ok(place);
        }
        step(&format!("{}: {}", entry.name, entry.purpose));
        note(&format!("into {}, once for this machine; expected: {}", place.display(), entry.expected));
        let start = Instant::now();
        let partial = self.root.join(format!(".partial-{}", entry.name));
        remove(&partial)?;
        fs::create_dir_all(&partial).with_context(|| format!("{} can't be made", partial.display()))?;
        make(&partial)?;
        ensure!(
            whole(&partial),
            "{} was installed but doesn't work; its log: {}",
            entry.name,
            self.log(entry.name).display()
        );
        remove(&place)?;
        fs::rename(&partial, &place).with_context(|| format!("{} can't be put in place", place.display()))?;
        note(&format!("done in {}", human(start.elapsed())));
        Ok(place)
    }

    /// Waits for, and takes, the lock of an entry; it is given back when the file is dropped.
    fn lock(&self, name: &str) -> Result<File> {
        let folder = self.root.join("lock");
        fs::create_dir_all(&folder).with_context(|| format!("{} can't be made", folder.display()))?;
        let path = folder.join(name);
        let file = File::create(&path).with_context(|| format!("{} can't be written", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                note(&format!("waiting for another command that is installing {name}"));
                file.lock().with_context(|| format!("{} can't be locked", path.display()))?;
            }
            // Some network file systems know no locks; two commands at once are rare enough to go on without.
            Err(TryLockError::Error(_)) => {}
        }
        Ok(file)
    }
}

/// The name of an entry whose content a file determines: the tool's name and the beginning of the file's hash.
pub fn name_by_hash(tool: &str, content: &[u8]) -> String {
    let digest = hex_digest(content);
    format!("{tool}-{}", digest.get(..12).unwrap_or_default())
}

/// The SHA-256 in hexadecimal digits.
pub fn hex_digest(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} can't be removed", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: Entry<'_> = Entry { name: "tool-1.0", purpose: "for a test", expected: "no time" };

    fn temporary(name: &str) -> Cache {
        let root = env::temp_dir().join(format!("watchnext-xtask-{name}-{}", std::process::id()));
        remove(&root).unwrap();
        Cache::at(root).unwrap()
    }

    fn has_file(folder: &Path) -> bool {
        folder.join("file").is_file()
    }

    #[test]
    fn an_entry_is_made_once() {
        let cache = temporary("once");
        let place = cache.install(&ENTRY, has_file, |folder| Ok(fs::write(folder.join("file"), "1")?)).unwrap();
        assert_eq!(place, cache.place("tool-1.0"));
        let again = cache.install(&ENTRY, has_file, |_| anyhow::bail!("made twice"));
        assert_eq!(again.unwrap(), place);
        remove(&cache.root).unwrap();
    }

    #[test]
    fn a_failed_installation_leaves_no_entry_and_the_next_one_starts_afresh() {
        let cache = temporary("failed");
        let failed = cache.install(&ENTRY, has_file, |folder| {
            fs::write(folder.join("half"), "")?;
            anyhow::bail!("no network")
        });
        assert_eq!(failed.unwrap_err().to_string(), "no network");
        assert!(!cache.place("tool-1.0").exists());
        let place = cache.install(&ENTRY, has_file, |folder| Ok(fs::write(folder.join("file"), "1")?)).unwrap();
        assert!(!place.join("half").exists());
        remove(&cache.root).unwrap();
    }

    #[test]
    fn an_installation_that_yields_nothing_usable_is_an_error() {
        let cache = temporary("hollow");
        let hollow = cache.install(&ENTRY, has_file, |_| Ok(()));
        assert!(hollow.unwrap_err().to_string().contains("doesn't work"));
        assert!(!cache.place("tool-1.0").exists());
        remove(&cache.root).unwrap();
    }

    #[test]
    fn an_unfit_entry_is_replaced() {
        // An entry can be unfit when someone stopped a plain `cargo install` into it.
        let cache = temporary("unfit");
        fs::create_dir_all(cache.place("tool-1.0").join("bin")).unwrap();
        let place = cache.install(&ENTRY, has_file, |folder| Ok(fs::write(folder.join("file"), "1")?)).unwrap();
        assert!(has_file(&place) && !place.join("bin").exists());
        remove(&cache.root).unwrap();
    }

    #[test]
    fn a_name_by_hash_changes_with_the_content_only() {
        assert_eq!(name_by_hash("npm", b"abc"), "npm-ba7816bf8f01");
        assert_ne!(name_by_hash("npm", b"abc"), name_by_hash("npm", b"abd"));
    }
}
