//! The lists of the methods that the evaluator measures. Register new methods here.

use crate::baselines::als::Als;
use crate::baselines::ease::Ease;
use crate::baselines::item_knn::ItemKnn;
use crate::baselines::naive_bayes::NaiveBayes;
use crate::baselines::popularity::ByPopularity;
use crate::baselines::reaction::Calibrated;
use crate::baselines::reaction::biases::Biases;
use crate::baselines::reaction::item_knn::ItemKnnStars;
use crate::baselines::reaction::movie_mean::MovieMean;
use crate::baselines::rp3beta::Rp3Beta;
use crate::data::Times;
use crate::evaluate::method::{Method, ReactionMethod};
use crate::evaluate::tune::Tuned;
use crate::math::embeddings::EmbeddingTable;
use crate::models::als::method::AlsMethod;
use crate::models::ranker::method::RankerMethod;
use crate::models::seed_network::method::SeedNetwork;
use crate::models::seed_network::train::TrainConfig;
use crate::models::tower::config::TowerConfig;
use crate::models::tower::method::TowerMethod;

/// Every method of protocols P1 and P2, in the order of the tables. `config` is for the notebook's network; `titles`
/// are the titles' reduced embeddings, for the second stage.
pub fn methods(config: &TrainConfig, titles: Option<EmbeddingTable>) -> Vec<Box<dyn Method>> {
    methods_for(Times::Known, config, titles)
}

/// The same for data whose ratings may have no times.
pub fn methods_for(times: Times, config: &TrainConfig, titles: Option<EmbeddingTable>) -> Vec<Box<dyn Method>> {
    vec![
        Box::new(Tuned(ByPopularity { uses_time: false })),
        Box::new(Tuned(ByPopularity { uses_time: true })),
        Box::new(Tuned(ItemKnn { uses_time: false })),
        Box::new(Tuned(ItemKnn { uses_time: true })),
        Box::new(Tuned(Rp3Beta)),
        Box::new(Tuned(NaiveBayes)),
        Box::new(Tuned(Ease { denoising: false })),
        Box::new(Tuned(Ease { denoising: true })),
        Box::new(Tuned(Als)),
        Box::new(SeedNetwork { config: *config }),
        Box::new(AlsMethod::default()),
        Box::new(TowerMethod { id: "tower", name: "watchnext tower", config: TowerConfig::for_times(times), titles }),
    ]
}

/// Every method of protocol P3, in the order of the tables. A method of all three protocols is in both lists, with one
/// id. `titles` are the titles' reduced embeddings, for the second stage.
pub fn reaction_methods(titles: Option<EmbeddingTable>) -> Vec<Box<dyn ReactionMethod>> {
    vec![
        Box::new(Calibrated(MovieMean)),
        Box::new(Calibrated(Biases)),
        Box::new(Calibrated(ItemKnnStars)),
        Box::new(RankerMethod { titles, seed: TowerConfig::default().seed }),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ids_and_names_are_unique() {
        let methods = methods(&TrainConfig::default(), None);
        let ids: std::collections::BTreeSet<&str> = methods.iter().map(|method| method.id()).collect();
        let names: std::collections::BTreeSet<&str> = methods.iter().map(|method| method.name()).collect();
        assert_eq!((ids.len(), names.len()), (methods.len(), methods.len()));
        let reactions = reaction_methods(None);
        let ids: std::collections::BTreeSet<&str> = reactions.iter().map(|method| method.id()).collect();
        let names: std::collections::BTreeSet<&str> = reactions.iter().map(|method| method.name()).collect();
        assert_eq!((ids.len(), names.len()), (reactions.len(), reactions.len()));
    }
}
