//! The operators that the library wires by itself, against tract-onnx's own reader, which knows all of ONNX.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use prost::Message;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, attribute_proto::AttributeType, tensor_proto::DataType, tensor_shape_proto, type_proto,
};
use tract_onnx::prelude::{
    Datum, Framework, InferenceFact, InferenceModelExt, IntoRunnable, IntoTValue, TValue, Tensor,
};
use watchnext::onnx::{Input, OPERATORS, OnnxModel};

const ROWS: usize = 3;
const COLUMNS: usize = 4;

/// One node under test. It reads `x` and `y`, `[ROWS, COLUMNS]` of floats between −2 and 2, and constants.
struct Case {
    operator: &'static str,
    inputs: Vec<&'static str>,
    attributes: Vec<AttributeProto>,
    outputs: usize,
}

fn case(operator: &'static str, inputs: &[&'static str]) -> Case {
    Case { operator, inputs: inputs.to_vec(), attributes: Vec::new(), outputs: 1 }
}

impl Case {
    fn with(mut self, attribute: AttributeProto) -> Self {
        self.attributes.push(attribute);
        self
    }

    fn of_outputs(self, outputs: usize) -> Self {
        Self { outputs, ..self }
    }
}

fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: AttributeType::Int.into(), i, ..AttributeProto::default() }
}

fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    let ints = ints.to_vec();
    AttributeProto { name: name.to_owned(), r#type: AttributeType::Ints.into(), ints, ..AttributeProto::default() }
}

fn float(name: &str, f: f32) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: AttributeType::Float.into(), f, ..AttributeProto::default() }
}

fn value(name: &str, tensor: TensorProto) -> AttributeProto {
    let t = Some(tensor);
    AttributeProto { name: name.to_owned(), r#type: AttributeType::Tensor.into(), t, ..AttributeProto::default() }
}

fn floats(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    let (name, dims, float_data) = (name.to_owned(), dims.to_vec(), values.to_vec());
    TensorProto { name, dims, data_type: DataType::Float.into(), float_data, ..TensorProto::default() }
}

fn integers(name: &str, values: &[i64]) -> TensorProto {
    let (name, dims, int64_data) = (name.to_owned(), vec![values.len() as i64], values.to_vec());
    TensorProto { name, dims, data_type: DataType::Int64.into(), int64_data, ..TensorProto::default() }
}

/// What a case may read by name besides `x` and `y`.
fn constants() -> Vec<TensorProto> {
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
    ]
}

fn model(case: &Case, used: &[&str], operator_set: i64) -> Vec<u8> {
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
    // An input that is a truth value is compared first.
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
fn used(case: &Case) -> Vec<&'static str> {
    let reads = |name: &str, above: &str| case.inputs.iter().any(|input| *input == name || *input == above);
    [("x", "x_above"), ("y", "y_above")]
        .into_iter()
        .filter(|(name, above)| reads(name, above))
        .map(|(name, _)| name)
        .collect()
}

fn inputs(used: &[&str]) -> Vec<Tensor> {
    let tensor = |name: &&str| {
        let step = if *name == "x" { 0.9 } else { 1.7 };
        let values: Vec<f32> = (0..ROWS * COLUMNS).map(|at| 2.0 * (at as f32 * step).sin()).collect();
        Tensor::from_shape(&[ROWS, COLUMNS], &values).unwrap()
    };
    used.iter().map(tensor).collect()
}

fn reference(bytes: &[u8], inputs: Vec<Tensor>) -> Vec<TValue> {
    // The outputs' types are left to tract, since some are truth values.
    let onnx = tract_onnx::onnx().with_ignore_output_types(true).with_ignore_output_shapes(true);
    let mut model = onnx.model_for_read(&mut &*bytes).unwrap();
    for at in 0..inputs.len() {
        let fact = InferenceFact::dt_shape(f32::datum_type(), [ROWS, COLUMNS]);
        model.set_input_fact(at, fact).unwrap();
    }
    let plan = model.into_optimized().unwrap().into_runnable().unwrap();
    plan.run(inputs.into_iter().map(IntoTValue::into_tvalue).collect()).unwrap().into_vec()
}

fn found(bytes: &[u8], used: &[&str], inputs: Vec<Tensor>) -> Result<Vec<TValue>, String> {
    let contract: Vec<Input> = used.iter().map(|name| Input::new::<f32>(name, [ROWS, COLUMNS])).collect();
    let run = || {
        let plan = OnnxModel::decode(bytes)?.into_runnable(&contract)?;
        plan.run(inputs.into_iter().map(IntoTValue::into_tvalue).collect::<tract_onnx::prelude::TVec<_>>())
    };
    run().map(|outputs| outputs.into_vec()).map_err(|error| format!("{error:#}"))
}

