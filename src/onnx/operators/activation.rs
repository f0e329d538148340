//! Activation functions.

use tract_onnx::prelude::{TractResult, TypedModel};
use tract_onnx::tract_core::internal::{OutletId, ensure, tvec};
use tract_onnx::tract_core::model::SpecialOps;
use tract_onnx::tract_core::ops::change_axes::wire_with_rank_broadcast;
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::{self, Softmax, SoftmaxKind};

use super::super::node::{Node, Wires};
use super::super::operands::{axis, constant, ensure_only_number, only_output, rank};
use super::arithmetic;

pub fn relu(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    Ok(tvec!(node.with_number(model, "least", math::max(), node.input(0)?, 0.0)?))
}

pub fn leaky_relu(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let slope = node.attribute("alpha").map_or(0.01, |attribute| attribute.f);
    arithmetic::element_wise(node, model, nn::leaky_relu(slope))
}

/// The bounds are used in their own type, so that whole numbers stay exact.
pub fn clip(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let mut wire = node.input(0)?;
    for (part, at, operator) in [("least", 1, math::max()), ("most", 2, math::min())] {
        let Some(bound) = node.optional_input(at) else { continue };
        let bound = constant(model, bound)?;
        ensure_only_number(&bound)?;
        let bound = bound.cast_to_dt(model.outlet_fact(wire)?.datum_type)?.into_owned().into_shape(&[])?;
        let bound = model.add_const(node.sub_name(&format!("{part}.number")), bound)?;
        wire = node.binary(model, part, operator, wire, bound)?;
    }
    Ok(tvec!(wire))
}

/// `x · ½ · (1 + erf(x / √2))`.
pub fn gelu(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let is_approximate = node.attribute("approximate").is_some_and(|attribute| attribute.s == b"tanh");
    ensure!(!is_approximate, "its approximation by tanh isn't known; export the exact one");
    node.ensure_floats(model)?;
    let from = node.input(0)?;
    let scaled = node.with_number(model, "scaled", math::mul(), from, std::f64::consts::FRAC_1_SQRT_2)?;
    let erf = only_output(model.wire_node(node.sub_name("erf"), math::erf(), &[scaled])?)?;
    let doubled = node.with_number(model, "doubled", math::add(), erf, 1.0)?;
    let gate = node.with_number(model, "gate", math::mul(), doubled, 0.5)?;
    wire_with_rank_broadcast(node.name, model, math::mul(), &[from, gate])
}

/// The parts of `x` above and below 0.
fn halves(node: &Node<'_>, model: &mut TypedModel) -> TractResult<(OutletId, OutletId)> {
    node.ensure_floats(model)?;
    let from = node.input(0)?;
    let above = node.with_number(model, "above", math::max(), from, 0.0)?;
    Ok((above, node.with_number(model, "below", math::min(), from, 0.0)?))
}

/// `x` above 0, and below it `α · (eˣ − 1)`.
pub fn elu(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let (above, below) = halves(node, model)?;
    let exp = only_output(model.wire_node(node.sub_name("exp"), math::exp(), &[below])?)?;
    let less = node.with_number(model, "less one", math::sub(), exp, 1.0)?;
    let scaled = node.with_number(model, "scaled", math::mul(), less, node.float("alpha").unwrap_or(1.0))?;
    wire_with_rank_broadcast(node.name, model, math::add(), &[above, scaled])
}

/// `x` above 0, and below it `x` times a learnt slope.
pub fn prelu(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let (above, below) = halves(node, model)?;
    let scaled = node.binary(model, "scaled", math::mul(), below, node.input(1)?)?;
    wire_with_rank_broadcast(node.name, model, math::add(), &[above, scaled])
}

/// `ln(1 + eˣ)`, as `max(x, 0) + ln(1 + e^(−|x|))`, in which no exponential overflows.
pub fn softplus(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let (above, below) = halves(node, model)?;
    let distance = node.binary(model, "distance", math::sub(), below, above)?;
    let exp = only_output(model.wire_node(node.sub_name("exp"), math::exp(), &[distance])?)?;
    let sum = node.with_number(model, "sum", math::add(), exp, 1.0)?;
    let ln = only_output(model.wire_node(node.sub_name("ln"), math::ln(), &[sum])?)?;
    wire_with_rank_broadcast(node.name, model, math::add(), &[above, ln])
}

pub fn softmax(node: &Node<'_>, model: &mut TypedModel, kind: SoftmaxKind) -> Wires {
    node.ensure_floats(model)?;
    let from = node.input(0)?;
    let axis = axis(node.integer("axis").unwrap_or(-1), rank(model, from)?)?;
    model.wire_node(node.name, Softmax::new(tvec!(axis), None, kind), &[from])
}
