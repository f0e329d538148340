//! The model card, `README.md` of a bundle.

use std::fmt::Write as _;

use watchnext::bundle::{FileEntry, Manifest, Source};

use super::shown;
use crate::als::AlsConfig;
use crate::compact::CompactStates;
use crate::evaluate::run::Evaluation;
use crate::tower::{Precision, TowerConfig};
use crate::train::{EpochFigures, TrainConfig};

/// How a bundle's model came about, in words.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// What the model is and what it was trained on.
    what: String,
    /// How to read its figures.
    verdict: String,
    seed: u64,
    /// Whether the data are MovieLens's, whose terms then hold.
    movielens: bool,
}

impl Recipe {
    /// The seed's network, its epochs and its states.
    pub fn seed_network(
        manifest: &Manifest,
        config: &TrainConfig,
        epochs: &[EpochFigures],
        states: Option<&CompactStates>,
        movielens: bool,
    ) -> Self {
        let loss = epochs.last().map_or(0.0, |epoch| epoch.training_loss);
        let training = &manifest.training;
        let mut what = format!(
            "The candidate generator of the seed notebook, after Covington, Adams and Sargin, *Deep Neural Networks for YouTube \
             Recommendations* (RecSys 2016): 50 time features and the mean of the 32-wide embeddings of the last 50 watched \
             movies go through 256 and {} units to a softmax over {} movies. It was trained for {} epochs (last training loss \
             {loss:.3}) on {} ratings by {} users, {:.0} % of the rows with the ratings of their history as weights, the others \
             as clicks alone. The last layer's rows are the movies' embeddings, which the page scans by exact L2.\n\n",
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
                    "The states are {} user vectors of {} numbers, kept as {} principal coordinates of 8 bits and {} of 4. Of \
                     the 100 states that the exact f32 scan finds nearest to a held-out user, theirs finds {:.1} %.",
                    states.kept.len(),
                    manifest.dim,
                    states.fine,
                    states.coarse,
                    recall * 100.0
                )
            },
        ));
        let verdict = "Read these figures beside popularity's, which knows nothing of the visitor and gets most of the way: this \
                       is the notebook's network, kept to compare with. The default bundle holds a better one."
            .to_owned();
        Self { what, verdict, seed: config.seed, movielens }
    }

    /// The factorisation by alternating least squares, whose figures are of the same settings trained without the held-out users.
    pub fn als(
        manifest: &Manifest,
        config: &AlsConfig,
        steps: usize,
        held_out_trained: usize,
        movielens: bool,
    ) -> Self {
        let (training, settings) = (&manifest.training, &config.settings);
        let what = format!(
            "A factorisation of {} into {} numbers a movie and a user by implicit alternating least squares (Hu, Koren and \
             Volinsky, ICDM 2008), trained on {} ratings by {} users: α {}, λ {}, {} iterations. It is for data that outgrow the \
             default tower. The user tower is the equations of a user's own vector, solved for the visitor's movies by {steps} steps \
             of conjugate gradients against the movies' 8-bit embeddings; a click counts as a like, a rating by its stars over 3.5. \
             Popularity is the movies' bias, {} for the one that most users have.",
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
            "The bundle itself was trained on all users: these figures are of the same settings trained on the {held_out_trained} \
             users who remain without the held-out ones. On data that the tower can take it is the better model; `EXPERIMENTS.md` \
             of the default bundle has both."
        );
        Self { what, verdict, seed: settings.seed, movielens }
    }

    /// The default tower, whose figures are of the same settings trained without the held-out users.
    pub fn tower(manifest: &Manifest, config: &TowerConfig, held_out_trained: usize, movielens: bool) -> Self {
        let networks: Vec<String> = config
            .click_members
            .iter()
            .map(|member| format!("{} wide with {} hidden units", member.width, member.hidden))
            .collect();
        let training = &manifest.training;
        let what = [
            format!(
                "A user tower of {}, trained on {} ratings by {} users; `ARCHITECTURE.md` draws it and `EXPERIMENTS.md` says \
                 what else was tried. The click channel averages {} networks ({}), each trained on random handfuls of users' liked \
                 movies to predict the other liked ones with the multinomial likelihood, and shrunk item-item cosines of rank 64, {} \
                 times that of likes and {} times that of ratings.",
                if config.sequence_members.is_empty() { "one channel" } else { "two channels" },
                training.ratings,
                training.users,
                config.click_members.len(),
                networks.join(", "),
                config.liked_weight,
                config.rated_weight,
            ),
            sequence(config),
            " A movie's embedding has a part for its genres, its years of release and its title's words. Popularity is the bias, and how \
             much it counts is learnt by the history's length"
                .to_owned(),
            if config.drift_dim > 0 {
                "; how it drifts with the years is a table by year and movie, and the \
                 networks know the year besides. A visit after the last year of the data is met as one of that year."
            } else {
                ". The ratings have no times, so the year of a visit has no part in it."
            }
            .to_owned(),
            format!(
                " All of it is folded into one vector of {} numbers; movies meet it in {}-bit embeddings, which the page scans by exact L2.",
                manifest.dim,
                match config.precision {
                    Precision::Int8 { .. } => 8,
                    Precision::Float => 32,
                },
            ),
            if config.sequence_members.is_empty() {
                ""
            } else {
                " A history of up to 10 movies is read as clicks in no order, one of 15 or more by its end, with a gradual change between."
            }
            .to_owned(),
            second_stage(manifest),
        ]
        .concat();
        let verdict = format!(
            "The bundle itself was trained on all users, so nobody is left to measure it on: these figures are of the same settings \
             trained on the {held_out_trained} users who remain without the held-out ones.{}",
            if movielens { " The five-fold figures beside tuned baselines are in `EXPERIMENTS.md`." } else { "" }
        );
        Self { what, verdict, seed: config.seed, movielens }
    }
}

