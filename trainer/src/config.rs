//! `watchnext.toml`: a catalogue of one's own in a folder of its own, so that training it is one short command.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use serde::Deserialize;
use toml::{Table, Value};

use crate::data::columns::{ColumnNames, Kind, Role};
use crate::data::{Scale, nearest_name};
use crate::models::ModelKind;

/// The file's name in a folder.
pub const CONFIG_FILE: &str = "watchnext.toml";

/// What the file may say, section by section.
const KNOWN: [(&str, &[&str]); 4] = [
    ("items", &["file", "columns", "separator"]),
    ("ratings", &["files", "columns", "scale", "ordered"]),
    ("model", &["kind", "seed"]),
    ("out", &["folder"]),
];

/// What a configuration file says, its paths as seen from where the program runs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    /// The file of items.
    pub(crate) items: PathBuf,
    /// The files of ratings.
    pub(crate) ratings: Vec<PathBuf>,
    /// Which column is what.
    pub(crate) columns: ColumnNames,
    /// What stands between categories.
    pub(crate) separator: Option<String>,
    /// The ratings' scale.
    pub(crate) scale: Option<Scale>,
    /// Whether ratings without times are in order.
    pub(crate) ordered: bool,
    /// What to train.
    pub(crate) model: Option<ModelKind>,
    /// The seed of every random number.
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
    /// Reads a configuration file. Its paths are relative to its folder.
    ///
    /// # Errors
    /// A file that can't be read or isn't TOML, with the line; a key that nobody knows, with the nearest one; a value of another form.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = fs::read_to_string(path).with_context(|| {
            format!("{shown} can't be read. Give the {CONFIG_FILE} that `trainer new FOLDER` writes with --config.")
        })?;
        Self::parse(&text, path.parent().unwrap_or(Path::new(""))).with_context(|| format!("{shown} can't be used"))
    }

    fn parse(text: &str, folder: &Path) -> Result<Self> {
        let table: Table = toml::from_str(text)?;
        for (section, value) in &table {
            let sections = KNOWN.map(|(name, _)| name);
            let Some((_, keys)) = KNOWN.into_iter().find(|(name, _)| name == section) else {
                bail!(
                    "there is no section [{section}]{}; the sections are {}",
                    meant(section, &sections),
                    sections.join(", ")
                );
            };
            let Value::Table(inner) = value else {
                bail!("{section} is a section: write it as [{section}], with a key a line below it");
            };
            if let Some(key) = inner.keys().find(|key| !keys.contains(&key.as_str())) {
                bail!("[{section}] has no key {key}{}; its keys are {}", meant(key, keys), keys.join(", "));
            }
        }
        let File { items, ratings, model, out } = toml::from_str(text)?;
        let mut columns = ColumnNames::default();
        name(&mut columns, Kind::Items, &items.columns)?;
        name(&mut columns, Kind::Ratings, &ratings.columns)?;
        let kind = |kind: String| {
            let known: Vec<String> = ModelKind::value_variants()
                .iter()
                .filter_map(|model| Some(model.to_possible_value()?.get_name().to_owned()))
                .collect();
            let unknown = || format!("[model] kind: there is no model {kind:?}; there are {}", known.join(", "));
            ModelKind::from_str(&kind, false).ok().with_context(unknown)
        };
        ensure!(!ratings.files.is_empty(), "[ratings] files: name at least one file");
        Ok(Self {
            items: folder.join(items.file),
            ratings: ratings.files.iter().map(|file| folder.join(file)).collect(),
            columns,
            separator: items.separator,
            scale: ratings.scale.map(|scale| scale.parse()).transpose().context("[ratings] scale")?,
            ordered: ratings.ordered,
            model: model.kind.map(kind).transpose()?,
            seed: model.seed,
            out: folder.join(out.folder),
        })
    }
}

/// Takes over what a section says of its columns.
fn name(columns: &mut ColumnNames, kind: Kind, said: &Table) -> Result<()> {
    let section = if kind == Kind::Items { "items" } else { "ratings" };
    let known: Vec<&str> = kind.roles().iter().map(|role| role.name()).collect();
    for (key, value) in said {
        let Some(role) = Role::ALL.into_iter().find(|role| role.name() == key && kind.roles().contains(role)) else {
            bail!("[{section}] columns has no key {key}{}; its keys are {}", meant(key, &known), known.join(", "));
        };
        let Value::String(column) = value else {
            bail!("[{section}] columns: {key} is the name of a column, in quotes")
        };
        columns.name(Some(kind), role, column);
    }
    Ok(())
}

fn meant(name: &str, known: &[&str]) -> String {
    nearest_name(name, known.iter().copied()).map_or_else(String::new, |name| format!(" (did you mean {name}?)"))
}

/// The text of a configuration file for these files, with all that it may say in comments.
pub fn config_text(items: &str, ratings: &str) -> String {
    include_str!("config/watchnext.toml").replace("{items}", items).replace("{ratings}", ratings)
}

/// Writes a folder for a catalogue of one's own: a configuration file to fill in, and what to do with it.
///
/// # Errors
/// A folder that has such a file, and one that can't be written to.
pub fn scaffold(folder: &Path) -> Result<()> {
    let file = folder.join(CONFIG_FILE);
    ensure!(
        !file.exists(),
        "{} is there already, and would be lost. Choose another folder, or edit it.",
        file.display()
    );
    let place = || format!("{} can't be written to. Mend the rights, or choose another folder.", folder.display());
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
    fn what_is_left_out_has_its_default() {
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
        // Every line that is commented out is one that may be said.
        let all: String = text
            .lines()
            .map(|line| line.strip_prefix("# ").filter(|line| line.contains(" = ")).unwrap_or(line))
            .fold(String::new(), |text, line| text + line + "\n");
        let full = Config::parse(&all, Path::new("")).unwrap();
        assert_eq!(
            full.columns.to_string(),
            "items.categories=subjects,items.item=isbn,items.title=name,items.year=published,ratings.item=isbn,ratings.rating=stars,ratings.time=date,ratings.user=reader"
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
    fn what_nobody_knows_is_refused_with_the_nearest() {
        assert!(refusal(&LEAST.replace("[items]", "[item]")).contains("did you mean items?"));
        assert!(
            refusal(&format!("{LEAST}colums = {{}}\n")).contains("[ratings] has no key colums (did you mean columns?)")
        );
        assert!(refusal(&format!("{LEAST}columns = {{ raiting = \"stars\" }}\n")).contains("did you mean rating?"));
        assert!(refusal(&format!("{LEAST}columns = {{ title = \"name\" }}\n")).contains("has no key title"));
        assert!(refusal(&format!("{LEAST}scale = \"10..1\"\n")).contains("[ratings] scale"));
        assert!(refusal(&format!("{LEAST}[model]\nkind = \"towr\"\n")).contains("there are tower"));
        assert!(refusal("[items]\nfile = \n").contains("line 2"));
        assert!(refusal("[items]\nfile = \"i.csv\"\n").contains("ratings"));
        assert!(refusal("items = 3\n").contains("[items]"));
    }
}
