//! The operators of ONNX that a model may use, wired into tract's.

mod composed;

use tract_onnx::pb::{AttributeProto, NodeProto};
use tract_onnx::prelude::{DatumType, Tensor, TractResult, TypedModel};
use tract_onnx::tract_core::internal::{
    AxesMapping, AxisOp, OutletId, ShapeFact, TDim, TVec, ToDim, TractErrorContext, bail, ensure, tensor0, tvec,
};
use tract_onnx::tract_core::model::SpecialOps;
use tract_onnx::tract_core::ops::array::{MultiBroadcastTo, Slice, TypedConcat};
use tract_onnx::tract_core::ops::binary::{BinMiniOp, TypedBinOp};
use tract_onnx::tract_core::ops::cast::{cast, wire_cast};
use tract_onnx::tract_core::ops::change_axes::{
    perm_to_ops, to_axis_ops_with_onnx_rules, wire_rank_broadcast, wire_with_rank_broadcast,
};
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::nn::{Reduce, Reducer, Softmax, SoftmaxKind, leaky_relu, sigmoid};
use tract_onnx::tract_core::ops::{logic, math};

use super::gather::CheckedGather;
use super::operands::{axis, constant, ensure_float, integers, number, one, rank, shape, sorted_axes};
use super::widen::WidenInt8;
use super::{budget, tensor};

/// The names of the operators that [`Node::wire`] knows.
pub const OPERATORS: [&str; 65] = [
    "Abs",
    "Add",
    "And",
    "BatchNormalization",
    "Cast",
    "Clip",
    "Concat",
    "Constant",
    "ConstantOfShape",
    "Div",
    "Dropout",
    "Elu",
    "Equal",
    "Erf",
    "Exp",
    "Expand",
    "Flatten",
    "Gather",
    "GatherElements",
    "GatherND",
    "Gelu",
    "Gemm",
    "Greater",
    "GreaterOrEqual",
    "Identity",
    "IsNaN",
    "LayerNormalization",
    "LeakyRelu",
    "Less",
    "LessOrEqual",
    "Log",
    "LogSoftmax",
    "MatMul",
    "Max",
    "Min",
    "Mod",
    "Mul",
    "Neg",
    "Not",
    "Or",
    "PRelu",
    "Pow",
    "Range",
    "Reciprocal",
    "ReduceL2",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceSum",
    "Relu",
    "Reshape",
    "Shape",
    "Sigmoid",
    "Slice",
    "Softmax",
    "Softplus",
    "Split",
    "Sqrt",
    "Squeeze",
    "Sub",
    "Tanh",
    "Transpose",
    "Trilu",
    "Unsqueeze",
    "Where",
];

/// A node of a graph under construction.
pub struct Node<'graph> {
    pub proto: &'graph NodeProto,
    /// A name that no other node has.
    pub name: &'graph str,
    /// What it reads, in order; none for an input that is left out.
    pub inputs: &'graph [Option<OutletId>],
}

type Wires = TractResult<TVec<OutletId>>;

