//! Reads an ONNX model into tract's typed model.
//!
//! tract-onnx's own reader knows every operator of ONNX, and infers shapes that a file leaves open. Here each shape is
//! known before the file is read, and models need few operators. So the graph is wired node by node: each outlet's type
//! and shape follow from those before it. That keeps out of the page what it never runs (Fourier transforms,
//! convolutions, image operators, the solver for shapes). An unknown operator is refused by its name.
//!
//! To add an operator, write its function in the file of its kind under `operators/`, add a row to [`OPERATORS`] and to
//! the list in `MODEL_CONTRACT.md`, and a case to `tests/graphs`.

// A rounded index would look up another row without an error.
#![deny(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]

mod budget;
mod gather;
mod node;
mod operands;
mod operators;
mod tensor;

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, ValueInfoProto, tensor_shape_proto, type_proto};
use tract_onnx::prelude::{Datum, DatumType, IntoRunnable, TractError, TractResult, TypedModel, TypedRunnableModel};
use tract_onnx::tract_core::internal::{OutletId, SpecialOps, TVec, TractErrorContext, TypedFact, bail, format_err};

use crate::error::Error;
use budget::Budget;
use node::Node;
pub use operators::{OPERATORS, Operator};
pub use tensor::type_name;

/// The oldest operator set of ONNX that is read. Before it, operators had other inputs and attributes.
pub const OLDEST_OPERATOR_SET: i64 = 13;

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
pub struct DeclaredInput<'model> {
    /// Its name in the graph.
    pub name: &'model str,
    /// Its type.
    pub datum_type: DatumType,
    /// Its shape; `None` for an axis that the file leaves open.
    pub shape: Vec<Option<usize>>,
}

impl DeclaredInput<'_> {
    /// The shape as an error shows it, `[?, 50]`.
    pub fn shape_text(&self) -> String {
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
        let standard = model.opset_import.iter().find(|set| operators::is_standard(&set.domain));
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
    pub fn declared_inputs(&self) -> TractResult<Vec<DeclaredInput<'_>>> {
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
            Ok(DeclaredInput { name: &input.name, datum_type, shape })
        };
        self.without_weights().map(named).collect()
    }

    /// The inputs without the weights, which old files list as inputs too.
    fn without_weights(&self) -> impl Iterator<Item = &ValueInfoProto> {
        let weights: HashSet<&str> = self.graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
        self.graph.input.iter().filter(move |input| !weights.contains(input.name.as_str()))
    }

    /// The outputs' names in order.
    pub fn outputs(&self) -> Vec<&str> {
        self.graph.output.iter().map(|output| output.name.as_str()).collect()
    }

    /// The model with these inputs, optimised and ready to run. It can be made again with inputs of other shapes.
    ///
    /// # Errors
    /// An operator that isn't one of [`OPERATORS`], whatever doesn't fit together, and a model that takes more memory
    /// or time than the limits in `onnx/budget.rs`. A weight that isn't a number has [`Error::NonFinite`] as the root
    /// of its error.
    pub fn runnable(&self, inputs: &[Input]) -> TractResult<std::sync::Arc<TypedRunnableModel>> {
        let mut model = self.wire(inputs)?;
        // Skip the first of tract's two optimisations, decluttering. A model that is wired by hand needs nothing of it
        // that the second doesn't do, loads in half the time without it, and runs as fast.
        model.optimize()?;
        model.into_runnable()
    }

    fn wire(&self, inputs: &[Input]) -> TractResult<TypedModel> {
        operators::refuse_unknown(&self.graph.node)?;
        let mut builder = Builder::new(&self.graph, inputs)?;
        for (number, node) in self.graph.node.iter().enumerate() {
            builder.add(number, node)?;
        }
        builder.finish(&self.outputs())
    }
}

/// A graph that is being wired.
struct Builder<'graph> {
    model: TypedModel,
    /// The outlet of each name.
    outlets: HashMap<&'graph str, OutletId>,
    budget: Budget,
}

