//! The second stage: which of the candidates a visitor would like.
//!
//! [`taste`] learns which rating a user gives a movie, and [`leaning`] predicts a user's taste from clicks. [`traits`]
//! puts both and more into the table that ships. [`rows`] turns the users' ratings into training rows, by the feature
//! code that the browser runs. [`network`] is the ranker, and [`method`] measures it by protocol P3.

pub mod leaning;
pub mod method;
pub mod network;
pub mod rows;
pub mod taste;
pub mod traits;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use watchnext::bundle::Role;
use watchnext::catalog::Catalog;
use watchnext::features::reaction::ReactionHistory;

use self::network::Network;
use self::traits::TraitTables;
use crate::bundle::file::BundleFile;
use crate::bundle::packed::Packed;
use crate::data::User;
use crate::math::embeddings::EmbeddingTable;

/// A trained second stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranker {
    /// Ships as `ranker.onnx`.
    pub network: Network,
    /// Ships as `traits.safetensors`.
    pub traits: TraitTables,
}

/// Trains the second stage on all `users`. The first `main` of them are people like the visitors.
///
/// # Errors
/// No ratings, and a loss that isn't finite.
pub fn fit(
    catalog: &Catalog,
    users: &[User],
    main: usize,
    titles: Option<&EmbeddingTable>,
    seed: u64,
) -> Result<Ranker> {
    // The groups, two networks, and the table.
    let bar = ProgressBar::new(rows::GROUPS as u64 + 3);
    bar.set_style(ProgressStyle::with_template("ranker   {bar:32} {percent:>3} % · {eta} left")?);
    let rows = rows::cross_fitted(catalog, users, main, titles, seed, || bar.inc(1))?;
    let network = network::train(&rows, seed, || bar.inc(1))?;
    let traits = TraitTables::new(catalog, users, titles, seed)?;
    bar.inc(1);
    bar.finish_and_clear();
    Ok(Ranker { network, traits })
}

impl Ranker {
    /// Adds the second stage to a bundle, and likes by the network's own arithmetic to the bundle's parity cases.
    ///
    /// # Errors
    /// Tables that can't be written.
    pub fn add_to(&self, packed: &mut Packed, catalog: &Catalog) -> Result<()> {
        let traits = self.traits.load(catalog)?;
        packed.add_likes(catalog, |history, moment, movie| {
            let history = ReactionHistory::new(catalog, &traits, history.watches());
            self.network.reactions(&history.features(movie, moment)).last().copied()
        });
        packed.add(BundleFile { role: Role::Ranker, bytes: self.network.onnx() });
        packed.add(BundleFile { role: Role::Traits, bytes: self.traits.bytes()? });
        Ok(())
    }
}
