//! Whole models: a graph with its inputs and its output.

use prost::Message;
use tract_onnx::pb::{GraphProto, ModelProto, OperatorSetIdProto, ValueInfoProto, tensor_proto::DataType};
use watchnext::features::{HISTORY_LEN, TIME_FEATURES};
use watchnext::model::{LIKES_INPUT, TOWER_INPUTS, TOWER_OUTPUT};
use watchnext::ranker::{RANKER_INPUT, RANKER_OUTPUT};

use super::graph::Graph;
use super::proto::{open_row, value};

/// The intermediate representation and the operator set of ONNX 1.12. All operators here have their final form in them,
/// and every recent runtime reads them.
const IR_VERSION: i64 = 8;
const OPSET: i64 = 17;

/// A user tower's model.
///
/// Inputs: `history` `[1, 50]` int64, `weights` `[1, 50]` and `time` `[1, 50]` float. Output: `user_vector` `[1, dim]`
/// float.
pub(crate) fn user_tower(graph: Graph, dim: usize) -> Vec<u8> {
    let [history, weights, time] = TOWER_INPUTS;
    let inputs = vec![
        value(history, DataType::Int64, &[1, HISTORY_LEN]),
        value(weights, DataType::Float, &[1, HISTORY_LEN]),
        value(time, DataType::Float, &[1, TIME_FEATURES]),
    ];
    encoded(graph, "user_tower", inputs, value(TOWER_OUTPUT, DataType::Float, &[1, dim]))
}

/// A user tower's model that leaves open how many slots its history has.
///
/// Inputs: `history` `[1, slots]` int64, `weights` `[1, slots]` float, and those of `optional` that it asks for:
/// `likes`
/// `[1, slots]`, `year` and `in_order` `[1, 1]` float. Output: `user_vector` `[1, dim]` float.
pub(crate) fn open_user_tower(graph: Graph, dim: usize, optional: &[&str]) -> Vec<u8> {
    let [history, weights, _] = TOWER_INPUTS;
    let mut inputs = vec![open_row(history, DataType::Int64, "slots"), open_row(weights, DataType::Float, "slots")];
    inputs.extend(optional.iter().map(|input| match *input {
        LIKES_INPUT => open_row(LIKES_INPUT, DataType::Float, "slots"),
        other => value(other, DataType::Float, &[1, 1]),
    }));
    encoded(graph, "user_tower", inputs, value(TOWER_OUTPUT, DataType::Float, &[1, dim]))
}

/// A user tower's model that asks for a longer history and nothing else.
///
/// Inputs: `history` `[1, length]` int64 and `weights` `[1, length]` float. Output: `user_vector` `[1, dim]` float.
pub(crate) fn sequence_tower(graph: Graph, length: usize, dim: usize) -> Vec<u8> {
    let [history, weights, _] = TOWER_INPUTS;
    let inputs = vec![value(history, DataType::Int64, &[1, length]), value(weights, DataType::Float, &[1, length])];
    encoded(graph, "user_tower", inputs, value(TOWER_OUTPUT, DataType::Float, &[1, dim]))
}

/// A ranker's model. Input: `features` `[rows, columns]` float. Output: `reactions` `[rows, classes]` float.
pub(crate) fn ranker(graph: Graph, rows: usize, columns: usize, classes: usize) -> Vec<u8> {
    let input = value(RANKER_INPUT, DataType::Float, &[rows, columns]);
    encoded(graph, "ranker", vec![input], value(RANKER_OUTPUT, DataType::Float, &[rows, classes]))
}

fn encoded(graph: Graph, name: &str, input: Vec<ValueInfoProto>, output: ValueInfoProto) -> Vec<u8> {
    let graph = GraphProto {
        name: name.to_owned(),
        node: graph.nodes,
        initializer: graph.tensors,
        input,
        output: vec![output],
        ..GraphProto::default()
    };
    let model = ModelProto {
        ir_version: IR_VERSION,
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
        producer_name: "watchnext trainer".to_owned(),
        graph: Some(graph),
        ..ModelProto::default()
    };
    model.encode_to_vec()
}
