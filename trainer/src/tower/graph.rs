//! The tower as an ONNX model.

use ndarray::{Array1, Array2};
use tract_onnx::pb::{NodeProto, TensorProto, tensor_proto::DataType};
use watchnext::features::HISTORY_LEN;
use watchnext::model::{TOWER_INPUTS, TOWER_OUTPUT, YEAR_INPUT};

use super::eras::KNOTS;
use super::folded::{Channel, Tower};
use super::sampler::MEMORY;
use super::table::Table;
use crate::network::NEGATIVE_SLOPE;
use crate::onnx::{bytes, dense, floats, int_attribute, ints, leaky_relu, node, user_tower};

/// Nodes and initialisers under construction.
#[derive(Default)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<NodeProto>,
    pub(crate) tensors: Vec<TensorProto>,
}

impl Graph {
    pub(crate) fn add(&mut self, operator: &str, inputs: &[&str], output: &str) {
        self.nodes.push(node(operator, inputs, output));
    }

    pub(crate) fn matrix(&mut self, name: &str, values: &Array2<f32>) {
        let (rows, columns) = values.dim();
        self.tensors.push(floats(name, &[rows, columns], values.iter().copied()));
    }

    fn vector(&mut self, name: &str, values: &Array1<f32>) {
        self.tensors.push(floats(name, &[values.len()], values.iter().copied()));
    }

    /// A matrix that is multiplied with whole, so that the runtime turns it into floats once.
    fn weights(&mut self, name: &str, table: &Table) {
        let (rows, columns) = table.dim();
        match table {
            Table::Float(values) => self.matrix(name, values),
            Table::Int8(values, scales) => {
                let (kept, whole, scale) = (format!("{name}_kept"), format!("{name}_whole"), format!("{name}_scale"));
                self.tensors.push(bytes(&kept, &[rows, columns], values.iter().copied()));
                self.tensors.push(floats(&scale, &[rows, 1], scales.iter().copied()));
                self.cast(&kept, &whole, DataType::Float);
                self.add("Mul", &[&whole, &scale], name);
            }
        }
    }

    pub(crate) fn cast(&mut self, input: &str, output: &str, to: DataType) {
        let mut cast = node("Cast", &[input], output);
        cast.attribute.push(int_attribute("to", i64::from(i32::from(to))));
        self.nodes.push(cast);
    }

    /// The sum of the values in `input`, `[1, HISTORY_LEN]`, as `[1, 1]`.
    pub(crate) fn sum(&mut self, input: &str, output: &str) {
        let mut sum = node("ReduceSum", &[input, "slot_axis"], output);
        sum.attribute.push(int_attribute("keepdims", 1));
        self.nodes.push(sum);
    }

    /// The history's rows of a table, `{name}_slots` `[1, HISTORY_LEN, columns]`, and for a table of 8 bits what one of them
    /// stands for, `{name}_scales` `[1, HISTORY_LEN]`.
    pub(crate) fn lookup(&mut self, name: &str, table: &Table) {
        let [history, ..] = TOWER_INPUTS;
        let named = |part: &str| format!("{name}_{part}");
        let (movies, width) = table.dim();
        // One more row, of zeros, is what padding looks up.
        let (rows, slots) = (named("rows"), named("slots"));
        match table {
            Table::Float(values) => {
                let padded = values.iter().copied().chain(std::iter::repeat_n(0.0, width));
                self.tensors.push(floats(&named("table"), &[movies + 1, width], padded));
                self.add("Gather", &[&named("table"), history], &slots);
            }
            Table::Int8(values, scales) => {
                let padded = values.iter().copied().chain(std::iter::repeat_n(0, width));
                self.tensors.push(bytes(&named("table"), &[movies + 1, width], padded));
                self.tensors.push(floats(&named("scale"), &[movies + 1], scales.iter().copied().chain([0.0])));
                self.add("Gather", &[&named("table"), history], &rows);
                self.cast(&rows, &slots, DataType::Float);
                self.add("Gather", &[&named("scale"), history], &named("scales"));
            }
        }
    }

    /// A channel from its slots' factors, `[1, HISTORY_LEN]`, to its part of the user's vector.
    fn channel(&mut self, name: &str, channel: &Channel, factors: &str, output: &str) {
        let named = |part: &str| format!("{name}_{part}");
        let (slots, scaled) = (named("slots"), named("scaled"));
        self.lookup(name, &channel.table);
        match &channel.table {
            Table::Float(_) => self.add("Identity", &[factors], &scaled),
            Table::Int8(..) => self.add("Mul", &[factors, &named("scales")], &scaled),
        }
        self.add("Unsqueeze", &[&scaled, "slot_axis"], &named("row"));
        self.add("MatMul", &[&named("row"), &slots], &named("sum"));
        let movies_alone = if channel.eras.is_some() { named("movies") } else { named("pooled") };
        self.add("Squeeze", &[&named("sum"), "slot_axis"], &movies_alone);
        if let Some(eras) = &channel.eras {
            self.matrix(&named("eras"), eras);
            self.add("MatMul", &["year_shares", &named("eras")], &named("era"));
            self.add("Add", &[&movies_alone, &named("era")], &named("pooled"));
        }
        self.matrix(&named("skip_weight"), &channel.skip);
        self.vector(&named("skip_bias"), &channel.bias);
        self.nodes.push(dense(&named("pooled"), &named("skip"), &named("direct")));
        let mut plain = named("direct");
        if let Some(hidden) = &channel.hidden {
            self.weights(&named("first_weight"), &hidden.first);
            self.vector(&named("first_bias"), &hidden.first_bias);
            self.weights(&named("second_weight"), &hidden.second);
            // The layer's own bias is part of the direct way's.
            self.vector(&named("second_bias"), &Array1::zeros(hidden.second.dim().0));
            self.nodes.push(dense(&named("pooled"), &named("first"), &named("units")));
            self.nodes.push(leaky_relu(NEGATIVE_SLOPE, &named("units"), &named("active")));
            self.nodes.push(dense(&named("active"), &named("second"), &named("bent")));
            self.add("Add", &[&plain, &named("bent")], &named("plain"));
            plain = named("plain");
        }
        self.add("Gather", &[&named("gains"), "length"], &named("gain"));
        self.add("Mul", &[&plain, &named("gain")], output);
    }
}

