//! Files on disk: replaced whole or not at all, hashed without being held in memory, and named without their folders.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// Replaces a file by one rename, so that a process killed at any moment leaves the old bytes or the new ones.
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

/// Writes a file, and the folders above it.
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

/// A path's last part.
pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// A path's last part without its extension.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
