//! One test for each defect of a bundle: it is refused by its own error, and nothing panics on the way.
#![cfg(not(target_arch = "wasm32"))]
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod fixture;

use std::collections::HashMap;

use fixture::Bundle;
use proptest::prelude::*;
use prost::Message;
use safetensors::tensor::{Dtype, TensorView};
use sha2::{Digest, Sha256};
use tract_onnx::pb::{GraphProto, ModelProto, TensorProto, tensor_proto::DataType};
use watchnext::bundle::Role;
use watchnext::error::Error;
use watchnext::recommend::Recommender;

/// The code of the error that loading ends in.
fn refusal(bundle: &Bundle) -> &'static str {
    match bundle.load() {
        Ok(_) => "loaded",
        Err(error) => {
            assert!(!error.to_string().is_empty());
            error.code()
        }
    }
}

/// The float tensors of a safetensors file, rewritten after `change`.
fn rewrite(bytes: &mut Vec<u8>, change: impl FnOnce(&mut HashMap<String, (Vec<usize>, Vec<f32>)>)) {
    let file = safetensors::SafeTensors::deserialize(bytes).unwrap();
    let numbers = |view: TensorView<'_>| -> Vec<f32> {
        view.data().chunks_exact(4).map(|word| f32::from_le_bytes(word.try_into().unwrap())).collect()
    };
    let mut tensors: HashMap<String, (Vec<usize>, Vec<f32>)> =
        file.tensors().into_iter().map(|(name, view)| (name, (view.shape().to_vec(), numbers(view)))).collect();
    change(&mut tensors);
    let data: HashMap<&String, (&Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, (shape, values))| (name, (shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())))
        .collect();
    let views = data
        .iter()
        .map(|(name, (shape, bytes))| (*name, TensorView::new(Dtype::F32, (*shape).clone(), bytes).unwrap()));
    *bytes = safetensors::serialize(views, None).unwrap();
}

#[test]
fn the_undamaged_bundle_loads() {
    assert_eq!(refusal(&Bundle::fresh()), "loaded");
}

#[test]
fn a_truncated_file_is_named_with_both_sizes() {
    for role in [Role::Catalog, Role::UserTower, Role::Movies, Role::States] {
        let mut bundle = Bundle::fresh();
        let whole = bundle.file(role).len() as u64;
        bundle.damage(role, |bytes| bytes.truncate(bytes.len() / 2));
        match bundle.load() {
            Err(Error::FileSizeMismatch { file, expected, found }) => {
                assert_eq!((expected, found), (whole, whole / 2));
                assert!(file.contains(role.as_str()), "{file}");
            }
            other => panic!("{role}: {other:?}"),
        }
    }
}

#[test]
fn a_flipped_bit_is_found_by_the_hash() {
    for role in [Role::Catalog, Role::UserTower, Role::Movies, Role::States] {
        let mut bundle = Bundle::fresh();
        bundle.damage(role, |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        });
        assert_eq!(refusal(&bundle), "file-hash-mismatch", "{role}");
    }
}

/// The caller's hash is used in place of the file's, and compared with the manifest.
#[test]
fn a_hash_that_is_known_already_is_compared_as_well() {
    let bundle = Bundle::fresh();
    let manifest = serde_json::to_vec(&bundle.manifest).unwrap();
    let digests: Vec<(Role, [u8; 32])> =
        bundle.files.iter().map(|(role, bytes)| (*role, Sha256::digest(bytes).into())).collect();
    let digest = |role: Role| digests.iter().find(|(own, _)| *own == role).map(|(_, digest)| digest.as_slice());
    Recommender::load_hashed(&manifest, |role| Some((bundle.file(role), digest(role)))).unwrap();
    for wrong in [digest(Role::Movies), Some([].as_slice())] {
        let file = |role| Some((bundle.file(role), if role == Role::Catalog { wrong } else { digest(role) }));
        assert_eq!(Recommender::load_hashed(&manifest, file).unwrap_err().code(), "file-hash-mismatch");
    }
}

#[test]
fn a_missing_file_is_named() {
    for role in [Role::Catalog, Role::UserTower, Role::Movies] {
        let mut bundle = Bundle::fresh();
        bundle.files.retain(|(own, _)| *own != role);
        match bundle.load() {
            Err(Error::FileMissing { file }) => assert_eq!(file, role.as_str()),
            other => panic!("{role}: {other:?}"),
        }
        let mut bundle = Bundle::fresh();
        bundle.manifest["files"].as_object_mut().unwrap().remove(role.as_str());
        assert_eq!(refusal(&bundle), "file-missing", "{role}, left out of the manifest");
    }
}