/// What the sequence channel is, if there is one.
fn sequence(config: &TowerConfig) -> String {
    if config.sequence_members.is_empty() {
        return String::new();
    }
    format!(
        " The sequence channel averages {} networks ({} wide), trained on stretches of histories to predict the next ten movies, \
         and {} times a cosine of movies that follow each other.",
        config.sequence_members.len(),
        config.sequence_members.iter().map(|member| member.width.to_string()).collect::<Vec<_>>().join(" and "),
        config.follower_weight,
    )
}

/// What the second stage is, if there is one.
fn second_stage(manifest: &Manifest) -> String {
    if !manifest.files.contains_key(&watchnext::bundle::Role::Ranker) {
        return "\n\nThere is no second stage, since the data hold clicks and no ratings to learn it from.".to_owned();
    }
    format!(
        "\n\nThe second stage says how likely a dislike, neither and a like of a candidate are: a network of two hidden layers over {} \
         features of the movie (its ratings, age, genres, title) and the history (what was watched, and the ratings, where there \
         are any), calibrated by a temperature. Its movie tables were learnt, for each training row, from other users than the \
         row's own.",
        watchnext::features::reaction::REACTION_WIDTH
    )
}

/// The section on protocol P3; nothing for a bundle that has no ranker.
fn reactions(evaluation: &Evaluation) -> String {
    if evaluation.reactions.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "\nProtocol P3, the reaction: whether the user will like a movie that they watch, from the 11th on, by the history before it; \
         once with the history's ratings and once as clicks alone. AUC is the area under the ROC curve, over all events and as the mean \
         over users within each. The same users.\n\n\
         | method | history | events | AUC | AUC within users | log loss | calibration error |\n|---|---|---|---|---|---|---|\n",
    );
    for row in &evaluation.reactions {
        for (history, figures) in [("ratings", &row.known), ("clicks", &row.clicks)] {
            let _ = writeln!(
                text,
                "| {} | {history} | {} | {} | {} | {} | {:.3} |",
                row.label.method,
                figures.events,
                shown(figures.auc),
                shown(figures.auc_within),
                shown(figures.logloss),
                figures.ece
            );
        }
    }
    text
}

/// What protocol P1 is, before its figures.
const NEXT_MOVIE: &str = "Protocol P1, the next movie: for every rating of a user who did not train the model, all movies that the user hadn't rated yet
are ranked from the up to 50 before it, as clicks alone; ties count against the model. Means with 95 % bootstrap intervals over users, measured
through the library that the browser runs.

{figures}";

/// Why there is none.
const NO_NEXT_MOVIE: &str = "Protocol P1, the next movie, isn't measured: the ratings have no times, and the order of a file isn't that of watching.";