/// A case for each operator, and more where attributes and optional inputs change what it does.
fn cases() -> Vec<Case> {
    let unary =
        ["Abs", "Erf", "Exp", "Neg", "Reciprocal", "Relu", "Sigmoid", "Tanh", "Identity", "Dropout", "LeakyRelu"];
    let binary =
        ["Add", "Sub", "Mul", "Div", "Max", "Min", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"];
    let mut cases: Vec<Case> = unary.iter().map(|operator| case(operator, &["x"])).collect();
    cases.extend(binary.iter().map(|operator| case(operator, &["x", "y"])));
    cases.extend(binary.iter().map(|operator| case(operator, &["row", "y"])));
    let cast = |to: DataType| case("Cast", &["x"]).with(int("to", i64::from(i32::from(to))));
    let more = [
        case("LeakyRelu", &["x"]).with(float("alpha", 0.2)),
        case("Gelu", &["x"]),
        // Of numbers that have a root and a logarithm.
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
        case("Concat", &["x", "y"]).with(int("axis", 0)),
        case("Concat", &["x", "y", "x"]).with(int("axis", -1)),
        case("Constant", &[]).with(value("value", floats("", &[2], &[1.5, 2.5]))),
        case("Constant", &[]).with(float("value_float", 1.5)),
        case("ConstantOfShape", &["size"]).with(value("value", floats("", &[1], &[2.5]))),
        case("Shape", &["x"]),
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

#[test]
fn every_operator_computes_what_tract_onnx_computes() {
    for case in cases() {
        let operator_set = if case.operator == "Gelu" { 20 } else { 17 };
        let used = used(&case);
        let bytes = model(&case, &used, operator_set);
        let name = format!("{} of {:?}", case.operator, case.inputs);
        let found = found(&bytes, &used, inputs(&used)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected = reference(&bytes, inputs(&used));
        assert_eq!(found.len(), case.outputs, "{name}");
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found.shape(), expected.shape(), "{name}");
            let (found, expected) = (found.cast_to::<f32>().unwrap(), expected.cast_to::<f32>().unwrap());
            let pairs = found.to_plain_array_view::<f32>().unwrap().to_owned();
            for (one, other) in pairs.iter().zip(expected.to_plain_array_view::<f32>().unwrap().iter()) {
                assert!(
                    one == other || (one - other).abs() < 1e-5 || one.is_nan() && other.is_nan(),
                    "{name}: {one} against {other}"
                );
            }
        }
    }
}

/// The list that a refusal shows is the list that is known, and every operator of it has a case.
#[test]
fn the_list_of_operators_is_true() {
    let of_cases: std::collections::BTreeSet<&str> = cases().iter().map(|case| case.operator).collect();
    assert_eq!(of_cases.into_iter().collect::<Vec<_>>(), OPERATORS);
}

fn refusal(case: &Case) -> String {
    let used = used(case);
    found(&model(case, &used, 17), &used, inputs(&used)).unwrap_err()
}

#[test]
fn what_is_not_known_is_refused_by_name() {
    let unknown = refusal(&case("Conv", &["x", "matrix"]));
    assert!(unknown.contains("`out 0` (Conv)") && unknown.contains("it has Abs, Add"), "{unknown}");
    let unmade = refusal(&case("Add", &["x", "nothing"]));
    assert!(unmade.contains("reads `nothing`, which nothing before it makes"), "{unmade}");
    let axis = refusal(&case("Softmax", &["x"]).with(int("axis", 2)));
    assert!(axis.contains("there is no axis 2 among 2"), "{axis}");
    let shapes = refusal(&case("MatMul", &["x", "y"]));
    assert!(shapes.contains("(MatMul): it can't multiply [3, 4] by [3, 4]"), "{shapes}");
    let strided = refusal(&case("Slice", &["x", "starts", "ends", "both_axes", "starts"]));
    assert!(strided.contains("steps other than 1"), "{strided}");
    let moving = refusal(&case("Reshape", &["x", "y"]));
    assert!(moving.contains("must be a constant"), "{moving}");
}

#[test]
fn bytes_that_are_no_model_of_today_are_refused() {
    let refused = |bytes: &[u8]| format!("{:#}", OnnxModel::decode(bytes).unwrap_err());
    assert!(refused(b"PK\x03\x04 not a model").contains("can't be decoded"));
    assert!(refused(b"").contains("no graph"));
    let old = model(&case("Relu", &["x"]), &["x"], 11);
    assert!(refused(&old).contains("operator set 11; export it for 13 or a later one"));
}

/// A tensor that holds less than its shape says, and one whose shape overflows.
#[test]
fn tensors_that_contradict_themselves_are_refused() {
    let refused = |tensor: TensorProto| refusal(&case("Constant", &[]).with(value("value", tensor)));
    let short = refused(floats("", &[3], &[1.0, 2.0]));
    assert!(short.contains("it holds 2 numbers where its shape [3] asks for 3"), "{short}");
    let large = refused(floats("", &[1 << 40, 1 << 40], &[]));
    assert!(large.contains("its shape is too large"), "{large}");
    let elsewhere = refused(TensorProto { external_data: vec![Default::default()], ..floats("", &[], &[1.0]) });
    assert!(elsewhere.contains("lies in another file"), "{elsewhere}");
}
