//! Comparisons, truth values, and choosing by them.

use tract_onnx::prelude::TypedModel;
use tract_onnx::tract_core::model::SpecialOps;
use tract_onnx::tract_core::ops::binary::{BinMiniOp, TypedBinOp};
use tract_onnx::tract_core::ops::change_axes::wire_with_rank_broadcast;
use tract_onnx::tract_core::ops::logic;

use super::super::node::{Node, Wires};

/// An operator of two inputs of any type that tract has it for.
pub fn binary(node: &Node<'_>, model: &mut TypedModel, operator: TypedBinOp) -> Wires {
    wire_with_rank_broadcast(node.name, model, operator, &[node.input(0)?, node.input(1)?])
}

pub fn comparison(node: &Node<'_>, model: &mut TypedModel, operator: Box<dyn BinMiniOp>) -> Wires {
    binary(node, model, TypedBinOp(operator, None))
}

pub fn not(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    model.wire_node(node.name, logic::not(), &[node.input(0)?])
}

/// NaN is the only number that isn't equal to itself.
pub fn is_nan(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    node.ensure_floats(model)?;
    let from = node.input(0)?;
    let equal = node.binary(model, "equal", TypedBinOp(logic::comp_eq(), None), from, from)?;
    model.wire_node(node.name, logic::not(), &[equal])
}

/// ONNX's Where.
pub fn select(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let (condition, then, or_else) = (node.input(0)?, node.input(1)?, node.input(2)?);
    wire_with_rank_broadcast(node.name, model, logic::Iff, &[condition, then, or_else])
}
