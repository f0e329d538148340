//! Small ONNX models: one for each operator that the library knows, and more for attributes and optional inputs.
#![allow(dead_code, missing_docs)]

use prost::Message;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, attribute_proto::AttributeType, tensor_proto::DataType, tensor_shape_proto, type_proto,
};

pub const ROWS: usize = 3;
pub const COLUMNS: usize = 4;

/// One node under test. It reads `x` and `y`, `[ROWS, COLUMNS]` of floats between −2 and 2, and constants.
pub struct Case {
    pub operator: &'static str,
    pub inputs: Vec<&'static str>,
    pub attributes: Vec<AttributeProto>,
    pub outputs: usize,
}

pub fn case(operator: &'static str, inputs: &[&'static str]) -> Case {
    Case { operator, inputs: inputs.to_vec(), attributes: Vec::new(), outputs: 1 }
}

impl Case {
    pub fn with(mut self, attribute: AttributeProto) -> Self {
        self.attributes.push(attribute);
        self
    }

    pub fn of_outputs(self, outputs: usize) -> Self {
        Self { outputs, ..self }
    }
}

pub fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: AttributeType::Int.into(), i, ..AttributeProto::default() }
}

pub fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    let ints = ints.to_vec();
    AttributeProto { name: name.to_owned(), r#type: AttributeType::Ints.into(), ints, ..AttributeProto::default() }
}

pub fn float(name: &str, f: f32) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: AttributeType::Float.into(), f, ..AttributeProto::default() }
}

pub fn value(name: &str, tensor: TensorProto) -> AttributeProto {
    let t = Some(tensor);
    AttributeProto { name: name.to_owned(), r#type: AttributeType::Tensor.into(), t, ..AttributeProto::default() }
}

pub fn floats(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    let (name, dims, float_data) = (name.to_owned(), dims.to_vec(), values.to_vec());
    TensorProto { name, dims, data_type: DataType::Float.into(), float_data, ..TensorProto::default() }
}

pub fn integers(name: &str, values: &[i64]) -> TensorProto {
    let (name, dims, int64_data) = (name.to_owned(), vec![values.len() as i64], values.to_vec());
    TensorProto { name, dims, data_type: DataType::Int64.into(), int64_data, ..TensorProto::default() }
}

pub fn index(name: &str, dims: &[i64], values: &[i64]) -> TensorProto {
    TensorProto { dims: dims.to_vec(), ..integers(name, values) }
}

/// Whole numbers of 8 bits.
pub fn codes(name: &str, dims: &[i64], values: &[i8]) -> TensorProto {
    let (name, dims, int32_data) =
        (name.to_owned(), dims.to_vec(), values.iter().map(|code| i32::from(*code)).collect());
    TensorProto { name, dims, data_type: DataType::Int8.into(), int32_data, ..TensorProto::default() }
}

/// The constants that a case may read by name besides `x` and `y`.
pub fn constants() -> Vec<TensorProto> {
    let weights: Vec<f32> = (0..COLUMNS * 5).map(|at| (at as f32 * 0.7).sin()).collect();
    vec![
        floats("scalar", &[], &[0.5]),
        floats("one", &[], &[1.0]),
        floats("row", &[COLUMNS as i64], &[0.5, -1.0, 2.0, 0.1]),
        floats("matrix", &[COLUMNS as i64, 5], &weights),
        floats("turned", &[5, COLUMNS as i64], &weights),
        floats("five", &[5], &weights[..5]),
        floats("table", &[5, COLUMNS as i64], &weights),
        integers("first_axis", &[0]),
        integers("last_axis", &[-1]),
        integers("both_axes", &[0, 1]),
        integers("places", &[2, -1, 0]),
        integers("shape", &[2, 0, -1]),
        integers("flat", &[-1]),
        integers("wide", &[2, 1, COLUMNS as i64]),
        integers("starts", &[1, -3]),
        integers("ends", &[i64::MAX, -1]),
        integers("parts", &[1, 3]),
        integers("size", &[2, 3]),
        integers("parts_of_three", &[7, 5, 3]),
        integers("parts_of_two", &[5, 3]),
        index("first", &[], &[1]),
        index("second", &[], &[2]),
        index("fifth", &[], &[6]),
        index("elements", &[3, 2], &[0, -1, 2, 1, -2, 0]),
        index("pairs", &[2, 2], &[0, 3, 2, 1]),
        index("rows_of_table", &[3, 1], &[4, 0, 2]),
        codes("codes", &[COLUMNS as i64], &[-128, -1, 0, 127]),
        floats("spread", &[COLUMNS as i64], &[0.5, 1.5, 2.0, 0.1]),
        // For hostile models only.
        index("zero", &[], &[0]),
        index("endless", &[], &[1 << 40]),
        index("pairs_beyond", &[1, 2], &[3, 2]),
        index("largest", &[1], &[i64::MAX]),
        floats("none", &[0], &[]),
        integers("twice", &[0, 0]),
        integers("uneven", &[5, -1]),
        integers("negative", &[3, -4]),
        integers("large", &[4_096, 4_000]),
        integers("huge", &[1 << 40, 1 << 40]),
        integers("many_axes", &[1, 1, 1, 1, 1, 1, 1, 3, 4]),
    ]
}

pub fn model(case: &Case, used: &[&str], operator_set: i64) -> Vec<u8> {
    let dim = |len: usize| tensor_shape_proto::Dimension {
        value: Some(tensor_shape_proto::dimension::Value::DimValue(len as i64)),
        ..tensor_shape_proto::Dimension::default()
    };
    let info = |name: &str, shape: Option<TensorShapeProto>| ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(type_proto::Tensor { elem_type: DataType::Float.into(), shape })),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    };
    let outputs: Vec<String> = (0..case.outputs).map(|at| format!("out {at}")).collect();
    // An input of truth values comes from a comparison.
    let compared = ["x_above", "y_above"].iter().zip(["x", "y"]).map(|(above, from)| NodeProto {
        op_type: "Greater".to_owned(),
        input: vec![from.to_owned(), "scalar".to_owned()],
        output: vec![(*above).to_owned()],
        ..NodeProto::default()
    });
    let node = NodeProto {
        op_type: case.operator.to_owned(),
        input: case.inputs.iter().map(|input| (*input).to_owned()).collect(),
        output: outputs.clone(),
        attribute: case.attributes.clone(),
        ..NodeProto::default()
    };
    let compared = compared.filter(|node| case.inputs.contains(&node.output[0].as_str()));
    let shape = TensorShapeProto { dim: vec![dim(ROWS), dim(COLUMNS)] };
    let graph = GraphProto {
        name: "case".to_owned(),
        node: compared.chain([node]).collect(),
        initializer: constants(),
        input: used.iter().map(|name| info(name, Some(shape.clone()))).collect(),
        output: outputs.iter().map(|name| info(name, None)).collect(),
        ..GraphProto::default()
    };
    let opset_import = vec![OperatorSetIdProto { domain: String::new(), version: operator_set }];
    ModelProto { ir_version: 8, opset_import, graph: Some(graph), ..ModelProto::default() }.encode_to_vec()
}