impl Node<'_> {
    /// Adds what the node computes to `model`.
    ///
    /// # Errors
    /// An operator that isn't one of [`OPERATORS`], and inputs or attributes that it can't take.
    pub fn wire(&self, model: &mut TypedModel) -> Wires {
        self.refuse_empty(model)?;
        match self.proto.op_type.as_str() {
            "Add" => self.arithmetic(model, math::add()),
            "Sub" => self.arithmetic(model, math::sub()),
            "Mul" => self.arithmetic(model, math::mul()),
            "Div" => self.arithmetic(model, math::div()),
            "Pow" => {
                self.ensure_floats(model)?;
                self.binary(model, math::pow())
            }
            "Mod" => self.modulo(model),
            "Max" => self.folded(model, math::max),
            "Min" => self.folded(model, math::min),
            "And" => self.binary(model, logic::and()),
            "Or" => self.binary(model, logic::or()),
            "Equal" => self.comparison(model, logic::comp_eq()),
            "Greater" => self.comparison(model, logic::comp_gt()),
            "GreaterOrEqual" => self.comparison(model, logic::comp_gte()),
            "Less" => self.comparison(model, logic::comp_lt()),
            "LessOrEqual" => self.comparison(model, logic::comp_lte()),
            "Abs" => self.element_wise(model, math::abs()),
            "Erf" => self.element_wise(model, math::erf()),
            "Exp" => self.element_wise(model, math::exp()),
            "Log" => self.element_wise(model, math::ln()),
            "Neg" => self.element_wise(model, math::neg()),
            "Not" => model.wire_node(self.name, logic::not(), &[self.input(0)?]),
            "Reciprocal" => self.element_wise(model, math::recip()),
            "Sigmoid" => self.element_wise(model, sigmoid()),
            "Sqrt" => self.element_wise(model, math::sqrt()),
            "Tanh" => self.element_wise(model, math::tanh()),
            "LeakyRelu" => self.element_wise(model, leaky_relu(self.float("alpha").unwrap_or(0.01))),
            "Relu" => self.clip(model, Some(0.0), None),
            "Clip" => {
                let bound = |at: usize| -> TractResult<Option<f32>> {
                    let bound = self.inputs.get(at).copied().flatten();
                    bound.map(|outlet| number(&*constant(model, outlet)?)).transpose()
                };
                let (least, most) = (bound(1)?, bound(2)?);
                self.clip(model, least, most)
            }
            "Gelu" => self.gelu(model),
            "Elu" => self.elu(model),
            "PRelu" => self.prelu(model),
            "Softplus" => self.softplus(model),
            "IsNaN" => self.is_nan(model),
            "Range" => self.range(model),
            "Trilu" => self.trilu(model),
            "Cast" => {
                let to = tensor::datum_type(i32::try_from(self.integer("to").context("it doesn't say to what")?)?)?;
                let from = self.input(0)?;
                if (model.outlet_fact(from)?.datum_type, to) == (DatumType::I8, DatumType::F32) {
                    return model.wire_node(self.name, WidenInt8, &[from]);
                }
                model.wire_node(self.name, cast(to), &[from])
            }
            "Identity" | "Dropout" => Ok(tvec!(self.input(0)?)),
            "Constant" => {
                let value = match (self.attribute("value"), self.float("value_float"), self.integer("value_int")) {
                    (Some(AttributeProto { t: Some(tensor), .. }), ..) => tensor::read(tensor, self.name)?,
                    (_, Some(value), _) => tensor0(value),
                    (.., Some(value)) => tensor0(value),
                    _ => bail!("its value isn't a tensor, a float or an integer"),
                };
                Ok(tvec!(model.add_const(self.name, value)?))
            }
            "ConstantOfShape" => {
                let shape = budget::to_shape(&integers(&*constant(model, self.input(0)?)?)?)?;
                let (value, to) = match self.attribute("value") {
                    Some(AttributeProto { t: Some(value), .. }) => {
                        let value = tensor::read(value, self.name)?;
                        (number(&value)?, value.datum_type())
                    }
                    _ => (0.0, DatumType::F32),
                };
                let tensor = tensor0(value).cast_to_dt(to)?.broadcast_scalar_to_shape(&shape)?;
                Ok(tvec!(model.add_const(self.name, tensor)?))
            }
            "Shape" => {
                let shape = shape(model, self.input(0)?)?;
                let rank = i64::try_from(shape.len())?;
                // Since operator set 15 a part of the shape can be asked for, its ends counted as a slice's are.
                let place = |at: i64| usize::try_from(if at < 0 { at.saturating_add(rank) } else { at }.clamp(0, rank));
                let (start, end) =
                    (place(self.integer("start").unwrap_or(0))?, place(self.integer("end").unwrap_or(rank))?);
                let part = shape.get(start..end).context("it asks for an end before its start")?;
                let shape: Vec<i64> = part.iter().map(|dim| i64::try_from(*dim)).collect::<Result<_, _>>()?;
                Ok(tvec!(model.add_const(self.name, Tensor::from_shape(&[shape.len()], &shape)?)?))
            }
            "Where" => {
                let (condition, then, otherwise) = (self.input(0)?, self.input(1)?, self.input(2)?);
                wire_with_rank_broadcast(self.name, model, logic::Iff, &[condition, then, otherwise])
            }
            "Gather" => {
                let rows = self.input(0)?;
                let axis = axis(self.integer("axis").unwrap_or(0), rank(model, rows)?)?;
                let indices = self.sub_name("indices");
                let indices = wire_cast(indices, model, &[self.input(1)?], DatumType::I64)?;
                let inputs: Vec<OutletId> = [rows].into_iter().chain(indices).collect();
                model.wire_node(self.name, CheckedGather::new(axis), &inputs)
            }
            "GatherElements" => self.gather_elements(model),
            "GatherND" => self.gather_nd(model),
            "Concat" => {
                let inputs = self.present();
                let axis = axis(self.integer("axis").context("it has no axis")?, rank(model, self.input(0)?)?)?;
                model.wire_node(self.name, TypedConcat::new(axis), &inputs)
            }
            "Expand" => {
                let to = budget::to_shape(&integers(&*constant(model, self.input(1)?)?)?)?;
                let from = shape(model, self.input(0)?)?;
                let pairs = from.iter().rev().zip(to.iter().rev());
                let fits = pairs.into_iter().all(|(own, dim)| own == dim || *own == 1 || *dim == 1);
                ensure!(fits && to.len() >= from.len(), "it can't expand {from:?} to {to:?}");
                let kept = to.len() - from.len();
                // A dimension of 1 keeps what the input has.
                let dims: TVec<TDim> = to
                    .iter()
                    .enumerate()
                    .map(|(at, dim)| match at.checked_sub(kept).and_then(|at| from.get(at)) {
                        Some(own) if *dim == 1 => own.to_dim(),
                        _ => dim.to_dim(),
                    })
                    .collect();
                let wire = self.axis_ops(model, self.input(0)?, (0..kept).map(|_| AxisOp::Add(0)))?;
                model.wire_node(self.name, MultiBroadcastTo::new(ShapeFact::from_dims(dims)), &[wire])
            }
            "Unsqueeze" => {
                let axes = self.axes(model)?.context("it has no axes")?;
                let from = self.input(0)?;
                let axes = sorted_axes(&axes, rank(model, from)? + axes.len())?;
                Ok(tvec!(self.axis_ops(model, from, axes.into_iter().map(AxisOp::Add))?))
            }
            "Squeeze" => {
                let from = self.input(0)?;
                let shape = shape(model, from)?;
                let axes = match self.axes(model)? {
                    Some(axes) => sorted_axes(&axes, shape.len())?,
                    None => (0..shape.len()).filter(|at| shape.get(*at) == Some(&1)).collect(),
                };
                ensure!(axes.iter().all(|at| shape.get(*at) == Some(&1)), "it can't squeeze {axes:?} of {shape:?}");
                Ok(tvec!(self.axis_ops(model, from, axes.into_iter().rev().map(AxisOp::Rm))?))
            }
            "Reshape" => {
                let to = integers(&*constant(model, self.input(1)?)?)?;
                self.reshape(model, self.input(0)?, &to, self.integer("allowzero") == Some(1))
            }
            "Flatten" => {
                let shape = shape(model, self.input(0)?)?;
                let at = self.integer("axis").unwrap_or(1);
                let at = if at == i64::try_from(shape.len())? { shape.len() } else { axis(at, shape.len())? };
                let rows: usize = shape.iter().take(at).product();
                let columns: usize = shape.iter().skip(at).product();
                self.reshape(model, self.input(0)?, &[i64::try_from(rows)?, i64::try_from(columns)?], true)
            }
            "Transpose" => {
                let from = self.input(0)?;
                let rank = rank(model, from)?;
                let order = match self.attribute("perm") {
                    Some(perm) => perm.ints.iter().map(|at| axis(*at, rank)).collect::<TractResult<Vec<_>>>()?,
                    None => (0..rank).rev().collect(),
                };
                let mut sorted = order.clone();
                sorted.sort_unstable();
                ensure!(sorted.iter().copied().eq(0..rank), "{order:?} isn't an order of {rank} axes");
                Ok(tvec!(self.axis_ops(model, from, perm_to_ops(&order))?))
            }
            "Slice" => self.slice(model),
            "Split" => self.split(model),
            "MatMul" => self.matmul(model),
            "Gemm" => self.gemm(model),
            "Softmax" => self.softmax(model, SoftmaxKind::Softmax),
            "LogSoftmax" => self.softmax(model, SoftmaxKind::LogSoftmax),
            "ReduceSum" if self.reads_whole_numbers(model)? => self.whole_sum(model),
            "ReduceSum" => self.reduce(model, Reducer::Sum),
            "ReduceL2" => self.reduce_l2(model),
            "ReduceMax" => self.reduce(model, Reducer::Max),
            "ReduceMin" => self.reduce(model, Reducer::Min),
            "ReduceMean" => self.reduce_mean(model),
            "LayerNormalization" => self.layer_norm(model),
            "BatchNormalization" => self.batch_norm(model),
            other => bail!("the operator {other} isn't one that this program has"),
        }
    }

    fn input(&self, at: usize) -> TractResult<OutletId> {
        self.inputs.get(at).copied().flatten().with_context(|| format!("its input {at} is missing"))
    }

    fn present(&self) -> Vec<OutletId> {
        self.inputs.iter().copied().flatten().collect()
    }

    /// Refuses inputs without a number, which tract divides by the length of, unless they say how and not what: a shape of no
    /// axes, say.
    fn refuse_empty(&self, model: &TypedModel) -> TractResult<()> {
        let what = match self.proto.op_type.as_str() {
            "ConstantOfShape" => 0,
            "Expand" | "ReduceL2" | "ReduceMax" | "ReduceMean" | "ReduceMin" | "ReduceSum" | "Reshape" | "Slice"
            | "Squeeze" | "Unsqueeze" => 1,
            _ => self.inputs.len(),
        };
        for (at, input) in self.inputs.iter().enumerate().take(what) {
            let Some(input) = input else { continue };
            ensure!(!shape(model, *input)?.contains(&0), "its input {at} is empty");
        }
        Ok(())
    }

    /// Refuses inputs of other types, for operators that tract has for floats alone.
    fn ensure_floats(&self, model: &TypedModel) -> TractResult<()> {
        self.present().into_iter().try_for_each(|input| ensure_float(model, input))
    }

    fn sub_name(&self, part: &str) -> String {
        format!("{}.{part}", self.name)
    }

    fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        self.proto.attribute.iter().find(|attribute| attribute.name == name)
    }

    fn integer(&self, name: &str) -> Option<i64> {
        self.attribute(name).map(|attribute| attribute.i)
    }

    fn float(&self, name: &str) -> Option<f32> {
        self.attribute(name).map(|attribute| attribute.f)
    }

    /// The axes that a node names as an attribute or, since operator set 13 or 18, as its second input.
    fn axes(&self, model: &TypedModel) -> TractResult<Option<Vec<i64>>> {
        if let Some(axes) = self.attribute("axes") {
            return Ok(Some(axes.ints.clone()));
        }
        let input = self.inputs.get(1).copied().flatten();
        input.map(|outlet| integers(&*constant(model, outlet)?)).transpose()
    }

    fn binary(&self, model: &mut TypedModel, operator: TypedBinOp) -> Wires {
        wire_with_rank_broadcast(self.name, model, operator, &[self.input(0)?, self.input(1)?])
    }

    fn comparison(&self, model: &mut TypedModel, operator: Box<dyn BinMiniOp>) -> Wires {
        self.binary(model, TypedBinOp(operator, None))
    }

    /// Of whole numbers, tract would end the program at a division by zero, and where sums are checked at one that overflows.
    fn arithmetic(&self, model: &mut TypedModel, operator: TypedBinOp) -> Wires {
        if self.reads_whole_numbers(model)? {
            return self.whole(model, operator);
        }
        self.ensure_floats(model)?;
        self.binary(model, operator)
    }

    fn element_wise(&self, model: &mut TypedModel, operator: ElementWiseOp) -> Wires {
        self.ensure_floats(model)?;
        model.wire_node(self.name, operator, &[self.input(0)?])
    }

    /// An operator of two over any number of inputs.
    fn folded(&self, model: &mut TypedModel, operator: fn() -> TypedBinOp) -> Wires {
        let inputs = self.present();
        let (first, others) = inputs.split_first().context("it has no input")?;
        let mut wire = *first;
        for (at, other) in others.iter().enumerate() {
            let name = if at + 1 == others.len() { self.name.to_owned() } else { self.sub_name(&at.to_string()) };
            wire = one(wire_with_rank_broadcast(name, model, operator(), &[wire, *other])?)?;
        }
        Ok(tvec!(wire))
    }

    /// `operator` with a number, which takes the type of the input.
    fn with_number(
        &self,
        model: &mut TypedModel,
        part: &str,
        operator: TypedBinOp,
        wire: OutletId,
        number: f32,
    ) -> TractResult<OutletId> {
        let datum_type = model.outlet_fact(wire)?.datum_type;
        let number = tensor0(number).cast_to_dt(datum_type)?.into_owned();
        let number = model.add_const(self.sub_name(&format!("{part}.number")), number)?;
        one(wire_with_rank_broadcast(self.sub_name(part), model, operator, &[wire, number])?)
    }

    fn clip(&self, model: &mut TypedModel, least: Option<f32>, most: Option<f32>) -> Wires {
        let mut wire = self.input(0)?;
        if let Some(least) = least {
            wire = self.with_number(model, "least", math::max(), wire, least)?;
        }
        if let Some(most) = most {
            wire = self.with_number(model, "most", math::min(), wire, most)?;
        }
        Ok(tvec!(wire))
    }

    /// `x · ½ · (1 + erf(x / √2))`.
    fn gelu(&self, model: &mut TypedModel) -> Wires {
        let approximate = self.attribute("approximate").is_some_and(|attribute| attribute.s == b"tanh");
        ensure!(!approximate, "its approximation by tanh isn't known; export the exact one");
        self.ensure_floats(model)?;
        let from = self.input(0)?;
        let scaled = self.with_number(model, "scaled", math::mul(), from, std::f32::consts::FRAC_1_SQRT_2)?;
        let erf = one(model.wire_node(self.sub_name("erf"), math::erf(), &[scaled])?)?;
        let doubled = self.with_number(model, "doubled", math::add(), erf, 1.0)?;
        let gate = self.with_number(model, "gate", math::mul(), doubled, 0.5)?;
        wire_with_rank_broadcast(self.name, model, math::mul(), &[from, gate])
    }

    fn axis_ops(
        &self,
        model: &mut TypedModel,
        mut wire: OutletId,
        operators: impl IntoIterator<Item = AxisOp>,
    ) -> TractResult<OutletId> {
        for (at, operator) in operators.into_iter().enumerate() {
            wire = one(model.wire_node(self.sub_name(&format!("axis {at}")), operator, &[wire])?)?;
        }
        Ok(wire)
    }

    fn reshape(&self, model: &mut TypedModel, from: OutletId, to: &[i64], allow_zero: bool) -> Wires {
        // What is left open, by −1, or kept, by 0, is never larger than what there is.
        let is_shape = to.iter().all(|dim| *dim >= -1) && to.iter().filter(|dim| **dim == -1).count() <= 1;
        ensure!(is_shape, "{to:?} isn't a shape");
        budget::to_shape(&to.iter().map(|dim| (*dim).max(0)).collect::<Vec<_>>())?;
        let old: Vec<TDim> = shape(model, from)?.iter().map(ToDim::to_dim).collect();
        let new: Vec<TDim> = to.iter().map(ToDim::to_dim).collect();
        let operators = to_axis_ops_with_onnx_rules(&old, &new, allow_zero)?;
        Ok(tvec!(self.axis_ops(model, from, operators)?))
    }

    fn slice(&self, model: &mut TypedModel) -> Wires {
        let mut wire = self.input(0)?;
        let shape = shape(model, wire)?;
        let numbers = |at: usize| -> TractResult<Option<Vec<i64>>> {
            let input = self.inputs.get(at).copied().flatten();
            input.map(|outlet| integers(&*constant(model, outlet)?)).transpose()
        };
        let (starts, ends) = (numbers(1)?.context("it has no starts")?, numbers(2)?.context("it has no ends")?);
        let axes = numbers(3)?.unwrap_or_else(|| (0..).take(starts.len()).collect());
        let steps = numbers(4)?.unwrap_or_else(|| vec![1; starts.len()]);
        ensure!(steps.iter().all(|step| *step == 1), "steps other than 1 aren't known");
        for ((start, end), at) in starts.into_iter().zip(ends).zip(axes) {
            let at = axis(at, shape.len())?;
            let dim = i64::try_from(shape.get(at).copied().unwrap_or_default())?;
            let place = |place: i64| if place < 0 { place.saturating_add(dim) } else { place }.clamp(0, dim);
            let (start, end) = (place(start), place(end));
            ensure!(start < end, "nothing lies between {start} and {end}");
            wire = one(model.wire_node(self.sub_name(&format!("axis {at}")), Slice::new(at, start, end), &[wire])?)?;
        }
        Ok(tvec!(wire))
    }

    fn split(&self, model: &mut TypedModel) -> Wires {
        let from = self.input(0)?;
        let shape = shape(model, from)?;
        let at = axis(self.integer("axis").unwrap_or(0), shape.len())?;
        let dim = shape.get(at).copied().unwrap_or_default();
        let parts = self.proto.output.len().max(1);
        let sizes = match self.inputs.get(1).copied().flatten() {
            Some(sizes) => integers(&*constant(model, sizes)?)?,
            // The last part is smaller where they can't be equal.
            None => {
                let size = dim.div_ceil(parts);
                (0..parts)
                    .map(|part| i64::try_from(size.min(dim.saturating_sub(part * size))))
                    .collect::<Result<_, _>>()?
            }
        };
        ensure!(sizes.len() == parts, "it has {} sizes for {parts} parts", sizes.len());
        let sum = sizes.iter().try_fold(0_i64, |sum, size| sum.checked_add(*size).filter(|_| *size > 0));
        ensure!(sum == Some(i64::try_from(dim)?), "{sizes:?} don't add up to {dim}");
        let mut start = 0;
        let mut wires = tvec!();
        for (part, size) in sizes.into_iter().enumerate() {
            let slice = Slice::new(at, start, start + size);
            wires.push(one(model.wire_node(self.sub_name(&part.to_string()), slice, &[from])?)?);
            start += size;
        }
        Ok(wires)
    }

    fn matmul(&self, model: &mut TypedModel) -> Wires {
        self.ensure_floats(model)?;
        let inputs = wire_rank_broadcast(self.name, model, &[self.input(0)?, self.input(1)?])?;
        let rank = rank(model, self.input(0)?)?.max(rank(model, self.input(1)?)?);
        ensure!(rank >= 2, "a product of two vectors isn't known");
        let (left, right) = (shape(model, self.input(0)?)?, shape(model, self.input(1)?)?);
        let rows_of_right = if right.len() > 1 { right.iter().rev().nth(1) } else { None };
        ensure!(left.last() == Some(rows_of_right.unwrap_or(&1)), "it can't multiply {left:?} by {right:?}");
        let product = EinSum::new(AxesMapping::for_numpy_matmul(rank, false, false, false)?, DatumType::F32);
        model.wire_node(self.name, product, &inputs)
    }

    /// `alpha · A · B + beta · C`.
    fn gemm(&self, model: &mut TypedModel) -> Wires {
        self.ensure_floats(model)?;
        let (left, right) = (self.input(0)?, self.input(1)?);
        ensure!(rank(model, left)? == 2 && rank(model, right)? == 2, "its factors aren't matrices");
        let is_set = |name: &str| self.integer(name).is_some_and(|value| value != 0);
        let (turns_left, turns_right) = (is_set("transA"), is_set("transB"));
        let (of_left, of_right) = (shape(model, left)?, shape(model, right)?);
        let inner = of_left.get(usize::from(!turns_left)) == of_right.get(usize::from(turns_right));
        ensure!(inner, "it can't multiply {of_left:?} by {of_right:?}");
        let axes = AxesMapping::for_numpy_matmul(2, turns_left, turns_right, false)?;
        let mut wire =
            one(model.wire_node(self.sub_name("product"), EinSum::new(axes, DatumType::F32), &[left, right])?)?;
        let factor = |name: &str| self.float(name).unwrap_or(1.0);
        if factor("alpha") != 1.0 {
            wire = self.with_number(model, "alpha", math::mul(), wire, factor("alpha"))?;
        }
        let Some(mut added) = self.inputs.get(2).copied().flatten() else { return Ok(tvec!(wire)) };
        if factor("beta") != 1.0 {
            added = self.with_number(model, "beta", math::mul(), added, factor("beta"))?;
        }
        wire_with_rank_broadcast(self.name, model, math::add(), &[wire, added])
    }

    fn softmax(&self, model: &mut TypedModel, kind: SoftmaxKind) -> Wires {
        self.ensure_floats(model)?;
        let from = self.input(0)?;
        let axis = axis(self.integer("axis").unwrap_or(-1), rank(model, from)?)?;
        model.wire_node(self.name, Softmax::new(tvec!(axis), None, kind), &[from])
    }

    fn reduce(&self, model: &mut TypedModel, reducer: Reducer) -> Wires {
        let from = self.input(0)?;
        ensure_float(model, from)?;
        self.reduce_wire(model, reducer, from)
    }

    /// The reduction of a wire over the axes that the node names.
    fn reduce_wire(&self, model: &mut TypedModel, reducer: Reducer, from: OutletId) -> Wires {
        let rank = rank(model, from)?;
        let axes = match self.axes(model)? {
            Some(axes) if !axes.is_empty() => sorted_axes(&axes, rank)?,
            _ if self.integer("noop_with_empty_axes") == Some(1) => return Ok(tvec!(from)),
            _ => (0..rank).collect(),
        };
        let reduced = Reduce::new(axes.iter().copied().collect(), reducer);
        let wire = one(model.wire_node(self.sub_name("reduced"), reduced, &[from])?)?;
        if self.integer("keepdims") == Some(0) {
            return Ok(tvec!(self.axis_ops(model, wire, axes.into_iter().rev().map(AxisOp::Rm))?));
        }
        Ok(tvec!(wire))
    }

    fn reduce_mean(&self, model: &mut TypedModel) -> Wires {
        let before: usize = shape(model, self.input(0)?)?.iter().product();
        let sum = one(self.reduce(model, Reducer::Sum)?)?;
        let after: usize = shape(model, sum)?.iter().product();
        Ok(tvec!(self.with_number(model, "mean", math::mul(), sum, after as f32 / before.max(1) as f32)?))
    }

    /// `(x − mean) / √(variance + ε) · scale + bias` over the axes from `axis` on (Ba, Kiros and Hinton 2016).
    fn layer_norm(&self, model: &mut TypedModel) -> Wires {
        self.ensure_floats(model)?;
        let from = self.input(0)?;
        let shape = shape(model, from)?;
        let first = axis(self.integer("axis").unwrap_or(-1), shape.len())?;
        let axes: TVec<usize> = (first..shape.len()).collect();
        let count: usize = shape.iter().skip(first).product();
        let mean = |model: &mut TypedModel, part: &str, wire: OutletId| {
            let sum = Reduce::new(axes.clone(), Reducer::Sum);
            let sum = one(model.wire_node(self.sub_name(&format!("{part}.sum")), sum, &[wire])?)?;
            self.with_number(model, part, math::mul(), sum, 1.0 / count.max(1) as f32)
        };
        let centre = mean(model, "mean", from)?;
        let centred = one(wire_with_rank_broadcast(self.sub_name("centred"), model, math::sub(), &[from, centre])?)?;
        let squares =
            one(wire_with_rank_broadcast(self.sub_name("squares"), model, math::mul(), &[centred, centred])?)?;
        let variance = mean(model, "variance", squares)?;
        let epsilon = self.float("epsilon").unwrap_or(1e-5);
        let variance = self.with_number(model, "epsilon", math::add(), variance, epsilon)?;
        let factor = one(model.wire_node(self.sub_name("factor"), math::rsqrt(), &[variance])?)?;
        let mut wire = one(wire_with_rank_broadcast(self.sub_name("normal"), model, math::mul(), &[centred, factor])?)?;
        for (part, operator, at) in [("scale", math::mul(), 1), ("bias", math::add(), 2)] {
            if let Some(other) = self.inputs.get(at).copied().flatten() {
                wire = one(wire_with_rank_broadcast(self.sub_name(part), model, operator, &[wire, other])?)?;
            }
        }
        Ok(tvec!(wire))
    }
}
