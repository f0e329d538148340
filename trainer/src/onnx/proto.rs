//! Writing ONNX models, with tract's own protobuf types.

use prost::Message;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, attribute_proto::AttributeType, tensor_proto::DataType, tensor_shape_proto, type_proto,
};
use watchnext::features::{HISTORY_LEN, TIME_FEATURES};
use watchnext::model::{TOWER_INPUTS, TOWER_OUTPUT, YEAR_INPUT};
use watchnext::ranker::{RANKER_INPUT, RANKER_OUTPUT};

/// ONNX 1.12's intermediate representation and operator set: every operator here has its final form in them, and every
/// runtime of the last years reads them.
const IR_VERSION: i64 = 8;
const OPSET: i64 = 17;

/// A user tower's model: `history` `[1, 50]` int64, `weights` `[1, 50]` and `time` `[1, 50]` float in, `user_vector`
/// `[1, dim]` float out; with `asks_for_year` also `year` `[1, 1]` float in.
pub(crate) fn user_tower(
    node: Vec<NodeProto>,
    initializer: Vec<TensorProto>,
    dim: usize,
    asks_for_year: bool,
) -> Vec<u8> {
    let [history, weights, time] = TOWER_INPUTS;
    let year = asks_for_year.then(|| value(YEAR_INPUT, DataType::Float, &[1, 1]));
    let graph = GraphProto {
        name: "user_tower".to_owned(),
        node,
        initializer,
        input: [
            value(history, DataType::Int64, &[1, HISTORY_LEN]),
            value(weights, DataType::Float, &[1, HISTORY_LEN]),
            value(time, DataType::Float, &[1, TIME_FEATURES]),
        ]
        .into_iter()
        .chain(year)
        .collect(),
        output: vec![value(TOWER_OUTPUT, DataType::Float, &[1, dim])],
        ..GraphProto::default()
    };
    encoded(graph)
}

/// A model of a longer history and nothing else: `history` `[1, length]` int64 and `weights` `[1, length]` float in, `user_vector`
/// `[1, dim]` float out.
pub(crate) fn sequence_tower(
    node: Vec<NodeProto>,
    initializer: Vec<TensorProto>,
    length: usize,
    dim: usize,
) -> Vec<u8> {
    let [history, weights, _] = TOWER_INPUTS;
    encoded(GraphProto {
        name: "user_tower".to_owned(),
        node,
        initializer,
        input: vec![value(history, DataType::Int64, &[1, length]), value(weights, DataType::Float, &[1, length])],
        output: vec![value(TOWER_OUTPUT, DataType::Float, &[1, dim])],
        ..GraphProto::default()
    })
}

/// A ranker's model: `features` `[rows, columns]` float in, `reactions` `[rows, classes]` float out.
pub(crate) fn ranker(
    node: Vec<NodeProto>,
    initializer: Vec<TensorProto>,
    rows: usize,
    columns: usize,
    classes: usize,
) -> Vec<u8> {
    encoded(GraphProto {
        name: "ranker".to_owned(),
        node,
        initializer,
        input: vec![value(RANKER_INPUT, DataType::Float, &[rows, columns])],
        output: vec![value(RANKER_OUTPUT, DataType::Float, &[rows, classes])],
        ..GraphProto::default()
    })
}

fn encoded(graph: GraphProto) -> Vec<u8> {
    let model = ModelProto {
        ir_version: IR_VERSION,
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
        producer_name: "watchnext trainer".to_owned(),
        graph: Some(graph),
        ..ModelProto::default()
    };
    model.encode_to_vec()
}

/// A node with one output, after which it is named.
pub(crate) fn node(operator: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: operator.to_owned(),
        name: format!("{operator} to {output}"),
        input: inputs.iter().map(|input| (*input).to_owned()).collect(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    }
}

/// An attribute of one integer.
pub(crate) fn int_attribute(name: &str, value: i64) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: AttributeType::Int.into(), i: value, ..AttributeProto::default() }
}

/// An attribute of several integers.
pub(crate) fn ints_attribute(name: &str, values: &[i64]) -> AttributeProto {
    let ints = values.to_vec();
    AttributeProto { name: name.to_owned(), r#type: AttributeType::Ints.into(), ints, ..AttributeProto::default() }
}

/// A fully connected layer, `input · layer_weightᵀ + layer_bias`.
pub(crate) fn dense(input: &str, layer: &str, output: &str) -> NodeProto {
    let mut node = node("Gemm", &[input, &format!("{layer}_weight"), &format!("{layer}_bias")], output);
    node.attribute.push(int_attribute("transB", 1));
    node
}

/// A LeakyReLU.
pub(crate) fn leaky_relu(slope: f64, input: &str, output: &str) -> NodeProto {
    let mut node = node("LeakyRelu", &[input], output);
    node.attribute.push(float_attribute("alpha", slope as f32));
    node
}

/// An attribute of one float.
pub(crate) fn float_attribute(name: &str, value: f32) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: AttributeType::Float.into(), f: value, ..AttributeProto::default() }
}

/// A tensor of floats.
pub(crate) fn floats(name: &str, dims: &[usize], values: impl IntoIterator<Item = f32>) -> TensorProto {
    tensor(name, dims, DataType::Float, values.into_iter().flat_map(f32::to_le_bytes).collect())
}

/// A tensor of 8-bit integers.
pub(crate) fn bytes(name: &str, dims: &[usize], values: impl IntoIterator<Item = i8>) -> TensorProto {
    tensor(name, dims, DataType::Int8, values.into_iter().map(i8::cast_unsigned).collect())
}

/// A vector of 64-bit integers.
pub(crate) fn ints(name: &str, values: &[i64]) -> TensorProto {
    tensor(name, &[values.len()], DataType::Int64, values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

fn tensor(name: &str, dims: &[usize], element: DataType, raw_data: Vec<u8>) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: dims.iter().map(|len| *len as i64).collect(),
        data_type: element.into(),
        raw_data,
        ..TensorProto::default()
    }
}

fn value(name: &str, element: DataType, shape: &[usize]) -> ValueInfoProto {
    let dimension = |len: &usize| tensor_shape_proto::Dimension {
        value: Some(tensor_shape_proto::dimension::Value::DimValue(*len as i64)),
        ..tensor_shape_proto::Dimension::default()
    };
    let shape = TensorShapeProto { dim: shape.iter().map(dimension).collect() };
    let tensor = type_proto::Tensor { elem_type: element.into(), shape: Some(shape) };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..TypeProto::default() }),
        ..ValueInfoProto::default()
    }
}
