//! Causal towers as one ONNX model of a fixed history length, whose vector meets one table of movies: the networks' vectors side by side.
//!
//! The history is filled as [`watchnext::features::history_inputs`] fills it, oldest first and padded at the end, so a causal
//! network needs no mask: nothing that counts comes after padding. A recurrence becomes a scan by doubling steps (Hillis and Steele,
//! *Data Parallel Algorithms*, CACM 1986), and only the step after the last movie goes on to the end.

use anyhow::{Context, Result, bail};
use candle_core::{DType, Tensor};
use ndarray::Array2;
use tract_onnx::pb::{NodeProto, TensorProto};
use watchnext::model::{TOWER_INPUTS, TOWER_OUTPUT};

use super::evaluate::MovieTable;
use super::followers::Followers;
use super::network::{Layer, Mixer, SequenceNetwork};
use crate::nn::layers::EPSILON;
use crate::onnx::proto::{
    dense, float_attribute, floats, int_attribute, ints, ints_attribute, node, sequence_tower as model,
};

/// What is added to the score of a step that lies ahead: its exponential is 0.
const NEVER: f32 = -1e9;

/// A graph under construction.
struct Graph {
    nodes: Vec<NodeProto>,
    weights: Vec<TensorProto>,
    length: usize,
}

impl Graph {
    /// Adds a node and returns its output's name.
    fn add(&mut self, operator: &str, inputs: &[&str], output: String) -> String {
        self.nodes.push(node(operator, inputs, &output));
        output
    }

    /// Adds a node with one attribute.
    fn add_with(
        &mut self,
        operator: &str,
        inputs: &[&str],
        output: String,
        attribute: tract_onnx::pb::AttributeProto,
    ) -> String {
        let mut made = node(operator, inputs, &output);
        made.attribute.push(attribute);
        self.nodes.push(made);
        output
    }

    /// A vector of whole numbers, kept once however often it is asked for.
    fn ints(&mut self, values: &[i64]) -> String {
        let words: Vec<String> = values.iter().map(ToString::to_string).collect();
        let name = format!("ints_{}", words.join("_"));
        if !self.weights.iter().any(|tensor| tensor.name == name) {
            self.weights.push(ints(&name, values));
        }
        name
    }

    fn number(&mut self, name: &str, value: f32) -> String {
        if !self.weights.iter().any(|tensor| tensor.name == name) {
            self.weights.push(floats(name, &[1, 1], [value]));
        }
        name.to_owned()
    }

    fn slice(&mut self, from: &str, axis: i64, start: usize, end: usize, output: String) -> Result<String> {
        let (start, end) = (self.ints(&[i64::try_from(start)?]), self.ints(&[i64::try_from(end)?]));
        let axis = self.ints(&[axis]);
        Ok(self.add("Slice", &[from, &start, &end, &axis], output))
    }

    fn concat(&mut self, parts: &[&str], axis: i64, output: String) -> String {
        self.add_with("Concat", parts, output, int_attribute("axis", axis))
    }

    fn reshape(&mut self, from: &str, shape: &[i64], output: String) -> String {
        let shape = self.ints(shape);
        self.add("Reshape", &[from, &shape], output)
    }

    fn transpose(&mut self, from: &str, order: &[i64], output: String) -> String {
        self.add_with("Transpose", &[from], output, ints_attribute("perm", order))
    }

    fn layer_norm(&mut self, from: &str, scale: &str, bias: &str, output: String) -> String {
        let epsilon = float_attribute("epsilon", EPSILON);
        self.add_with("LayerNormalization", &[from, scale, bias], output, epsilon)
    }

    /// A linear layer whose weights have the names that [`dense`] gives them.
    fn dense(&mut self, from: &str, layer: &str, output: String) -> String {
        self.nodes.push(dense(from, layer, &output));
        output
    }

    fn keep(&mut self, name: &str, tensor: &Tensor) -> Result<()> {
        self.weights.push(floats(name, tensor.dims(), tensor.flatten_all()?.to_vec1::<f32>()?));
        Ok(())
    }

