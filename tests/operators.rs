//! The operators that the library wires, compared with tract-onnx's own reader, which knows all of ONNX.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod graphs;

use std::collections::BTreeSet;

use graphs::{COLUMNS, Case, ROWS, case, cases, floats, index, int, integers, model, used, value};
use prost::Message;
use tract_onnx::pb::{ModelProto, NodeProto, TensorProto, tensor_proto::DataType};
use tract_onnx::prelude::{
    Datum, Framework, InferenceFact, InferenceModelExt, IntoRunnable, IntoTValue, TValue, Tensor,
};
use watchnext::error::Error;
use watchnext::onnx::{Input, OPERATORS, OnnxModel, Operator};

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
        let plan = OnnxModel::decode(bytes)?.runnable(&contract)?;
        plan.run(inputs.into_iter().map(IntoTValue::into_tvalue).collect::<tract_onnx::prelude::TVec<_>>())
    };
    run().map(|outputs| outputs.into_vec()).map_err(|error| format!("{error:#}"))
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

#[test]
fn every_operator_has_a_case_and_they_are_listed_by_name() {
    let of_cases: BTreeSet<&str> = cases().iter().map(|case| case.operator).collect();
    assert_eq!(of_cases.into_iter().collect::<Vec<_>>(), OPERATORS.each_ref().map(Operator::name));
}

fn refusal(case: &Case) -> String {
    let used = used(case);
    found(&model(case, &used, 17), &used, inputs(&used)).unwrap_err()
}

