//! Good inputs by the library's and the trainer's own writers. The hostile inputs are made from them.
#![allow(missing_docs)]

use prost::Message;
use safetensors::tensor::{Dtype, TensorView};
use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto, ValueInfoProto,
    tensor_proto::DataType, tensor_shape_proto, type_proto,
};
use watchnext::bundle::{Role, sha256_hex};
use watchnext::features::reaction::REACTION_WIDTH;
use watchnext::features::{HISTORY_LEN, TIME_FEATURES};
use watchnext::model::{TOWER_INPUTS, TOWER_OUTPUT, YEAR_INPUT};
use watchnext::traits::TASTES;

use crate::fixture::Bundle;
use crate::graphs::{cases, floats, int, integers, model, used};
use crate::targets::{DIM, MOVIES, small_catalog, small_links};

/// The good inputs of a target.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "bundle" => vec![bundle()],
        "catalog" => vec![small_catalog().to_json().unwrap(), Bundle::ranked().file(Role::Catalog).to_vec()],
        "graph" => cases().iter().map(|case| model(case, &used(case), 17)).collect(),
        "links" => vec![small_links().to_json().unwrap()],
        "list" => LISTS.map(|list| list.as_bytes().to_vec()).to_vec(),
        "manifest" => vec![serde_json::to_vec(&Bundle::ranked().manifest).unwrap()],
        "map" => vec![tensors(&[("position", Dtype::U16, &[MOVIES, 2], numbers(MOVIES * 4))])],
        "movies" => vec![movies_of_floats(), movies_of_codes()],
        "query" => ["heat 1995", "Amelie", "Matrix, The (1999)", "blade runer 2049", "ōkami"]
            .map(|query| query.as_bytes().to_vec())
            .to_vec(),
        "ranker" => vec![ranker(), Bundle::ranked().file(Role::Ranker).to_vec()],
        "request" => vec![request(0), request(1), request(0xff)],
        "states" => vec![states(0), states(2), states(8)],
        "tower" => vec![tower(false), tower(true), Bundle::ranked().file(Role::UserTower).to_vec()],
        "traits" => vec![traits(false), traits(true)],
        other => panic!("no seeds for {other}"),
    }
}

/// One list in each form.
const LISTS: [&str; 7] = [
    "movieId,imdbId,title,year,rating\n10,tt0000111,The Matrix,1930,4.5\n17,,Heat,1939,\n,,M,2002,3\n",
    "Date,Name,Year,Letterboxd URI\n2024-01-02,Heat,1939,https://boxd.it/a\n2024-01-01,\"2001: A Space Odyssey\",,x\n",
    "Date,Name,Year,Letterboxd URI,Rating\n2024-01-02,Amélie,1948,https://boxd.it/a,4.5\n\
     2023-12-31,Nowhere,1900,b,0.5\n",
    "Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date\n\
     2024-01-02,WALL·E,1984,u,5,Yes,\"a, \"\"b\"\"\",2024-01-01\n",
    "Const,Your Rating,Date Rated,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),Year\n\
     tt0000222,9,2024-01-02,Seven,Se7en,u,Movie,8.6,127,1993\ntt0000001,2,2024-01-03,Show,Show,u,TV Series,8,50,2000\n",
    "movie_id;imdb_id;tmdb_id;rating;average_rating;title\n10;111;9;4.0;3.9;\"Matrix, The (1930)\"\n",
    "userId\tmovieId\trating\ttimestamp\n1\t10\t4.0\t964982703\n1\t17\t3.5\t964981247\n",
];

fn tensors(tensors: &[(&str, Dtype, &[usize], Vec<u8>)]) -> Vec<u8> {
    let view = |(name, dtype, shape, data): &'_ (&str, Dtype, &[usize], Vec<u8>)| {
        ((*name).to_owned(), *dtype, shape.to_vec(), data.clone())
    };
    let owned: Vec<_> = tensors.iter().map(view).collect();
    let views = owned
        .iter()
        .map(|(name, dtype, shape, data)| (name.clone(), TensorView::new(*dtype, shape.clone(), data).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

/// This many bytes.
fn numbers(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 37 % 256) as u8).collect()
}

/// This many floats between 0 and 1.
fn values(len: usize) -> Vec<f32> {
    (0..len).map(|at| (at as f32 * 0.7).sin().abs()).collect()
}

