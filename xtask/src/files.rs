//! Reading and writing files: every error names the path.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

/// The bytes of a file.
pub fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("{} can't be read", file.display()))
}

/// The text of a file.
pub fn read_text(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))
}

/// A value from a JSON file.
pub fn read_json<T: DeserializeOwned>(file: &Path) -> Result<T> {
    serde_json::from_slice(&read(file)?).with_context(|| format!("{} isn't the JSON that was expected", file.display()))
}

/// Writes a file.
pub fn write(file: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    fs::write(file, content).with_context(|| format!("{} can't be written", file.display()))
}

/// Copies a file, makes the folder that it goes to, and returns the file's size.
pub fn copy(from: &Path, to: &Path) -> Result<u64> {
    make_parent(to)?;
    fs::copy(from, to).with_context(|| format!("{} can't be copied to {}", from.display(), to.display()))
}

/// Makes a folder and those above it.
pub fn make_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))
}

/// Makes the folder that a file lies in.
pub fn make_parent(file: &Path) -> Result<()> {
    file.parent().map_or(Ok(()), make_folder)
}

/// Removes a folder with all that it holds. A folder that isn't there is no error.
pub fn remove_folder(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} can't be removed", folder.display()))
        }
        _ => Ok(()),
    }
}

/// The paths of the files and folders in a folder, sorted.
pub fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let context = || format!("{} can't be read", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).with_context(context)? {
        paths.push(entry.with_context(context)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// The files in a folder and in all folders below it, sorted.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() { files.extend(files_below(&path)?) } else { files.push(path) }
    }
    Ok(files)
}

/// A file's path as seen from a folder above it, with slashes on every system.
pub fn relative(folder: &Path, file: &Path) -> String {
    let path = file.strip_prefix(folder).unwrap_or(file);
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// The SHA-256 of some bytes, in hexadecimal digits.
pub fn hex_digest(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_below_a_folder_are_listed_with_slashes() {
        let root = tempfile::tempdir().unwrap();
        for name in ["b.txt", "a/c.txt", "a/a.txt"] {
            let file = root.path().join(name);
            make_parent(&file).unwrap();
            write(&file, name).unwrap();
        }
        let files: Vec<String> =
            files_below(root.path()).unwrap().iter().map(|file| relative(root.path(), file)).collect();
        assert_eq!(files, ["a/a.txt", "a/c.txt", "b.txt"]);
    }

    #[test]
    fn a_folder_is_removed_once_and_missing_twice() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("folder");
        make_folder(&folder.join("below")).unwrap();
        remove_folder(&folder).unwrap();
        remove_folder(&folder).unwrap();
        assert!(!folder.exists());
    }

    #[test]
    fn an_error_names_the_file() {
        let error = read(Path::new("no/such/file")).unwrap_err();
        assert_eq!(error.to_string(), "no/such/file can't be read");
    }

    #[test]
    fn a_digest_is_that_of_the_standard() {
        // The first example of FIPS 180-2.
        assert!(hex_digest(b"abc").starts_with("ba7816bf8f01cfea"));
    }
}
