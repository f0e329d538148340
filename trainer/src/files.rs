//! Files on disk: replaces them whole or not at all, hashes them as a stream, and names them without their folders.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// Replaces a file by one rename. A process that is killed on the way leaves either the old bytes or the new ones.
///
/// # Errors
/// A folder that can't be written to, or a full disk. The old file is then unharmed.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?);
    name.push(".new");
    let new = path.with_file_name(name);
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    // The rename must not reach the disk before the bytes.
    file.sync_all()?;
    fs::rename(new, path)
}

/// The end of an error about a file that can't be written.
pub(crate) const WRITE_REMEDY: &str = "Free disk space, or check the folder's permissions.";

/// The end of an error about a file that can't be read.
pub(crate) const READ_REMEDY: &str = "Check the path and its permissions.";

/// Writes a file, and creates the folders above it.
///
/// # Errors
/// As [`replace`], with the path and the remedy.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let place = || format!("{} can't be written. {WRITE_REMEDY}", path.display());
    path.parent().map_or(Ok(()), fs::create_dir_all).with_context(place)?;
    replace(path, bytes).with_context(place)
}

/// The SHA-256 of a file in hexadecimal digits.
///
/// # Errors
/// A file that can't be read.
pub(crate) fn sha256(path: &Path) -> Result<String> {
    let place = || format!("{} can't be read. {READ_REMEDY}", path.display());
    let mut file = File::open(path).with_context(place)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer).with_context(place)?;
        if count == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(buffer.get(..count).unwrap_or_default());
    }
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A path's last part: `ratings.csv` of `data/ratings.csv`.
pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// A path's last part without its extension: `ratings` of `data/ratings.csv`.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_is_written_with_its_folders_and_replaced_without_leftovers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one/two/file.txt");
        for bytes in [b"old".as_slice(), b"new"] {
            write(&path, bytes).unwrap();
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    /// A folder that has the interim name makes the write fail.
    #[test]
    fn a_failed_write_leaves_the_old_file_and_gives_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.txt");
        write(&path, b"old").unwrap();
        fs::create_dir(folder.path().join(".file.txt.new")).unwrap();
        let message = write(&path, b"new").unwrap_err().to_string();
        assert!(message.contains("file.txt can't be written") && message.ends_with(WRITE_REMEDY), "{message}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }

    /// The hash is the example of FIPS 180-2.
    #[test]
    fn a_file_is_hashed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        write(&path, b"abc").unwrap();
        assert_eq!(sha256(&path).unwrap(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let message = sha256(&folder.path().join("nowhere")).unwrap_err().to_string();
        assert!(message.contains("nowhere can't be read") && message.ends_with(READ_REMEDY), "{message}");
    }

    #[test]
    fn paths_have_names_and_stems() {
        let path = Path::new("data/ratings.csv");
        assert_eq!((name(path), stem(path)), ("ratings.csv".to_owned(), "ratings".to_owned()));
    }
}
