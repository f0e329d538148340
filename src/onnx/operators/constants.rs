//! Values that are known before the model runs.

use tract_onnx::pb::AttributeProto;
use tract_onnx::prelude::{Datum, DatumType, Tensor, TractResult, TypedModel};
use tract_onnx::tract_core::internal::{TractErrorContext, bail, ensure, tensor0, tvec};
use tract_onnx::tract_core::model::SpecialOps;

use super::super::node::{Node, Wires};
use super::super::operands::{self, ensure_only_number, integers};
use super::super::{budget, tensor};
use super::lookup::MAX_PLACES;

pub fn constant(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let float = node.attribute("value_float").map(|attribute| attribute.f);
    let value = match (node.attribute("value"), float, node.integer("value_int")) {
        (Some(AttributeProto { t: Some(tensor), .. }), ..) => tensor::read(tensor, node.name)?,
        (_, Some(value), _) => tensor0(value),
        (.., Some(value)) => tensor0(value),
        _ => bail!("its value isn't a tensor, a float or an integer"),
    };
    Ok(tvec!(model.add_const(node.name, value)?))
}

pub fn constant_of_shape(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let shape = budget::checked_shape(&integers(&*operands::constant(model, node.input(0)?)?)?)?;
    let value = match node.attribute("value") {
        Some(AttributeProto { t: Some(value), .. }) => tensor::read(value, node.name)?,
        _ => tensor0(0.0_f32),
    };
    ensure_only_number(&value)?;
    let tensor = value.into_shape(&[])?.broadcast_scalar_to_shape(&shape)?;
    Ok(tvec!(model.add_const(node.name, tensor)?))
}

pub fn shape(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let shape = operands::shape(model, node.input(0)?)?;
    let rank = i64::try_from(shape.len())?;
    // Since operator set 15 a part of the shape can be asked for. Its ends count as a slice's do.
    let place = |at: i64| usize::try_from(if at < 0 { at.saturating_add(rank) } else { at }.clamp(0, rank));
    let (start, end) = (place(node.integer("start").unwrap_or(0))?, place(node.integer("end").unwrap_or(rank))?);
    let part = shape.get(start..end).context("it asks for an end before its start")?;
    let shape: Vec<i64> = part.iter().map(|dim| i64::try_from(*dim)).collect::<Result<_, _>>()?;
    Ok(tvec!(model.add_const(node.name, Tensor::from_shape(&[shape.len()], &shape)?)?))
}

/// The numbers from a start in steps up to a limit, all three of them constants.
pub fn range(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let tensor = match model.outlet_fact(node.input(0)?)?.datum_type {
        DatumType::I64 => {
            let [start, limit, step] = range_inputs(node, model)?;
            let values = integers_between(start, limit, step)?;
            Tensor::from_shape(&[values.len()], &values)?
        }
        DatumType::F32 => {
            let [start, limit, step] = range_inputs(node, model)?;
            let values = floats_between(start, limit, step)?;
            Tensor::from_shape(&[values.len()], &values)?.cast_to_dt(DatumType::F32)?.into_owned()
        }
        other => bail!("it takes int64 and float, not {}", tensor::type_name(other)),
    };
    Ok(tvec!(model.add_const(node.name, tensor)?))
}

fn range_inputs<T: Datum + Copy>(node: &Node<'_>, model: &TypedModel) -> TractResult<[T; 3]> {
    let number = |at| node.constant_number(model, at);
    Ok([number(0)?, number(1)?, number(2)?])
}

fn integers_between(start: i64, limit: i64, step: i64) -> TractResult<Vec<i64>> {
    let is_empty = match step.signum() {
        1 => start >= limit,
        -1 => start <= limit,
        _ => true,
    };
    ensure!(!is_empty, "there is nothing from {start} to {limit} in steps of {step}");
    let count = limit.abs_diff(start).div_ceil(step.unsigned_abs());
    ensure!(count <= MAX_PLACES.into(), "{count} numbers are too many, {MAX_PLACES} are the most");
    let values = std::iter::successors(Some(start), |value| value.checked_add(step));
    Ok(values.take(usize::try_from(count)?).collect())
}

fn floats_between(start: f64, limit: f64, step: f64) -> TractResult<Vec<f64>> {
    let count = ((limit - start) / step).ceil();
    ensure!(count.is_finite() && count >= 1.0, "there is nothing from {start} to {limit} in steps of {step}");
    ensure!(count <= MAX_PLACES.into(), "{count} numbers are too many, {MAX_PLACES} are the most");
    Ok((0..MAX_PLACES).map(f64::from).take_while(|at| *at < count).map(|at| start + at * step).collect())
}
