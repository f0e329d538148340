//! The operators of ONNX that a model may use, and what wires each into tract's.

mod activation;
mod arithmetic;
mod cast;
mod constants;
mod logic;
mod lookup;
mod normalisation;
mod product;
mod reduction;
mod shapes;

use std::collections::BTreeSet;

use tract_onnx::pb::NodeProto;
use tract_onnx::prelude::{TractResult, TypedModel};
use tract_onnx::tract_core::internal::{bail, ensure};
use tract_onnx::tract_core::ops::nn::{Reducer, SoftmaxKind, sigmoid};
use tract_onnx::tract_core::ops::{logic as tract_logic, math};

use super::node::{Node, Wires};

/// The most unknown operators that an error names.
const MAX_NAMED: usize = 20;

/// An operator of ONNX's own domain that the library knows.
#[derive(Debug)]
pub struct Operator {
    name: &'static str,
    /// How many of its first inputs are data, which must not be empty. The others say how it works.
    data_inputs: usize,
    wire: fn(&Node<'_>, &mut TypedModel) -> Wires,
}

impl Operator {
    /// Its name in ONNX.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// An operator whose inputs are all data.
    const fn new(name: &'static str, wire: fn(&Node<'_>, &mut TypedModel) -> Wires) -> Self {
        Self { name, data_inputs: usize::MAX, wire }
    }

    /// As [`Operator::new`], if only the first inputs are data.
    const fn with_data_inputs(self, data_inputs: usize) -> Self {
        Self { data_inputs, ..self }
    }

    /// The operator of a node, `None` if the library doesn't know it.
    fn of(node: &NodeProto) -> Option<&'static Self> {
        OPERATORS.iter().find(|operator| is_standard(&node.domain) && operator.name == node.op_type)
    }
}

