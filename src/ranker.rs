//! The second stage: among the movies that a visitor might watch, those that they would like.
//!
//! The ranker is an ONNX model over the columns of [`crate::features::reaction`], one row for each candidate. Its
//! outputs are the chances of a dislike, of neither and of a like. The graph calibrates them.

use std::sync::Arc;

use tract_onnx::prelude::{IntoTValue, Tensor, TractError, TractResult, TypedRunnableModel, tvec};

use crate::bundle::Role;
use crate::error::{Error, Result};
use crate::features::reaction::REACTION_WIDTH;
use crate::onnx::{Input, OnnxModel, error_chain, load_error};

/// The ranker's file, as errors name it.
const FILE: Role = Role::Ranker;

/// The ranker's input, `[CANDIDATES, REACTION_WIDTH]` of float.
pub const RANKER_INPUT: &str = "features";

/// The ranker's output, `[CANDIDATES, 3]` of float: dislike, neither, like.
pub const RANKER_OUTPUT: &str = "reactions";

/// How many candidates the second stage looks at, in one batch.
pub const CANDIDATES: usize = 200;

/// How much the chance of a like counts compared with the chance of watching, both as logarithms. It counts less
/// because the first stage learnt from likes, and so knows a part of it.
const LIKE_WEIGHT: f32 = 0.25;

/// The chance of each reaction to a movie that is watched. They add up to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reaction {
    /// A rating of [`DISLIKED_STARS`](crate::history::DISLIKED_STARS) or less.
    pub dislike: f32,
    /// A rating in between.
    pub neutral: f32,
    /// A rating of [`LIKED_STARS`](crate::history::LIKED_STARS) or more.
    pub like: f32,
}

/// The expected value of watching and liking, as a logarithm up to a constant. `score` is the first stage's, the
/// logarithm of the chance of watching up to a constant; `like` is the chance of a like.
pub fn expected_value(score: f32, like: f32) -> f32 {
    score + LIKE_WEIGHT * like.max(f32::MIN_POSITIVE).ln()
}

/// A model of visitors' reactions.
pub trait Ranker: Send + Sync {
    /// The reactions to movies with these features, one for each movie.
    ///
    /// # Errors
    /// [`Error::ModelFailed`] and [`Error::NonFinite`].
    fn reactions(&self, features: &[[f32; REACTION_WIDTH]]) -> Result<Vec<Reaction>>;
}

/// A ranker run by tract.
#[derive(Debug, Clone)]
pub struct TractRanker {
    plan: Arc<TypedRunnableModel>,
}

impl TractRanker {
    /// Loads and optimises an ONNX model with the input [`RANKER_INPUT`] and the output [`RANKER_OUTPUT`], and runs it
    /// once.
    ///
    /// # Errors
    /// [`Error::ModelInvalid`] for bytes that aren't ONNX, an operator that isn't one of
    /// [`OPERATORS`](crate::onnx::OPERATORS), and an input or output of another name or shape. [`Error::NonFinite`] if
    /// the model's answer isn't finite.
    pub fn load(bytes: &[u8]) -> Result<Self> {
        let ranker = Self { plan: optimise(bytes).map_err(|error| load_error(FILE.as_str(), &error))? };
        ranker.reactions(&[[0.0; REACTION_WIDTH]]).map_err(|error| match error {
            Error::ModelFailed { file, reason } => Error::ModelInvalid { file, reason },
            other => other,
        })?;
        Ok(ranker)
    }

    fn batch(&self, features: &[[f32; REACTION_WIDTH]]) -> TractResult<Vec<[f32; 3]>> {
        // The batch always has the size that the model is optimised for. Rows of zeros fill it up.
        let mut values: Vec<f32> = features.iter().flatten().copied().collect();
        values.resize(CANDIDATES * REACTION_WIDTH, 0.0);
        let outputs =
            self.plan.run(tvec!(Tensor::from_shape(&[CANDIDATES, REACTION_WIDTH], &values)?.into_tvalue()))?;
        let output = outputs.first().ok_or_else(|| TractError::msg("it has no output"))?;
        if output.shape() != [CANDIDATES, 3] {
            let shape = output.shape();
            return Err(TractError::msg(format!("its output has shape {shape:?} instead of [{CANDIDATES}, 3]")));
        }
        let values: Vec<f32> = output.to_plain_array_view::<f32>()?.iter().copied().collect();
        Ok(values.as_chunks::<3>().0.iter().take(features.len()).copied().collect())
    }
}

fn optimise(bytes: &[u8]) -> TractResult<Arc<TypedRunnableModel>> {
    let model = OnnxModel::decode(bytes)?;
    let (inputs, outputs) = (model.inputs(), model.outputs());
    if inputs != [RANKER_INPUT] {
        return Err(TractError::msg(format!("its inputs are {inputs:?}, the contract is one, {RANKER_INPUT:?}")));
    }
    if outputs != [RANKER_OUTPUT] {
        return Err(TractError::msg(format!("its outputs are {outputs:?}, the contract is one, {RANKER_OUTPUT:?}")));
    }
    model.runnable(&[Input::new::<f32>(RANKER_INPUT, [CANDIDATES, REACTION_WIDTH])])
}

impl Ranker for TractRanker {
    fn reactions(&self, features: &[[f32; REACTION_WIDTH]]) -> Result<Vec<Reaction>> {
        let failed = |error: TractError| Error::ModelFailed { file: FILE.to_string(), reason: error_chain(&error) };
        let mut reactions = Vec::with_capacity(features.len());
        for batch in features.chunks(CANDIDATES) {
            for [dislike, neutral, like] in self.batch(batch).map_err(failed)? {
                if ![dislike, neutral, like].iter().all(|chance| chance.is_finite()) {
                    return Err(Error::NonFinite { place: format!("{FILE}: {RANKER_OUTPUT}") });
                }
                reactions.push(Reaction { dislike, neutral, like });
            }
        }
        Ok(reactions)
    }
}
