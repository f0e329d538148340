//! The contract of the user tower: parts that a model from elsewhere may leave open or leave out, and the message of
//! each refusal.
#![cfg(not(target_arch = "wasm32"))]
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

mod graphs;
mod manifest;

use graphs::{floats, int, integers};
use ndarray::Array2;
use prost::Message;
use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorShapeProto, TypeProto, ValueInfoProto,
    tensor_proto::DataType,
    tensor_shape_proto::{Dimension, dimension::Value},
    type_proto,
};
use watchnext::bundle::MovieEmbeddings;
use watchnext::catalog::{Catalog, Movie, MovieId, MovieIndex};
use watchnext::error::Error;
use watchnext::features::{HISTORY_LEN, LocalTime, TIME_FEATURES};
use watchnext::history::{History, Watch};
use watchnext::model::{TowerInputs, TractUserTower, UserTower};
use watchnext::onnx::{OPERATORS, Operator};
use watchnext::recommend::{Recommender, Retrieval};

const MOVIES: usize = 12;
const DIM: usize = 3;

/// The axes of an input; `None` is an open one.
type Axes<'axes> = &'axes [Option<i64>];

fn put(name: &str, kind: DataType, axes: Option<Axes>) -> ValueInfoProto {
    let axis = |axis: &Option<i64>| Dimension {
        value: Some(axis.map_or_else(|| Value::DimParam("batch".to_owned()), Value::DimValue)),
        ..Dimension::default()
    };
    let shape = axes.map(|axes| TensorShapeProto { dim: axes.iter().map(axis).collect() });
    let value = Some(type_proto::Value::TensorType(type_proto::Tensor { elem_type: kind.into(), shape }));
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { value, ..TypeProto::default() }),
        ..ValueInfoProto::default()
    }
}

fn history(slots: i64) -> ValueInfoProto {
    put("history", DataType::Int64, Some(&[Some(1), Some(slots)]))
}

fn number(row: usize, column: usize) -> f32 {
    // The row of the padding is zeros.
    if row == MOVIES { 0.0 } else { ((row * DIM + column) as f32 * 0.7).sin() }
}

