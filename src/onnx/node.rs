//! A node of a graph under construction: its inputs, its attributes, and the parts that several operators are wired
//! from.

use tract_onnx::pb::{AttributeProto, NodeProto};
use tract_onnx::prelude::{Datum, DatumType, TractResult, TypedModel};
use tract_onnx::tract_core::internal::{AxisOp, OutletId, TVec, TractErrorContext, ensure, tensor0};
use tract_onnx::tract_core::model::SpecialOps;
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cast::cast;
use tract_onnx::tract_core::ops::change_axes::wire_with_rank_broadcast;

use super::operands::{constant, ensure_float, integers, only_number, only_output, shape};

/// The outlets of a node's outputs, in order.
pub(super) type Wires = TractResult<TVec<OutletId>>;

/// A node to be wired.
#[derive(Clone, Copy)]
pub(super) struct Node<'graph> {
    pub(super) proto: &'graph NodeProto,
    /// A name that no other node has.
    pub(super) name: &'graph str,
    /// Its inputs in order; `None` for an optional input that the file leaves out.
    pub(super) inputs: &'graph [Option<OutletId>],
}

impl Node<'_> {
    /// An input that the operator can't do without.
    pub(super) fn input(&self, at: usize) -> TractResult<OutletId> {
        self.optional_input(at).with_context(|| format!("its input {at} is missing"))
    }

    /// An input that the operator can do without.
    pub(super) fn optional_input(&self, at: usize) -> Option<OutletId> {
        self.inputs.get(at).copied().flatten()
    }

    /// The inputs that the file doesn't leave out.
    pub(super) fn present_inputs(&self) -> Vec<OutletId> {
        self.inputs.iter().copied().flatten().collect()
    }

    /// The integers of an optional input, which must be a constant.
    pub(super) fn optional_integers(&self, model: &TypedModel, at: usize) -> TractResult<Option<Vec<i64>>> {
        self.optional_input(at).map(|outlet| integers(&*constant(model, outlet)?)).transpose()
    }

    /// The only number of an input, which must be a constant.
    pub(super) fn constant_number<T: Datum + Copy>(&self, model: &TypedModel, at: usize) -> TractResult<T> {
        only_number(&*constant(model, self.input(at)?)?)
    }

    /// The name of one of the nodes that this one becomes.
    pub(super) fn sub_name(&self, part: &str) -> String {
        format!("{}.{part}", self.name)
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        self.proto.attribute.iter().find(|attribute| attribute.name == name)
    }

    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.attribute(name).map(|attribute| attribute.i)
    }

    /// An attribute of 32 bits, widened: constants are doubles until [`Node::with_number`] casts them to a wire's type.
    pub(super) fn float(&self, name: &str) -> Option<f64> {
        self.attribute(name).map(|attribute| attribute.f.into())
    }

    /// The axes that a node names as an attribute or, since operator set 13 or 18, as its second input.
    pub(super) fn axes(&self, model: &TypedModel) -> TractResult<Option<Vec<i64>>> {
        match self.attribute("axes") {
            Some(axes) => Ok(Some(axes.ints.clone())),
            None => self.optional_integers(model, 1),
        }
    }

    /// Refuses an empty tensor among the first `data_inputs` inputs, since tract divides by their length. The others
    /// say how the operator works, and may be empty: a shape without axes, say.
    pub(super) fn refuse_empty(&self, model: &TypedModel, data_inputs: usize) -> TractResult<()> {
        for (at, input) in self.inputs.iter().enumerate().take(data_inputs) {
            let Some(input) = input else { continue };
            ensure!(!shape(model, *input)?.contains(&0), "its input {at} is empty");
        }
        Ok(())
    }

    /// Refuses inputs of other types, for operators that tract has for floats alone.
    pub(super) fn ensure_floats(&self, model: &TypedModel) -> TractResult<()> {
        self.present_inputs().into_iter().try_for_each(|input| ensure_float(model, input))
    }

    /// Whether all inputs are whole numbers of 64 bits, as places in a history and shapes are.
    pub(super) fn reads_whole_numbers(&self, model: &TypedModel) -> TractResult<bool> {
        let inputs = self.present_inputs();
        for input in &inputs {
            if model.outlet_fact(*input)?.datum_type != DatumType::I64 {
                return Ok(false);
            }
        }
        Ok(!inputs.is_empty())
    }

    pub(super) fn cast_to(
        &self,
        model: &mut TypedModel,
        part: &str,
        to: DatumType,
        from: OutletId,
    ) -> TractResult<OutletId> {
        only_output(model.wire_node(self.sub_name(part), cast(to), &[from])?)
    }

    /// `operator` of two wires, broadcast to each other.
    pub(super) fn binary(
        &self,
        model: &mut TypedModel,
        part: &str,
        operator: TypedBinOp,
        left: OutletId,
        right: OutletId,
    ) -> TractResult<OutletId> {
        only_output(wire_with_rank_broadcast(self.sub_name(part), model, operator, &[left, right])?)
    }

    /// `operator` of a wire and a number, which is cast to the wire's type. The number is a double, so that it stays
    /// exact up to 2⁵³ where the wire is of doubles or whole numbers.
    pub(super) fn with_number(
        &self,
        model: &mut TypedModel,
        part: &str,
        operator: TypedBinOp,
        wire: OutletId,
        number: f64,
    ) -> TractResult<OutletId> {
        let datum_type = model.outlet_fact(wire)?.datum_type;
        let number = tensor0(number).cast_to_dt(datum_type)?.into_owned();
        let number = model.add_const(self.sub_name(&format!("{part}.number")), number)?;
        self.binary(model, part, operator, wire, number)
    }

    pub(super) fn axis_ops(
        &self,
        model: &mut TypedModel,
        mut wire: OutletId,
        operators: impl IntoIterator<Item = AxisOp>,
    ) -> TractResult<OutletId> {
        for (at, operator) in operators.into_iter().enumerate() {
            wire = only_output(model.wire_node(self.sub_name(&format!("axis {at}")), operator, &[wire])?)?;
        }
        Ok(wire)
    }
}
