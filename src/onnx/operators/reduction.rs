//! Reductions over axes.

use tract_onnx::prelude::{DatumType, TractResult, TypedModel};
use tract_onnx::tract_core::internal::{AxisOp, OutletId, tvec};
use tract_onnx::tract_core::model::SpecialOps;
use tract_onnx::tract_core::ops::cast::cast;
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer};

use super::super::node::{Node, Wires};
use super::super::operands::{double, ensure_float, only_output, rank, shape, sorted_axes};

pub fn reduce(node: &Node<'_>, model: &mut TypedModel, reducer: Reducer) -> Wires {
    Ok(tvec!(float_reduced(node, model, reducer)?))
}

fn float_reduced(node: &Node<'_>, model: &mut TypedModel, reducer: Reducer) -> TractResult<OutletId> {
    let from = node.input(0)?;
    ensure_float(model, from)?;
    reduced(node, model, reducer, from)
}

/// A wire reduced over the axes that the node names.
fn reduced(node: &Node<'_>, model: &mut TypedModel, reducer: Reducer, from: OutletId) -> TractResult<OutletId> {
    let rank = rank(model, from)?;
    let axes = match node.axes(model)? {
        Some(axes) if !axes.is_empty() => sorted_axes(&axes, rank)?,
        _ if node.integer("noop_with_empty_axes") == Some(1) => return Ok(from),
        _ => (0..rank).collect(),
    };
    let reduction = Reduce::new(axes.iter().copied().collect(), reducer);
    let wire = only_output(model.wire_node(node.sub_name("reduced"), reduction, &[from])?)?;
    if node.integer("keepdims") == Some(0) {
        return node.axis_ops(model, wire, axes.into_iter().rev().map(AxisOp::Rm));
    }
    Ok(wire)
}

/// The sum of floats, or of whole numbers by way of doubles, as in arithmetic.
pub fn sum(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    if !node.reads_whole_numbers(model)? {
        return reduce(node, model, Reducer::Sum);
    }
    let doubles = node.cast_to(model, "doubles", DatumType::F64, node.input(0)?)?;
    let sum = reduced(node, model, Reducer::Sum, doubles)?;
    model.wire_node(node.name, cast(DatumType::I64), &[sum])
}

pub fn mean(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let before: usize = shape(model, node.input(0)?)?.iter().product();
    let sum = float_reduced(node, model, Reducer::Sum)?;
    let after: usize = shape(model, sum)?.iter().product();
    Ok(tvec!(node.with_number(model, "mean", math::mul(), sum, double(after)? / double(before.max(1))?)?))
}

/// `√Σ x²`.
pub fn l2(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let from = node.input(0)?;
    ensure_float(model, from)?;
    let squares = node.binary(model, "squares", math::mul(), from, from)?;
    let sum = reduced(node, model, Reducer::Sum, squares)?;
    model.wire_node(node.name, math::sqrt(), &[sum])
}
