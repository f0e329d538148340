//! The default user tower: what a few clicks say about taste, and what a long list says about the next movie.
//!
//! Two channels share one vector. The **click** channel answers a visitor who clicks movies that they like, in any
//! order: an average of several small networks ([`member`]), trained on random handfuls of users' liked movies to
//! predict the other liked ones, and of shrunk item-item matrices ([`cooccurrence`]). The **sequence** channel answers
//! whoever watches on: networks trained on stretches of users' histories to predict what came soon after, and movies
//! that follow each other. How much each counts, and how much plain popularity does, depends on how many movies the
//! history holds ([`gains`]).
//!
//! Every part of a channel is a pooled sum of movie embeddings, a hidden layer and an inner product, so the average of
//! all of them is one such model that is merely wide; [`compress`] turns its tables to the few directions that matter,
//! and what ships is one ONNX graph and a table of 8-bit embeddings ([`folded`]).

pub mod compress;
pub mod content;
pub mod eras;
pub mod folded;
pub mod gains;
pub mod graph;
pub mod limits;
pub mod member;
pub mod method;
pub mod sampler;

use anyhow::{Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use watchnext::catalog::Catalog;

use super::tower::content::Content;
use super::tower::eras::{Drift, Eras};
use super::tower::folded::{Parts, Tower};
use super::tower::member::{Member, MemberConfig, SideInformation, Task};
use super::tower::sampler::{Clicks, Sequences};
use crate::data::timed_popularity::TimedEvent;
use crate::data::user_movies::UserMovies;
use crate::data::{Times, User, item_factors};
use crate::math::embeddings::EmbeddingTable;
use crate::nn::curve::LossCurve;

/// The first stream of random numbers that belongs to the sequence networks.
const SEQUENCE_STREAMS: u64 = 1 << 32;

/// What determines a tower besides its users.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TowerConfig {
    /// The networks of the click channel.
    pub click_members: Vec<MemberConfig>,
    /// The networks of the sequence channel; none for data whose order says nothing, and then there is no such channel.
    pub sequence_members: Vec<MemberConfig>,
    /// How much the matrix of movies that are liked together counts beside the click networks' mean logit.
    pub liked_weight: f32,
    /// How much the matrix of movies that the same users rated counts.
    pub rated_weight: f32,
    /// How much the matrix of movies that follow each other counts beside the sequence networks' mean logit.
    pub follower_weight: f32,
    /// Added to the cosine's denominator, in users: pairs that few users liked together count less.
    pub shrinkage: f32,
    /// How much the channels count against popularity after one click, against 1 after five.
    pub first_click: f32,
    /// How much the sequence channel counts among a few clicks, against the click channel's 1.
    pub sequence_in_clicks: f32,
    /// How much the click channel still counts in a long history, against the sequence channel's 1.
    pub clicks_in_sequence: f32,
    /// Numbers of a user vector that belong to the click channel.
    pub click_dim: usize,
    /// Numbers of a user vector that belong to the sequence channel.
    pub sequence_dim: usize,
    /// Numbers of a user vector that say how popularity differs in the year of the visit; 0 for data without times.
    pub drift_dim: usize,
    /// How finely embeddings and hidden layers are kept.
    pub precision: Precision,
    /// The seed of every random number.
    pub seed: u64,
}

/// How finely embeddings and hidden layers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// As they are computed, to measure what less costs.
    Float,
    /// In 8 bits with a scale for each row; embeddings with steps of at least so many spreads, see [`Table::coarse`].
    Int8 {
        /// The step of the best known movie.
        step: f32,
    },
}

impl Precision {
    /// Embeddings of movies that count with `weights`.
    fn table(self, values: Array2<f32>, weights: &[f32]) -> EmbeddingTable {
        match self {
            Self::Float => EmbeddingTable::Float(values),
            Self::Int8 { step } => EmbeddingTable::coarse(&values, weights, step),
        }
    }
}

impl Default for TowerConfig {
    /// The shipped model's settings, chosen on the users of the 2015 release and on protocol P1's validation users; see
    /// `models/EXPERIMENTS.md`.
    fn default() -> Self {
        let member = |width, hidden, weight_decay, rated| MemberConfig {
            width,
            hidden,
            weight_decay,
            rated,
            steps: 70,
            learning_rate: 0.01,
            dropout: 0.3,
            eras: true,
        };
        let sequence = |width| MemberConfig { steps: 250, dropout: 0.1, ..member(width, 0, 1e-4, 0.0) };
        Self {
            click_members: vec![
                member(64, 128, 1e-4, 0.3),
                member(32, 64, 1e-4, 0.0),
                member(128, 128, 1e-3, 0.0),
                member(200, 200, 3e-4, 0.1),
            ],
            sequence_members: vec![sequence(64), sequence(96), sequence(64)],
            liked_weight: 4.0,
            rated_weight: 1.0,
            follower_weight: 20.0,
            shrinkage: 20.0,
            first_click: 0.55,
            sequence_in_clicks: 0.15,
            clicks_in_sequence: 0.1,
            click_dim: 62,
            sequence_dim: 58,
            drift_dim: 8,
            precision: Precision::Int8 { step: 0.03 },
            seed: 1,
        }
    }
}