#[test]
fn unknown_operators_and_uses_are_refused_by_name() {
    let unknown = refusal(&case("Conv", &["x", "matrix"]));
    assert!(unknown.contains("doesn't have: Conv. It has Abs, Add"), "{unknown}");
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

/// The model of a case with more nodes after its own, each given by operator, inputs and output.
fn followed_by(case: &Case, more: &[(&str, &[&str], &str)]) -> Vec<u8> {
    let mut proto = ModelProto::decode(&*model(case, &used(case), 17)).unwrap();
    let graph = proto.graph.as_mut().unwrap();
    graph.node.iter_mut().flat_map(|node| &mut node.output).for_each(|output| *output = format!("case's {output}"));
    graph.node.extend(more.iter().map(|(operator, inputs, output)| NodeProto {
        op_type: (*operator).to_owned(),
        input: inputs.iter().map(|input| (*input).to_owned()).collect(),
        output: vec![(*output).to_owned()],
        ..NodeProto::default()
    }));
    proto.encode_to_vec()
}

/// Models that would end the program inside tract, by a panic or a read out of bounds, are refused before tract sees
/// them.
#[test]
fn models_that_would_end_the_program_inside_tract_are_refused_by_name() {
    for (operator, to) in [
        ("MatMul", DataType::Bool),
        ("Gemm", DataType::Int8),
        ("Softmax", DataType::Int64),
        ("Add", DataType::Int32),
        ("Sub", DataType::Int8),
        ("Mul", DataType::Int32),
        ("Neg", DataType::Int64),
        ("ReduceSum", DataType::Int32),
        ("Div", DataType::Int32),
        ("Pow", DataType::Int64),
    ] {
        let cast = case("Cast", &["x"]).with(int("to", i64::from(i32::from(to))));
        let bytes = followed_by(&cast, &[(operator, &["case's out 0", "case's out 0"], "out 0")]);
        let refusal = found(&bytes, &["x"], inputs(&["x"])).unwrap_err();
        assert!(refusal.contains(&format!("({operator}): it takes float, not")), "{refusal}");
    }
    for (case, reason) in [
        // The table has three rows.
        (case("Gather", &["x", "parts"]), "it looks up row 3 in a table of 3"),
        (case("GatherElements", &["x", "pairs"]).with(int("axis", 0)), "it looks up row 13 in a table of 12"),
        (case("GatherElements", &["x", "shape"]), "it can't look [3] up in [3, 4]"),
        (case("GatherND", &["x", "pairs_beyond"]), "it looks up row 14 in a table of 12"),
        (case("GatherND", &["x", "parts_of_three"]), "3 indices are too many for [3, 4]"),
        (case("Range", &["first", "fifth", "zero"]), "there is nothing from 1 to 6 in steps of 0"),
        (case("Range", &["first", "endless", "second"]), "549755813888 numbers are too many, 65536 are the most"),
        (case("Mod", &["x", "scalar"]), "it takes only int64"),
        (case("BatchNormalization", &["x", "row", "row", "row", "table"]), "its input 4 isn't a vector"),
        (case("Trilu", &["row"]), "it takes a matrix"),
        (case("Clip", &["x", "none"]), "its input 1 is empty"),
        (case("Clip", &["x", "row"]), "it takes one number, not 4"),
        (case("LayerNormalization", &["none"]), "its input 0 is empty"),
        (case("ConstantOfShape", &["size"]).with(value("value", floats("", &[0], &[]))), "it takes one number, not 0"),
        (case("Split", &["x", "uneven"]).with(int("axis", 1)).of_outputs(2), "[5, -1] don't add up to 4"),
        (case("Split", &["x", "parts"]).with(int("axis", 1)).of_outputs(3), "it has 2 sizes for 3 parts"),
        (case("Expand", &["x", "negative"]), "[3, -4] isn't a shape"),
        (case("Reshape", &["x", "negative"]), "[3, -4] isn't a shape"),
        (case("Expand", &["x", "size"]), "it can't expand [3, 4] to [2, 3]"),
        (case("Unsqueeze", &["x", "twice"]), "an axis is repeated in [0, 0]"),
        (case("ReduceSum", &["x", "twice"]), "an axis is repeated in [0, 0]"),
        (case("Concat", &["x", "row"]).with(int("axis", 0)), "Inconsistent concat"),
    ] {
        let refusal = refusal(&case);
        assert!(refusal.contains(reason), "{}: {refusal}", case.operator);
    }
}

/// Overflows and divisions by zero, at which tract's own whole numbers would end the program, give the largest or
/// smallest number. A table refuses it as an index.
#[test]
fn whole_numbers_have_no_overflow() {
    let whole = |operator, inputs: &[&'static str]| -> Vec<i64> {
        let case = case(operator, inputs);
        let outputs = found(&model(&case, &[], 17), &[], Vec::new()).unwrap();
        outputs[0].to_plain_array_view::<i64>().unwrap().iter().copied().collect()
    };
    assert_eq!(whole("Add", &["largest", "largest"]), [i64::MAX]);
    assert_eq!(whole("Mul", &["largest", "negative"]), [i64::MAX, i64::MIN]);
    assert_eq!(whole("Div", &["places", "zero"]), [i64::MAX, i64::MIN, 0]);
    assert_eq!(whole("Mod", &["places", "zero"]), [0, 0, 0]);
    assert_eq!(whole("Div", &["negative", "second"]), [1, -2]);
    assert_eq!(whole("Mod", &["negative", "parts_of_two"]), [3, 2]);
}

/// A model with more constants.
fn with_constants(bytes: &[u8], constants: impl IntoIterator<Item = TensorProto>) -> Vec<u8> {
    let mut proto = ModelProto::decode(bytes).unwrap();
    proto.graph.as_mut().unwrap().initializer.extend(constants);
    proto.encode_to_vec()
}

/// The least whole number above 0 that single precision doesn't have.
const BEYOND_FLOATS: i64 = (1 << 24) + 1;

/// Each way to an index that used to go through single precision, which has even numbers only from 2²⁴ on. A row's code
/// differs from those of its neighbours, so a row that is off by one shows.
#[test]
fn a_row_beyond_single_precision_is_looked_up() {
    let rows = BEYOND_FLOATS + 2;
    let code = |row: i64| i8::try_from(row % 127).unwrap();
    let table = TensorProto {
        name: "large".to_owned(),
        dims: vec![rows],
        data_type: DataType::Int8.into(),
        raw_data: (0..rows).map(|row| code(row).cast_unsigned()).collect(),
        ..TensorProto::default()
    };
    let constants = [
        table,
        index("beyond", &[], &[BEYOND_FLOATS]),
        index("after", &[], &[BEYOND_FLOATS + 1]),
        integers("single", &[1]),
        integers("from_the_end", &[BEYOND_FLOATS - rows]),
    ];
    let gather = |case: Case| followed_by(&case, &[("Gather", &["large", "case's out 0"], "out 0")]);
    for (way, bytes) in [
        ("GatherElements", model(&case("GatherElements", &["large", "from_the_end"]), &[], 17)),
        ("Range", gather(case("Range", &["beyond", "after", "first"]))),
        ("Clip", gather(case("Clip", &["largest", "", "beyond"]))),
        ("ConstantOfShape", {
            let filled = value("value", integers("", &[BEYOND_FLOATS]));
            gather(case("ConstantOfShape", &["single"]).with(filled))
        }),
        ("Sub", gather(case("Sub", &["after", "single"]))),
    ] {
        let outputs = found(&with_constants(&bytes, constants.clone()), &[], Vec::new()).unwrap();
        let found: Vec<i8> = outputs[0].to_plain_array_view::<i8>().unwrap().iter().copied().collect();
        assert_eq!(found, [code(BEYOND_FLOATS)], "{way}");
    }
}

/// Arithmetic is exact up to 2⁵³, and numbers that are only passed on are exact up to 2⁶³.
#[test]
fn whole_numbers_are_exact() {
    let whole = |case: Case, values: &[i64]| -> Vec<i64> {
        let scalars = ["a", "b", "c"].into_iter().zip(values).map(|(name, value)| index(name, &[], &[*value]));
        let bytes = with_constants(&model(&case, &[], 17), scalars.chain([integers("all", values)]));
        let outputs = found(&bytes, &[], Vec::new()).unwrap_or_else(|error| panic!("{}: {error}", case.operator));
        outputs[0].to_plain_array_view::<i64>().unwrap().iter().copied().collect()
    };
    let (small, large) = (BEYOND_FLOATS, (1 << 53) - 1);
    for (operator, left, right, expected) in [
        ("Add", large - small, small, large),
        ("Sub", large, small, large - small),
        ("Mul", small, small + 2, small * (small + 2)),
        ("Div", large, small, large / small),
        ("Mod", large, small, large % small),
    ] {
        assert_eq!(whole(case(operator, &["a", "b"]), &[left, right]), [expected], "{operator}");
    }
    assert_eq!(whole(case("ReduceSum", &["all"]).with(int("keepdims", 0)), &[small; 3]), [3 * small]);
    let huge = (1 << 60) + 1;
    assert_eq!(whole(case("Range", &["a", "b", "c"]), &[huge, huge + 5, 2]), [huge, huge + 2, huge + 4]);
    assert_eq!(whole(case("Range", &["a", "b", "c"]), &[huge + 5, huge, -3]), [huge + 5, huge + 2]);
    assert_eq!(whole(case("Range", &["a", "b", "c"]), &[i64::MAX - 1, i64::MAX, i64::MAX]), [i64::MAX - 1]);
    assert_eq!(whole(case("Clip", &["largest", "", "a"]), &[i64::MAX - 1]), [i64::MAX - 1]);
    assert_eq!(whole(case("Clip", &["a", "largest"]), &[small]), [i64::MAX]);
    assert_eq!(whole(case("Max", &["all", "b"]), &[huge, huge + 1]), [huge + 1, huge + 1]);
    let filled = case("ConstantOfShape", &["parts"]).with(value("value", integers("", &[huge])));
    assert_eq!(whole(filled, &[]), [huge; 3]);
}

#[test]
fn an_empty_range_is_refused_in_either_direction() {
    for (inputs, reason) in [
        (["fifth", "first", "second"], "there is nothing from 6 to 1 in steps of 2"),
        (["first", "first", "second"], "there is nothing from 1 to 1 in steps of 2"),
        (["scalar", "one", "one_less"], "there is nothing from 0.5 to 1 in steps of -1"),
    ] {
        let bytes = with_constants(&model(&case("Range", &inputs), &[], 17), [floats("one_less", &[], &[-1.0])]);
        let refusal = found(&bytes, &[], Vec::new()).unwrap_err();
        assert!(refusal.contains(reason), "{refusal}");
    }
}

/// To compare whole numbers, tract computes with symbols for unknown shapes, and adds one even to the largest number.
#[test]
fn whole_numbers_are_compared_to_their_ends() {
    let holds = |operator, inputs: &[&'static str]| -> bool {
        let outputs = found(&model(&case(operator, inputs), &[], 17), &[], Vec::new()).unwrap();
        *outputs[0].to_plain_array_view::<bool>().unwrap().first().unwrap()
    };
    assert!(holds("Greater", &["largest", "first_axis"]) && !holds("Greater", &["largest", "largest"]));
    assert!(holds("Less", &["first_axis", "largest"]) && !holds("Less", &["largest", "largest"]));
    assert!(holds("GreaterOrEqual", &["largest", "largest"]) && !holds("LessOrEqual", &["largest", "first_axis"]));
    assert!(holds("Equal", &["largest", "largest"]) && !holds("Equal", &["largest", "first_axis"]));
}

/// A hundred bytes that ask for more memory or time than a browser has.
#[test]
fn models_without_measure_are_refused_before_anything_is_made() {
    for operator in ["Expand", "Reshape", "ConstantOfShape"] {
        let inputs: &[&str] = if operator == "ConstantOfShape" { &["huge"] } else { &["scalar", "huge"] };
        let refusal = refusal(&case(operator, inputs));
        assert!(refusal.contains("its shape is too large"), "{operator}: {refusal}");
    }
    let axes = refusal(&case("Expand", &["x", "many_axes"]));
    assert!(axes.contains("9 axes are too many, 8 are the most"), "{axes}");
    let refused = |more: &[(&str, &[&str], &str)]| {
        let bytes = followed_by(&case("Expand", &["scalar", "large"]), more);
        found(&bytes, &[], Vec::new()).unwrap_err()
    };
    // The first node makes nearly all the numbers that are allowed.
    let numbers = refused(&[("Relu", &["case's out 0"], "out 0")]);
    assert!(numbers.contains("`out 0` (Relu): the model makes more than 16777216 numbers"), "{numbers}");
    let shape = refused(&[("ConstantOfShape", &["case's out 0"], "out 0")]);
    assert!(shape.contains("16384000 numbers say how it works, 128 are the most"), "{shape}");
    let wide = ["case's out 0"; 200];
    let wires = refused(&[("Max", &wide, "out 0")]);
    assert!(wires.contains("a node has 201 inputs and outputs"), "{wires}");
    let nodes = refused(&vec![("Relu", &["x"][..], "out 0"); 2_048]);
    assert!(nodes.contains("nodes and weights, 2048 are the most"), "{nodes}");
}

/// Two factors of four million numbers each, whose product has as many and takes eight billion multiplications.
#[test]
fn products_without_measure_are_refused() {
    let large = |name: &str| floats(name, &[2_048, 2_048], &vec![0.5; 1 << 22]);
    let bytes = with_constants(&model(&case("MatMul", &["left", "right"]), &[], 17), [large("left"), large("right")]);
    let refusal = found(&bytes, &[], Vec::new()).unwrap_err();
    assert!(refusal.contains("`out 0` (MatMul): the model takes more than 268435456 steps"), "{refusal}");
}

/// A weight that isn't a number is refused by its name, even in a row that no movie of the first run looks up.
#[test]
fn weights_that_are_no_numbers_are_refused_by_their_name() {
    let nan = floats("weights", &[2], &[0.5, f32::NAN]);
    let weight = with_constants(&model(&case("Relu", &["x"]), &["x"], 17), [nan.clone()]);
    for bytes in [weight, model(&case("Constant", &[]).with(value("value", nan)), &[], 17)] {
        let contract = [Input::new::<f32>("x", [ROWS, COLUMNS])];
        let refusal = OnnxModel::decode(&bytes).unwrap().runnable(&contract).unwrap_err();
        assert!(matches!(refusal.downcast_ref(), Some(Error::NonFinite { .. })), "{refusal:#}");
    }
    // Infinite weights are for masks.
    let masking = model(&case("Constant", &[]).with(value("value", floats("", &[1], &[f32::NEG_INFINITY]))), &[], 17);
    assert_eq!(found(&masking, &[], Vec::new()).unwrap().len(), 1);
}

#[test]
fn bytes_that_are_no_model_of_today_are_refused() {
    let refused = |bytes: &[u8]| format!("{:#}", OnnxModel::decode(bytes).unwrap_err());
    assert!(refused(b"PK\x03\x04 not a model").contains("can't be decoded"));
    assert!(refused(b"").contains("no graph"));
    let old = model(&case("Relu", &["x"]), &["x"], 11);
    assert!(refused(&old).contains("operator set 11; export it for 13 or a later one"));
}

/// A tensor with fewer numbers than its shape, and one whose shape overflows.
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
