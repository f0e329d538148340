//! The default user tower: it learns taste from one click or a thousand, and the next movie from the end of a list.
//!
//! Two channels share one vector.
//!
//! - The **click** channel is for a visitor who likes movies, few or many, in any order. It averages several small
//!   networks ([`member`]), trained on random handfuls of users' liked movies to predict the other liked ones, and
//!   item-item matrices ([`item_factors`]). Movies that were rated and not liked have no part in it.
//! - The **sequence** channel is for a visitor who watches on. It averages networks that are trained on stretches of
//!   users' histories to predict the movies soon after, and a matrix of movies that follow each other. It leads where
//!   the question is what comes next in the history's order.
//!
//! The question and the number of movies decide how much each channel and plain popularity count ([`gains`]).
//!
//! Every part of a channel is a pooled sum of movie embeddings, a hidden layer and an inner product. So the average of
//! all parts is one such model, only wider. [`compress`] reduces its tables to the few directions that matter. One ONNX
//! graph and a table of 8-bit embeddings ship ([`folded`]).

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
use watchnext::catalog::Catalog;

use self::config::TowerConfig;
use self::content::Content;
use self::eras::{Drift, Eras};
use self::folded::{Parts, Tower};
use self::member::{Member, MemberConfig, SideInformation, Task};
use self::sampler::{Clicks, Sequences};
use crate::data::timed_popularity::TimedEvent;
use crate::data::user_movies::UserMovies;
use crate::data::{User, item_factors};
use crate::math::random::stream;
use crate::nn::curve::LossCurve;

/// The first stream of random numbers that belongs to the sequence networks.
const SEQUENCE_STREAMS: u64 = 1 << 32;

/// Trains a tower on `users`. Returns it with the loss of each step of each network, by the network's name.
///
/// # Errors
/// No user with enough liked movies, and a loss that isn't finite.
pub fn fit(catalog: &Catalog, users: &[User], config: &TowerConfig) -> Result<(Tower, Vec<LossCurve>)> {
    ensure!(!config.click_members.is_empty(), "the click channel needs at least one network");
    let users: Vec<UserMovies> = users.iter().map(UserMovies::new).collect::<Result<_>>()?;
    let side = side_information(catalog, &users, config)?;
    let networks = || config.click_members.iter().chain(&config.sequence_members);
    let bar = ProgressBar::new(networks().map(|member| member.steps).sum::<usize>() as u64);
    bar.set_style(ProgressStyle::with_template("training {bar:32} {percent:>3} % · {eta} left · {msg}")?);
    let mut curves = Vec::new();
    let mut train = |name: String, settings: &MemberConfig, task: &mut dyn Task, number: u64| -> Result<Member> {
        let mut rng = stream(config.seed, number);
        let (member, losses) = member::train(settings, &side, task, &mut rng, |loss| {
            bar.set_message(format!("{name} · loss {loss:.3}"));
            bar.inc(1);
        })?;
        curves.push(LossCurve { name, losses });
        Ok(member)
    };
    let (mut clicks, mut sequences) = (Vec::new(), Vec::new());
    for (number, settings) in (1..).zip(&config.click_members) {
        let mut task = Clicks::new(&users, settings.rated)?;
        clicks.push(train(format!("click network {number}"), settings, &mut task, number)?);
    }
    for (number, settings) in (1..).zip(&config.sequence_members) {
        // Streams of their own, so that one more click network changes no sequence network.
        let mut task = Sequences::new(&users)?;
        sequences.push(train(format!("sequence network {number}"), settings, &mut task, SEQUENCE_STREAMS + number)?);
    }
    bar.finish_and_clear();
    let liked_together = item_factors::from_likes(catalog.len(), &users, config.shrinkage, config.seed)?;
    let rated_together = item_factors::from_ratings(catalog.len(), &users, config.shrinkage, config.seed)?;
    let linear = item_factors::from_linear(catalog.len(), &users, config.linear_penalty, config.seed)?;
    let followers = match sequences.as_slice() {
        [] => None,
        _ => Some(item_factors::from_sequences(catalog.len(), &users, config.seed)?),
    };
    let parts = Parts {
        clicks: &clicks,
        liked_together: &liked_together,
        rated_together: &rated_together,
        linear: &linear,
        sequences: &sequences,
        followers: followers.as_ref(),
    };
    Ok((Tower::fold(&parts, &side, config)?, curves))
}

/// The knowledge of the networks apart from the ratings.
fn side_information(catalog: &Catalog, users: &[UserMovies], config: &TowerConfig) -> Result<SideInformation> {
    let eras = Eras::spanning(users.iter().flat_map(|user| &user.years).copied());
    let likes =
        |user: &UserMovies| user.liked.iter().copied().zip(user.liked_years.iter().copied()).collect::<Vec<_>>();
    let likes: Vec<TimedEvent> = users.iter().flat_map(likes).collect();
    Ok(SideInformation {
        content: Content::new(catalog),
        popularity: popularity(catalog.len(), users),
        drift: match config.drift_dim {
            0 => Drift::none(catalog.len()),
            dim => Drift::new(catalog.len(), &likes, &eras, dim)?,
        },
        eras,
    })
}

/// The logarithm of how many users like each movie, less its mean: a movie's score for an unknown visitor.
fn popularity(movies: usize, users: &[UserMovies]) -> Vec<f32> {
    // Every movie gets a third of a like, so that the logarithm exists for movies without likes.
    let mut likes = vec![0.3_f32; movies];
    for movie in users.iter().flat_map(|user| &user.liked) {
        if let Some(count) = likes.get_mut(*movie as usize) {
            *count += 1.0;
        }
    }
    let logs: Vec<f32> = likes.iter().map(|count| count.ln()).collect();
    let mean = logs.iter().sum::<f32>() / logs.len().max(1) as f32;
    logs.iter().map(|log| log - mean).collect()
}
