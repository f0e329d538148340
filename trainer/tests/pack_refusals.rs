//! Every error of `trainer pack`, with its whole message in `tests/external/refusals.txt`. Each case has one defect in
//! an otherwise good set of files. `BLESS=1` writes the messages again.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use prost::Message;
use tract_onnx::pb::{ModelProto, TensorProto, tensor_shape_proto::dimension::Value, type_proto};
use trainer::data::Layout;
use trainer::models::external::pack;
use trainer::models::external::request::{Metric, PackRequest, Storage};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/external")
}

/// A copy of the two-tower's files, to be damaged.
struct Files {
    folder: tempfile::TempDir,
    request: PackRequest,
    out: PathBuf,
}

impl Files {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let from = self::folder().join("two-tower");
        for file in ["user_tower.onnx", "vectors.npy", "bias.npy", "items.csv", "recorded.npz", "held_out.csv"] {
            fs::copy(from.join(file), folder.path().join(file)).unwrap();
        }
        let at = |name: &str| folder.path().join(name);
        let out = folder.path().join("bundle");
        let request = PackRequest {
            layout: Layout::default(),
            user_tower: at("user_tower.onnx"),
            items: at("vectors.npy"),
            bias: Some(at("bias.npy")),
            catalog: at("items.csv"),
            name: None,
            metric: Metric::Dot,
            precision: Storage::Int8,
            recorded: Some(at("recorded.npz")),
            ratings: Some(at("held_out.csv")),
            command: "trainer pack".to_owned(),
        };
        Self { folder, request, out }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn truncate(&self, name: &str) {
        let bytes = fs::read(self.at(name)).unwrap();
        fs::write(self.at(name), &bytes[..bytes.len() / 2]).unwrap();
    }

    fn empty(&self, name: &str) {
        fs::write(self.at(name), b"").unwrap();
    }

    fn model(&self, change: impl FnOnce(&mut ModelProto)) {
        let mut model = ModelProto::decode(&*fs::read(self.at("user_tower.onnx")).unwrap()).unwrap();
        change(&mut model);
        fs::write(self.at("user_tower.onnx"), model.encode_to_vec()).unwrap();
    }

    fn vectors(&self, change: impl FnOnce(Tensor) -> Tensor) {
        let vectors = Tensor::read_npy(self.at("vectors.npy")).unwrap();
        change(vectors).write_npy(self.at("vectors.npy")).unwrap();
    }

    fn catalogue(&self, change: impl FnOnce(String) -> String) {
        let text = fs::read_to_string(self.at("items.csv")).unwrap();
        fs::write(self.at("items.csv"), change(text)).unwrap();
    }

    /// Changes the recorded arrays, by name.
    fn recorded(&self, change: impl FnOnce(&mut BTreeMap<String, Tensor>)) {
        let mut arrays: BTreeMap<String, Tensor> =
            Tensor::read_npz(self.at("recorded.npz")).unwrap().into_iter().collect();
        change(&mut arrays);
        Tensor::write_npz(&arrays.into_iter().collect::<Vec<_>>(), self.at("recorded.npz")).unwrap();
    }

    /// Replaces a number of a recorded array.
    fn recorded_number(&self, name: &str, row: usize, column: usize, number: f64) {
        self.recorded(|arrays| {
            let array = arrays.remove(name).unwrap();
            arrays.insert(name.to_owned(), with_number(&array, row, column, number));
        });
    }
}

fn with_number(array: &Tensor, row: usize, column: usize, number: f64) -> Tensor {
    let (rows, columns) = array.dims2().unwrap();
    let mut values: Vec<f64> = array.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    values[row * columns + column] = number;
    Tensor::from_vec(values, (rows, columns), &Device::Cpu).unwrap().to_dtype(array.dtype()).unwrap()
}

fn zeros(shape: &[usize], dtype: DType) -> Tensor {
    Tensor::zeros(shape, dtype, &Device::Cpu).unwrap()
}

fn axes(model: &mut ModelProto, input: usize) -> &mut Vec<tract_onnx::pb::tensor_shape_proto::Dimension> {
    let kind = model.graph.as_mut().unwrap().input[input].r#type.as_mut().unwrap();
    let Some(type_proto::Value::TensorType(tensor)) = &mut kind.value else { panic!("an input that is no tensor") };
    &mut tensor.shape.as_mut().unwrap().dim
}