impl<'graph> Builder<'graph> {
    /// The inputs and the weights.
    fn new(graph: &'graph GraphProto, inputs: &[Input<'graph>]) -> TractResult<Self> {
        let budget = Budget::new(graph)?;
        let mut model = TypedModel::default();
        let mut outlets = HashMap::new();
        for input in inputs {
            let fact = TypedFact::dt_shape(input.datum_type, input.shape);
            outlets.insert(input.name, model.add_source(input.name, fact)?);
        }
        for weights in &graph.initializer {
            let tensor =
                tensor::read(weights, &weights.name).with_context(|| format!("the tensor `{}`", weights.name))?;
            outlets.insert(&weights.name, model.add_const(weights.name.as_str(), tensor)?);
        }
        forget_symbols(&mut model, 0);
        Ok(Self { model, outlets, budget })
    }

    /// Adds the node of this number in the file.
    fn add(&mut self, number: usize, proto: &'graph NodeProto) -> TractResult<()> {
        let named = [&proto.name].into_iter().chain(proto.output.first()).find(|name| !name.is_empty());
        let name = named.map_or_else(|| format!("{} {number}", proto.op_type), Clone::clone);
        let inputs = proto.input.iter().map(|input| self.find(input, &name)).collect::<TractResult<Vec<_>>>()?;
        let first = self.model.nodes.len();
        let made = self.wire(&Node { proto, name: &name, inputs: &inputs });
        let made = made.with_context(|| format!("node `{name}` ({})", proto.op_type))?;
        forget_symbols(&mut self.model, first);
        self.outlets.extend(proto.output.iter().map(String::as_str).zip(made));
        Ok(())
    }

    /// The outlet that a node reads; `None` for an optional input that is left out, whose name is empty.
    fn find(&self, input: &str, node: &str) -> TractResult<Option<OutletId>> {
        let found = self.outlets.get(input).copied();
        if found.is_none() && !input.is_empty() {
            bail!("node `{node}` reads `{input}`, which nothing before it makes");
        }
        Ok(found)
    }

    fn wire(&mut self, node: &Node<'_>) -> TractResult<TVec<OutletId>> {
        let first = self.model.nodes.len();
        let made = operators::wire(node, &mut self.model)?;
        // A constant is as large as its tensor in the file, and costs nothing more.
        if node.proto.op_type != "Constant" {
            let mut new = self.model.nodes.iter().skip(first);
            new.try_for_each(|node| self.budget.spend(&self.model, node))?;
        }
        Ok(made)
    }

    fn finish(mut self, outputs: &[&str]) -> TractResult<TypedModel> {
        let outlet = |name: &&str| {
            self.outlets.get(name).copied().ok_or_else(|| format_err!("nothing makes the output `{name}`"))
        };
        let outputs: Vec<OutletId> = outputs.iter().map(outlet).collect::<TractResult<_>>()?;
        self.model.select_output_outlets(&outputs)?;
        Ok(self.model)
    }
}

/// Forgets tract's symbolic values of whole numbers, from this node on. They serve unknown shapes, and here every shape
/// is known. Their arithmetic overflows at the ends of the numbers, which would end a program that checks for that.
fn forget_symbols(model: &mut TypedModel, first: usize) {
    for outlet in model.nodes.iter_mut().skip(first).flat_map(|node| &mut node.outputs) {
        outlet.fact.uniform_tdim = None;
    }
}

/// The messages of an error and of its causes, outermost first.
pub(crate) fn error_chain(error: &TractError) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The error for a model that isn't loaded: [`Error::NonFinite`] for a weight that isn't a number, or else
/// [`Error::ModelInvalid`].
pub(crate) fn load_error(file: &str, error: &TractError) -> Error {
    match error.downcast_ref::<Error>() {
        Some(Error::NonFinite { place }) => Error::NonFinite { place: format!("{file}: {place}") },
        _ => Error::ModelInvalid { file: file.to_owned(), reason: error_chain(error) },
    }
}
