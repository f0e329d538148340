//! Looking up rows and elements by their indices.

use tract_onnx::prelude::{DatumType, Tensor, TractResult, TypedModel};
use tract_onnx::tract_core::internal::{AxisOp, OutletId, TractErrorContext, ensure, tvec};
use tract_onnx::tract_core::model::SpecialOps;
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cast::wire_cast;
use tract_onnx::tract_core::ops::change_axes::wire_with_rank_broadcast;
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer};
use tract_onnx::tract_core::ops::{logic, math};

use super::super::gather::CheckedGather;
use super::super::node::{Node, Wires};
use super::super::operands::{axis, double, only_output, rank, shape};
use super::shapes;

/// The most numbers of a range, and the most indices of elements. Both say where in a history something stands.
pub const MAX_PLACES: u32 = 1 << 16;

pub fn gather(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let rows = node.input(0)?;
    let axis = axis(node.integer("axis").unwrap_or(0), rank(model, rows)?)?;
    let indices = wire_cast(node.sub_name("indices"), model, &[node.input(1)?], DatumType::I64)?;
    let inputs: Vec<OutletId> = [rows].into_iter().chain(indices).collect();
    model.wire_node(node.name, CheckedGather::new(axis), &inputs)
}

/// For each index along an axis the element of the data at that index; its place on the other axes is the index's own.
pub fn gather_elements(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let (data, indices) = (node.input(0)?, node.input(1)?);
    let (data_shape, indices_shape) = (shape(model, data)?, shape(model, indices)?);
    let at = axis(node.integer("axis").unwrap_or(0), data_shape.len())?;
    let mut sizes = data_shape.iter().zip(&indices_shape).enumerate();
    let fits =
        data_shape.len() == indices_shape.len() && sizes.all(|(other, (data, index))| other == at || index <= data);
    ensure!(fits, "it can't look {indices_shape:?} up in {data_shape:?}");
    let strides = strides(&data_shape);
    let places = first_places(&indices_shape, &strides, at)?;
    let places = model.add_const(node.sub_name("places"), Tensor::from_shape(&indices_shape, &places)?)?;
    // An index below 0 counts from the end.
    let doubles = node.cast_to(model, "doubles", DatumType::F64, indices)?;
    let dim = double(data_shape.get(at).copied().unwrap_or_default())?;
    let shifted = node.with_number(model, "from the end", math::add(), doubles, dim)?;
    let zero = model.add_const(node.sub_name("zero"), Tensor::zero_scalar::<f64>()?)?;
    let is_negative = node.binary(model, "negative", TypedBinOp(logic::comp_lt(), None), doubles, zero)?;
    let index = wire_with_rank_broadcast(node.sub_name("index"), model, logic::Iff, &[is_negative, shifted, doubles])?;
    let stride = double(strides.get(at).copied().unwrap_or(1))?;
    let scaled = node.with_number(model, "strides", math::mul(), only_output(index)?, stride)?;
    let flat = node.binary(model, "flat", math::add(), scaled, places)?;
    look_up(node, model, data, &data_shape, 0, flat)
}

/// For each index where the data, as one row, have its own place on all axes but `axis`, on which it is 0.
fn first_places(indices: &[usize], data_strides: &[usize], axis: usize) -> TractResult<Vec<f64>> {
    let count: usize = indices.iter().product();
    let most = usize::try_from(MAX_PLACES)?;
    ensure!(count <= most, "{count} indices are too many, {most} are the most");
    let own_strides = strides(indices);
    let place = |flat: usize| {
        let axes = indices.iter().zip(&own_strides).zip(data_strides).enumerate().filter(|(other, _)| *other != axis);
        double(axes.map(|(_, ((size, own), stride))| flat / own % size * stride).sum())
    };
    (0..count).map(place).collect()
}

/// For each row of indices the part of the data at them, one index for each axis from the first on.
pub fn gather_nd(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    ensure!(node.integer("batch_dims").unwrap_or(0) == 0, "batches of indices aren't known");
    let (data, indices) = (node.input(0)?, node.input(1)?);
    let (data_shape, indices_shape) = (shape(model, data)?, shape(model, indices)?);
    let (last, axes) = (indices_shape.len().checked_sub(1), indices_shape.last().copied().unwrap_or_default());
    let last = last.context("its indices have no axis")?;
    ensure!(axes <= data_shape.len(), "{axes} indices are too many for {data_shape:?}");
    let (looked_up, kept) = data_shape.split_at_checked(axes).context("it has more indices than axes")?;
    let strides: Vec<f64> = strides(looked_up).into_iter().map(double).collect::<TractResult<_>>()?;
    let strides = model.add_const(node.sub_name("strides"), Tensor::from_shape(&[axes], &strides)?)?;
    let doubles = node.cast_to(model, "doubles", DatumType::F64, indices)?;
    let scaled = node.binary(model, "scaled", math::mul(), doubles, strides)?;
    let sum = only_output(model.wire_node(node.sub_name("sum"), Reduce::new(tvec!(last), Reducer::Sum), &[scaled])?)?;
    let sum = Node { name: &node.sub_name("flat"), ..*node }.axis_ops(model, sum, [AxisOp::Rm(last)])?;
    look_up(node, model, data, &data_shape, kept.len(), sum)
}

/// Looks `flat` up in the data, whose axes are flattened into one, except for the last `kept`.
fn look_up(
    node: &Node<'_>,
    model: &mut TypedModel,
    data: OutletId,
    shape: &[usize],
    kept: usize,
    flat: OutletId,
) -> Wires {
    let rest = shape.iter().skip(shape.len().saturating_sub(kept));
    let to: Vec<i64> = [-1].into_iter().map(Ok).chain(rest.map(|dim| i64::try_from(*dim))).collect::<Result<_, _>>()?;
    let rows = shapes::reshaped(&Node { name: &node.sub_name("rows"), ..*node }, model, data, &to, false)?;
    let flat = node.cast_to(model, "row", DatumType::I64, flat)?;
    model.wire_node(node.name, CheckedGather::new(0), &[rows, flat])
}

/// How many numbers lie between one and the next along each axis of a tensor of this shape.
fn strides(shape: &[usize]) -> Vec<usize> {
    (1..=shape.len()).map(|after| shape.iter().skip(after).product()).collect()
}
