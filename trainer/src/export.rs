//! The user tower as an ONNX model, written with tract's own protobuf types.

use anyhow::{Context, Result};
use candle_core::{DType, Tensor};
use prost::Message;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, attribute_proto::AttributeType, tensor_proto::DataType, tensor_shape_proto, type_proto,
};
use watchnext::features::{HISTORY_LEN, TIME_FEATURES};
use watchnext::model::{TOWER_INPUTS, TOWER_OUTPUT};

use crate::network::{EMBEDDING_DIM, NEGATIVE_SLOPE, Network, STATE_DIM};

/// ONNX 1.12's intermediate representation and operator set: every operator here has its final form in them, and every
/// runtime of the last years reads them.
const IR_VERSION: i64 = 8;
const OPSET: i64 = 17;

/// The ONNX model of the network's user tower: `history` `[1, 50]` int64, `weights` `[1, 50]` and `time` `[1, 50]` float in,
/// `user_vector` `[1, 128]` float out (the user state after its LeakyReLU).
///
/// The embedding table gets one more row, of zeros, which padding looks up.
pub fn user_tower(network: &Network) -> Result<Vec<u8>> {
    let padding = Tensor::zeros((1, EMBEDDING_DIM), DType::F32, network.embedding.device())?;
    let embedding = Tensor::cat(&[network.embedding.as_tensor(), &padding], 0)?;
    let initializer = vec![
        float_tensor("embedding", &embedding)?,
        float_tensor("hidden_weight", &network.hidden_weight)?,
        float_tensor("hidden_bias", &network.hidden_bias)?,
        float_tensor("state_weight", &network.state_weight)?,
        float_tensor("state_bias", &network.state_bias)?,
        int_tensor("value_axis", &[2]),
    ];
    let [history, weights, time] = TOWER_INPUTS;
    let dense = |input, layer: &str, output| {
        let mut node = node("Gemm", &[input, &format!("{layer}_weight"), &format!("{layer}_bias")], output);
        node.attribute.push(int_attribute("transB", 1));
        node
    };
    let leaky_relu = |input, output| {
        let mut node = node("LeakyRelu", &[input], output);
        node.attribute.push(float_attribute("alpha", NEGATIVE_SLOPE as f32));
        node
    };
    let mut mean = node("ReduceMean", &["weighted"], "mean");
    mean.attribute.push(ints_attribute("axes", &[1]));
    mean.attribute.push(int_attribute("keepdims", 0));
    let mut concat = node("Concat", &[time, "mean"], "inputs");
    concat.attribute.push(int_attribute("axis", 1));
    let graph = GraphProto {
        name: "user_tower".to_owned(),
        node: vec![
            node("Gather", &["embedding", history], "looked_up"),
            node("Unsqueeze", &[weights, "value_axis"], "slot_weights"),
            node("Mul", &["looked_up", "slot_weights"], "weighted"),
            mean,
            concat,
            dense("inputs", "hidden", "hidden"),
            leaky_relu("hidden", "hidden_active"),
            dense("hidden_active", "state", "state"),
            leaky_relu("state", TOWER_OUTPUT),
        ],
        initializer,
        input: vec![
            value(history, DataType::Int64, &[1, HISTORY_LEN]),
            value(weights, DataType::Float, &[1, HISTORY_LEN]),
            value(time, DataType::Float, &[1, TIME_FEATURES]),
        ],
        output: vec![value(TOWER_OUTPUT, DataType::Float, &[1, STATE_DIM])],
        ..GraphProto::default()
    };
    let model = ModelProto {
        ir_version: IR_VERSION,
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
        producer_name: "watchnext trainer".to_owned(),
        graph: Some(graph),
        ..ModelProto::default()
    };
    Ok(model.encode_to_vec())
}

fn node(operator: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: operator.to_owned(),
        name: format!("{operator} to {output}"),
        input: inputs.iter().map(|input| (*input).to_owned()).collect(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    }
}

fn int_attribute(name: &str, value: i64) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: AttributeType::Int.into(), i: value, ..AttributeProto::default() }
}

fn ints_attribute(name: &str, values: &[i64]) -> AttributeProto {
    let ints = values.to_vec();
    AttributeProto { name: name.to_owned(), r#type: AttributeType::Ints.into(), ints, ..AttributeProto::default() }
}

fn float_attribute(name: &str, value: f32) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: AttributeType::Float.into(), f: value, ..AttributeProto::default() }
}

fn float_tensor(name: &str, tensor: &Tensor) -> Result<TensorProto> {
    let values = tensor.flatten_all()?.to_vec1::<f32>().with_context(|| format!("{name} isn't of floats"))?;
    Ok(TensorProto {
        name: name.to_owned(),
        dims: tensor.dims().iter().map(|len| *len as i64).collect(),
        data_type: DataType::Float.into(),
        raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        ..TensorProto::default()
    })
}

fn int_tensor(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: vec![values.len() as i64],
        data_type: DataType::Int64.into(),
        raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
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
