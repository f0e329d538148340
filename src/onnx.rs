//! Reads an ONNX model into tract's typed model.
//!
//! tract-onnx's own reader knows every operator there is and infers shapes that a file leaves open. Here each shape is known
//! before the file is read, and the two models need two dozen operators, so the graph is wired node by node, each outlet's type and
//! shape following from those before it. That leaves out of the page what it never runs (Fourier transforms, convolutions,
//! image operators, the solver for shapes), and refuses what it doesn't know by name.

mod budget;
mod gather;
mod operands;
mod operators;
mod tensor;
mod widen;

use std::collections::{BTreeSet, HashMap, HashSet};

use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, ValueInfoProto, tensor_shape_proto, type_proto};
use tract_onnx::prelude::{Datum, DatumType, IntoRunnable, TractResult, TypedModel, TypedRunnableModel};
use tract_onnx::tract_core::internal::{
    OutletId, SpecialOps, TVec, TractErrorContext, TypedFact, bail, ensure, format_err,
};

use budget::Budget;
use operators::Node;
pub use operators::OPERATORS;

/// The most unknown operators that a message names.
const MOST_NAMED: usize = 20;

/// Whether a domain is ONNX's own, and not that of operators which one runtime alone has.
fn is_standard(domain: &str) -> bool {
    domain.is_empty() || domain == "ai.onnx"
}

/// Operators had other inputs and attributes before this version of the operator set.
const OLDEST_OPERATOR_SET: i64 = 13;

/// One input of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Input<'contract> {
    /// Its name in the graph.
    pub name: &'contract str,
    /// Its type.
    pub datum_type: DatumType,
    /// Its shape.
    pub shape: [usize; 2],
}

impl<'contract> Input<'contract> {
    /// An input of type `T`.
    pub fn new<T: Datum>(name: &'contract str, shape: [usize; 2]) -> Self {
        Self { name, datum_type: T::datum_type(), shape }
    }
}

/// One input as a file declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared<'model> {
    /// Its name in the graph.
    pub name: &'model str,
    /// Its type.
    pub datum_type: DatumType,
    /// Its shape; none for an axis that is left open.
    pub shape: Vec<Option<usize>>,
}

impl Declared<'_> {
    /// The shape as a message shows it, `[?, 50]`.
    pub fn shown(&self) -> String {
        let axes: Vec<String> =
            self.shape.iter().map(|axis| axis.map_or_else(|| "?".to_owned(), |len| len.to_string())).collect();
        format!("[{}]", axes.join(", "))
    }
}

/// A decoded model.
#[derive(Debug)]
pub struct OnnxModel {
    graph: GraphProto,
}

impl OnnxModel {
    /// Decodes the bytes of a file.
    ///
    /// # Errors
    /// Bytes that aren't ONNX, a file without a graph, and one for an operator set before [`OLDEST_OPERATOR_SET`].
    pub fn decode(bytes: &[u8]) -> TractResult<Self> {
        let model: ModelProto = prost::Message::decode(bytes).context("it can't be decoded")?;
        let graph = model.graph.context("it holds no graph")?;
        let standard = model.opset_import.iter().find(|set| is_standard(&set.domain));
        let operator_set = standard.context("it doesn't say which operator set it is written for")?.version;
        if operator_set < OLDEST_OPERATOR_SET {
            bail!("it is written for operator set {operator_set}; export it for {OLDEST_OPERATOR_SET} or a later one");
        }
        Ok(Self { graph })
    }

    /// The inputs' names in order.
    pub fn inputs(&self) -> Vec<&str> {
        self.without_weights().map(|input| input.name.as_str()).collect()
    }

