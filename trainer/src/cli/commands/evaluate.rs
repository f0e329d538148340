//! `trainer evaluate`.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use clap::Args;

use crate::bundle::read::read_bundle;
use crate::cli::data::{DataArgs, LayoutArgs};
use crate::cli::network::NetworkOptions;
use crate::cli::values::one_of;
use crate::data::{Dataset, Times};
use crate::evaluate::evaluation::Evaluation;
use crate::evaluate::method::{Method, ReactionMethod};
use crate::evaluate::protocol::Protocol;
use crate::evaluate::run::{evaluate_bundle, evaluate_methods, evaluate_reactions};
use crate::math::embeddings::EmbeddingTable;
use crate::models::seed_network::leaky::leaky;
use crate::models::seed_network::train::TrainConfig;
use crate::registry::{methods_for, reaction_methods};
use crate::report;
use crate::titles::reduced_titles;

/// Epochs of the reproduction of the notebook's figure, which doesn't depend on them.
const LEAKY_EPOCHS: usize = 5;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    trainer evaluate --data ml-latest-small --methods popularity,ease --out report\n  \
    trainer evaluate --bundle models --ratings unseen.csv")]
pub(crate) struct EvaluateArgs {
    /// Folder with movies.csv and ratings.csv: train on some of its users, and measure on the others.
    #[arg(long, value_name = "FOLDER", conflicts_with = "bundle", required_unless_present_any = ["bundle", "items"])]
    data: Option<PathBuf>,
    /// Read items from this file instead of --data, and their ratings from --ratings.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["bundle", "data"], requires = "ratings")]
    items: Option<PathBuf>,
    #[command(flatten)]
    layout: LayoutArgs,
    /// Measure this finished bundle on users that it never saw.
    #[arg(long, value_name = "FOLDER", requires = "ratings")]
    bundle: Option<PathBuf>,
    /// With --bundle: the unseen users' ratings. With --data: more ratings of the same movies, only to train on.
    /// Repeatable.
    #[arg(long, value_name = "FILE")]
    ratings: Vec<PathBuf>,
    /// With --data: the methods' ids, separated by commas [default: all]. The networks take minutes per fold.
    #[arg(long, value_delimiter = ',')]
    methods: Vec<String>,
    /// The protocols, separated by commas: p1 the next movie, p2 a few clicks, with the lists and the wall, p3 the
    /// reaction, p4 discovery, p5 the next visit [default: all].
    #[arg(long, value_delimiter = ',', value_parser = one_of::<Protocol>())]
    protocols: Vec<Protocol>,
    #[command(flatten)]
    network: NetworkOptions,
    /// With --data: the titles' embeddings that `trainer titles` wrote, for the ranker in p3 [default: without titles].
    #[arg(long, value_name = "FILE")]
    titles: Option<PathBuf>,
    /// Also reproduce the seed notebook's published figure, which shows that it leaks the answer.
    #[arg(long)]
    leaky: bool,
    /// Print JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Write evaluation.json, report.html and its pictures into this folder.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Measures methods by training them on splits, or a finished bundle, and shows the figures.
pub(crate) fn evaluate(args: &EvaluateArgs) -> Result<()> {
    let protocols = if args.protocols.is_empty() { Protocol::ALL.to_vec() } else { args.protocols.clone() };
    let evaluation = match &args.bundle {
        Some(bundle) => of_bundle(args, bundle, &protocols)?,
        None => of_methods(args, &protocols)?,
    };
    if let Some(out) = &args.out {
        report::write(&evaluation, out)?;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report::json(&evaluation))?);
    } else {
        print!("{}", report::text(&evaluation));
    }
    Ok(())
}

/// The figures of a finished bundle on unseen users.
fn of_bundle(args: &EvaluateArgs, bundle: &Path, protocols: &[Protocol]) -> Result<Evaluation> {
    ensure!(args.methods.is_empty() && !args.leaky, "--methods and --leaky train on --data, not on a --bundle");
    let [ratings] = args.ratings.as_slice() else { bail!("--bundle is measured on exactly one --ratings file") };
    let recommender = read_bundle(bundle)?;
    let catalog = recommender.catalog();
    // A bundle of MovieLens's movies is measured on a file in MovieLens's format.
    let own = !args.layout.is_empty() || catalog.movies().iter().any(|movie| movie.key.is_some());
    let layout = own.then(|| args.layout.layout());
    let (users, left_out, times) = Dataset::read_users(ratings, catalog, layout.as_ref())?;
    ensure!(!users.is_empty(), "{} holds no rating of a movie that the bundle knows", ratings.display());
    let possible = |protocol: &&Protocol| **protocol != Protocol::P1 || times != Times::Unknown;
    let protocols: Vec<Protocol> = protocols.iter().filter(possible).copied().collect();
    Ok(Evaluation { left_out: Some(left_out), ..evaluate_bundle(&recommender, &users, &protocols)? })
}

