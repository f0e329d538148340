//! Operators that move numbers and compute none.

use tract_onnx::prelude::{Tensor, TractResult, TypedModel};
use tract_onnx::tract_core::internal::{
    AxisOp, OutletId, ShapeFact, TDim, TVec, ToDim, TractErrorContext, bail, ensure, tvec,
};
use tract_onnx::tract_core::model::SpecialOps;
use tract_onnx::tract_core::ops::array::{MultiBroadcastTo, Slice, TypedConcat};
use tract_onnx::tract_core::ops::change_axes::{perm_to_ops, to_axis_ops_with_onnx_rules, wire_with_rank_broadcast};
use tract_onnx::tract_core::ops::logic;

use super::super::budget;
use super::super::node::{Node, Wires};
use super::super::operands::{axis, constant, integers, only_output, rank, shape, sorted_axes};

/// Identity, and Dropout as it is after training.
pub fn identity(node: &Node<'_>, _: &mut TypedModel) -> Wires {
    Ok(tvec!(node.input(0)?))
}

pub fn concat(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let axis = axis(node.integer("axis").context("it has no axis")?, rank(model, node.input(0)?)?)?;
    model.wire_node(node.name, TypedConcat::new(axis), &node.present_inputs())
}

pub fn expand(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let to = budget::checked_shape(&integers(&*constant(model, node.input(1)?)?)?)?;
    let from = shape(model, node.input(0)?)?;
    let mut pairs = from.iter().rev().zip(to.iter().rev());
    let fits = pairs.all(|(own, dim)| own == dim || *own == 1 || *dim == 1);
    ensure!(fits && to.len() >= from.len(), "it can't expand {from:?} to {to:?}");
    let added = to.len() - from.len();
    // A dimension of 1 keeps what the input has.
    let dims: TVec<TDim> = to
        .iter()
        .enumerate()
        .map(|(at, dim)| match at.checked_sub(added).and_then(|at| from.get(at)) {
            Some(own) if *dim == 1 => own.to_dim(),
            _ => dim.to_dim(),
        })
        .collect();
    let wire = node.axis_ops(model, node.input(0)?, (0..added).map(|_| AxisOp::Add(0)))?;
    model.wire_node(node.name, MultiBroadcastTo::new(ShapeFact::from_dims(dims)), &[wire])
}

pub fn unsqueeze(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let axes = node.axes(model)?.context("it has no axes")?;
    let from = node.input(0)?;
    let axes = sorted_axes(&axes, rank(model, from)? + axes.len())?;
    Ok(tvec!(node.axis_ops(model, from, axes.into_iter().map(AxisOp::Add))?))
}

pub fn squeeze(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let from = node.input(0)?;
    let shape = shape(model, from)?;
    let axes = match node.axes(model)? {
        Some(axes) => sorted_axes(&axes, shape.len())?,
        None => (0..shape.len()).filter(|at| shape.get(*at) == Some(&1)).collect(),
    };
    ensure!(axes.iter().all(|at| shape.get(*at) == Some(&1)), "it can't squeeze {axes:?} of {shape:?}");
    Ok(tvec!(node.axis_ops(model, from, axes.into_iter().rev().map(AxisOp::Rm))?))
}

pub fn reshape(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let to = integers(&*constant(model, node.input(1)?)?)?;
    Ok(tvec!(reshaped(node, model, node.input(0)?, &to, node.integer("allowzero") == Some(1))?))
}

/// A wire in another shape, by ONNX's rules: −1 is whatever is left, and 0 keeps a dimension unless `allow_zero`.
pub fn reshaped(
    node: &Node<'_>,
    model: &mut TypedModel,
    from: OutletId,
    to: &[i64],
    allow_zero: bool,
) -> TractResult<OutletId> {
    let is_shape = to.iter().all(|dim| *dim >= -1) && to.iter().filter(|dim| **dim == -1).count() <= 1;
    ensure!(is_shape, "{to:?} isn't a shape");
    // The dimensions that −1 and 0 stand for are never larger than the input.
    budget::checked_shape(&to.iter().map(|dim| (*dim).max(0)).collect::<Vec<_>>())?;
    let old: Vec<TDim> = shape(model, from)?.iter().map(ToDim::to_dim).collect();
    let new: Vec<TDim> = to.iter().map(ToDim::to_dim).collect();
    let operators = to_axis_ops_with_onnx_rules(&old, &new, allow_zero)?;
    node.axis_ops(model, from, operators)
}