fn weights(model: &mut ModelProto) -> &mut TensorProto {
    let tensors = &mut model.graph.as_mut().unwrap().initializer;
    tensors.iter_mut().find(|tensor| tensor.name == "embedding.weight").unwrap()
}

type Case = (&'static str, fn(&mut Files));

/// Defects of the user tower.
const TOWER: &[Case] = &[
    ("user tower: missing", |files| files.request.user_tower = files.at("model.onnx")),
    ("user tower: empty", |files| files.empty("user_tower.onnx")),
    ("user tower: truncated", |files| files.truncate("user_tower.onnx")),
    ("user tower: another file", |files| files.request.user_tower = files.at("vectors.npy")),
    ("user tower: old operator set", |files| files.model(|model| model.opset_import[0].version = 11)),
    ("user tower: unknown operators", |files| {
        files.model(|model| {
            let nodes = &mut model.graph.as_mut().unwrap().node;
            nodes.iter_mut().filter(|node| node.op_type == "Gelu").for_each(|node| node.op_type = "GRU".to_owned());
            nodes
                .iter_mut()
                .filter(|node| node.op_type == "Sqrt")
                .for_each(|node| node.domain = "com.company".to_owned());
        });
    }),
    ("user tower: weights in another file", |files| {
        files.model(|model| weights(model).external_data = vec![Default::default()]);
    }),
    ("user tower: a weight that is none", |files| {
        files.model(|model| weights(model).raw_data[..4].copy_from_slice(&f32::NAN.to_le_bytes()));
    }),
    ("user tower: no padding row", |files| {
        files.model(|model| {
            let tensor = weights(model);
            tensor.dims[0] -= 1;
            let row = usize::try_from(tensor.dims[1]).unwrap() * 4;
            tensor.raw_data.truncate(tensor.raw_data.len() - row);
        });
    }),
    ("user tower: unknown input", |files| {
        files.model(|model| model.graph.as_mut().unwrap().input[1].name = "scores".to_owned());
    }),
    ("user tower: no history", |files| {
        files.model(|model| drop(model.graph.as_mut().unwrap().input.remove(0)));
    }),
    ("user tower: open length", |files| {
        files.model(|model| axes(model, 0)[1].value = Some(Value::DimParam("length".to_owned())));
    }),
    ("user tower: a batch of four", |files| files.model(|model| axes(model, 0)[0].value = Some(Value::DimValue(4)))),
    ("user tower: too many slots", |files| files.model(|model| axes(model, 0)[1].value = Some(Value::DimValue(513)))),
    ("user tower: weights of another length", |files| {
        files.model(|model| axes(model, 1)[1].value = Some(Value::DimValue(5)));
    }),
    ("user tower: another output", |files| {
        files.model(|model| model.graph.as_mut().unwrap().output[0].name = "linear".to_owned());
    }),
    ("user tower: no vector for an empty history", |files| {
        // The lower bound of the sum of weights, the divisor, was 1.
        files.model(|model| {
            let tensors = &mut model.graph.as_mut().unwrap().initializer;
            tensors.iter_mut().find(|tensor| tensor.name == "val_4").unwrap().raw_data.fill(0);
        });
    }),
    ("user tower: vectors of another length", |files| {
        files.vectors(|vectors| Tensor::cat(&[&vectors, &vectors], 1).unwrap());
    }),
];

/// Defects of the items' vectors.
const ITEMS: &[Case] = &[
    ("items: missing", |files| files.request.items = files.at("items.npy")),
    ("items: empty", |files| files.empty("vectors.npy")),
    ("items: truncated", |files| files.truncate("vectors.npy")),
    ("items: a header that overstates", |files| {
        let bytes = fs::read(files.at("vectors.npy")).unwrap();
        let text: Vec<u8> = String::from_utf8_lossy(&bytes[10..118])
            .replace("(60, 8), }           ", "(9999999, 9999999), }")
            .into_bytes();
        fs::write(files.at("vectors.npy"), [&bytes[..10], &text].concat()).unwrap();
    }),
    ("items: another file", |files| fs::write(files.at("vectors.npy"), "<html>").unwrap()),
    ("items: another ending", |files| files.request.items = files.at("items.csv")),
    ("items: one axis", |files| files.vectors(|vectors| vectors.flatten_all().unwrap())),
    ("items: no columns", |files| files.vectors(|_| zeros(&[60, 0], DType::F32))),
    ("items: a number that is none", |files| files.vectors(|vectors| with_number(&vectors, 7, 3, f64::NAN))),
    ("items: a row too many", |files| {
        files.vectors(|vectors| Tensor::cat(&[&vectors, &zeros(&[1, 8], DType::F32)], 0).unwrap());
    }),
    ("items: a vector without a direction", |files| {
        files.request.metric = Metric::Cosine;
        files.request.bias = None;
        files.vectors(|vectors| (0..8).fold(vectors, |vectors, column| with_number(&vectors, 2, column, 0.0)));
    }),
    ("items: too long for distances", |files| {
        files.request.metric = Metric::L2;
        files.request.bias = None;
        files.vectors(|vectors| with_number(&vectors, 2, 0, 1e30));
    }),
    ("items: safetensors without vectors", |files| {
        let tensors = std::collections::HashMap::from([("weight", zeros(&[60, 8], DType::F32))]);
        candle_core::safetensors::save(&tensors, files.at("items.safetensors")).unwrap();
        (files.request.items, files.request.bias) = (files.at("items.safetensors"), None);
    }),
    ("items: safetensors cut short", |files| {
        let tensors = std::collections::HashMap::from([("embedding", zeros(&[60, 8], DType::F32))]);
        candle_core::safetensors::save(&tensors, files.at("items.safetensors")).unwrap();
        files.truncate("items.safetensors");
        (files.request.items, files.request.bias) = (files.at("items.safetensors"), None);
    }),
    ("items: safetensors and a bias", |files| {
        let tensors = std::collections::HashMap::from([("embedding", zeros(&[60, 8], DType::F32))]);
        candle_core::safetensors::save(&tensors, files.at("items.safetensors")).unwrap();
        files.request.items = files.at("items.safetensors");
    }),
    ("bias: missing", |files| files.request.bias = Some(files.at("popularity.npy"))),
    ("bias: another ending", |files| files.request.bias = Some(files.at("items.csv"))),
    ("bias: another length", |files| zeros(&[59], DType::F32).write_npy(files.at("bias.npy")).unwrap()),
    ("bias: a number that is none", |files| {
        let bias = Tensor::from_vec([vec![0.0_f32; 9], vec![f32::INFINITY], vec![0.0; 50]].concat(), 60, &Device::Cpu);
        bias.unwrap().write_npy(files.at("bias.npy")).unwrap();
    }),
    ("bias: with a cosine", |files| files.request.metric = Metric::Cosine),
    ("bias: with distances", |files| files.request.metric = Metric::L2),
];

/// Defects of the catalogue.
const CATALOGUE: &[Case] = &[
    ("catalogue: missing", |files| files.request.catalog = files.at("movies.csv")),
    ("catalogue: empty", |files| files.empty("items.csv")),
    ("catalogue: a header alone", |files| files.catalogue(|_| "itemId,title\n".to_owned())),
    ("catalogue: no title", |files| files.catalogue(|text| text.replacen("title", "heading", 1))),
    ("catalogue: no id", |files| files.catalogue(|text| text.replacen("itemId", "shelf", 1))),
    ("catalogue: two ids", |files| files.catalogue(|text| text.replacen("genres", "movieId", 1))),
    ("catalogue: an id that isn't there", |files| files.catalogue(|text| text.replacen("\n13,", "\n,", 1))),
    ("catalogue: an id without end", |files| {
        files.catalogue(|text| text.replacen("\n13,", &format!("\n{},", "13".repeat(200)), 1));
    }),
    ("catalogue: an id twice", |files| files.catalogue(|text| text.replacen("\n16,", "\n10,", 1))),
    ("catalogue: an empty title", |files| files.catalogue(|text| text.replacen("Movie 1 (1961)", " ", 1))),
    ("catalogue: ratings in words", |files| {
        files.catalogue(|text| text.lines().take(2).collect::<Vec<_>>().join("\n") + "\n13,Movie 1,Drama,many\n");
    }),
    ("catalogue: a year that is none", |files| {
        files.catalogue(|_| "itemId,title,year\n10,One,1999\n11,Two,last\n".to_owned());
    }),
    ("catalogue: a row cut short", |files| files.catalogue(|text| text + "999,Half\n")),
    ("catalogue: a row too few", |files| {
        files.catalogue(|text| text.lines().take(60).map(|line| format!("{line}\n")).collect());
    }),
    ("catalogue: too many genres", |files| {
        let genres: Vec<String> = (0..65_536).map(|genre| genre.to_string()).collect();
        files.catalogue(|text| text.replacen("Comedy", &genres.join("|"), 1));
    }),
];

/// Defects of the recorded arrays, of the ratings and of the place for the bundle.
const RECORDED: &[Case] = &[
    ("recorded: missing", |files| files.request.recorded = Some(files.at("cases.npz"))),
    ("recorded: truncated", |files| files.truncate("recorded.npz")),
    ("recorded: one array", |files| files.request.recorded = Some(files.at("vectors.npy"))),
    ("recorded: no vectors", |files| files.recorded(|arrays| drop(arrays.remove("user_vector")))),
    ("recorded: no history", |files| files.recorded(|arrays| drop(arrays.remove("history")))),
    ("recorded: no year", |files| files.recorded(|arrays| drop(arrays.remove("year")))),
    ("recorded: a history of floats", |files| {
        files.recorded(|arrays| drop(arrays.insert("history".to_owned(), zeros(&[15, 12], DType::F32))));
    }),
    ("recorded: another length", |files| {
        files.recorded(|arrays| drop(arrays.insert("history".to_owned(), zeros(&[15, 13], DType::I64))));
    }),
    ("recorded: weights of another shape", |files| {
        files.recorded(|arrays| drop(arrays.insert("weights".to_owned(), zeros(&[14, 12], DType::F32))));
    }),
    ("recorded: fewer vectors", |files| {
        files.recorded(|arrays| drop(arrays.insert("user_vector".to_owned(), zeros(&[14, 8], DType::F32))));
    }),
    ("recorded: vectors of one axis", |files| {
        files.recorded(|arrays| drop(arrays.insert("user_vector".to_owned(), zeros(&[15], DType::F32))));
    }),
    ("recorded: vectors of another length", |files| {
        files.recorded(|arrays| drop(arrays.insert("user_vector".to_owned(), zeros(&[15, 9], DType::F32))));
    }),
    ("recorded: an unknown item", |files| files.recorded_number("history", 2, 0, 61.0)),
    ("recorded: padding before an item", |files| files.recorded_number("history", 0, 5, 3.0)),
    ("recorded: padding that weighs", |files| files.recorded_number("weights", 0, 11, 1.0)),
    ("recorded: another vector", |files| files.recorded_number("user_vector", 4, 2, 7.0)),
    ("recorded: a vector that is none", |files| files.recorded_number("user_vector", 4, 2, f64::NAN)),
    ("recorded: a weight that is none", |files| files.recorded_number("weights", 1, 0, f64::NAN)),
    ("ratings: missing", |files| files.request.ratings = Some(files.at("ratings.csv"))),
    ("ratings: of other items", |files| {
        fs::write(files.at("held_out.csv"), "userId,movieId,rating,timestamp\n1,1,4.0,1500000000\n").unwrap();
    }),
    ("ratings: outside the scale", |files| {
        fs::write(files.at("held_out.csv"), "userId,movieId,rating,timestamp\n1,10,9.0,1500000000\n").unwrap();
    }),
    ("out: a file in the way", |files| files.out = files.at("items.csv")),
];

#[test]
fn every_refusal_names_the_place_and_the_remedy() {
    let mut found = String::new();
    for (name, damage) in [TOWER, ITEMS, CATALOGUE, RECORDED].concat() {
        let mut files = Files::new();
        damage(&mut files);
        let packed = pack(&files.request).and_then(|packed| packed.packed.write(&files.out));
        let error = packed.err().unwrap_or_else(|| panic!("{name}: it was packed"));
        let folder = format!("{}/", files.folder.path().display());
        writeln!(found, "{name}\n    {}\n", format!("{error:#}").replace(&folder, "")).unwrap();
    }
    let golden = folder().join("refusals.txt");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&golden, &found).unwrap();
    }
    let expected = fs::read_to_string(&golden).unwrap();
    for (found, expected) in found.split("\n\n").zip(expected.split("\n\n")) {
        assert_eq!(found, expected);
    }
    assert_eq!(found, expected);
}

/// The undamaged files are packed, so each error above is due to its defect.
#[test]
fn the_undamaged_files_are_packed() {
    let files = Files::new();
    let packed = pack(&files.request).unwrap();
    assert!(packed.warnings.is_empty(), "{:?}", packed.warnings);
    packed.packed.write(&files.out).unwrap();
}