/// The figures of methods that are trained on splits of the data.
fn of_methods(args: &EvaluateArgs, protocols: &[Protocol]) -> Result<Evaluation> {
    let config = args.network.config();
    let (data, items) = (args.data.clone(), args.items.clone());
    let dataset = DataArgs { data, items, ratings: args.ratings.clone(), layout: args.layout.clone() }.read()?;
    dataset.limitations().iter().for_each(|line| eprintln!("{line}"));
    let titles = reduced_titles(args.titles.as_deref(), &dataset.catalog)?;
    let (methods, reaction_methods) = chosen(all_of(dataset.times, protocols, &config, titles), &args.methods)?;
    let mut evaluation = evaluate_methods(&dataset, &methods, protocols)?;
    evaluate_reactions(&dataset, &reaction_methods, &mut evaluation)?;
    if args.leaky {
        let config = TrainConfig { epochs: LEAKY_EPOCHS, ratings_known: 0.0, ..config };
        evaluation.leaky = Some(leaky(&dataset, &config)?);
    }
    Ok(evaluation)
}

/// Methods of all protocols but P3, and methods of P3.
type Methods = (Vec<Box<dyn Method>>, Vec<Box<dyn ReactionMethod>>);

/// All methods of these protocols.
fn all_of(times: Times, protocols: &[Protocol], config: &TrainConfig, titles: Option<EmbeddingTable>) -> Methods {
    let suggesting = protocols.iter().any(|protocol| *protocol != Protocol::P3);
    let reacting = protocols.contains(&Protocol::P3);
    let methods = if suggesting { methods_for(times, config, titles.clone()) } else { Vec::new() };
    (methods, if reacting { reaction_methods(titles) } else { Vec::new() })
}

/// The methods of these ids in the order of the tables; all if none is named.
fn chosen((mut methods, mut reaction_methods): Methods, ids: &[String]) -> Result<Methods> {
    let mut known: Vec<&str> = methods.iter().map(|method| method.id()).collect();
    let further: Vec<&str> =
        reaction_methods.iter().map(|method| method.id()).filter(|id| !known.contains(id)).collect();
    known.extend(further);
    if let Some(unknown) = ids.iter().find(|id| !known.contains(&id.as_str())) {
        bail!("there is no method {unknown:?} for these protocols; --methods takes {}", known.join(", "));
    }
    let named = |id: &str| ids.is_empty() || ids.iter().any(|named| named == id);
    methods.retain(|method| named(method.id()));
    reaction_methods.retain(|method| named(method.id()));
    Ok((methods, reaction_methods))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn methods_are_chosen_by_id_and_others_refused() {
        let ids = |protocols: &[Protocol], names: &[&str]| -> Result<(Vec<&str>, Vec<&str>)> {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let (methods, reactions) = chosen(all_of(Times::Known, protocols, &TrainConfig::default(), None), &names)?;
            let of_reactions = reactions.iter().map(|method| method.id()).collect();
            Ok((methods.iter().map(|method| method.id()).collect(), of_reactions))
        };
        let both = ids(&Protocol::ALL, &["ease", "movie-mean", "popularity"]).unwrap();
        assert_eq!(both, (vec!["popularity", "ease"], vec!["movie-mean"]));
        let all = ids(&Protocol::ALL, &[]).unwrap();
        assert_eq!(
            (all.0.len(), all.1.len()),
            (crate::registry::methods(&TrainConfig::default(), None).len(), reaction_methods(None).len())
        );
        // P3's methods are known to P3 alone, and the others to the others.
        assert!(ids(&[Protocol::P2], &[]).unwrap().1.is_empty() && ids(&[Protocol::P3], &[]).unwrap().0.is_empty());
        assert!(ids(&[Protocol::P3], &["ease"]).is_err());
        let refusal = ids(&Protocol::ALL, &["easy"]).unwrap_err().to_string();
        assert!(
            refusal.contains("easy") && refusal.contains("item-knn") && refusal.contains("movie-mean"),
            "{refusal}"
        );
    }
}
