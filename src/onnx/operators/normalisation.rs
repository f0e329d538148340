//! Normalisation by mean and variance.

use tract_onnx::prelude::{TractResult, TypedModel};
use tract_onnx::tract_core::internal::{AxisOp, OutletId, TVec, TractErrorContext, ensure, tvec};
use tract_onnx::tract_core::model::SpecialOps;
use tract_onnx::tract_core::ops::change_axes::wire_with_rank_broadcast;
use tract_onnx::tract_core::ops::math;
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer};

use super::super::node::{Node, Wires};
use super::super::operands::{axis, double, only_output, rank, shape};

/// ONNX's default for `epsilon`.
const EPSILON: f64 = 1e-5;

/// `1 / √(variance + ε)`.
fn factor(node: &Node<'_>, model: &mut TypedModel, variance: OutletId) -> TractResult<OutletId> {
    let epsilon = node.float("epsilon").unwrap_or(EPSILON);
    let variance = node.with_number(model, "epsilon", math::add(), variance, epsilon)?;
    only_output(model.wire_node(node.sub_name("factor"), math::rsqrt(), &[variance])?)
}

/// `(x − mean) / √(variance + ε) · scale + bias` over the axes from `axis` on (Ba, Kiros and Hinton 2016).
pub fn layer(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    node.ensure_floats(model)?;
    let from = node.input(0)?;
    let shape = shape(model, from)?;
    let first = axis(node.integer("axis").unwrap_or(-1), shape.len())?;
    let axes: TVec<usize> = (first..shape.len()).collect();
    let count = double(shape.iter().skip(first).product::<usize>().max(1))?;
    let mean = |model: &mut TypedModel, part: &str, wire: OutletId| {
        let sum = Reduce::new(axes.clone(), Reducer::Sum);
        let sum = only_output(model.wire_node(node.sub_name(&format!("{part}.sum")), sum, &[wire])?)?;
        node.with_number(model, part, math::mul(), sum, 1.0 / count)
    };
    let centre = mean(model, "mean", from)?;
    let centred = node.binary(model, "centred", math::sub(), from, centre)?;
    let squares = node.binary(model, "squares", math::mul(), centred, centred)?;
    let variance = mean(model, "variance", squares)?;
    let factor = factor(node, model, variance)?;
    let mut wire = node.binary(model, "normal", math::mul(), centred, factor)?;
    for (part, operator, at) in [("scale", math::mul(), 1), ("bias", math::add(), 2)] {
        if let Some(other) = node.optional_input(at) {
            wire = node.binary(model, part, operator, wire, other)?;
        }
    }
    Ok(tvec!(wire))
}

/// `(x − mean) / √(variance + ε) · scale + bias` by the numbers of the training data (Ioffe and Szegedy 2015).
pub fn batch(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    ensure!(node.integer("training_mode").unwrap_or(0) == 0, "it is in training mode; export in evaluation mode");
    node.ensure_floats(model)?;
    let from = node.input(0)?;
    let more = rank(model, from)?.checked_sub(2).context("its input has no axis of channels")?;
    // One number for each channel. The channels are the second axis.
    let by_channel = |model: &mut TypedModel, part: &str, at: usize| {
        let input = node.input(at)?;
        ensure!(rank(model, input)? == 1, "its input {at} isn't a vector");
        let axes = (0..more).map(|at| AxisOp::Add(at + 1));
        Node { name: &node.sub_name(part), ..*node }.axis_ops(model, input, axes)
    };
    let (scale, bias) = (by_channel(model, "of scale", 1)?, by_channel(model, "of bias", 2)?);
    let (mean, variance) = (by_channel(model, "of mean", 3)?, by_channel(model, "of variance", 4)?);
    let factor = factor(node, model, variance)?;
    let centred = node.binary(model, "centred", math::sub(), from, mean)?;
    let normal = node.binary(model, "normal", math::mul(), centred, factor)?;
    let scaled = node.binary(model, "scaled", math::mul(), normal, scale)?;
    wire_with_rank_broadcast(node.name, model, math::add(), &[scaled, bias])
}
