//! Products of matrices.

use tract_onnx::prelude::{DatumType, TypedModel};
use tract_onnx::tract_core::internal::{AxesMapping, ensure, tvec};
use tract_onnx::tract_core::model::SpecialOps;
use tract_onnx::tract_core::ops::change_axes::{wire_rank_broadcast, wire_with_rank_broadcast};
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::math;

use super::super::node::{Node, Wires};
use super::super::operands::{only_output, rank, shape};

pub fn matmul(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    node.ensure_floats(model)?;
    let inputs = wire_rank_broadcast(node.name, model, &[node.input(0)?, node.input(1)?])?;
    let rank = rank(model, node.input(0)?)?.max(rank(model, node.input(1)?)?);
    ensure!(rank >= 2, "a product of two vectors isn't known");
    let (left, right) = (shape(model, node.input(0)?)?, shape(model, node.input(1)?)?);
    let rows_of_right = if right.len() > 1 { right.iter().rev().nth(1) } else { None };
    ensure!(left.last() == Some(rows_of_right.unwrap_or(&1)), "it can't multiply {left:?} by {right:?}");
    let product = EinSum::new(AxesMapping::for_numpy_matmul(rank, false, false, false)?, DatumType::F32);
    model.wire_node(node.name, product, &inputs)
}

/// `alpha · A · B + beta · C`.
pub fn gemm(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    node.ensure_floats(model)?;
    let (left, right) = (node.input(0)?, node.input(1)?);
    ensure!(rank(model, left)? == 2 && rank(model, right)? == 2, "its factors aren't matrices");
    let is_set = |name: &str| node.integer(name).is_some_and(|value| value != 0);
    let (is_left_turned, is_right_turned) = (is_set("transA"), is_set("transB"));
    let (left_shape, right_shape) = (shape(model, left)?, shape(model, right)?);
    let fits = left_shape.get(usize::from(!is_left_turned)) == right_shape.get(usize::from(is_right_turned));
    ensure!(fits, "it can't multiply {left_shape:?} by {right_shape:?}");
    let axes = AxesMapping::for_numpy_matmul(2, is_left_turned, is_right_turned, false)?;
    let product = EinSum::new(axes, DatumType::F32);
    let mut wire = only_output(model.wire_node(node.sub_name("product"), product, &[left, right])?)?;
    let factor = |name: &str| node.float(name).unwrap_or(1.0);
    if factor("alpha") != 1.0 {
        wire = node.with_number(model, "alpha", math::mul(), wire, factor("alpha"))?;
    }
    let Some(mut added) = node.optional_input(2) else { return Ok(tvec!(wire)) };
    if factor("beta") != 1.0 {
        added = node.with_number(model, "beta", math::mul(), added, factor("beta"))?;
    }
    wire_with_rank_broadcast(node.name, model, math::add(), &[wire, added])
}