#[test]
fn a_bundle_of_the_future_is_refused_even_if_its_manifest_has_another_form() {
    let mut bundle = Bundle::fresh();
    bundle.manifest = serde_json::json!({"format_version": 2, "features_version": 1, "everything": "else"});
    assert_eq!(refusal(&bundle), "format-version-unsupported");
    let mut bundle = Bundle::fresh();
    bundle.manifest["features_version"] = 99.into();
    assert_eq!(refusal(&bundle), "features-version-mismatch");
}

#[test]
fn a_manifest_that_is_none_is_refused() {
    for manifest in [serde_json::json!(null), serde_json::json!([1, 2]), serde_json::json!({"format_version": "1"})] {
        let mut bundle = Bundle::fresh();
        bundle.manifest = manifest;
        assert_eq!(refusal(&bundle), "manifest-invalid");
    }
    assert_eq!(Recommender::load(b"<html>", |_| None).unwrap_err().code(), "manifest-invalid");
    for path in ["../secret", "a/b", "", ".hidden", "https:x"] {
        let mut bundle = Bundle::fresh();
        bundle.manifest["files"]["catalog"]["path"] = path.into();
        assert_eq!(refusal(&bundle), "manifest-invalid", "{path}");
    }
    for (movies, dim) in [(0, 128), (120, 0), (1 << 40, 128), (u64::MAX / 2, 3)] {
        let mut bundle = Bundle::fresh();
        bundle.manifest["movies"] = movies.into();
        bundle.manifest["dim"] = dim.into();
        assert_eq!(refusal(&bundle), "manifest-invalid", "{movies} × {dim}");
    }
}

/// A later version may add a file. This one ignores it, but not a path that leads out of the folder.
#[test]
fn an_unknown_file_is_ignored() {
    let mut bundle = Bundle::fresh();
    bundle.manifest["files"]["posters"] = serde_json::json!({"path": "posters.zip", "bytes": 1, "sha256": ""});
    assert_eq!(refusal(&bundle), "loaded");
    bundle.manifest["files"]["posters"]["path"] = "../posters.zip".into();
    assert_eq!(refusal(&bundle), "manifest-invalid");
}

#[test]
fn an_oversized_header_is_refused_before_it_is_parsed() {
    for role in [Role::Movies, Role::States] {
        let mut bundle = Bundle::fresh();
        bundle.replace(role, |bytes| bytes[..8].copy_from_slice(&(1_u64 << 40).to_le_bytes()));
        assert_eq!(refusal(&bundle), "tensor-invalid", "{role}");
        let mut bundle = Bundle::fresh();
        bundle.replace(role, |bytes| bytes.truncate(5));
        assert_eq!(refusal(&bundle), "tensor-invalid", "{role}, shorter than a header");
    }
}

/// Spaces may pad a header to any length.
#[test]
fn the_largest_header_is_read_and_no_larger_one() {
    let with_header = |len: usize| {
        let mut bundle = Bundle::fresh();
        bundle.replace(Role::Movies, |bytes| {
            let old = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            bytes.splice(8 + old..8 + old, vec![b' '; len - old]);
            bytes[..8].copy_from_slice(&(len as u64).to_le_bytes());
        });
        refusal(&bundle)
    };
    assert_eq!(with_header(64 * 1024), "loaded");
    assert_eq!(with_header(64 * 1024 + 8), "tensor-invalid");
}

#[test]
fn a_table_of_another_shape_is_refused() {
    let mut bundle = Bundle::fresh();
    bundle.replace(Role::Movies, |bytes| {
        rewrite(bytes, |tensors| {
            // The same numbers, transposed: the number of bytes fits, the shape doesn't.
            tensors.get_mut("embedding").unwrap().0.reverse();
        });
    });
    assert_eq!(refusal(&bundle), "shape-mismatch");
    let mut bundle = Bundle::fresh();
    bundle.replace(Role::Movies, |bytes| rewrite(bytes, |tensors| drop(tensors.remove("bias"))));
    assert_eq!(refusal(&bundle), "tensor-invalid");
    let mut bundle = Bundle::fresh();
    bundle.manifest["dim"] = 64.into();
    assert_eq!(refusal(&bundle), "shape-mismatch");
}

#[test]
fn a_catalogue_of_another_length_is_refused() {
    let mut bundle = Bundle::fresh();
    let mut catalog: serde_json::Value = serde_json::from_slice(bundle.file(Role::Catalog)).unwrap();
    for column in ["movie_id", "title", "year", "movie_genres", "ratings"] {
        catalog[column].as_array_mut().unwrap().pop();
    }
    bundle.replace(Role::Catalog, |bytes| *bytes = serde_json::to_vec(&catalog).unwrap());
    assert_eq!(refusal(&bundle), "shape-mismatch");
}

