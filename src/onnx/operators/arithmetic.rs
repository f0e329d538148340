//! Arithmetic, number by number.

use tract_onnx::prelude::{DatumType, TractResult, TypedModel};
use tract_onnx::tract_core::internal::{OutletId, TractErrorContext, ensure, tvec};
use tract_onnx::tract_core::model::SpecialOps;
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cast::cast;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::math;

use super::super::node::{Node, Wires};
use super::super::operands::only_output;
use super::logic;

/// An operator of two floats, or of two whole numbers by way of doubles.
///
/// With whole numbers, tract itself would end the program at a division by zero, and in builds that check sums at one
/// that overflows. Doubles do neither, and are exact up to 2⁵³. The cast drops a quotient's fraction, as ONNX asks.
pub fn binary(node: &Node<'_>, model: &mut TypedModel, operator: TypedBinOp) -> Wires {
    if node.reads_whole_numbers(model)? {
        let (left, right) = doubles(node, model)?;
        let wire = node.binary(model, "doubles", operator, left, right)?;
        return model.wire_node(node.name, cast(DatumType::I64), &[wire]);
    }
    node.ensure_floats(model)?;
    logic::binary(node, model, operator)
}

/// Both inputs as doubles.
fn doubles(node: &Node<'_>, model: &mut TypedModel) -> TractResult<(OutletId, OutletId)> {
    let left = node.cast_to(model, "left", DatumType::F64, node.input(0)?)?;
    Ok((left, node.cast_to(model, "right", DatumType::F64, node.input(1)?)?))
}

/// `a − ⌊a / b⌋ · b` of whole numbers, which has the sign of `b`.
pub fn modulo(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    ensure!(node.reads_whole_numbers(model)? && node.integer("fmod").unwrap_or(0) == 0, "it takes only int64");
    let (left, right) = doubles(node, model)?;
    let quotient = node.binary(model, "quotient", math::div(), left, right)?;
    let floor = only_output(model.wire_node(node.sub_name("floor"), math::floor(), &[quotient])?)?;
    let product = node.binary(model, "product", math::mul(), floor, right)?;
    let rest = node.binary(model, "rest", math::sub(), left, product)?;
    model.wire_node(node.name, cast(DatumType::I64), &[rest])
}

pub fn power(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    node.ensure_floats(model)?;
    logic::binary(node, model, math::pow())
}

/// An operator of two over any number of inputs, from left to right.
pub fn variadic(node: &Node<'_>, model: &mut TypedModel, operator: fn() -> TypedBinOp) -> Wires {
    let inputs = node.present_inputs();
    let (first, others) = inputs.split_first().context("it has no input")?;
    let mut wire = *first;
    for (at, other) in others.iter().enumerate() {
        wire = node.binary(model, &at.to_string(), operator(), wire, *other)?;
    }
    Ok(tvec!(wire))
}

/// An operator of one float.
pub fn element_wise(node: &Node<'_>, model: &mut TypedModel, operator: ElementWiseOp) -> Wires {
    node.ensure_floats(model)?;
    model.wire_node(node.name, operator, &[node.input(0)?])
}