/// The inputs of the graph that a case reads.
pub fn used(case: &Case) -> Vec<&'static str> {
    let reads = |name: &str, above: &str| case.inputs.iter().any(|input| *input == name || *input == above);
    [("x", "x_above"), ("y", "y_above")]
        .into_iter()
        .filter(|(name, above)| reads(name, above))
        .map(|(name, _)| name)
        .collect()
}

/// A case for each operator, and more for attributes and optional inputs that change it.
#[expect(clippy::too_many_lines, reason = "a table with a line for each case")]
pub fn cases() -> Vec<Case> {
    let unary =
        ["Abs", "Erf", "Exp", "Neg", "Reciprocal", "Relu", "Sigmoid", "Tanh", "Identity", "Dropout", "LeakyRelu"];
    let binary =
        ["Add", "Sub", "Mul", "Div", "Max", "Min", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"];
    let mut cases: Vec<Case> = unary.iter().map(|operator| case(operator, &["x"])).collect();
    cases.extend(binary.iter().map(|operator| case(operator, &["x", "y"])));
    cases.extend(binary.iter().map(|operator| case(operator, &["row", "y"])));
    let cast = |to: DataType| case("Cast", &["x"]).with(int("to", i64::from(i32::from(to))));
    let more = [
        case("Elu", &["x"]),
        case("Elu", &["x"]).with(float("alpha", 0.3)),
        case("PRelu", &["x", "row"]),
        case("Softplus", &["x"]),
        case("IsNaN", &["x"]),
        case("BatchNormalization", &["x", "row", "row", "row", "spread"]).with(float("epsilon", 0.1)),
        case("Trilu", &["x"]),
        case("Trilu", &["x", "first"]).with(int("upper", 0)),
        case("Range", &["first", "fifth", "second"]),
        case("ReduceL2", &["x"]).with(ints("axes", &[-1])),
        case("ReduceL2", &["x"]).with(ints("axes", &[0, 1])).with(int("keepdims", 0)),
        // Whole numbers, which are places.
        case("Add", &["places", "parts_of_three"]),
        case("Sub", &["places", "second"]),
        case("Mul", &["places", "parts_of_three"]),
        case("Div", &["parts_of_three", "second"]),
        case("Mod", &["parts_of_three", "second"]),
        case("ReduceSum", &["places", "first_axis"]),
        case("GatherElements", &["x", "elements"]).with(int("axis", 1)),
        case("GatherElements", &["table", "elements"]),
        case("GatherND", &["x", "pairs"]),
        case("GatherND", &["table", "rows_of_table"]),
        case("LeakyRelu", &["x"]).with(float("alpha", 0.2)),
        case("Gelu", &["x"]),
        // With numbers that have a root and a logarithm.
        case("Sqrt", &["matrix"]),
        case("Log", &["one"]),
        case("Pow", &["row", "one"]),
        case("Max", &["x", "scalar", "y"]),
        case("Min", &["x"]),
        case("And", &["x_above", "y_above"]),
        case("Or", &["x_above", "y_above"]),
        case("Not", &["x_above"]),
        case("Where", &["x_above", "x", "row"]),
        case("Clip", &["x", "scalar", "one"]),
        case("Clip", &["x", "", "scalar"]),
        cast(DataType::Double),
        case("Cast", &["codes"]).with(int("to", i64::from(i32::from(DataType::Float)))),
        case("Concat", &["x", "y"]).with(int("axis", 0)),
        case("Concat", &["x", "y", "x"]).with(int("axis", -1)),
        case("Constant", &[]).with(value("value", floats("", &[2], &[1.5, 2.5]))),
        case("Constant", &[]).with(float("value_float", 1.5)),
        case("ConstantOfShape", &["size"]).with(value("value", floats("", &[1], &[2.5]))),
        case("Shape", &["x"]),
        case("Shape", &["x"]).with(int("start", 0)).with(int("end", 1)),
        case("Shape", &["x"]).with(int("start", -1)),
        case("ConstantOfShape", &["size"]).with(value("value", integers("", &[7]))),
        case("Expand", &["x", "wide"]),
        case("Flatten", &["x"]).with(int("axis", 0)),
        case("Flatten", &["x"]),
        case("Gather", &["table", "places"]),
        case("Gather", &["x", "places"]).with(int("axis", 1)),
        case("Gemm", &["x", "matrix"]),
        case("Gemm", &["x", "turned", "five"])
            .with(int("transB", 1))
            .with(float("alpha", 0.5))
            .with(float("beta", 2.0)),
        case("Gemm", &["x", "y"]).with(int("transA", 1)),
        case("MatMul", &["x", "matrix"]),
        case("LayerNormalization", &["x", "row"]),
        case("LayerNormalization", &["x", "row", "row"]).with(float("epsilon", 0.1)),
        case("Softmax", &["x"]),
        case("Softmax", &["x"]).with(int("axis", 0)),
        case("LogSoftmax", &["x"]),
        case("ReduceMax", &["x"]).with(ints("axes", &[1])),
        case("ReduceMin", &["x"]).with(ints("axes", &[-1])).with(int("keepdims", 0)),
        case("ReduceMean", &["x"]).with(ints("axes", &[0])),
        case("ReduceMean", &["x"]).with(int("keepdims", 0)),
        case("ReduceSum", &["x", "last_axis"]),
        case("ReduceSum", &["x", "both_axes"]).with(int("keepdims", 0)),
        case("Reshape", &["x", "flat"]),
        case("Slice", &["x", "starts", "ends", "both_axes"]),
        case("Split", &["x", "parts"]).with(int("axis", 1)).of_outputs(2),
        case("Unsqueeze", &["x", "both_axes"]),
        case("Squeeze", &["scalar"]),
        case("Transpose", &["x"]),
        case("Transpose", &["x"]).with(ints("perm", &[1, 0])),
    ];
    cases.extend(more);
    cases
}
