//! `trainer train`.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use watchnext::bundle::{Source, Training, sha256_hex};

use super::map::said;
use crate::cli::{Model, TrainArgs};
use crate::dataset::{Dataset, User};
use crate::evaluate::run::{Evaluation, evaluate_held_out};
use crate::fit::fit;
use crate::links::{LINKS_FILE, read_links};
use crate::pack::Packed;
use crate::ranker;
use crate::report::{Recipe, held_out_figures, model_card, text};
use crate::split::Split;
use crate::titles::reduced_titles;
use crate::tower::{self, TowerConfig};
use crate::train::{Checkpoint, TrainConfig};

/// The command as a reader of the manifest would type it: the settings that differ from the defaults, and no path of a machine.
fn command_line(args: &TrainArgs) -> String {
    let name = |path: &Path| path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let parent = |path: &Path| path.parent().map(name).unwrap_or_default();
    let out = match args.model {
        Model::Tower => "models",
        Model::SeedNetwork => "models/seed-network",
    };
    let mut command = format!("trainer train --data ../shared/data/{} --out {out}", name(&args.data.data));
    for ratings in &args.data.ratings {
        command.push_str(&format!(" --ratings ../shared/data/{}/{}", parent(ratings), name(ratings)));
    }
    let (config, default) = (args.options.config(), TrainConfig::default());
    let mut option = |name: &str, value: String, default: String| {
        if value != default {
            command.push_str(&format!(" --{name} {value}"));
        }
    };
    option("seed", config.seed.to_string(), default.seed.to_string());
    if args.model == Model::SeedNetwork {
        option("epochs", config.epochs.to_string(), default.epochs.to_string());
        option("batch", config.batch.to_string(), default.batch.to_string());
        option("learning-rate", config.learning_rate.to_string(), default.learning_rate.to_string());
        option("ratings-known", config.ratings_known.to_string(), default.ratings_known.to_string());
        command.push_str(" --model seed-network");
    }
    if let Some(titles) = &args.titles {
        command.push_str(&format!(" --titles {}", name(titles)));
    }
    if args.no_states {
        command.push_str(" --no-states");
    }
    if args.no_map {
        command.push_str(" --no-map");
    }
    command
}

/// A fingerprint of the data that a checkpoint belongs to.
fn fingerprint(sources: &[Source]) -> String {
    let hashes: Vec<&str> = sources.iter().map(|source| source.sha256.as_str()).collect();
    sha256_hex(hashes.join(" ").as_bytes())
}

/// A bundle that is ready to be written, with what its card says.
struct Finished {
    packed: Packed,
    recipe: Recipe,
    evaluation: Evaluation,
}

/// Trains the model that was asked for and writes its bundle.
pub fn train(args: &TrainArgs) -> Result<()> {
    let started = Instant::now();
    let dataset = Dataset::read(&args.data.data, &args.data.ratings)?;
    eprintln!(
        "{} ratings of {} movies by {} users, read in {:.1} s",
        dataset.ratings(),
        dataset.catalog.len(),
        dataset.users.len(),
        started.elapsed().as_secs_f64()
    );
    let mut partial = args.out.clone().into_os_string();
    partial.push(".partial");
    let checkpoint = Checkpoint::new(Path::new(&partial), &fingerprint(&dataset.sources));
    // Before anything that takes minutes, so that a wrong row is named at once.
    let links = read_links(&args.data.data, &dataset.catalog)?;
    let Finished { mut packed, recipe, evaluation } = match args.model {
        Model::Tower => train_tower(args, &dataset)?,
        Model::SeedNetwork => train_seed_network(args, &dataset, &checkpoint)?,
    };
    match links {
        Some((links, source)) => packed = packed.with_links(&links, source)?,
        None => eprintln!("{} holds no {LINKS_FILE}, so the bundle has no links", args.data.data.display()),
    }
    if !args.no_map {
        let drawing = Instant::now();
        let (with_map, map) = packed.with_map()?;
        packed = with_map;
        eprintln!("{}", said(&map, drawing));
    }
    packed.write(&args.out)?;
    let card = model_card(&packed.manifest, &recipe, &evaluation);
    let card_path = args.out.join("README.md");
    std::fs::write(&card_path, card).with_context(|| format!("{} can't be written", card_path.display()))?;
    checkpoint.remove();
    println!("{}", text(&evaluation));
    for file in packed.manifest.files.values() {
        println!("{:>10} bytes  {}  {}", file.bytes, file.sha256.get(..12).unwrap_or_default(), file.path);
    }
    println!("wrote {} in {:.0} s", args.out.display(), started.elapsed().as_secs_f64());
    Ok(())
}

/// The last part of the data's path, as the manifest names the data set.
fn data_name(args: &TrainArgs) -> String {
    args.data.data.file_name().map_or_else(|| "ratings".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// The tower is trained twice: without the held-out users, to measure it, and on everybody, to ship it.
fn train_tower(args: &TrainArgs, dataset: &Dataset) -> Result<Finished> {
    let config = TowerConfig { seed: args.options.seed, ..TowerConfig::default() };
    let titles = reduced_titles(args.titles.as_deref(), &dataset.catalog)?;
    // The first of the users are those of the main file, as the visitors are.
    let pack = |users: &[User], main: usize| -> Result<Packed> {
        let (tower, _) = tower::fit(&dataset.catalog, users, &config)?;
        let ranker = ranker::fit(&dataset.catalog, users, main, titles.as_ref(), config.seed)?;
        let training = Training {
            command: command_line(args),
            seed: config.seed,
            dataset: data_name(args),
            sources: dataset.sources.clone(),
            users: users.len(),
            ratings: users.iter().map(|user| user.events.len()).sum(),
        };
        Packed::new(&tower, &dataset.catalog, None, "watchnext-tower", training)?.with_ranker(&ranker, &dataset.catalog)
    };
    let split = Split::by_user(&dataset.users)?;
    let held_out = split.validation.len() + split.test.len();
    eprintln!("first without the {held_out} held-out users, to measure it");
    let evaluation =
        evaluate_held_out(dataset, &pack(split.train, dataset.main_users.saturating_sub(held_out))?.recommender()?)?;
    eprintln!("then on all {} users, to ship it", dataset.users.len());
    let mut packed = pack(&dataset.users, dataset.main_users)?;
    packed.manifest.held_out = held_out_figures(&evaluation, None);
    let recipe = Recipe::tower(&packed.manifest, &config, split.train.len());
    Ok(Finished { packed, recipe, evaluation })
}

fn train_seed_network(args: &TrainArgs, dataset: &Dataset, checkpoint: &Checkpoint) -> Result<Finished> {
    let config = args.options.config();
    let command = command_line(args);
    let mut fitted = fit(dataset, &config, !args.no_states, &data_name(args), &command, Some(checkpoint))?;
    eprintln!("trained; measuring on the held-out users");
    let evaluation = evaluate_held_out(dataset, &fitted.packed.recommender()?)?;
    fitted.packed.manifest.held_out = held_out_figures(&evaluation, fitted.recall);
    let recipe = Recipe::seed_network(&fitted.packed.manifest, &config, &fitted.epochs, fitted.compact.as_ref());
    Ok(Finished { packed: fitted.packed, recipe, evaluation })
}