pub fn flatten(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let shape = shape(model, node.input(0)?)?;
    let at = node.integer("axis").unwrap_or(1);
    let at = if at == i64::try_from(shape.len())? { shape.len() } else { axis(at, shape.len())? };
    let rows: usize = shape.iter().take(at).product();
    let columns: usize = shape.iter().skip(at).product();
    let to = [i64::try_from(rows)?, i64::try_from(columns)?];
    Ok(tvec!(reshaped(node, model, node.input(0)?, &to, true)?))
}

pub fn transpose(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let from = node.input(0)?;
    let rank = rank(model, from)?;
    let order = match node.attribute("perm") {
        Some(perm) => perm.ints.iter().map(|at| axis(*at, rank)).collect::<TractResult<Vec<_>>>()?,
        None => (0..rank).rev().collect(),
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    ensure!(sorted.iter().copied().eq(0..rank), "{order:?} isn't an order of {rank} axes");
    Ok(tvec!(node.axis_ops(model, from, perm_to_ops(&order))?))
}

pub fn slice(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let mut wire = node.input(0)?;
    let shape = shape(model, wire)?;
    let starts = node.optional_integers(model, 1)?.context("it has no starts")?;
    let ends = node.optional_integers(model, 2)?.context("it has no ends")?;
    let axes = node.optional_integers(model, 3)?.unwrap_or_else(|| (0..).take(starts.len()).collect());
    let steps = node.optional_integers(model, 4)?.unwrap_or_else(|| vec![1; starts.len()]);
    ensure!(steps.iter().all(|step| *step == 1), "steps other than 1 aren't known");
    for ((start, end), at) in starts.into_iter().zip(ends).zip(axes) {
        let at = axis(at, shape.len())?;
        let dim = i64::try_from(shape.get(at).copied().unwrap_or_default())?;
        let place = |place: i64| if place < 0 { place.saturating_add(dim) } else { place }.clamp(0, dim);
        let (start, end) = (place(start), place(end));
        ensure!(start < end, "nothing lies between {start} and {end}");
        let slice = Slice::new(at, start, end);
        wire = only_output(model.wire_node(node.sub_name(&format!("axis {at}")), slice, &[wire])?)?;
    }
    Ok(tvec!(wire))
}

pub fn split(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let from = node.input(0)?;
    let shape = shape(model, from)?;
    let at = axis(node.integer("axis").unwrap_or(0), shape.len())?;
    let dim = shape.get(at).copied().unwrap_or_default();
    let parts = node.proto.output.len().max(1);
    let sizes = match node.optional_integers(model, 1)? {
        Some(sizes) => sizes,
        // Equal parts, except for a smaller last one.
        None => {
            let size = dim.div_ceil(parts);
            let sizes = (0..parts).map(|part| i64::try_from(size.min(dim.saturating_sub(part * size))));
            sizes.collect::<Result<_, _>>()?
        }
    };
    ensure!(sizes.len() == parts, "it has {} sizes for {parts} parts", sizes.len());
    let sum = sizes.iter().try_fold(0_i64, |sum, size| sum.checked_add(*size).filter(|_| *size > 0));
    ensure!(sum == Some(i64::try_from(dim)?), "{sizes:?} don't add up to {dim}");
    let mut start = 0;
    let mut wires = tvec!();
    for (part, size) in sizes.into_iter().enumerate() {
        let slice = Slice::new(at, start, start + size);
        wires.push(only_output(model.wire_node(node.sub_name(&part.to_string()), slice, &[from])?)?);
        start += size;
    }
    Ok(wires)
}

/// The last two axes on one side of a diagonal, and zeros on the other.
pub fn trilu(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let from = node.input(0)?;
    let shape = shape(model, from)?;
    let [.., rows, columns] = shape.as_slice() else { bail!("it takes a matrix") };
    let (last_row, last_column) = (i64::try_from(*rows)?, i64::try_from(*columns)?);
    budget::checked_shape(&[last_row, last_column])?;
    let shift: i64 = if node.optional_input(1).is_some() { node.constant_number(model, 1)? } else { 0 };
    let is_upper = node.integer("upper").unwrap_or(1) != 0;
    let is_kept = |(row, column): (i64, i64)| {
        let right = column.saturating_sub(row);
        if is_upper { right >= shift } else { right <= shift }
    };
    let places = (0..last_row).flat_map(|row| (0..last_column).map(move |column| (row, column)));
    let mask: Vec<bool> = places.map(is_kept).collect();
    let mask = model.add_const(node.sub_name("mask"), Tensor::from_shape(&[*rows, *columns], &mask)?)?;
    let zero = Tensor::zero_scalar_dt(model.outlet_fact(from)?.datum_type)?;
    let zero = model.add_const(node.sub_name("zero"), zero)?;
    wire_with_rank_broadcast(node.name, model, logic::Iff, &[mask, from, zero])
}