    /// Which slot holds the last movie, `[1, length]` of 0 and one 1, and which hold any.
    fn places(&mut self, weights: &str) -> Result<(String, String)> {
        let zero = self.number("zero", 0.0);
        let padding = self.add("Equal", &[weights, &zero], "is_padding".to_owned());
        let held = self.add("Not", &[&padding], "is_held".to_owned());
        let held = self.add_with("Cast", &[&held], "held".to_owned(), int_attribute("to", 1));
        let after = self.slice(&held, 1, 1, self.length, "held_after".to_owned())?;
        let after = self.concat(&[&after, &zero], 1, "held_next".to_owned());
        Ok((self.add("Sub", &[&held, &after], "last".to_owned()), held))
    }

    /// The recurrence's states after every step.
    fn recurrence(&mut self, read: &str, layer: &Layer, at: &str) -> Result<String> {
        let channels = layer.parameter("out_weight")?.dim(1)?;
        let named = |part: &str| format!("{at}.{part}");
        let part = |graph: &mut Self, number: usize, name: &str| {
            graph.slice(read, 1, number * channels, (number + 1) * channels, named(name))
        };
        let (input, forget) = (part(self, 0, "input")?, part(self, 1, "forget")?);
        let output = part(self, 2, "output")?;
        let one = self.number("one", 1.0);
        let mut keep = self.add("Sigmoid", &[&forget], named("keep"));
        let against = self.add("Neg", &[&forget], named("against"));
        let lose = self.add("Sigmoid", &[&against], named("lose"));
        let sum = self.add("Add", &[&keep, &one], named("keep_and_one"));
        let product = self.add("Mul", &[&lose, &sum], named("rest"));
        let scale = self.add("Sqrt", &[&product], named("scale"));
        let mut states = self.add("Mul", &[&scale, &input], named("states"));
        let mut shift = 1;
        while shift < self.length {
            // After this step a state holds all inputs of the last `2 · shift` steps, and `keep` the product of as many gates.
            let zeros = format!("zeros_{shift}_{channels}");
            if !self.weights.iter().any(|tensor| tensor.name == zeros) {
                self.weights.push(floats(&zeros, &[shift, channels], vec![0.0; shift * channels]));
            }
            let end = self.length - shift;
            let earlier = self.slice(&states, 0, 0, end, named(&format!("cut_{shift}")))?;
            let earlier = self.concat(&[&zeros, &earlier], 0, named(&format!("earlier_{shift}")));
            let kept = self.add("Mul", &[&keep, &earlier], named(&format!("kept_{shift}")));
            states = self.add("Add", &[&states, &kept], named(&format!("states_{shift}")));
            let is_last = 2 * shift >= self.length;
            if !is_last {
                let before = self.slice(&keep, 0, 0, end, named(&format!("keep_cut_{shift}")))?;
                let before = self.concat(&[&zeros, &before], 0, named(&format!("keep_before_{shift}")));
                keep = self.add("Mul", &[&keep, &before], named(&format!("keep_{shift}")));
            }
            shift *= 2;
        }
        let open = self.add("Sigmoid", &[&output], named("open"));
        let gated = self.add("Mul", &[&states, &output], named("gated"));
        Ok(self.add("Mul", &[&gated, &open], named("mixed")))
    }

