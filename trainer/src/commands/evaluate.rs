//! `trainer evaluate`.

use anyhow::{Context, Result, bail, ensure};

use crate::cli::EvaluateArgs;
use crate::dataset::Dataset;
use crate::evaluate::leaky::leaky;
use crate::evaluate::run::{Evaluation, Protocol, evaluate_bundle, evaluate_methods};
use crate::methods::{Method, methods};
use crate::pack::read_bundle;
use crate::report;
use crate::train::TrainConfig;

/// Epochs of the reproduction of the seed's figure, which doesn't depend on them.
const LEAKY_EPOCHS: usize = 5;

/// Measures methods by training them on splits, or a finished bundle, and shows what came out.
pub fn evaluate(args: &EvaluateArgs) -> Result<()> {
    let protocols = if args.protocols.is_empty() { Protocol::ALL.to_vec() } else { args.protocols.clone() };
    let evaluation = match (&args.bundle, &args.data) {
        (Some(bundle), _) => {
            ensure!(args.methods.is_empty() && !args.leaky, "--methods and --leaky train on --data, not on a --bundle");
            let [ratings] = args.ratings.as_slice() else { bail!("--bundle is measured on one --ratings file") };
            let recommender = read_bundle(bundle)?;
            let (users, left_out) = Dataset::read_users(ratings, recommender.catalog())?;
            ensure!(!users.is_empty(), "{} holds no rating of a movie that the bundle knows", ratings.display());
            Evaluation { left_out: Some(left_out), ..evaluate_bundle(&recommender, &users, &protocols)? }
        }
        (None, Some(data)) => {
            let config = args.options.config();
            let methods = chosen(methods(&config), &args.methods)?;
            let dataset = Dataset::read(data, &args.ratings)?;
            let mut evaluation = evaluate_methods(&dataset, &methods, &protocols)?;
            if args.leaky {
                let config = TrainConfig { epochs: LEAKY_EPOCHS, ratings_known: 0.0, ..config };
                evaluation.leaky = Some(leaky(&dataset, &config)?);
            }
            evaluation
        }
        (None, None) => {
            bail!("give --data to train on a split, or --bundle and --ratings to measure a finished bundle")
        }
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

/// The methods of these ids in the order of the tables; all if none is named.
fn chosen(methods: Vec<Box<dyn Method>>, ids: &[String]) -> Result<Vec<Box<dyn Method>>> {
    let known: Vec<&str> = methods.iter().map(|method| method.id()).collect();
    let unknown = ids.iter().find(|id| !known.contains(&id.as_str()));
    unknown.map_or(Ok(()), |id| bail!("there is no method {id:?}; --methods takes {}", known.join(", ")))?;
    let kept = methods.into_iter().filter(|method| ids.is_empty() || ids.iter().any(|id| id == method.id()));
    Some(kept.collect::<Vec<_>>()).filter(|kept| !kept.is_empty()).context("no method is left to evaluate")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn methods_are_chosen_by_id_and_others_refused() {
        let all = || methods(&TrainConfig::default());
        let ids = |names: &[&str]| -> Result<Vec<&str>> {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            Ok(chosen(all(), &names)?.iter().map(|method| method.id()).collect())
        };
        assert_eq!(ids(&["ease", "popularity"]).unwrap(), ["popularity", "ease"]);
        assert_eq!(ids(&[]).unwrap().len(), all().len());
        let refusal = ids(&["easy"]).unwrap_err().to_string();
        assert!(refusal.contains("easy") && refusal.contains("item-knn"), "{refusal}");
    }
}