impl TowerConfig {
    /// The settings for data of which no more is known of when movies were rated. What can't be learnt is left out, and the click
    /// channel gets its numbers of the user vector.
    pub fn for_times(times: Times) -> Self {
        let mut config = Self::default();
        if times != Times::Known {
            config.click_members.iter_mut().chain(&mut config.sequence_members).for_each(|member| member.eras = false);
            config.click_dim += std::mem::take(&mut config.drift_dim);
        }
        if times == Times::Unknown {
            config.sequence_members.clear();
            config.click_dim += std::mem::take(&mut config.sequence_dim);
            (config.sequence_in_clicks, config.clicks_in_sequence) = (0.0, 1.0);
        }
        config
    }

    /// The length of the user vector.
    pub const fn dim(&self) -> usize {
        self.click_dim + self.sequence_dim + self.drift_dim
    }
}

/// Trains a tower on `users`, all of whom may be seen. Returns it with the loss of each step of each network, by its name.
///
/// # Errors
/// No user with enough liked movies, and a loss that isn't finite.
pub fn fit(catalog: &Catalog, users: &[User], config: &TowerConfig) -> Result<(Tower, Vec<LossCurve>)> {
    let networks = [&config.click_members, &config.sequence_members];
    ensure!(!config.click_members.is_empty(), "the click channel needs at least one network");
    let tastes: Vec<UserMovies> = users.iter().map(UserMovies::new).collect::<Result<_>>()?;
    let eras = Eras::spanning(tastes.iter().flat_map(|taste| &taste.years).copied());
    let likes =
        |taste: &UserMovies| taste.liked.iter().copied().zip(taste.liked_years.iter().copied()).collect::<Vec<_>>();
    let likes: Vec<TimedEvent> = tastes.iter().flat_map(likes).collect();
    let side = SideInformation {
        content: Content::new(catalog),
        popularity: popularity(catalog.len(), &tastes),
        drift: match config.drift_dim {
            0 => Drift::none(catalog.len()),
            dim => Drift::new(catalog.len(), &likes, &eras, dim)?,
        },
        eras,
    };
    let steps = networks.iter().copied().flatten().map(|member| member.steps).sum::<usize>();
    let bar = ProgressBar::new(steps as u64);
    bar.set_style(ProgressStyle::with_template("training {bar:32} {percent:>3} % · {eta} left · {msg}")?);
    let mut curves = Vec::new();
    let mut train = |name: String, settings: &MemberConfig, task: &mut dyn Task, stream: u64| -> Result<Member> {
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
        rng.set_stream(stream);
        let (member, losses) = member::train(settings, &side, task, &mut rng, |loss| {
            bar.set_message(format!("{name} · loss {loss:.3}"));
            bar.inc(1);
        })?;
        curves.push(LossCurve { name, losses });
        Ok(member)
    };
    let (mut clicks, mut sequences) = (Vec::new(), Vec::new());
    for (number, settings) in (1..).zip(&config.click_members) {
        let mut task = Clicks::new(&tastes, settings.rated)?;
        clicks.push(train(format!("click network {number}"), settings, &mut task, number)?);
    }
    for (number, settings) in (1..).zip(&config.sequence_members) {
        // Streams of their own, so that one more click network changes no sequence network.
        let mut task = Sequences::new(&tastes)?;
        sequences.push(train(format!("sequence network {number}"), settings, &mut task, SEQUENCE_STREAMS + number)?);
    }
    bar.finish_and_clear();
    let liked_together = item_factors::from_likes(catalog.len(), &tastes, config.shrinkage, config.seed)?;
    let rated_together = item_factors::from_ratings(catalog.len(), &tastes, config.shrinkage, config.seed)?;
    let followers = match sequences.as_slice() {
        [] => None,
        _ => Some(item_factors::from_sequences(catalog.len(), &tastes, config.seed)?),
    };
    let parts = Parts {
        clicks: &clicks,
        liked_together: &liked_together,
        rated_together: &rated_together,
        sequences: &sequences,
        followers: followers.as_ref(),
    };
    let tower = Tower::fold(&parts, &side, config)?;
    Ok((tower, curves))
}

/// The logarithm of how many users like each movie, about its mean: the score of a movie for somebody unknown.
fn popularity(movies: usize, tastes: &[UserMovies]) -> Vec<f32> {
    // A movie that nobody likes counts as liked by a third of a user, so that its logarithm exists.
    let mut likes = vec![0.3_f32; movies];
    for movie in tastes.iter().flat_map(|taste| &taste.liked) {
        if let Some(count) = likes.get_mut(*movie as usize) {
            *count += 1.0;
        }
    }
    let logs: Vec<f32> = likes.iter().map(|count| count.ln()).collect();
    let mean = logs.iter().sum::<f32>() / logs.len().max(1) as f32;
    logs.iter().map(|log| log - mean).collect()
}