#[test]
fn a_catalogue_that_contradicts_itself_is_refused() {
    let fresh = Bundle::fresh();
    let catalog: serde_json::Value = serde_json::from_slice(fresh.file(Role::Catalog)).unwrap();
    type Change = fn(&mut serde_json::Value);
    let changes: [(&str, Change); 5] = [
        ("a column too short", |catalog| drop(catalog["year"].as_array_mut().unwrap().pop())),
        ("an id twice", |catalog| catalog["movie_id"][1] = catalog["movie_id"][0].clone()),
        ("an unknown genre", |catalog| catalog["movie_genres"][3] = serde_json::json!([999])),
        ("an empty title", |catalog| catalog["title"][7] = " ".into()),
        ("a column of another type", |catalog| catalog["ratings"] = "many".into()),
    ];
    for (defect, change) in changes {
        let mut bundle = fresh.clone();
        let mut catalog = catalog.clone();
        change(&mut catalog);
        bundle.replace(Role::Catalog, |bytes| *bytes = serde_json::to_vec(&catalog).unwrap());
        assert_eq!(refusal(&bundle), "catalog-invalid", "{defect}");
    }
}

#[test]
fn numbers_that_are_not_finite_are_refused() {
    for (tensor, value) in [("embedding", f32::NAN), ("bias", f32::INFINITY)] {
        let mut bundle = Bundle::fresh();
        bundle.replace(Role::Movies, |bytes| rewrite(bytes, |tensors| tensors.get_mut(tensor).unwrap().1[5] = value));
        assert_eq!(refusal(&bundle), "non-finite", "{tensor}");
    }
}

#[test]
fn weights_that_make_the_model_answer_nan_are_refused_at_load() {
    let mut bundle = Bundle::fresh();
    bundle.replace(Role::UserTower, |bytes| {
        let nan = f32::NAN.to_le_bytes();
        // The last weights in the file are a layer's bias, which affects every answer.
        let name = b"state_bias";
        let at = bytes.windows(name.len()).rposition(|window| window == name).unwrap();
        let raw = at + name.len();
        // `raw_data` follows the name in the tensor's message: a tag, a length of two bytes and the numbers.
        let start = (raw..raw + 16).find(|start| bytes[*start] == 0x4a).unwrap() + 3;
        bytes[start..start + 4].copy_from_slice(&nan);
    });
    assert_eq!(refusal(&bundle), "non-finite");
}

#[test]
fn a_model_that_is_none_or_another_is_refused() {
    let mut bundle = Bundle::fresh();
    bundle.replace(Role::UserTower, |bytes| *bytes = b"not ONNX".to_vec());
    assert_eq!(refusal(&bundle), "model-invalid");
    let mut bundle = Bundle::fresh();
    bundle.replace(Role::UserTower, |bytes| bytes.clear());
    assert_eq!(refusal(&bundle), "model-invalid");
    // Names of the same length, so that the file stays valid around them.
    for (from, to) in [("LeakyRelu", "SneakyRel"), ("history", "mystery"), ("user_vector", "user_victor")] {
        let mut bundle = Bundle::fresh();
        bundle.replace(Role::UserTower, |bytes| {
            let places: Vec<usize> =
                (0..bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from.as_bytes())).collect();
            assert!(!places.is_empty());
            places.into_iter().for_each(|at| bytes[at..at + to.len()].copy_from_slice(to.as_bytes()));
        });
        assert_eq!(refusal(&bundle), "model-invalid", "{from}");
    }
}

/// Changes a model by its decoded message.
fn remodel(bytes: &mut Vec<u8>, change: impl FnOnce(&mut GraphProto)) {
    let mut model = ModelProto::decode(&**bytes).unwrap();
    change(model.graph.as_mut().unwrap());
    *bytes = model.encode_to_vec();
}

