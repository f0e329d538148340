//! How a bundle's model was made, in words for its card.

use watchnext::bundle::{Manifest, Role};

use crate::models::als::AlsConfig;
use crate::models::seed_network::states::EncodedStates;
use crate::models::seed_network::train::TrainConfig;
use crate::models::tower::config::{Precision, TowerConfig};
use crate::nn::curve::EpochFigures;

/// How a bundle's model was made, in words.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// The model and its training data.
    pub(super) what: String,
    /// How to read its figures.
    pub(super) verdict: String,
    pub(super) seed: u64,
    /// Whether the data are MovieLens's, whose terms then apply.
    pub(super) movielens: bool,
}

impl Recipe {
    /// The notebook's network, with its epochs and its states.
    pub fn seed_network(
        manifest: &Manifest,
        config: &TrainConfig,
        epochs: &[EpochFigures],
        states: Option<&EncodedStates>,
        movielens: bool,
    ) -> Self {
        let loss = epochs.last().map_or(0.0, |epoch| epoch.training_loss);
        let training = &manifest.training;
        let mut what = format!(
            "The candidate generator of the seed notebook, after Covington, Adams and Sargin, *Deep Neural Networks \
             for YouTube Recommendations* (RecSys 2016): 50 time features and the mean of the 32-wide embeddings of \
             the last 50 watched movies go through 256 and {} units to a softmax over {} movies. It was trained for \
             {} epochs (last training loss {loss:.3}) on {} ratings by {} users, {:.0} % of the rows with the ratings \
             of their history as weights, the others as clicks alone. The last layer's rows are the movies' \
             embeddings, which the page scans by exact L2.\n\n",
            manifest.dim,
            manifest.movies,
            config.epochs,
            training.ratings,
            training.users,
            config.ratings_known * 100.0
        );
        what.push_str(&states.map_or_else(
            || "The bundle holds no states.".to_owned(),
            |states| {
                let recall = manifest.held_out.get("states.recall100").copied().unwrap_or_default();
                format!(
                    "The states are {} user vectors of {} numbers, kept as {} principal coordinates of 8 bits and {} \
                     of 4. Of the 100 states that the exact f32 scan finds nearest to a held-out user, theirs finds \
                     {:.1} %.",
                    states.kept.len(),
                    manifest.dim,
                    states.fine,
                    states.coarse,
                    recall * 100.0
                )
            },
        ));
        let verdict = "Compare these figures with popularity's, which knows nothing of the visitor and gets most of \
                       the way: this is the notebook's network, kept to compare with. The default bundle holds a \
                       better one."
            .to_owned();
        Self { what, verdict, seed: config.seed, movielens }
    }

    /// The factorisation by alternating least squares. Its figures are of the same settings trained without the
    /// held-out users.
    pub fn als(
        manifest: &Manifest,
        config: &AlsConfig,
        steps: usize,
        held_out_trained: usize,
        movielens: bool,
    ) -> Self {
        let (training, settings) = (&manifest.training, &config.settings);
        let what = format!(
            "A factorisation of {} into {} numbers a movie and a user by implicit alternating least squares (Hu, \
             Koren and Volinsky, ICDM 2008), trained on {} ratings by {} users: α {}, λ {}, {} iterations. It is for \
             data that outgrow the default tower. The user tower is the equations of a user's own vector, solved for \
             the visitor's movies by {steps} steps of conjugate gradients against the movies' 8-bit embeddings; a \
             click counts as a like, a rating by its stars over 3.5. Popularity is the movies' bias, {} for the one \
             that most users have.",
            config.signal,
            manifest.dim,
            training.ratings,
            training.users,
            settings.alpha,
            settings.lambda,
            settings.iterations,
            config.popularity
        );
        let verdict = format!(
            "The bundle itself was trained on all users: these figures are of the same settings trained on the \
             {held_out_trained} users who remain without the held-out ones. On data that the tower can take it is the \
             better model; `EXPERIMENTS.md` of the default bundle has both."
        );
        Self { what, verdict, seed: settings.seed, movielens }
    }