    /// Attention's results after every step.
    fn attention(&mut self, read: &str, layer: &Layer, at: &str) -> Result<String> {
        let channels = layer.parameter("out_weight")?.dim(1)?;
        let biases = layer.parameter("distance_bias")?.to_vec2::<f32>()?;
        let (heads, width) = (biases.len(), channels / biases.len());
        let (length, [heads_dim, width_dim]) = (self.length, [i64::try_from(heads)?, i64::try_from(width)?]);
        let named = |part: &str| format!("{at}.{part}");
        let shape = [i64::try_from(length)?, heads_dim, width_dim];
        let mut of_heads: Vec<String> = Vec::with_capacity(3);
        for (number, name) in ["queries", "keys", "values"].into_iter().enumerate() {
            let part = self.slice(read, 1, number * channels, (number + 1) * channels, named(name))?;
            let part = self.reshape(&part, &shape, named(&format!("{name}_by_head")));
            let order = if name == "keys" { [1, 2, 0] } else { [1, 0, 2] };
            of_heads.push(self.transpose(&part, &order, named(&format!("{name}_of_heads"))));
        }
        let [queries, keys, values] = of_heads.as_slice() else { bail!("attention has three parts") };
        let by_steps = biases.iter().flat_map(|biases| {
            let last = biases.len().saturating_sub(1);
            (0..length).flat_map(move |step| {
                (0..length).map(move |other| match step.checked_sub(other) {
                    Some(distance) => biases.get(distance.min(last)).copied().unwrap_or_default(),
                    None => NEVER,
                })
            })
        });
        let distances = named("distances");
        self.weights.push(floats(&distances, &[heads, length, length], by_steps.collect::<Vec<_>>()));
        let factor = named("factor");
        self.weights.push(floats(&factor, &[1, 1, 1], [1.0 / (width as f32).sqrt()]));
        let products = self.add("MatMul", &[queries, keys], named("products"));
        let scaled = self.add("Mul", &[&products, &factor], named("scaled"));
        let scores = self.add("Add", &[&scaled, &distances], named("scores"));
        let looked = self.add_with("Softmax", &[&scores], named("looked"), int_attribute("axis", -1));
        let seen = self.add("MatMul", &[&looked, values], named("seen"));
        let by_step = self.transpose(&seen, &[1, 0, 2], named("seen_by_step"));
        Ok(self.reshape(&by_step, &[shape[0], i64::try_from(channels)?], named("mixed")))
    }

    /// One network's vector, `[1, dim]`.
    fn network(&mut self, network: &SequenceNetwork, history: &str, last: &str, at: &str) -> Result<String> {
        let named = |part: &str| format!("{at}.{part}");
        let dim = network.sizes.dim;
        for (name, var) in network.parameters() {
            // The movies' side of the score isn't the tower's.
            if name != "movie_bias" && name != "embedding" && !name.ends_with("distance_bias") {
                self.keep(&named(&name), var)?;
            }
        }
        let padding = Tensor::zeros((1, dim), DType::F32, network.embedding.device())?;
        self.keep(&named("embedding"), &Tensor::cat(&[network.embedding.as_tensor(), &padding], 0)?)?;
        let looked_up = self.add("Gather", &[&named("embedding"), history], named("looked_up"));
        let first = self.ints(&[0]);
        let looked_up = self.add("Squeeze", &[&looked_up, &first], named("steps"));
        let mut x =
            self.layer_norm(&looked_up, &named("input_norm_scale"), &named("input_norm_bias"), named("input_norm"));
        for (number, layer) in network.layers.iter().enumerate() {
            let at = named(&format!("layer{number}"));
            let of = |part: &str| format!("{at}.{part}");
            let read = self.layer_norm(&x, &of("mix_norm_scale"), &of("mix_norm_bias"), of("mix_norm"));
            let read = self.dense(&read, &of("in"), of("read"));
            let mut mixed = match layer.mixer {
                Mixer::Recurrence => self.recurrence(&read, layer, &at)?,
                Mixer::Attention => self.attention(&read, layer, &at)?,
            };
            if number + 1 == network.layers.len() {
                mixed = self.add("MatMul", &[last, &mixed], of("last_mixed"));
                x = self.add("MatMul", &[last, &x], of("last_before"));
            }
            let added = self.dense(&mixed, &of("out"), of("out"));
            x = self.add("Add", &[&x, &added], of("after_mixing"));
            let read = self.layer_norm(&x, &of("step_norm_scale"), &of("step_norm_bias"), of("step_norm"));
            let hidden = self.dense(&read, &of("up"), of("up"));
            let hidden = self.add("Relu", &[&hidden], of("hidden"));
            let added = self.dense(&hidden, &of("down"), of("down"));
            x = self.add("Add", &[&x, &added], of("after"));
        }
        Ok(self.layer_norm(&x, &named("output_norm_scale"), &named("output_norm_bias"), named("vector")))
    }

