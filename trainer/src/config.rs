//! `watchnext.toml`: the configuration of your own catalogue, so that training it is one short command.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use toml::{Table, Value};
use watchnext::bundle::{Source, sha256_hex};

use crate::choice::Choice;
use crate::data::columns::{ColumnNames, Kind, Role};
use crate::data::{Scale, nearest_name};
use crate::files::{self, WRITE_REMEDY};
use crate::models::ModelKind;

/// The file's name in a folder.
pub(crate) const CONFIG_FILE: &str = "watchnext.toml";

/// The keys that the file may have, section by section.
const SECTIONS: [(&str, &[&str]); 4] = [
    ("items", &["file", "columns", "separator"]),
    ("ratings", &["files", "columns", "scale", "ordered"]),
    ("model", &["kind", "seed"]),
    ("out", &["folder"]),
];

/// A configuration. Its paths are relative to the program's working directory.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    /// The file of items.
    pub(crate) items: PathBuf,
    /// The files of ratings.
    pub(crate) ratings: Vec<PathBuf>,
    /// The columns that have unusual names.
    pub(crate) columns: ColumnNames,
    /// The text between an item's categories.
    pub(crate) separator: Option<String>,
    /// The ratings' scale.
    pub(crate) scale: Option<Scale>,
    /// Whether ratings without times are in the order of watching.
    pub(crate) ordered: bool,
    /// The model to train.
    pub(crate) model: Option<ModelKind>,
    /// The seed of all random numbers.
    pub(crate) seed: Option<u64>,
    /// The bundle's folder.
    pub(crate) out: PathBuf,
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
struct File {
    items: ItemsSection,
    ratings: RatingsSection,
    #[serde(default)]
    model: ModelSection,
    #[serde(default)]
    out: OutSection,
}

#[derive(Debug, Deserialize)]
struct ItemsSection {
    file: PathBuf,
    #[serde(default)]
    columns: Table,
    separator: Option<String>,
}

#[derive(Debug, Deserialize)]
struct RatingsSection {
    files: Vec<PathBuf>,
    #[serde(default)]
    columns: Table,
    scale: Option<String>,
    #[serde(default)]
    ordered: bool,
}

#[derive(Debug, Default, Deserialize)]
struct ModelSection {
    kind: Option<String>,
    seed: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct OutSection {
    folder: PathBuf,
}

impl Default for OutSection {
    fn default() -> Self {
        Self { folder: PathBuf::from("models") }
    }
}

impl Config {
    /// Reads a configuration file, and returns it with the file's own entry for a manifest. Paths in the file are
    /// relative to its folder.
    ///
    /// # Errors
    /// A file that can't be read or isn't TOML, with the line; an unknown key, with the nearest known one; a value of
    /// the wrong kind.
    pub(crate) fn read(path: &Path) -> Result<(Self, Source)> {
        let shown = path.display();
        let text = fs::read_to_string(path).with_context(|| {
            format!("{shown} can't be read. Give the {CONFIG_FILE} that `trainer new FOLDER` writes with --config.")
        })?;
        let config = Self::parse(&text, path.parent().unwrap_or(Path::new("")))
            .with_context(|| format!("{shown} can't be used"))?;
        Ok((config, Source { name: files::name(path), sha256: sha256_hex(text.as_bytes()), rows: 0 }))
    }

