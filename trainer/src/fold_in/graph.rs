//! The fold-in as an ONNX model.
//!
//! Shapes: `L` slots of the history, `K` factors. Padding has the weight 0. So its rows, its confidence and its right
//! side are 0, and its unknown stays 0 in every step.

use ndarray::Array2;
use tract_onnx::pb::tensor_proto::DataType;
use watchnext::features::{HISTORY_LEN, NEUTRAL_RATING};
use watchnext::model::{TOWER_INPUTS, TOWER_OUTPUT};

use super::FoldIn;
use super::system::{Feedback, System};
use crate::math::embeddings::EmbeddingTable;
use crate::onnx::graph::Graph;
use crate::onnx::model::user_tower;
use crate::onnx::proto::int_attribute;

/// The least divisor. Once the residual is 0, the dividends are 0 too, and nothing moves any more.
const TINY: f32 = 1e-30;

/// The least root of a confidence that is divided by: padding's own is 0.
const LEAST_ROOT: f32 = 1e-12;

impl FoldIn {
    /// The ONNX model: a user tower that solves for the visitor's vector.
    pub fn onnx(&self) -> Vec<u8> {
        let [_, weights, _] = TOWER_INPUTS;
        let mut graph = Graph::default();
        graph.number("zero", 0.0);
        graph.number("one", 1.0);
        graph.number("tiny", TINY);
        graph.number("least_root", LEAST_ROOT);
        graph.add("Greater", &[weights, "zero"], "used");
        graph.cast("used", "mask", DataType::Float);
        self.terms(&mut graph);
        self.history_rows(&mut graph);
        let rows = self.divisor(&mut graph);
        graph.add("Div", &[rows, "divisor"], "divided");
        graph.add("Sqrt", &["confidence"], "root");
        graph.transpose("root", &[1, 0], "root_by_slot");
        graph.add("Mul", &["divided", "root_by_slot"], "scaled");
        graph.matrix("identity", &Array2::eye(HISTORY_LEN));
        graph.add_with("Gemm", &["scaled", "scaled", "identity"], "matrix", [int_attribute("transB", 1)]);
        graph.add("Max", &["root", "least_root"], "some_root");
        graph.add("Div", &["preference", "some_root"], "right");
        let solution = self.conjugate_gradients(&mut graph);
        graph.add("MatMul", &[&solution, "scaled"], "scaled_vector");
        match &self.system.whole {
            Some(_) => {
                graph.add("Div", &["scaled_vector", "divisor"], "principal_vector");
                graph.inner_products("principal_vector", "axes", TOWER_OUTPUT);
            }
            None => {
                graph.add("Div", &["scaled_vector", "divisor"], TOWER_OUTPUT);
            }
        }
        user_tower(graph, self.dim())
    }

    /// `confidence` and `preference`, `c` and `d` of each slot, `[1, L]`.
    fn terms(&self, graph: &mut Graph) {
        let [_, weights, _] = TOWER_INPUTS;
        match self.system.equations.feedback {
            Feedback::Implicit { alpha } => {
                graph.number("confidence_of_weight", alpha * NEUTRAL_RATING);
                graph.add("Mul", &[weights, "confidence_of_weight"], "confidence");
                graph.add("Add", &["confidence", "mask"], "preference");
            }
            Feedback::Explicit => {
                graph.number("neutral_rating", NEUTRAL_RATING);
                graph.add("Identity", &["mask"], "confidence");
                graph.add("Mul", &[weights, "neutral_rating"], "preference");
            }
            Feedback::Clicks { alpha } => {
                graph.number("confidence_of_weight", alpha);
                graph.add("Mul", &[weights, "confidence_of_weight"], "confidence");
                graph.add("Add", &["confidence", weights], "preference");
            }
        }
    }

    /// `factors`, the history's rows of the table, `[L, K]`.
    fn history_rows(&self, graph: &mut Graph) {
        graph.lookup("item", &self.system.items);
        graph.named_ints("visitor_axis", &[0]);
        match &self.system.items {
            EmbeddingTable::Float(_) => graph.add("Squeeze", &["item_slots", "visitor_axis"], "factors"),
            EmbeddingTable::Int8(..) => {
                graph.add("Squeeze", &["item_slots", "visitor_axis"], "whole_factors");
                graph.transpose("item_scales", &[1, 0], "item_scales_by_slot");
                graph.add("Mul", &["whole_factors", "item_scales_by_slot"], "factors")
            }
        };
    }

    /// `divisor`, `M^½`, `[1, K]` or, without `G`, `[1, 1]`. Returns the name of the history's rows in its axes.
    fn divisor(&self, graph: &mut Graph) -> &'static str {
        let System { equations, whole, .. } = &self.system;
        graph.number("lambda", equations.lambda);
        let regularisation = if equations.by_count {
            graph.named_ints("slot_axis", &[1]);
            graph.sum("mask", "slot_axis", "count");
            graph.add("Max", &["count", "one"], "some");
            graph.add("Mul", &["some", "lambda"], "regularisation");
            "regularisation"
        } else {
            "lambda"
        };
        let Some((values, axes)) = whole else {
            graph.add("Sqrt", &[regularisation], "divisor");
            return "factors";
        };
        graph.matrix("eigenvalues", &values.mapv(|value| value as f32).insert_axis(ndarray::Axis(0)));
        graph.matrix("axes", &axes.mapv(|value| value as f32));
        graph.add("Add", &["eigenvalues", regularisation], "diagonal");
        graph.add("Sqrt", &["diagonal"], "divisor");
        graph.add("MatMul", &["factors", "axes"], "principal");
        "principal"
    }

    /// The steps from 0 to the solution `[1, L]` of `matrix · solution = right`. Returns the solution's name.
    fn conjugate_gradients(&self, graph: &mut Graph) -> String {
        let mut solution: Option<String> = None;
        let (mut residual, mut direction) = ("right".to_owned(), "right".to_owned());
        let mut square = graph.inner_products("right", "right", "square");
        let steps = self.steps();
        for step in 1..=steps {
            let name = |what: &str| format!("{what}_{step}");
            // The matrix is symmetric, so a row can stand on its left.
            let image = graph.add("MatMul", &[&direction, "matrix"], name("image"));
            let curve = graph.inner_products(&direction, &image, name("curve"));
            let some_curve = graph.add("Max", &[&curve, "tiny"], name("some_curve"));
            let size = graph.add("Div", &[&square, &some_curve], name("size"));
            let moved = graph.add("Mul", &[&direction, &size], name("moved"));
            solution = Some(match &solution {
                Some(solution) => graph.add("Add", &[solution, &moved], name("solution")),
                None => moved,
            });
            if step == steps {
                break;
            }
            let lost = graph.add("Mul", &[&image, &size], name("lost"));
            residual = graph.add("Sub", &[&residual, &lost], name("residual"));
            let new_square = graph.inner_products(&residual, &residual, name("square"));
            let some_square = graph.add("Max", &[&square, "tiny"], name("some_square"));
            let kept = graph.add("Div", &[&new_square, &some_square], name("kept"));
            let conjugate = graph.add("Mul", &[&direction, &kept], name("conjugate"));
            direction = graph.add("Add", &[&residual, &conjugate], name("direction"));
            square = new_square;
        }
        solution.unwrap_or(direction)
    }
}