/// A tower that adds up its inputs: the rows of the history's movies, times their weights if it has them, the sum of
/// the time features, and the year.
fn tower(inputs: Vec<ValueInfoProto>, output: &str) -> Vec<u8> {
    let node = |operator: &str, inputs: &[&str], output: &str| NodeProto {
        op_type: operator.to_owned(),
        input: inputs.iter().map(|input| (*input).to_owned()).collect(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    };
    let asks = |name: &str| inputs.iter().any(|input| input.name == name);
    let mut nodes = vec![node("Gather", &["table", "history"], "rows")];
    let mut sum = if asks("weights") {
        nodes.push(node("Unsqueeze", &["weights", "last"], "slot_weights"));
        nodes.push(node("Mul", &["rows", "slot_weights"], "weighted"));
        node("ReduceSum", &["weighted", "slots"], "sum")
    } else {
        node("ReduceSum", &["rows", "slots"], "sum")
    };
    sum.attribute.push(int("keepdims", 0));
    nodes.push(sum);
    let mut before = "sum";
    if asks("time") {
        nodes.push(node("ReduceSum", &["time", "slots"], "of_time"));
        nodes.push(node("Add", &[before, "of_time"], "with_time"));
        before = "with_time";
    }
    if asks("year") {
        nodes.push(node("Add", &[before, "year"], "with_year"));
        before = "with_year";
    }
    if asks("in_order") {
        nodes.push(node("Add", &[before, "in_order"], "with_order"));
        before = "with_order";
    }
    nodes.push(node("Identity", &[before], output));
    let values: Vec<f32> = (0..=MOVIES).flat_map(|row| (0..DIM).map(move |column| number(row, column))).collect();
    let graph = GraphProto {
        node: nodes,
        initializer: vec![
            floats("table", &[MOVIES as i64 + 1, DIM as i64], &values),
            integers("last", &[2]),
            integers("slots", &[1]),
        ],
        input: inputs,
        output: vec![ValueInfoProto { name: output.to_owned(), ..ValueInfoProto::default() }],
        ..GraphProto::default()
    };
    let opset_import = vec![OperatorSetIdProto { domain: String::new(), version: 17 }];
    ModelProto { ir_version: 8, opset_import, graph: Some(graph), ..ModelProto::default() }.encode_to_vec()
}

fn load(inputs: Vec<ValueInfoProto>) -> Result<TractUserTower, Error> {
    TractUserTower::load(&tower(inputs, "user_vector"), DIM, MOVIES)
}

fn watches(rows: impl IntoIterator<Item = usize>) -> Vec<Watch> {
    rows.into_iter().map(|row| Watch { movie: MovieIndex::new(row).unwrap(), rating: None }).collect()
}

fn moment() -> LocalTime {
    LocalTime::from_unix(1_510_000_000, 0).unwrap()
}

fn inputs(watches: &[Watch], slots: usize) -> TowerInputs {
    TowerInputs::new(watches, MOVIES, slots, &moment(), true)
}

fn sum(rows: impl IntoIterator<Item = usize>) -> Vec<f32> {
    rows.into_iter().fold(vec![0.0; DIM], |sum, row| sum.iter().zip(0..).map(|(s, c)| s + number(row, c)).collect())
}

fn assert_near(found: &[f32], expected: &[f32]) {
    assert!(found.iter().zip(expected).all(|(one, other)| (one - other).abs() < 1e-3), "{found:?} for {expected:?}");
}

/// With seven slots and no other input, the tower and the reasons take the last seven movies, oldest first.
#[test]
fn a_tower_says_itself_how_many_movies_it_sees() {
    let tower = load(vec![history(7)]).unwrap();
    assert_eq!((tower.slots(0), tower.dim()), (7, DIM));
    assert_near(&tower.embed(&inputs(&watches(0..9), 7)).unwrap(), &sum(2..9));
    assert_near(&tower.embed(&inputs(&watches([4, 1]), 7)).unwrap(), &sum([4, 1]));
    let of_fifty = tower.embed(&inputs(&watches(0..9), HISTORY_LEN)).unwrap_err().to_string();
    assert_eq!(
        of_fifty,
        "`user_tower` failed while it ran: it was given 50 movies, 50 weights and 50 likes for [7] slots"
    );

    let movie = |row: usize| Movie {
        id: MovieId(row as u32),
        key: None,
        title: format!("Movie {row}"),
        year: None,
        genres: Vec::new(),
        ratings: 0,
    };
    let catalog = Catalog::new(Vec::new(), (0..MOVIES).map(movie).collect()).unwrap();
    let embedding = Array2::from_shape_fn((MOVIES, DIM), |(row, column)| number(row, column));
    let movies = MovieEmbeddings { embedding, bias: vec![0.0; MOVIES] };
    let recommender = Recommender::from_parts(manifest::small(MOVIES, DIM), catalog, Box::new(tower), &movies).unwrap();
    let history = History::new(watches(0..9));
    assert_near(&recommender.user_vector(&history, &moment()).unwrap(), &sum(2..9));
    let best = recommender.suggest(&history, &moment(), 3, Retrieval::Movies).unwrap();
    let asked: Vec<MovieIndex> = best.iter().map(|suggestion| suggestion.movie).collect();
    let reasons = recommender.reasons(&history, &moment(), &asked, 9).unwrap();
    assert!(reasons.iter().any(|reasons| !reasons.is_empty()));
    assert!(reasons.iter().flatten().all(|reason| (2..9).contains(&reason.movie.as_usize())), "{reasons:?}");
}

/// With its slots left open, the tower takes the fewest that hold the history, and all of a long one.
#[test]
fn a_tower_may_leave_open_how_many_movies_it_sees() {
    let open = put("history", DataType::Int64, Some(&[Some(1), None]));
    let tower = load(vec![open.clone()]).unwrap();
    assert_eq!([0, 50, 51, 300, 9_000].map(|watched| tower.slots(watched)), [50, 50, 250, 1_250, 6_250]);
    for len in [3, 50, 60] {
        let rows = || (0..len).map(|row| row % MOVIES);
        assert_near(&tower.embed(&inputs(&watches(rows()), tower.slots(len))).unwrap(), &sum(rows()));
    }
    // The slots of the other inputs can't be fixed then.
    let fixed = put("weights", DataType::Float, Some(&[Some(1), Some(50)]));
    let refusal = load(vec![open, fixed]).unwrap_err().to_string();
    assert!(refusal.contains("`weights` has shape [1, 50], the contract is [1, ?]"), "{refusal}");
}

/// In any order, each at its own place, with a batch that the exporter left open.
#[test]
fn inputs_come_in_any_order_and_a_batch_may_be_open() {
    let year = || put("year", DataType::Float, Some(&[None, Some(1)]));
    let time = || put("time", DataType::Float, Some(&[None, Some(TIME_FEATURES as i64)]));
    let weights = || put("weights", DataType::Float, Some(&[None, Some(5)]));
    let history = || put("history", DataType::Int64, Some(&[None, Some(5)]));
    let asked = inputs(&watches([3, 8]), 5);
    let (of_time, of_year) = (asked.time.iter().sum::<f32>(), asked.year);
    let shifted = |by: f32| sum([3, 8]).into_iter().map(|value| value + by).collect::<Vec<f32>>();
    for (puts, by) in [
        (vec![year(), time(), weights(), history()], of_time + of_year),
        (vec![weights(), history(), year()], of_year),
        (vec![history(), time()], of_time),
        (vec![put("in_order", DataType::Float, Some(&[Some(1), Some(1)])), history()], 1.0),
        (vec![history(), put("likes", DataType::Float, Some(&[Some(1), Some(5)]))], 0.0),
        (vec![history()], 0.0),
    ] {
        assert_near(&load(puts).unwrap().embed(&asked).unwrap(), &shifted(by));
    }
}

/// The contract's list of operators is the library's.
#[test]
fn the_page_lists_the_operators() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/MODEL_CONTRACT.md")).unwrap();
    let list = page.split("The operators:\n").nth(1).unwrap().split(".\n").next().unwrap();
    let list: Vec<&str> = list.split(',').map(str::trim).collect();
    assert_eq!(list, OPERATORS.each_ref().map(Operator::name));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table with the message of each breach")]
fn each_breach_of_the_contract_is_refused_with_its_remedy() {
    let float = DataType::Float;
    let cases = [
        (
            vec![history(7), put("user_id", DataType::Int64, Some(&[Some(1)]))],
            "its input `user_id` isn't one of history, weights, time, year, likes and in_order. Rename it, or make \
             what it needs a part of the model",
        ),
        (
            vec![put("weights", float, Some(&[Some(1), Some(7)]))],
            "it has no input `history`, int64 of [1, L]; its inputs are [\"weights\"]",
        ),
        (vec![history(7), history(7)], "its input `history` is there twice"),
        (vec![history(513)], "its input `history` has 513 slots, 1 to 512 are taken"),
        (vec![history(0)], "its input `history` has 0 slots, 1 to 512 are taken"),
        (
            vec![put("history", DataType::Int64, Some(&[Some(7)]))],
            "its input `history` has shape [7], the contract is [1, L]",
        ),
        (
            vec![put("history", DataType::Int64, Some(&[Some(4), Some(7)]))],
            "its input `history` has shape [4, 7], the contract is [1, 7]. Export it for one visitor at a time",
        ),
        (
            vec![put("history", DataType::Int32, Some(&[Some(1), Some(7)]))],
            "its input `history` is of int32, the contract is int64. Cast it within the model",
        ),
        (
            vec![history(7), put("weights", float, Some(&[Some(1), Some(6)]))],
            "its input `weights` has shape [1, 6], the contract is [1, 7]. Export it for one visitor at a time",
        ),
        (
            vec![history(7), put("time", float, Some(&[Some(1), Some(24)]))],
            "its input `time` has shape [1, 24], the contract is [1, 50]. Export it for one visitor at a time",
        ),
        (
            vec![history(7), put("year", DataType::Int64, Some(&[Some(1), Some(1)]))],
            "its input `year` is of int64, the contract is float. Cast it within the model",
        ),
        (vec![put("history", DataType::Int64, None)], "the input `history`: the file doesn't say its shape"),
        (
            vec![put("history", DataType::String, Some(&[Some(1), Some(7)]))],
            "the input `history`: ONNX's type 8 (string) isn't one of float, double, int8, uint8, int32, int64, bool. \
             Cast it when you export",
        ),
        (
            vec![ValueInfoProto { name: "history".to_owned(), ..Default::default() }],
            "the input `history`: it isn't a tensor",
        ),
    ];
    for (inputs, reason) in cases {
        let error = load(inputs).unwrap_err();
        assert_eq!(error.to_string(), format!("`user_tower` can't be loaded: {reason}"));
    }
    let other = TractUserTower::load(&tower(vec![history(7)], "embedding"), DIM, MOVIES).unwrap_err();
    assert_eq!(
        other.to_string(),
        "`user_tower` can't be loaded: its outputs are [\"embedding\"], the contract is one, \"user_vector\". Name it \
         when you export"
    );
    let wide = TractUserTower::load(&tower(vec![history(7)], "user_vector"), DIM + 1, MOVIES).unwrap_err();
    assert_eq!(wide.to_string(), "`user_tower: user_vector` has shape [1, 3], expected [1, 4]");
    // For a catalogue of one movie more, the padding is a row that the table doesn't have.
    let small = TractUserTower::load(&tower(vec![history(7)], "user_vector"), DIM, MOVIES + 1).unwrap_err();
    assert!(small.to_string().contains("it looks up row 13 in a table of 13"), "{small}");
}