/// A tower that was trained on a smaller catalogue looks up rows that its tables don't have. tract alone would end the
/// program.
#[test]
fn a_tower_whose_tables_are_too_small_for_the_catalogue_is_refused() {
    let mut bundle = Bundle::fresh();
    let movies = bundle.manifest["movies"].as_u64().unwrap() as i64;
    bundle.replace(Role::UserTower, |bytes| {
        remodel(bytes, |graph| {
            // Their last row is the padding's.
            for tensor in graph.initializer.iter_mut().filter(|tensor| tensor.dims.first() == Some(&(movies + 1))) {
                let row = tensor.raw_data.len() / (movies as usize + 1);
                tensor.dims[0] = movies;
                tensor.raw_data.truncate(row * movies as usize);
            }
        });
    });
    match bundle.load() {
        Err(Error::ModelInvalid { reason, .. }) => {
            assert!(reason.contains("it looks up row 120 in a table of 120"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

/// NaN in the row of a movie that the first run doesn't look up.
#[test]
fn a_weight_that_is_no_number_is_named() {
    let mut bundle = Bundle::fresh();
    let mut name = String::new();
    bundle.replace(Role::UserTower, |bytes| {
        remodel(bytes, |graph| {
            let is_table =
                |tensor: &&mut TensorProto| tensor.data_type == i32::from(DataType::Float) && tensor.dims[0] > 60;
            let table = graph.initializer.iter_mut().find(is_table).unwrap();
            table.raw_data[200..204].copy_from_slice(&f32::NAN.to_le_bytes());
            name = table.name.clone();
        });
    });
    match bundle.load() {
        Err(Error::NonFinite { place }) => assert_eq!(place, format!("user_tower: {name}")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn states_that_lead_nowhere_are_refused() {
    let mut bundle = Bundle::fresh();
    bundle.replace(Role::States, |bytes| {
        let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let text = String::from_utf8(bytes[8..8 + header].to_vec()).unwrap();
        let header_json: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
        let start = 8 + header + header_json["next"]["data_offsets"][0].as_u64().unwrap() as usize;
        bytes[start..start + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    });
    assert_eq!(refusal(&bundle), "tensor-invalid");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Any bytes in place of a file, with the right hash and size, end in an error and not in a panic. They begin with
    /// a part of the true file, so that the parsers get far.
    #[test]
    fn no_bytes_make_it_panic(
        role in prop::sample::select(vec![Role::Catalog, Role::UserTower, Role::Movies, Role::States]),
        keep in 0.0_f64..1.0,
        tail in prop::collection::vec(any::<u8>(), 1..64),
    ) {
        let mut bundle = Bundle::fresh();
        bundle.replace(role, |bytes| {
            bytes.truncate((bytes.len() as f64 * keep) as usize);
            bytes.extend(&tail);
        });
        prop_assert!(bundle.load().is_err());
    }
}

/// The fixture's movies in 8 bits, with a scale for each movie, after `change`.
fn quantise(bundle: &mut Bundle, change: impl FnOnce(&mut HashMap<&'static str, (Dtype, Vec<usize>, Vec<u8>)>)) {
    bundle.replace(Role::Movies, |bytes| {
        let file = safetensors::SafeTensors::deserialize(bytes).unwrap();
        let view = file.tensor("embedding").unwrap();
        let shape = view.shape().to_vec();
        let values: Vec<f32> =
            view.data().chunks_exact(4).map(|word| f32::from_le_bytes(word.try_into().unwrap())).collect();
        let scales: Vec<f32> = values
            .chunks_exact(shape[1])
            .map(|row| row.iter().fold(f32::MIN_POSITIVE, |most, value| most.max(value.abs())) / 127.0)
            .collect();
        let rows = values.chunks_exact(shape[1]).zip(&scales);
        let quantised = rows.flat_map(|(row, scale)| row.iter().map(move |value| (value / scale).round() as i8 as u8));
        let floats = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let mut tensors = HashMap::from([
            ("embedding", (Dtype::I8, shape.clone(), quantised.collect())),
            ("scale", (Dtype::F32, vec![shape[0]], floats(&scales))),
            ("bias", (Dtype::F32, vec![shape[0]], file.tensor("bias").unwrap().data().to_vec())),
        ]);
        change(&mut tensors);
        let views = tensors
            .iter()
            .map(|(name, (dtype, shape, data))| (*name, TensorView::new(*dtype, shape.clone(), data).unwrap()));
        *bytes = safetensors::serialize(views, None).unwrap();
    });
}

#[test]
fn embeddings_of_eight_bits_load_with_their_scales_alone() {
    let mut bundle = Bundle::fresh();
    quantise(&mut bundle, |_| {});
    assert_eq!(refusal(&bundle), "loaded");
    let mut bundle = Bundle::fresh();
    quantise(&mut bundle, |tensors| drop(tensors.remove("scale")));
    assert_eq!(refusal(&bundle), "tensor-invalid");
    let mut bundle = Bundle::fresh();
    quantise(&mut bundle, |tensors| {
        let (_, shape, data) = tensors.get_mut("scale").unwrap();
        shape[0] -= 1;
        data.truncate(shape[0] * 4);
    });
    assert_eq!(refusal(&bundle), "shape-mismatch");
    let mut bundle = Bundle::fresh();
    quantise(&mut bundle, |tensors| {
        tensors.get_mut("scale").unwrap().2[..4].copy_from_slice(&f32::INFINITY.to_le_bytes());
    });
    assert_eq!(refusal(&bundle), "non-finite");
}