/// The operators that the library knows, by name.
pub static OPERATORS: [Operator; 65] = [
    Operator::new("Abs", |node, model| arithmetic::element_wise(node, model, math::abs())),
    Operator::new("Add", |node, model| arithmetic::binary(node, model, math::add())),
    Operator::new("And", |node, model| logic::binary(node, model, tract_logic::and())),
    Operator::new("BatchNormalization", normalisation::batch),
    Operator::new("Cast", cast::cast),
    Operator::new("Clip", activation::clip),
    Operator::new("Concat", shapes::concat),
    Operator::new("Constant", constants::constant),
    Operator::new("ConstantOfShape", constants::constant_of_shape).with_data_inputs(0),
    Operator::new("Div", |node, model| arithmetic::binary(node, model, math::div())),
    Operator::new("Dropout", shapes::identity),
    Operator::new("Elu", activation::elu),
    Operator::new("Equal", |node, model| logic::comparison(node, model, tract_logic::comp_eq())),
    Operator::new("Erf", |node, model| arithmetic::element_wise(node, model, math::erf())),
    Operator::new("Exp", |node, model| arithmetic::element_wise(node, model, math::exp())),
    Operator::new("Expand", shapes::expand).with_data_inputs(1),
    Operator::new("Flatten", shapes::flatten),
    Operator::new("Gather", lookup::gather),
    Operator::new("GatherElements", lookup::gather_elements),
    Operator::new("GatherND", lookup::gather_nd),
    Operator::new("Gelu", activation::gelu),
    Operator::new("Gemm", product::gemm),
    Operator::new("Greater", |node, model| logic::comparison(node, model, tract_logic::comp_gt())),
    Operator::new("GreaterOrEqual", |node, model| logic::comparison(node, model, tract_logic::comp_gte())),
    Operator::new("Identity", shapes::identity),
    Operator::new("IsNaN", logic::is_nan),
    Operator::new("LayerNormalization", normalisation::layer),
    Operator::new("LeakyRelu", activation::leaky_relu),
    Operator::new("Less", |node, model| logic::comparison(node, model, tract_logic::comp_lt())),
    Operator::new("LessOrEqual", |node, model| logic::comparison(node, model, tract_logic::comp_lte())),
    Operator::new("Log", |node, model| arithmetic::element_wise(node, model, math::ln())),
    Operator::new("LogSoftmax", |node, model| activation::softmax(node, model, SoftmaxKind::LogSoftmax)),
    Operator::new("MatMul", product::matmul),
    Operator::new("Max", |node, model| arithmetic::variadic(node, model, math::max)),
    Operator::new("Min", |node, model| arithmetic::variadic(node, model, math::min)),
    Operator::new("Mod", arithmetic::modulo),
    Operator::new("Mul", |node, model| arithmetic::binary(node, model, math::mul())),
    Operator::new("Neg", |node, model| arithmetic::element_wise(node, model, math::neg())),
    Operator::new("Not", logic::not),
    Operator::new("Or", |node, model| logic::binary(node, model, tract_logic::or())),
    Operator::new("PRelu", activation::prelu),
    Operator::new("Pow", arithmetic::power),
    Operator::new("Range", constants::range),
    Operator::new("Reciprocal", |node, model| arithmetic::element_wise(node, model, math::recip())),
    Operator::new("ReduceL2", reduction::l2).with_data_inputs(1),
    Operator::new("ReduceMax", |node, model| reduction::reduce(node, model, Reducer::Max)).with_data_inputs(1),
    Operator::new("ReduceMean", reduction::mean).with_data_inputs(1),
    Operator::new("ReduceMin", |node, model| reduction::reduce(node, model, Reducer::Min)).with_data_inputs(1),
    Operator::new("ReduceSum", reduction::sum).with_data_inputs(1),
    Operator::new("Relu", activation::relu),
    Operator::new("Reshape", shapes::reshape).with_data_inputs(1),
    Operator::new("Shape", constants::shape),
    Operator::new("Sigmoid", |node, model| arithmetic::element_wise(node, model, sigmoid())),
    Operator::new("Slice", shapes::slice).with_data_inputs(1),
    Operator::new("Softmax", |node, model| activation::softmax(node, model, SoftmaxKind::Softmax)),
    Operator::new("Softplus", activation::softplus),
    Operator::new("Split", shapes::split),
    Operator::new("Sqrt", |node, model| arithmetic::element_wise(node, model, math::sqrt())),
    Operator::new("Squeeze", shapes::squeeze).with_data_inputs(1),
    Operator::new("Sub", |node, model| arithmetic::binary(node, model, math::sub())),
    Operator::new("Tanh", |node, model| arithmetic::element_wise(node, model, math::tanh())),
    Operator::new("Transpose", shapes::transpose),
    Operator::new("Trilu", shapes::trilu),
    Operator::new("Unsqueeze", shapes::unsqueeze).with_data_inputs(1),
    Operator::new("Where", logic::select),
];

/// Whether a domain is ONNX's own, and not that of operators which one runtime alone has.
pub(super) fn is_standard(domain: &str) -> bool {
    domain.is_empty() || domain == "ai.onnx"
}

/// Refuses the unknown operators of a graph, all in one error, so that you need to export a model only once more.
pub(super) fn refuse_unknown(nodes: &[NodeProto]) -> TractResult<()> {
    let name = |node: &NodeProto| {
        let domain = if is_standard(&node.domain) { String::new() } else { format!("{}.", node.domain) };
        domain + &node.op_type
    };
    let unknown: BTreeSet<String> = nodes.iter().filter(|node| Operator::of(node).is_none()).map(name).collect();
    let unknown: Vec<String> = unknown.into_iter().take(MAX_NAMED).collect();
    ensure!(
        unknown.is_empty(),
        "it uses operators that this program doesn't have: {}. It has {}",
        unknown.join(", "),
        OPERATORS.each_ref().map(Operator::name).join(", ")
    );
    Ok(())
}

/// Adds what a node computes to `model`.
///
/// # Errors
/// An operator that isn't one of [`OPERATORS`], and inputs or attributes that it can't take.
pub(super) fn wire(node: &Node<'_>, model: &mut TypedModel) -> Wires {
    let Some(operator) = Operator::of(node.proto) else { bail!("this program doesn't have the operator") };
    node.refuse_empty(model, operator.data_inputs)?;
    (operator.wire)(node, model)
}