    fn parse(text: &str, folder: &Path) -> Result<Self> {
        // serde would skip unknown keys, and a misspelt one with them.
        reject_unknown_keys(&toml::from_str(text)?)?;
        let File { items, ratings, model, out } = toml::from_str(text)?;
        let mut columns = ColumnNames::default();
        add_columns(&mut columns, Kind::Items, &items.columns)?;
        add_columns(&mut columns, Kind::Ratings, &ratings.columns)?;
        ensure!(!ratings.files.is_empty(), "[ratings] files: name at least one file");
        Ok(Self {
            items: folder.join(items.file),
            ratings: ratings.files.iter().map(|file| folder.join(file)).collect(),
            columns,
            separator: items.separator,
            scale: ratings.scale.map(|scale| scale.parse()).transpose().context("[ratings] scale")?,
            ordered: ratings.ordered,
            model: model.kind.map(|kind| model_kind(&kind)).transpose()?,
            seed: model.seed,
            out: folder.join(out.folder),
        })
    }
}

fn reject_unknown_keys(table: &Table) -> Result<()> {
    for (section, value) in table {
        let Some((_, keys)) = SECTIONS.into_iter().find(|(name, _)| name == section) else {
            let names = SECTIONS.map(|(name, _)| name);
            bail!(
                "there is no section [{section}]{}; the sections are {}",
                did_you_mean(section, &names),
                names.join(", ")
            );
        };
        let Value::Table(inner) = value else {
            bail!("{section} is a section: write it as [{section}], with each key on a line below it");
        };
        if let Some(key) = inner.keys().find(|key| !keys.contains(&key.as_str())) {
            bail!("[{section}] has no key {key}{}; its keys are {}", did_you_mean(key, keys), keys.join(", "));
        }
    }
    Ok(())
}

fn model_kind(kind: &str) -> Result<ModelKind> {
    let known = || ModelKind::names().collect::<Vec<_>>().join(", ");
    ModelKind::from_name(kind)
        .with_context(|| format!("[model] kind: there is no model {kind:?}; the models are {}", known()))
}

/// Adds the column names of a section.
fn add_columns(columns: &mut ColumnNames, kind: Kind, named: &Table) -> Result<()> {
    let section = if kind == Kind::Items { "items" } else { "ratings" };
    let known: Vec<&str> = kind.roles().iter().map(|role| role.name()).collect();
    for (key, value) in named {
        let Some(role) = Role::ALL.into_iter().find(|role| role.name() == key && kind.roles().contains(role)) else {
            bail!(
                "[{section}] columns has no key {key}{}; its keys are {}",
                did_you_mean(key, &known),
                known.join(", ")
            );
        };
        let Value::String(column) = value else {
            bail!("[{section}] columns: {key} is the name of a column, in quotes")
        };
        columns.name(Some(kind), role, column);
    }
    Ok(())
}

fn did_you_mean(name: &str, known: &[&str]) -> String {
    nearest_name(name, known.iter().copied()).map_or_else(String::new, |name| format!(" (did you mean {name}?)"))
}

/// The text of a configuration file for these files. Comments show every other key.
pub(crate) fn config_text(items: &str, ratings: &str) -> String {
    include_str!("config/watchnext.toml").replace("{items}", items).replace("{ratings}", ratings)
}

/// Writes a folder for your own catalogue: a configuration file to fill in, and a README.
///
/// # Errors
/// A folder that has a configuration file, or can't be written to.
pub(crate) fn scaffold(folder: &Path) -> Result<()> {
    let file = folder.join(CONFIG_FILE);
    ensure!(
        !file.exists(),
        "{} is there already, and would be overwritten. Edit it, or choose another folder.",
        file.display()
    );
    let place = || format!("{} can't be written to. {WRITE_REMEDY}", folder.display());
    fs::create_dir_all(folder).with_context(place)?;
    fs::write(&file, config_text("items.csv", "ratings.csv")).with_context(place)?;
    let readme = folder.join("README.md");
    if !readme.exists() {
        fs::write(readme, include_str!("config/README.md")).with_context(place)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LEAST: &str = "[items]\nfile = \"i.csv\"\n[ratings]\nfiles = [\"r.parquet\"]\n";

    fn refusal(text: &str) -> String {
        format!("{:#}", Config::parse(text, Path::new("books")).unwrap_err())
    }

    #[test]
    fn keys_left_out_have_their_defaults() {
        let config = Config::parse(LEAST, Path::new("books")).unwrap();
        assert_eq!(
            (config.items, config.ratings),
            (PathBuf::from("books/i.csv"), vec![PathBuf::from("books/r.parquet")])
        );
        assert_eq!((config.out, config.model, config.seed), (PathBuf::from("books/models"), None, None));
        assert!(config.columns.is_empty() && !config.ordered);
    }

    #[test]
    fn the_scaffold_is_read_with_and_without_its_comments() {
        let text = config_text("items.csv", "ratings.csv");
        let plain = Config::parse(&text, Path::new("")).unwrap();
        assert!(plain.columns.is_empty() && plain.scale.is_none());
        // Every key in the comments is one that may be used.
        let all: String = text
            .lines()
            .map(|line| line.strip_prefix("# ").filter(|line| line.contains(" = ")).unwrap_or(line))
            .fold(String::new(), |text, line| text + line + "\n");
        let full = Config::parse(&all, Path::new("")).unwrap();
        assert_eq!(
            full.columns.to_string(),
            "items.categories=subjects,items.item=isbn,items.title=name,items.year=published,\
             ratings.item=isbn,ratings.rating=stars,ratings.time=date,ratings.user=reader"
        );
        assert!(
            full.scale.is_some()
                && full.separator.is_some()
                && full.ordered
                && full.model.is_some()
                && full.seed.is_some()
        );
    }

    #[test]
    fn unknown_keys_are_refused_with_the_nearest() {
        assert!(refusal(&LEAST.replace("[items]", "[item]")).contains("did you mean items?"));
        assert!(
            refusal(&format!("{LEAST}colums = {{}}\n")).contains("[ratings] has no key colums (did you mean columns?)")
        );
        assert!(refusal(&format!("{LEAST}columns = {{ raiting = \"stars\" }}\n")).contains("did you mean rating?"));
        assert!(refusal(&format!("{LEAST}columns = {{ title = \"name\" }}\n")).contains("has no key title"));
        assert!(refusal(&format!("{LEAST}scale = \"10..1\"\n")).contains("[ratings] scale"));
        assert!(
            refusal(&format!("{LEAST}[model]\nkind = \"towr\"\n")).contains("the models are tower, seed-network, als")
        );
        assert!(refusal("[items]\nfile = \n").contains("line 2"));
        assert!(refusal("[items]\nfile = \"i.csv\"\n").contains("ratings"));
        assert!(refusal("items = 3\n").contains("[items]"));
    }

    #[test]
    fn the_file_is_a_source_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        fs::write(&path, LEAST).unwrap();
        let (config, source) = Config::read(&path).unwrap();
        assert_eq!(config.items, folder.path().join("i.csv"));
        assert_eq!((source.name.as_str(), source.rows), ("mine.toml", 0));
        assert_eq!(source.sha256, files::sha256(&path).unwrap());
    }
}
