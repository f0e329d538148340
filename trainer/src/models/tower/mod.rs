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
pub mod config;
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
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use watchnext::catalog::Catalog;

use super::tower::config::TowerConfig;
use super::tower::content::Content;
use super::tower::eras::{Drift, Eras};
use super::tower::folded::{Parts, Tower};
use super::tower::member::{Member, MemberConfig, SideInformation, Task};
use super::tower::sampler::{Clicks, Sequences};
use crate::data::timed_popularity::TimedEvent;
use crate::data::user_movies::UserMovies;
use crate::data::{User, item_factors};
use crate::nn::curve::LossCurve;

/// The first stream of random numbers that belongs to the sequence networks.
const SEQUENCE_STREAMS: u64 = 1 << 32;

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
    let liked_together = item_factors::of_likes(catalog.len(), &tastes, config.shrinkage, config.seed)?;
    let rated_together = item_factors::of_ratings(catalog.len(), &tastes, config.shrinkage, config.seed)?;
    let followers = match sequences.as_slice() {
        [] => None,
        _ => Some(item_factors::of_sequences(catalog.len(), &tastes, config.seed)?),
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