/// The table of protocol P1.
pub(crate) fn next_movie_table(evaluation: &Evaluation) -> String {
    let mut figures =
        String::from("| method | users | events | hit@10 | hit@100 | NDCG@10 | MRR |\n|---|---|---|---|---|---|---|\n");
    for row in &evaluation.next_movie {
        let _ = write!(figures, "| {} | {} | {} |", row.label.method, row.group, row.figures.events);
        for (_, figure) in row.figures.named() {
            let _ = write!(figures, " {} |", shown(figure));
        }
        figures.push('\n');
    }
    figures
}

/// The table of protocol P2.
pub(crate) fn few_clicks_table(evaluation: &Evaluation) -> String {
    let mut few_clicks = String::from(
        "| method | clicks | users | NDCG@10 | Recall@20 | coverage@10 | popularity rank |\n|---|---|---|---|---|---|---|\n",
    );
    for (row, figures) in
        evaluation.few_clicks.iter().flat_map(|row| row.figures.iter().map(move |figures| (row, figures)))
    {
        let _ = writeln!(
            few_clicks,
            "| {} | {} | {} | {} | {} | {:.3} | {:.0} |",
            row.label.method,
            figures.clicks,
            figures.users,
            shown(figures.ndcg10),
            shown(figures.recall20),
            figures.coverage10,
            figures.popularity10.mean
        );
    }
    few_clicks
}

/// The model card, `README.md` of the bundle, with every figure from this very run.
pub fn model_card(manifest: &Manifest, recipe: &Recipe, evaluation: &Evaluation) -> String {
    let next_movie = if evaluation.next_movie.is_empty() { NO_NEXT_MOVIE } else { NEXT_MOVIE };
    let about =
        if recipe.movielens { include_str!("model_card/movielens.md") } else { include_str!("model_card/own.md") };
    include_str!("model_card.md")
        .replace("{next_movie}", next_movie)
        .replace("{about}", about.trim_end())
        .replace("{name}", &manifest.name)
        .replace("{command}", &manifest.training.command)
        .replace("{dataset}", &manifest.training.dataset)
        .replace("{what}", &recipe.what)
        .replace("{verdict}", &recipe.verdict)
        .replace("{seed}", &recipe.seed.to_string())
        .replace("{movies}", &manifest.movies.to_string())
        .replace("{users}", &manifest.training.users.to_string())
        .replace("{ratings}", &manifest.training.ratings.to_string())
        .replace("{figures}", next_movie_table(evaluation).trim_end())
        .replace("{few_clicks}", few_clicks_table(evaluation).trim_end())
        .replace("{reactions}", &reactions(evaluation))
        .replace("{files}", file_rows(manifest).trim_end())
        .replace("{sources}", source_rows(manifest).trim_end())
}

/// The head of the table of files.
const FILES: &str = "| role | file | bytes | SHA-256 |\n|---|---|---|---|\n";

/// The head of the table of sources.
const SOURCES: &str = "| file | rows | SHA-256 |\n|---|---|---|\n";

/// A model card with the files and sources of this manifest instead of those that it has.
pub fn renew_card(card: &str, manifest: &Manifest) -> String {
    let with_rows = |card: String, head: &str, rows: &str| match card.split_once(head) {
        Some((before, after)) => {
            let after: String = after.split_inclusive('\n').skip_while(|line| line.starts_with('|')).collect();
            format!("{before}{head}{rows}{after}")
        }
        None => card,
    };
    let card = with_rows(card.to_owned(), SOURCES, &source_rows(manifest));
    with_rows(card, FILES, &file_rows(manifest))
}

/// The rows of the table of files.
pub(crate) fn file_rows(manifest: &Manifest) -> String {
    let row = |(role, file): (&watchnext::bundle::Role, &FileEntry)| {
        format!("| {role} | `{}` | {} | `{}` |\n", file.path, file.bytes, file.sha256)
    };
    manifest.files.iter().map(row).collect()
}

/// The rows of the table of sources.
pub(crate) fn source_rows(manifest: &Manifest) -> String {
    let row = |source: &Source| format!("| `{}` | {} | `{}` |\n", source.name, source.rows, source.sha256);
    manifest.training.sources.iter().map(row).collect()
}