    /// The inputs in order, with the types and shapes that the file declares.
    ///
    /// # Errors
    /// An input without a shape, or of a type that models here aren't made of.
    pub fn declared(&self) -> TractResult<Vec<Declared<'_>>> {
        let declared = |input: &'_ ValueInfoProto| {
            let Some(type_proto::Value::TensorType(declared)) =
                input.r#type.as_ref().and_then(|kind| kind.value.as_ref())
            else {
                bail!("it isn't a tensor");
            };
            let shape = declared.shape.as_ref().context("the file doesn't say its shape")?;
            let axis = |dim: &tensor_shape_proto::Dimension| match dim.value {
                Some(tensor_shape_proto::dimension::Value::DimValue(len)) => usize::try_from(len).ok(),
                _ => None,
            };
            Ok((tensor::datum_type(declared.elem_type)?, shape.dim.iter().map(axis).collect()))
        };
        let named = |input| {
            let (datum_type, shape) = declared(input).with_context(|| format!("the input `{}`", input.name))?;
            Ok(Declared { name: &input.name, datum_type, shape })
        };
        self.without_weights().map(named).collect()
    }

    /// The inputs, among which files of old put their weights too.
    fn without_weights(&self) -> impl Iterator<Item = &ValueInfoProto> {
        let weights: HashSet<&str> = self.graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
        self.graph.input.iter().filter(move |input| !weights.contains(input.name.as_str()))
    }

    /// The outputs' names in order.
    pub fn outputs(&self) -> Vec<&str> {
        self.graph.output.iter().map(|output| output.name.as_str()).collect()
    }

    /// The model with these inputs, optimised and ready to run.
    ///
    /// # Errors
    /// An operator that isn't one of [`OPERATORS`], everything that doesn't fit together, a model that would take more memory or
    /// time than any that is meant for here, and, as the [`Error::NonFinite`](crate::error::Error::NonFinite) at its root, a
    /// weight that isn't a number.
    pub fn into_runnable(self, inputs: &[Input]) -> TractResult<std::sync::Arc<TypedRunnableModel>> {
        let mut model = self.wire(inputs)?;
        // Tract's second optimisation does what of its first, the decluttering, matters to models that come wired as they are to run;
        // without the first a model loads in half the time and runs as fast.
        model.optimize()?;
        model.into_runnable()
    }

    /// Refuses the operators that aren't known, all at once, so that whoever exports a model needs to look only once.
    fn refuse_unknown_operators(&self) -> TractResult<()> {
        let is_known = |node: &&NodeProto| is_standard(&node.domain) && OPERATORS.contains(&node.op_type.as_str());
        let name = |node: &NodeProto| {
            let domain = if is_standard(&node.domain) { String::new() } else { format!("{}.", node.domain) };
            domain + &node.op_type
        };
        let unknown: BTreeSet<String> = self.graph.node.iter().filter(|node| !is_known(node)).map(name).collect();
        let unknown: Vec<String> = unknown.into_iter().take(MOST_NAMED).collect();
        ensure!(
            unknown.is_empty(),
            "it is made of operators that this program hasn't got: {}. It has {}",
            unknown.join(", "),
            OPERATORS.join(", ")
        );
        Ok(())
    }

    fn wire(&self, inputs: &[Input]) -> TractResult<TypedModel> {
        self.refuse_unknown_operators()?;
        let mut budget = Budget::new(&self.graph)?;
        let mut model = TypedModel::default();
        let mut outlets: HashMap<&str, OutletId> = HashMap::new();
        for input in inputs {
            outlets
                .insert(input.name, model.add_source(input.name, TypedFact::dt_shape(input.datum_type, input.shape))?);
        }
        for weights in &self.graph.initializer {
            let tensor =
                tensor::read(weights, &weights.name).with_context(|| format!("the tensor `{}`", weights.name))?;
            outlets.insert(&weights.name, model.add_const(weights.name.as_str(), tensor)?);
        }
        forget_symbols(&mut model, 0);
        for (number, proto) in self.graph.node.iter().enumerate() {
            let named = [&proto.name].into_iter().chain(proto.output.first()).find(|name| !name.is_empty());
            let name = named.map_or_else(|| format!("{} {number}", proto.op_type), Clone::clone);
            let find = |input: &String| -> TractResult<Option<OutletId>> {
                // An input that is left out has an empty name.
                let found = outlets.get(input.as_str()).copied();
                if found.is_none() && !input.is_empty() {
                    return Err(format_err!("node `{name}` reads `{input}`, which nothing before it makes"));
                }
                Ok(found)
            };
            let inputs: Vec<Option<OutletId>> = proto.input.iter().map(find).collect::<TractResult<_>>()?;
            let node = Node { proto, name: &name, inputs: &inputs };
            let before = model.nodes.len();
            let made = node.wire(&mut model).and_then(|made| {
                // A constant is as large as the file says it, and costs nothing more.
                let is_computed = proto.op_type != "Constant";
                let mut new = model.nodes.iter().skip(before).filter(|_| is_computed);
                new.try_for_each(|node| budget.spend(&model, node))?;
                Ok(made)
            });
            let made: TVec<OutletId> = made.with_context(|| format!("node `{name}` ({})", proto.op_type))?;
            forget_symbols(&mut model, before);
            outlets.extend(proto.output.iter().map(String::as_str).zip(made));
        }
        let output =
            |name: &str| outlets.get(name).copied().ok_or_else(|| format_err!("nothing makes the output `{name}`"));
        let outputs: Vec<OutletId> = self.outputs().into_iter().map(output).collect::<TractResult<_>>()?;
        model.select_output_outlets(&outputs)?;
        Ok(model)
    }
}

/// Forgets of nodes from this one on what tract keeps of whole numbers for shapes that it doesn't know: every shape is known here, and
/// its arithmetic on them runs over at the ends of the numbers, which ends a program that checks for that.
fn forget_symbols(model: &mut TypedModel, first: usize) {
    for outlet in model.nodes.iter_mut().skip(first).flat_map(|node| &mut node.outputs) {
        outlet.fact.uniform_tdim = None;
    }
}
