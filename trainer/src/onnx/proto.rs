//! ONNX's nodes, attributes and tensors, in tract's own protobuf types.

use tract_onnx::pb::{
    AttributeProto, NodeProto, TensorProto, TensorShapeProto, TypeProto, ValueInfoProto,
    attribute_proto::AttributeType, tensor_proto::DataType, tensor_shape_proto, type_proto,
};

use crate::math::bytes::{floats as float_bytes, int8, int64};

/// A node with one output, named after that output.
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

/// An attribute of one float.
pub(crate) fn float_attribute(name: &str, value: f32) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: AttributeType::Float.into(), f: value, ..AttributeProto::default() }
}

/// A tensor of floats.
pub(crate) fn floats(name: &str, dims: &[usize], values: impl IntoIterator<Item = f32>) -> TensorProto {
    tensor(name, dims, DataType::Float, float_bytes(values))
}

/// A tensor of 8-bit integers.
pub(crate) fn int8s(name: &str, dims: &[usize], values: impl IntoIterator<Item = i8>) -> TensorProto {
    tensor(name, dims, DataType::Int8, int8(values))
}

/// A vector of 64-bit integers.
pub(crate) fn ints(name: &str, values: &[i64]) -> TensorProto {
    tensor(name, &[values.len()], DataType::Int64, int64(values))
}

/// One 64-bit integer, without axes.
pub(crate) fn int(name: &str, value: i64) -> TensorProto {
    tensor(name, &[], DataType::Int64, int64([value]))
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

/// An input or an output of a model.
pub(crate) fn value(name: &str, element: DataType, shape: &[usize]) -> ValueInfoProto {
    let dimensions = shape.iter().map(|len| tensor_shape_proto::dimension::Value::DimValue(*len as i64));
    value_of(name, element, dimensions)
}

/// An input `[1, axis]`, whose second axis is left open under this name.
pub(crate) fn open_row(name: &str, element: DataType, axis: &str) -> ValueInfoProto {
    let open = tensor_shape_proto::dimension::Value::DimParam(axis.to_owned());
    value_of(name, element, [tensor_shape_proto::dimension::Value::DimValue(1), open])
}

fn value_of(
    name: &str,
    element: DataType,
    shape: impl IntoIterator<Item = tensor_shape_proto::dimension::Value>,
) -> ValueInfoProto {
    let dimension =
        |value| tensor_shape_proto::Dimension { value: Some(value), ..tensor_shape_proto::Dimension::default() };
    let shape = TensorShapeProto { dim: shape.into_iter().map(dimension).collect() };
    let tensor = type_proto::Tensor { elem_type: element.into(), shape: Some(shape) };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..TypeProto::default() }),
        ..ValueInfoProto::default()
    }
}
