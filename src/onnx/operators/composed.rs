//! Operators that are made of others, so that models from elsewhere run without a kernel more: those that PyTorch's exporters write
//! for layers of every day, and whole numbers, which say where something stands.

use tract_onnx::prelude::{DatumType, Tensor, TractResult, TypedModel};
use tract_onnx::tract_core::internal::{AxisOp, OutletId, TractErrorContext, bail, ensure, tvec};
use tract_onnx::tract_core::model::SpecialOps;
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cast::cast;
use tract_onnx::tract_core::ops::change_axes::wire_with_rank_broadcast;
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer};
use tract_onnx::tract_core::ops::{logic, math};

use super::super::gather::CheckedGather;
use super::super::operands::{axis, constant, ensure_float, number, one, rank, shape};
use super::{Node, Wires, budget};

/// The most numbers that a range has and that elements are looked up by, which say where in a history something stands.
const MAX_PLACES: usize = 1 << 16;

impl Node<'_> {
    /// Whether all that it reads are whole numbers of 64 bits, as places in a history and shapes are.
    pub(super) fn reads_whole_numbers(&self, model: &TypedModel) -> TractResult<bool> {
        let mut whole = !self.present().is_empty();
        for input in self.present() {
            whole &= model.outlet_fact(input)?.datum_type == DatumType::I64;
        }
        Ok(whole)
    }

    fn cast_to(&self, model: &mut TypedModel, part: &str, to: DatumType, from: OutletId) -> TractResult<OutletId> {
        one(model.wire_node(self.sub_name(part), cast(to), &[from])?)
    }

    fn join(
        &self,
        model: &mut TypedModel,
        part: &str,
        operator: TypedBinOp,
        left: OutletId,
        right: OutletId,
    ) -> TractResult<OutletId> {
        one(wire_with_rank_broadcast(self.sub_name(part), model, operator, &[left, right])?)
    }

    /// Both inputs as doubles.
    fn doubles(&self, model: &mut TypedModel) -> TractResult<(OutletId, OutletId)> {
        let left = self.cast_to(model, "left", DatumType::F64, self.input(0)?)?;
        Ok((left, self.cast_to(model, "right", DatumType::F64, self.input(1)?)?))
    }

    /// Arithmetic of whole numbers by doubles, exact up to 2⁵³ and without an end that a sum could run over or a division by zero
    /// could come to, both of which would end the program in tract's own. A quotient loses its fraction in the cast, as ONNX asks.
    pub(super) fn whole(&self, model: &mut TypedModel, operator: TypedBinOp) -> Wires {
        let (left, right) = self.doubles(model)?;
        let wire = self.join(model, "doubles", operator, left, right)?;
        model.wire_node(self.name, cast(DatumType::I64), &[wire])
    }

    /// `a − ⌊a / b⌋ · b`, whose sign is that of `b`.
    pub(super) fn modulo(&self, model: &mut TypedModel) -> Wires {
        ensure!(self.reads_whole_numbers(model)? && self.integer("fmod").unwrap_or(0) == 0, "it takes int64 alone");
        let (left, right) = self.doubles(model)?;
        let quotient = self.join(model, "quotient", math::div(), left, right)?;
        let floor = one(model.wire_node(self.sub_name("floor"), math::floor(), &[quotient])?)?;
        let product = self.join(model, "product", math::mul(), floor, right)?;
        let rest = self.join(model, "rest", math::sub(), left, product)?;
        model.wire_node(self.name, cast(DatumType::I64), &[rest])
    }

    /// The sum of whole numbers, by doubles too.
    pub(super) fn whole_sum(&self, model: &mut TypedModel) -> Wires {
        let doubles = self.cast_to(model, "doubles", DatumType::F64, self.input(0)?)?;
        let sum = one(self.reduce_wire(model, Reducer::Sum, doubles)?)?;
        model.wire_node(self.name, cast(DatumType::I64), &[sum])
    }

    /// `√Σ x²`.
    pub(super) fn reduce_l2(&self, model: &mut TypedModel) -> Wires {
        let from = self.input(0)?;
        ensure_float(model, from)?;
        let squares = self.join(model, "squares", math::mul(), from, from)?;
        let sum = one(self.reduce_wire(model, Reducer::Sum, squares)?)?;
        model.wire_node(self.name, math::sqrt(), &[sum])
    }

    /// The part of `x` above 0 and the part below.
    fn halves(&self, model: &mut TypedModel) -> TractResult<(OutletId, OutletId)> {
        self.ensure_floats(model)?;
        let from = self.input(0)?;
        let above = self.with_number(model, "above", math::max(), from, 0.0)?;
        Ok((above, self.with_number(model, "below", math::min(), from, 0.0)?))
    }

    /// `x` above 0, and below it `α · (eˣ − 1)`.
    pub(super) fn elu(&self, model: &mut TypedModel) -> Wires {
        let (above, below) = self.halves(model)?;
        let exp = one(model.wire_node(self.sub_name("exp"), math::exp(), &[below])?)?;
        let less = self.with_number(model, "less one", math::sub(), exp, 1.0)?;
        let scaled = self.with_number(model, "scaled", math::mul(), less, self.float("alpha").unwrap_or(1.0))?;
        wire_with_rank_broadcast(self.name, model, math::add(), &[above, scaled])
    }

    /// `x` above 0, and below it `x` times a slope that was learnt.
    pub(super) fn prelu(&self, model: &mut TypedModel) -> Wires {
        let (above, below) = self.halves(model)?;
        let scaled = self.join(model, "scaled", math::mul(), below, self.input(1)?)?;
        wire_with_rank_broadcast(self.name, model, math::add(), &[above, scaled])
    }

    /// `ln(1 + eˣ)`, written so that no exponential overflows.
    pub(super) fn softplus(&self, model: &mut TypedModel) -> Wires {
        let (above, below) = self.halves(model)?;
        let distance = self.join(model, "distance", math::sub(), below, above)?;
        let exp = one(model.wire_node(self.sub_name("exp"), math::exp(), &[distance])?)?;
        let sum = self.with_number(model, "sum", math::add(), exp, 1.0)?;
        let ln = one(model.wire_node(self.sub_name("ln"), math::ln(), &[sum])?)?;
        wire_with_rank_broadcast(self.name, model, math::add(), &[above, ln])
    }

    /// A number that isn't equal to itself.
    pub(super) fn is_nan(&self, model: &mut TypedModel) -> Wires {
        self.ensure_floats(model)?;
        let from = self.input(0)?;
        let equal = self.join(model, "equal", TypedBinOp(logic::comp_eq(), None), from, from)?;
        model.wire_node(self.name, logic::not(), &[equal])
    }

    /// `(x − mean) / √(variance + ε) · scale + bias` by the numbers that training left behind (Ioffe and Szegedy 2015).
    pub(super) fn batch_norm(&self, model: &mut TypedModel) -> Wires {
        ensure!(self.integer("training_mode").unwrap_or(0) == 0, "it is in training mode; export in evaluation mode");
        self.ensure_floats(model)?;
        let mut wire = self.input(0)?;
        let more = rank(model, wire)?.checked_sub(2).context("its input has no axis of channels")?;
        // A number a channel, the second axis.
        let by_channel = |model: &mut TypedModel, part: &str, at: usize| {
            let input = self.input(at)?;
            ensure!(rank(model, input)? == 1, "its input {at} isn't a vector");
            let axes = (0..more).map(|at| AxisOp::Add(at + 1));
            Node { name: &self.sub_name(part), ..*self }.axis_ops(model, input, axes)
        };
        let (scale, bias) = (by_channel(model, "of scale", 1)?, by_channel(model, "of bias", 2)?);
        let (mean, variance) = (by_channel(model, "of mean", 3)?, by_channel(model, "of variance", 4)?);
        let variance =
            self.with_number(model, "epsilon", math::add(), variance, self.float("epsilon").unwrap_or(1e-5))?;
        let factor = one(model.wire_node(self.sub_name("factor"), math::rsqrt(), &[variance])?)?;
        wire = self.join(model, "centred", math::sub(), wire, mean)?;
        wire = self.join(model, "normal", math::mul(), wire, factor)?;
        wire = self.join(model, "scaled", math::mul(), wire, scale)?;
        wire_with_rank_broadcast(self.name, model, math::add(), &[wire, bias])
    }

    /// The numbers from a start in steps up to a limit, all three known.
    pub(super) fn range(&self, model: &mut TypedModel) -> Wires {
        let [start, limit, step] =
            [0, 1, 2].map(|at| -> TractResult<f64> { Ok(f64::from(number(&*constant(model, self.input(at)?)?)?)) });
        let (start, limit, step) = (start?, limit?, step?);
        let count = ((limit - start) / step).ceil();
        ensure!(count.is_finite() && count >= 1.0, "there is nothing from {start} to {limit} in steps of {step}");
        ensure!(count <= MAX_PLACES as f64, "{count} numbers are too many, {MAX_PLACES} are the most");
        let count = count as usize;
        let values: Vec<f64> = (0..count).map(|at| start + at as f64 * step).collect();
        let to = model.outlet_fact(self.input(0)?)?.datum_type;
        ensure!(matches!(to, DatumType::I64 | DatumType::F32), "it takes int64 and float, not {to:?}");
        let tensor = Tensor::from_shape(&[values.len()], &values)?.cast_to_dt(to)?.into_owned();
        Ok(tvec!(model.add_const(self.name, tensor)?))
    }

    /// What stands on one side of a diagonal of the last two axes, and nothing on the other.
    pub(super) fn trilu(&self, model: &mut TypedModel) -> Wires {
        let from = self.input(0)?;
        let shape = shape(model, from)?;
        let [.., rows, columns] = shape.as_slice() else { bail!("it takes a matrix") };
        budget::to_shape(&[i64::try_from(*rows)?, i64::try_from(*columns)?])?;
        let shift = match self.inputs.get(1).copied().flatten() {
            Some(shift) => number(&*constant(model, shift)?)? as i64,
            None => 0,
        };
        let is_upper = self.integer("upper").unwrap_or(1) != 0;
        let kept = |row: i64, column: i64| {
            let right = column.saturating_sub(row);
            if is_upper { right >= shift } else { right <= shift }
        };
        let (last_row, last_column) = (i64::try_from(*rows)?, i64::try_from(*columns)?);
        let mask: Vec<bool> = (0..last_row)
            .flat_map(|row| (0..last_column).map(move |column| (row, column)))
            .map(|(row, column)| kept(row, column))
            .collect();
        let mask = model.add_const(self.sub_name("mask"), Tensor::from_shape(&[*rows, *columns], &mask)?)?;
        let nothing = Tensor::zero_scalar_dt(model.outlet_fact(from)?.datum_type)?;
        let nothing = model.add_const(self.sub_name("nothing"), nothing)?;
        wire_with_rank_broadcast(self.name, model, logic::Iff, &[mask, from, nothing])
    }

    /// For each index along an axis the number of the data that stands there and, on the other axes, where the index itself does.
    pub(super) fn gather_elements(&self, model: &mut TypedModel) -> Wires {
        let (data, indices) = (self.input(0)?, self.input(1)?);
        let (of_data, of_indices) = (shape(model, data)?, shape(model, indices)?);
        let at = axis(self.integer("axis").unwrap_or(0), of_data.len())?;
        let mut sizes = of_data.iter().zip(&of_indices).enumerate();
        let fits =
            of_data.len() == of_indices.len() && sizes.all(|(other, (data, index))| other == at || index <= data);
        ensure!(fits, "it can't look {of_indices:?} up in {of_data:?}");
        let strides = self::strides(&of_data);
        // Where each index's own place begins in the data as one row.
        let count: usize = of_indices.iter().product();
        ensure!(count <= MAX_PLACES, "{count} indices are too many, {MAX_PLACES} are the most");
        let own = self::strides(&of_indices);
        let place = |flat: usize| -> f64 {
            let axes = of_indices.iter().zip(&own).zip(&strides).enumerate().filter(|(other, _)| *other != at);
            axes.map(|(_, ((size, own), stride))| (flat / own % size * stride) as f64).sum()
        };
        let places: Vec<f64> = (0..count).map(place).collect();
        let places = model.add_const(self.sub_name("places"), Tensor::from_shape(&of_indices, &places)?)?;
        let doubles = self.cast_to(model, "doubles", DatumType::F64, indices)?;
        let dim = of_data.get(at).copied().unwrap_or_default();
        let shifted = self.with_number(model, "from the end", math::add(), doubles, dim as f32)?;
        let zero = model.add_const(self.sub_name("zero"), Tensor::zero_scalar::<f64>()?)?;
        let is_negative = self.join(model, "negative", TypedBinOp(logic::comp_lt(), None), doubles, zero)?;
        let index =
            wire_with_rank_broadcast(self.sub_name("index"), model, logic::Iff, &[is_negative, shifted, doubles])?;
        let stride = strides.get(at).copied().unwrap_or(1);
        let scaled = self.with_number(model, "strides", math::mul(), one(index)?, stride as f32)?;
        let flat = self.join(model, "flat", math::add(), scaled, places)?;
        self.look_up(model, data, &of_data, 0, flat)
    }

    /// For each row of indices what stands there in the data, one index an axis from the first on.
    pub(super) fn gather_nd(&self, model: &mut TypedModel) -> Wires {
        ensure!(self.integer("batch_dims").unwrap_or(0) == 0, "batches of indices aren't known");
        let (data, indices) = (self.input(0)?, self.input(1)?);
        let (of_data, of_indices) = (shape(model, data)?, shape(model, indices)?);
        let (last, axes) = (of_indices.len().checked_sub(1), of_indices.last().copied().unwrap_or_default());
        let last = last.context("its indices have no axis")?;
        ensure!(axes <= of_data.len(), "{axes} indices are too many for {of_data:?}");
        let (looked, kept) = of_data.split_at_checked(axes).context("it has more indices than axes")?;
        let strides: Vec<f64> = self::strides(looked).into_iter().map(|stride| stride as f64).collect();
        let strides = model.add_const(self.sub_name("strides"), Tensor::from_shape(&[axes], &strides)?)?;
        let doubles = self.cast_to(model, "doubles", DatumType::F64, indices)?;
        let scaled = self.join(model, "scaled", math::mul(), doubles, strides)?;
        let sum = one(model.wire_node(self.sub_name("sum"), Reduce::new(tvec!(last), Reducer::Sum), &[scaled])?)?;
        let sum = Node { name: &self.sub_name("flat"), ..*self }.axis_ops(model, sum, [AxisOp::Rm(last)])?;
        self.look_up(model, data, &of_data, kept.len(), sum)
    }

    /// Looks `flat` up in the data, of which all axes but the last `kept` are one row.
    fn look_up(&self, model: &mut TypedModel, data: OutletId, shape: &[usize], kept: usize, flat: OutletId) -> Wires {
        let rest = shape.iter().skip(shape.len().saturating_sub(kept));
        let to: Vec<i64> =
            [-1].into_iter().map(Ok).chain(rest.map(|dim| i64::try_from(*dim))).collect::<Result<_, _>>()?;
        let rows = one(Node { name: &self.sub_name("rows"), ..*self }.reshape(model, data, &to, false)?)?;
        let flat = self.cast_to(model, "row", DatumType::I64, flat)?;
        model.wire_node(self.name, CheckedGather::new(0), &[rows, flat])
    }
}

/// How many numbers lie between one and the next along each axis of a tensor of this shape.
fn strides(shape: &[usize]) -> Vec<usize> {
    (1..=shape.len()).map(|after| shape.iter().skip(after).product()).collect()
}