    /// The default tower. Its figures are of the same settings trained without the held-out users.
    pub fn tower(manifest: &Manifest, config: &TowerConfig, held_out_trained: usize, movielens: bool) -> Self {
        let what = [
            click_channel(manifest, config),
            sequence(config),
            popularity(config).to_owned(),
            embeddings(manifest, config),
            second_stage(manifest),
        ]
        .concat();
        let verdict = format!(
            "The bundle itself was trained on all users, so nobody is left to measure it on: these figures are of the \
             same settings trained on the {held_out_trained} users who remain without the held-out ones.{}",
            if movielens { " The five-fold figures with tuned baselines are in `EXPERIMENTS.md`." } else { "" }
        );
        Self { what, verdict, seed: config.seed, movielens }
    }
}

/// The click channel.
fn click_channel(manifest: &Manifest, config: &TowerConfig) -> String {
    let networks: Vec<String> = config
        .click_members
        .iter()
        .map(|member| format!("{} wide with {} hidden units", member.width, member.hidden))
        .collect();
    let training = &manifest.training;
    format!(
        "A user tower of {}, trained on {} ratings by {} users; `ARCHITECTURE.md` draws it and `EXPERIMENTS.md` says \
         what else was tried. The click channel averages {} networks ({}), each trained on random handfuls of users' \
         liked movies to predict the other liked ones with the multinomial likelihood, and item-item matrices of rank \
         64: {} times a shrunk cosine of likes, {} times one of ratings, and {} times a linear autoencoder (EASE, λ = \
         {}). It reads all movies that the visitor liked or didn't rate, in no order; a disliked one counts −{}, and \
         what was rated in between has no part in it.",
        if config.sequence_members.is_empty() { "one channel" } else { "two channels" },
        training.ratings,
        training.users,
        config.click_members.len(),
        networks.join(", "),
        config.liked_weight,
        config.rated_weight,
        config.linear_weight,
        config.linear_penalty,
        config.dislike,
    )
}

/// The popularity of the movies, and its drift if the ratings have times.
const fn popularity(config: &TowerConfig) -> &'static str {
    if config.drift_dim > 0 {
        " A movie's embedding has a part for its genres, its years of release and its title's words. Popularity is \
         the bias, and how much it counts is learnt by the history's length; how it drifts with the years is a table \
         by year and movie, and the networks know the year besides. A visit after the last year of the data is met as \
         one of that year."
    } else {
        " A movie's embedding has a part for its genres, its years of release and its title's words. Popularity is \
         the bias, and how much it counts is learnt by the history's length. The ratings have no times, so the year \
         of a visit has no part in it."
    }
}

/// The movies' embeddings, and where the click and the sequence channel meet.
fn embeddings(manifest: &Manifest, config: &TowerConfig) -> String {
    let bits = match config.precision {
        Precision::Int8 { .. } => 8,
        Precision::Float => 32,
    };
    let channels = if config.sequence_members.is_empty() {
        ""
    } else {
        " The sequence channel leads where the question is what comes next in the history's order, as in protocol \
         P1, and the history has 15 movies or more; with up to 10, it has a small part in every answer."
    };
    format!(
        " All of it is folded into one vector of {} numbers; movies meet it in {bits}-bit embeddings, which the page \
         scans by exact L2.{channels}",
        manifest.dim,
    )
}

/// The sequence channel, if there is one.
fn sequence(config: &TowerConfig) -> String {
    if config.sequence_members.is_empty() {
        return String::new();
    }
    format!(
        " The sequence channel averages {} networks ({} wide), trained on stretches of histories to predict the next \
         ten movies, and {} times a cosine of movies that follow each other.",
        config.sequence_members.len(),
        config.sequence_members.iter().map(|member| member.width.to_string()).collect::<Vec<_>>().join(" and "),
        config.follower_weight,
    )
}

/// The second stage, if there is one.
fn second_stage(manifest: &Manifest) -> String {
    if !manifest.files.contains_key(&Role::Ranker) {
        return "\n\nThere is no second stage, since the data hold clicks and no ratings to learn it from.".to_owned();
    }
    format!(
        "\n\nThe second stage says how likely a dislike, neither and a like of a candidate are: a network of two \
         hidden layers over {} features of the movie (its ratings, age, genres, title) and the history (what was \
         watched, and the ratings, where there are any), calibrated by a temperature. Its movie tables were learnt, \
         for each training row, from other users than the row's own.",
        watchnext::features::reaction::REACTION_WIDTH
    )
}
