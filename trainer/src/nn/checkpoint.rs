//! Checkpoints, from which an interrupted training run resumes to the same network.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::files;

/// The metadata's key in the tensors' file.
const PROGRESS: &str = "progress";

/// A run's checkpoint: its folder, and the data that it belongs to.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    folder: PathBuf,
    data: String,
}

/// A run's progress apart from its tensors.
#[derive(Debug, Serialize, Deserialize)]
struct Progress<Config, State> {
    config: Config,
    data: String,
    state: State,
}

impl Checkpoint {
    /// A checkpoint in `folder`, of a run on data with the hash `data`.
    pub fn new(folder: &Path, data: &str) -> Self {
        Self { folder: folder.to_owned(), data: data.to_owned() }
    }

    fn file(&self) -> PathBuf {
        self.folder.join("checkpoint.safetensors")
    }

    /// Replaces the checkpoint. A run that is killed meanwhile leaves either the old one or the new one.
    ///
    /// # Errors
    /// A folder that can't be written to.
    pub(crate) fn save(
        &self,
        tensors: &HashMap<String, Tensor>,
        config: &impl Serialize,
        state: &impl Serialize,
    ) -> Result<()> {
        // The progress is inside the tensors' file, so that one rename replaces both.
        let progress = serde_json::to_string(&Progress { config, data: self.data.clone(), state })?;
        let metadata = HashMap::from([(PROGRESS.to_owned(), progress)]);
        files::write(&self.file(), &safetensors::serialize(tensors, Some(metadata))?)
    }

    /// The tensors and the state of the last [`Checkpoint::save`], if it had the same configuration and data.
    ///
    /// # Errors
    /// A file that no such run wrote.
    pub(crate) fn load<Config: PartialEq + DeserializeOwned, State: DeserializeOwned>(
        &self,
        config: &Config,
    ) -> Result<Option<(HashMap<String, Tensor>, State)>> {
        let Ok(bytes) = fs::read(self.file()) else { return Ok(None) };
        let place =
            || format!("the checkpoint {} can't be read. Remove its folder to start again.", self.file().display());
        let (_, metadata) = safetensors::SafeTensors::read_metadata(&bytes).with_context(place)?;
        let progress = metadata.metadata().as_ref().and_then(|pairs| pairs.get(PROGRESS)).with_context(place)?;
        let progress: Progress<Config, State> = serde_json::from_str(progress).with_context(place)?;
        if progress.config != *config || progress.data != self.data {
            return Ok(None);
        }
        let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu).with_context(place)?;
        Ok(Some((tensors, progress.state)))
    }

    /// Removes the checkpoint once its bundle is written.
    pub fn remove(&self) {
        // A checkpoint that stays behind only costs space: a later run with other data ignores it.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