fn raw(len: usize) -> Vec<u8> {
    values(len).iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn movies_of_floats() -> Vec<u8> {
    tensors(&[
        ("embedding", Dtype::F32, &[MOVIES, DIM], raw(MOVIES * DIM)),
        ("bias", Dtype::F32, &[MOVIES], raw(MOVIES)),
    ])
}

fn movies_of_codes() -> Vec<u8> {
    tensors(&[
        ("embedding", Dtype::I8, &[MOVIES, DIM], numbers(MOVIES * DIM)),
        ("scale", Dtype::F32, &[MOVIES], raw(MOVIES)),
        ("bias", Dtype::F32, &[MOVIES], raw(MOVIES)),
    ])
}

fn states(coarse: usize) -> Vec<u8> {
    const STATES: usize = 9;
    let next = (0..STATES as u32).flat_map(|state| (state % MOVIES as u32).to_le_bytes()).collect();
    tensors(&[
        ("center", Dtype::F32, &[DIM], raw(DIM)),
        ("basis", Dtype::F32, &[DIM, DIM], raw(DIM * DIM)),
        ("scale", Dtype::F32, &[DIM], raw(DIM)),
        ("fine", Dtype::I8, &[STATES, DIM - coarse], numbers(STATES * (DIM - coarse))),
        ("coarse", Dtype::U8, &[STATES, coarse / 2], numbers(STATES * coarse / 2)),
        ("next", Dtype::U32, &[STATES], next),
    ])
}

/// With the optional tensors, or without.
fn traits(is_whole: bool) -> Vec<u8> {
    let mut all = vec![
        ("everybody", Dtype::F32, vec![3], raw(4).split_off(4)),
        ("statistics", Dtype::F32, vec![MOVIES, 5], raw(MOVIES * 5)),
        ("taste", Dtype::I8, vec![MOVIES, TASTES], numbers(MOVIES * TASTES)),
        ("taste_scale", Dtype::F32, vec![MOVIES], raw(MOVIES)),
        ("audience", Dtype::I8, vec![MOVIES, 3], numbers(MOVIES * 3)),
        ("audience_scale", Dtype::F32, vec![MOVIES], raw(MOVIES)),
    ];
    if is_whole {
        all.push(("leaning", Dtype::F32, vec![3, TASTES], raw(3 * TASTES)));
        all.push(("titles", Dtype::I8, vec![MOVIES, 5], numbers(MOVIES * 5)));
        all.push(("titles_scale", Dtype::F32, vec![MOVIES], raw(MOVIES)));
    }
    let all: Vec<_> = all.iter().map(|(name, dtype, shape, data)| (*name, *dtype, &shape[..], data.clone())).collect();
    tensors(&all)
}

fn node(operator: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: operator.to_owned(),
        input: inputs.iter().map(|input| (*input).to_owned()).collect(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    }
}

fn onnx(node: Vec<NodeProto>, initializer: Vec<TensorProto>, inputs: &[&str], output: &str) -> Vec<u8> {
    let info = |name: &&str| ValueInfoProto { name: (*name).to_owned(), ..ValueInfoProto::default() };
    let (input, output) = (inputs.iter().map(declared).collect(), vec![info(&output)]);
    let graph = GraphProto { node, initializer, input, output, ..GraphProto::default() };
    let opset_import = vec![OperatorSetIdProto { domain: String::new(), version: 17 }];
    ModelProto { ir_version: 8, opset_import, graph: Some(graph), ..ModelProto::default() }.encode_to_vec()
}

/// An input of the tower or the ranker, with its declared shape. The first axis is open, as some exporters leave it.
fn declared(name: &&str) -> ValueInfoProto {
    let [history, weights, time] = TOWER_INPUTS;
    let (kind, width) = match *name {
        name if name == history => (DataType::Int64, HISTORY_LEN),
        name if name == weights => (DataType::Float, HISTORY_LEN),
        name if name == time => (DataType::Float, TIME_FEATURES),
        YEAR_INPUT => (DataType::Float, 1),
        _ => (DataType::Float, REACTION_WIDTH),
    };
    let dim = |value: tensor_shape_proto::dimension::Value| tensor_shape_proto::Dimension {
        value: Some(value),
        ..tensor_shape_proto::Dimension::default()
    };
    let batch = tensor_shape_proto::dimension::Value::DimParam("batch".to_owned());
    let width = tensor_shape_proto::dimension::Value::DimValue(width as i64);
    let shape = Some(TensorShapeProto { dim: vec![dim(batch), dim(width)] });
    let value = Some(type_proto::Value::TensorType(type_proto::Tensor { elem_type: kind.into(), shape }));
    ValueInfoProto {
        name: (*name).to_owned(),
        r#type: Some(TypeProto { value, ..TypeProto::default() }),
        ..ValueInfoProto::default()
    }
}

/// A small tower with a gain by the number of movies. Its table is of floats or, as the trainer's, of 8-bit numbers
/// with scales.
fn tower(is_quantised: bool) -> Vec<u8> {
    let [history, weights, time] = TOWER_INPUTS;
    let mut tensors = vec![
        floats("time_weight", &[DIM as i64, TIME_FEATURES as i64], &values(DIM * TIME_FEATURES)),
        floats("time_bias", &[DIM as i64], &values(DIM)),
        integers("last", &[2]),
        integers("slots", &[1]),
    ];
    let mut dense = node("Gemm", &[time, "time_weight", "time_bias"], "of_time");
    dense.attribute.push(int("transB", 1));
    let mut sum = node("ReduceSum", &["weighted", "slots"], "sum");
    sum.attribute.push(int("keepdims", 0));
    let mut nodes = vec![dense, node("Unsqueeze", &[weights, "last"], "slot_weights")];
    let size = [MOVIES as i64 + 1, DIM as i64];
    if is_quantised {
        let bytes = numbers((MOVIES + 1) * DIM);
        let table = TensorProto { raw_data: bytes, data_type: DataType::Int8.into(), ..floats("table", &size, &[]) };
        tensors.push(table);
        tensors.push(floats("scale", &[MOVIES as i64 + 1, 1], &values(MOVIES + 1)));
        tensors.push(floats("gains", &[51, 1], &values(51)));
        let cast = |from: &str, to: DataType, output: &str| {
            let mut cast = node("Cast", &[from], output);
            cast.attribute.push(int("to", i64::from(i32::from(to))));
            cast
        };
        let mut length = node("ReduceSum", &["is_watched", "slots"], "length");
        length.attribute.push(int("keepdims", 0));
        tensors.push(floats("nothing", &[], &[0.0]));
        nodes.extend([
            node("Gather", &["table", history], "codes"),
            cast("codes", DataType::Float, "rows"),
            node("Gather", &["scale", history], "scales"),
            node("Mul", &["rows", "scales"], "looked_up"),
            node("Mul", &["looked_up", "slot_weights"], "weighted"),
            sum,
            node("Greater", &[weights, "nothing"], "above"),
            cast("above", DataType::Float, "is_watched"),
            length,
            cast("length", DataType::Int64, "place"),
            node("Gather", &["gains", "place"], "gain"),
            node("Mul", &["sum", "gain"], "scaled"),
            node("Add", &["scaled", "of_time"], "hidden"),
            node("Add", &["hidden", YEAR_INPUT], TOWER_OUTPUT),
        ]);
        return onnx(nodes, tensors, &[history, weights, time, YEAR_INPUT], TOWER_OUTPUT);
    }
    tensors.push(floats("table", &size, &values((MOVIES + 1) * DIM)));
    nodes.extend([
        node("Gather", &["table", history], "looked_up"),
        node("Mul", &["looked_up", "slot_weights"], "weighted"),
        sum,
        node("Add", &["sum", "of_time"], "hidden"),
        node("LeakyRelu", &["hidden"], TOWER_OUTPUT),
    ]);
    onnx(nodes, tensors, &[history, weights, time], TOWER_OUTPUT)
}

/// A small ranker.
fn ranker() -> Vec<u8> {
    use watchnext::ranker::{RANKER_INPUT, RANKER_OUTPUT};
    let tensors = vec![
        floats("weight", &[REACTION_WIDTH as i64, 3], &values(REACTION_WIDTH * 3)),
        floats("bias", &[3], &values(3)),
    ];
    let nodes = vec![
        node("MatMul", &[RANKER_INPUT, "weight"], "product"),
        node("Add", &["product", "bias"], "sum"),
        node("Softmax", &["sum"], RANKER_OUTPUT),
    ];
    onnx(nodes, tensors, &[RANKER_INPUT], RANKER_OUTPUT)
}

/// See `targets::bundle`.
fn bundle() -> Vec<u8> {
    let (catalog, movies, tower) = (small_catalog().to_json().unwrap(), movies_of_codes(), tower(false));
    let file =
        |path: &str, bytes: &[u8]| serde_json::json!({"path": path, "bytes": bytes.len(), "sha256": sha256_hex(bytes)});
    let manifest = serde_json::json!({
        "format_version": 1, "features_version": 1, "name": "small", "movies": MOVIES, "dim": DIM, "held_out": {},
        "files": {
            "catalog": file("catalog.json", &catalog),
            "movies": file("movies.safetensors", &movies),
            "user_tower": file("user_tower.onnx", &tower),
        },
        "training": {"command": "", "seed": 0, "dataset": "", "sources": [], "users": 0, "ratings": 0},
    });
    let mut bytes = Vec::new();
    for part in [serde_json::to_vec(&manifest).unwrap(), catalog, movies] {
        bytes.extend((part.len() as u32).to_le_bytes());
        bytes.extend(part);
    }
    bytes.extend(tower);
    bytes
}

/// See `targets::request`.
fn request(flags: u8) -> Vec<u8> {
    let mut bytes = 1_510_000_000_i64.to_le_bytes().to_vec();
    bytes.extend(60_i32.to_le_bytes());
    bytes.extend(5_u32.to_le_bytes());
    bytes.extend(0.3_f32.to_le_bytes());
    bytes.extend([0x9e, 0x07, 0, 0, 0, 9, 9, 9, flags, 0, 0, 0]);
    for (movie, stars) in [(10_u32, 4.5_f32), (24, 0.0), (99, 2.0)] {
        bytes.extend(movie.to_le_bytes());
        bytes.extend(stars.to_le_bytes());
    }
    bytes
}