    /// The vector of what has been followed by what, `[1, rank]`.
    fn followers(&mut self, followers: &Followers, history: &str, held: &str) -> Result<String> {
        // How many movies ago: the number held less one, less the slot's own place.
        let places = (0..self.length).map(|place| place as f32 + 1.0);
        self.weights.push(floats("places", &[1, self.length], places.collect::<Vec<_>>()));
        let (zero, first, second) = (self.number("zero", 0.0), self.ints(&[0]), self.ints(&[1]));
        let mut count = node("ReduceSum", &[held, &second], "held_count");
        count.attribute.push(int_attribute("keepdims", 1));
        self.nodes.push(count);
        let ago = self.add("Sub", &["held_count", "places"], "places_ago".to_owned());
        // Padding would be a negative time ago, whose exponential may be infinite.
        let ago = self.add("Max", &[&ago, &zero], "ago".to_owned());
        let mut vectors: Vec<String> = Vec::with_capacity(followers.left.len());
        for (way, (decay, left)) in followers.left.iter().enumerate() {
            let named = |part: &str| format!("followers{way}.{part}");
            let (movies, rank) = left.dim();
            let rows = left.iter().copied().chain(vec![0.0; rank]);
            self.weights.push(floats(&named("table"), &[movies + 1, rank], rows.collect::<Vec<_>>()));
            let rate = self.number(&named("rate"), decay.ln());
            let power = self.add("Mul", &[&ago, &rate], named("power"));
            let memory = self.add("Exp", &[&power], named("memory_of_slots"));
            let memory = self.add("Mul", &[&memory, held], named("memory"));
            let looked_up = self.add("Gather", &[&named("table"), history], named("looked_up"));
            let rows = self.add("Squeeze", &[&looked_up, &first], named("rows"));
            let vector = self.add("MatMul", &[&memory, &rows], named("vector"));
            let sum = match vectors.pop() {
                Some(others) => self.add("Add", &[&others, &vector], named("sum")),
                None => vector,
            };
            vectors.push(sum);
        }
        vectors.pop().context("followers count in one way at least")
    }
}

/// The ONNX model of these networks and, if given, what has been followed by what, for the last `length` movies of a history: inputs
/// `history` `[1, length]` of int64 and `weights` `[1, length]` of float, of which only matters which are 0; output `user_vector`.
///
/// # Errors
/// Parameters that can't be read.
pub fn tower(networks: &[&SequenceNetwork], followers: Option<&Followers>, length: usize) -> Result<Vec<u8>> {
    let [history, weights, _] = TOWER_INPUTS;
    let mut graph = Graph { nodes: Vec::new(), weights: Vec::new(), length };
    let (last, held) = graph.places(weights)?;
    let mut vectors: Vec<String> = Vec::new();
    let mut dim = 0;
    for (number, network) in networks.iter().enumerate() {
        vectors.push(graph.network(network, history, &last, &format!("network{number}"))?);
        dim += network.sizes.dim;
    }
    if let Some(followers) = followers {
        vectors.push(graph.followers(followers, history, &held)?);
        dim += followers.right.ncols();
    }
    let parts: Vec<&str> = vectors.iter().map(String::as_str).collect();
    graph.concat(&parts, 1, TOWER_OUTPUT.to_owned());
    Ok(model(graph.nodes, graph.weights, length, dim))
}

/// Tables side by side, each times its weight; their biases are added up.
///
/// # Errors
/// Tables of different numbers of movies.
pub fn side_by_side(tables: &[(f32, MovieTable)]) -> Result<MovieTable> {
    let scaled: Vec<Array2<f32>> = tables.iter().map(|(weight, table)| &table.vectors * *weight).collect();
    let views: Vec<_> = scaled.iter().map(|table| table.view()).collect();
    let vectors = ndarray::concatenate(ndarray::Axis(1), &views)?.as_standard_layout().into_owned();
    let mut bias = vec![0.0; vectors.nrows()];
    for (weight, table) in tables {
        for (sum, bias) in bias.iter_mut().zip(&table.bias) {
            *sum += weight * bias;
        }
    }
    Ok(MovieTable { vectors, bias })
}