impl Tower {
    /// The length of the user's vector.
    pub fn dim(&self) -> usize {
        self.movies.dim().1
    }

    /// The shares of the knots in the year, `[1, KNOTS]`; see [`Eras::shares`](super::eras::Eras::shares).
    fn year_shares(&self, graph: &mut Graph) {
        let constant = |value: f32| Array2::from_elem((1, 1), value);
        graph.matrix("first_year", &constant(self.eras.first));
        graph.matrix("knots_a_year", &constant(1.0 / self.eras.apart));
        graph.matrix("last_knot", &constant((KNOTS - 1) as f32));
        graph.matrix("knots", &Array2::from_shape_fn((1, KNOTS), |(_, knot)| knot as f32));
        graph.add("Sub", &[YEAR_INPUT, "first_year"], "years_on");
        graph.add("Mul", &["years_on", "knots_a_year"], "free_place");
        graph.add("Max", &["free_place", "zero"], "place_from_first");
        graph.add("Min", &["place_from_first", "last_knot"], "place");
        graph.add("Sub", &["place", "knots"], "off_knots");
        graph.add("Abs", &["off_knots"], "from_knots");
        graph.add("Sub", &["one", "from_knots"], "near_knots");
        graph.add("Max", &["near_knots", "zero"], "year_shares");
    }

    /// The ONNX model. Of the moment the year has a part in the answer; the seed's time features, which know no year,
    /// gained nothing (`models/EXPERIMENTS.md`).
    pub fn onnx(&self) -> Vec<u8> {
        let [_, weights, _] = TOWER_INPUTS;
        let mut graph = Graph::default();
        let constant = |value: f32| Array2::from_elem((1, 1), value);
        graph.matrix("zero", &constant(0.0));
        graph.matrix("one", &constant(1.0));
        if self.sequence.is_some() {
            graph.matrix("least", &constant(1e-6));
            graph.matrix("fading_rate", &constant(-1.0 / MEMORY));
            graph.matrix("places", &Array2::from_shape_fn((1, HISTORY_LEN), |(_, place)| place as f32));
        }
        graph.tensors.push(ints("slot_axis", &[1]));
        let has_drift = self.drift.ncols() > 0;
        let parts = [("clicks", true), ("sequence", self.sequence.is_some()), ("drift", has_drift)];
        let gains = parts.iter().enumerate().filter(|(_, (_, has))| *has);
        for (at, name) in gains.map(|(at, (part, _))| (at, format!("{part}_gains"))) {
            let gains: Vec<f32> = self.gains.iter().filter_map(|gains| gains.get(at)).copied().collect();
            graph.tensors.push(floats(&name, &[gains.len(), 1], gains));
        }
        // How many slots hold a movie.
        graph.add("Greater", &[weights, "zero"], "used");
        graph.cast("used", "mask", DataType::Float);
        graph.sum("mask", "count");
        graph.cast("count", "counts", DataType::Int64);
        graph.add("Squeeze", &["counts", "slot_axis"], "length");
        // Clicks: every movie alike, over the root of their number.
        graph.add("Max", &["count", "one"], "some");
        graph.add("Sqrt", &["some"], "click_root");
        graph.add("Div", &[weights, "click_root"], "click_factors");
        if self.sequence.is_some() {
            // Sequence: fading with the places from the end.
            graph.add("Sub", &["count", "one"], "last");
            graph.add("Sub", &["last", "places"], "ago");
            graph.add("Mul", &["ago", "fading_rate"], "exponents");
            graph.add("Exp", &["exponents"], "fading_everywhere");
            graph.add("Mul", &["fading_everywhere", "mask"], "fading");
            graph.sum("fading", "fading_sum");
            graph.add("Max", &["fading_sum", "least"], "fading_some");
            graph.add("Sqrt", &["fading_some"], "fading_root");
            graph.add("Div", &["fading", "fading_root"], "fading_share");
            graph.add("Mul", &["fading_share", weights], "sequence_factors");
        }
        if self.asks_for_year() {
            self.year_shares(&mut graph);
        }
        if has_drift {
            graph.matrix("drift_eras", &self.drift);
            graph.add("MatMul", &["year_shares", "drift_eras"], "drift");
            graph.add("Gather", &["drift_gains", "length"], "drift_gain");
            graph.add("Mul", &["drift", "drift_gain"], "drift_vector");
        }
        graph.channel("clicks", &self.clicks, "click_factors", "clicks_vector");
        if let Some(sequence) = &self.sequence {
            graph.channel("sequence", sequence, "sequence_factors", "sequence_vector");
        }
        let vectors: Vec<String> =
            parts.iter().filter(|(_, has)| *has).map(|(part, _)| format!("{part}_vector")).collect();
        let vectors: Vec<&str> = vectors.iter().map(String::as_str).collect();
        match vectors.as_slice() {
            [alone] => graph.add("Identity", &[alone], TOWER_OUTPUT),
            several => {
                let mut concat = node("Concat", several, TOWER_OUTPUT);
                concat.attribute.push(int_attribute("axis", 1));
                graph.nodes.push(concat);
            }
        }
        user_tower(graph.nodes, graph.tensors, self.dim(), self.asks_for_year())
    }
}
