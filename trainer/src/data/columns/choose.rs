//! The choice of a file's columns by their roles, and what to say where it isn't clear.

use std::fmt;
use std::path::Path;

use anyhow::{Result, bail};

use super::header::Column;
use super::names::ColumnNames;
use super::role::{Kind, Role};
use super::similarity::{NEAR, letters_of, similarity};
use crate::data::problems::quoted;

/// Takes the place of a column's name if none is near. A guess would be pasted and believed.
const PLACEHOLDER: &str = "COLUMN";

/// The columns of a file that have a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChosenColumns(Vec<ChosenColumn>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct ChosenColumn {
    role: Role,
    /// Its place in the header.
    place: usize,
    /// Its name in the header.
    name: String,
}

impl ChosenColumns {
    /// The columns' places in the header.
    pub(crate) fn places(&self) -> Vec<usize> {
        self.0.iter().map(|column| column.place).collect()
    }

    /// The index of a role's column among [`places`](Self::places).
    pub(crate) fn slot(&self, role: Role) -> Option<usize> {
        self.0.iter().position(|column| column.role == role)
    }

    /// The name of a role's column in the header.
    pub(crate) fn name(&self, role: Role) -> &str {
        self.0.iter().find(|column| column.role == role).map_or(role.name(), |column| &column.name)
    }

    /// A role's value in a row whose `fields` are those of [`places`](Self::places), trimmed; empty without such a
    /// column.
    pub(crate) fn value<'row>(&self, role: Role, fields: &[&'row str]) -> &'row str {
        self.slot(role).and_then(|slot| fields.get(slot)).map_or("", |text| text.trim())
    }
}

/// `user=reader, item=isbn`.
impl fmt::Display for ChosenColumns {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> =
            self.0.iter().map(|column| format!("{}={}", column.role.name(), column.name)).collect();
        formatter.write_str(&parts.join(", "))
    }
}

/// The columns of one of MovieLens's files. All of them must be there.
///
/// # Errors
/// As [`find_columns`].
pub(crate) fn movielens(path: &Path, header: &[Column], kind: Kind) -> Result<ChosenColumns> {
    let columns: &[(Role, &str)] = match kind {
        Kind::Items => &[(Role::Item, "movieId"), (Role::Title, "title"), (Role::Categories, "genres")],
        Kind::Ratings => {
            &[(Role::User, "userId"), (Role::Item, "movieId"), (Role::Rating, "rating"), (Role::Time, "timestamp")]
        }
    };
    let places = find_columns(path, header, &columns.iter().map(|(_, name)| *name).collect::<Vec<_>>())?;
    let chosen = columns.iter().zip(places);
    Ok(ChosenColumns(
        chosen.map(|((role, name), place)| ChosenColumn { role: *role, place, name: (*name).to_owned() }).collect(),
    ))
}

/// The places of the columns with exactly these names.
///
/// # Errors
/// The missing columns, with the header.
pub(crate) fn find_columns(path: &Path, header: &[Column], names: &[&str]) -> Result<Vec<usize>> {
    let place =
        |name: &&str| header.iter().position(|column| column.name == **name && column.refusal(Role::Item).is_none());
    let missing: Vec<String> =
        names.iter().filter(|name| place(name).is_none()).map(|name| format!("`{name}`")).collect();
    if !missing.is_empty() {
        bail!(
            "{}: line 1 has no column {}; it reads {}. The columns needed are {}, as in MovieLens's files. \
             For another catalogue, give --items and --columns.",
            path.display(),
            missing.join(" and no column "),
            quoted(&header.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(",")),
            names.join(", ")
        );
    }
    Ok(names.iter().filter_map(place).collect())
}

/// The columns of the header by their roles. A name in `names` overrides the usual names.
///
/// # Errors
/// Everything that is wrong with the header at once, with its columns, the nearest names, and a `--columns` that fixes
/// it.
pub(crate) fn choose(path: &Path, header: &[Column], kind: Kind, names: &ColumnNames) -> Result<ChosenColumns> {
    let mut chosen: Vec<ChosenColumn> = Vec::new();
    let mut wrong: Vec<(Role, String)> = Vec::new();
    for role in kind.roles().iter().copied() {
        let found = match names.get(kind, role) {
            Some("") => Ok(None),
            Some(name) => named_column(header, role, name).map(Some),
            None => usual_column(header, kind, role),
        };
        match found {
            Ok(Some(place)) => {
                let name = header.get(place).map_or_else(String::new, |column| column.name.clone());
                chosen.push(ChosenColumn { role, place, name });
            }
            Ok(None) if kind.required().contains(&role) => {
                wrong.push((role, missing(role, names.get(kind, role).is_some())));
            }
            Ok(None) => {}
            Err(words) => wrong.push((role, words)),
        }
    }
    for (at, column) in chosen.iter().enumerate() {
        if let Some(other) = chosen.iter().take(at).find(|before| before.place == column.place) {
            let words =
                format!("column `{}` is taken for {} and for {}", column.name, other.role.name(), column.role.name());
            wrong.push((column.role, words));
        }
    }
    if wrong.is_empty() {
        return Ok(ChosenColumns(chosen));
    }
    bail!("{}", explain(path, header, kind, names, &chosen, &wrong))
}

/// The place of the column that `--columns` names for a role, or why it can't be that.
fn named_column(header: &[Column], role: Role, name: &str) -> Result<usize, String> {
    let mut places = header.iter().enumerate().filter(|(_, column)| column.name == name);
    match (places.next(), places.next()) {
        (Some((place, column)), None) => match column.refusal(role) {
            None => Ok(place),
            Some(why) => Err(format!("column `{name}`, named for {}, {why}", role.name())),
        },
        (Some(_), Some(_)) => {
            Err(format!("column `{name}`, named for {}, occurs twice in the header; rename one of them", role.name()))
        }
        (None, _) => Err(format!("there is no column `{name}`, which is named for {}", role.name())),
    }
}

/// The place of the column that has one of a role's usual names, if there is one, or why the choice isn't clear.
fn usual_column(header: &[Column], kind: Kind, role: Role) -> Result<Option<usize>, String> {
    for name in role.usual_names() {
        // In a table of ratings, `id` is the rating's own.
        if *name == "id" && kind == Kind::Ratings {
            continue;
        }
        let mut places = header.iter().enumerate().filter(|(_, column)| letters_of(&column.name) == *name);
        match (places.next(), places.next()) {
            (Some((place, column)), None) => {
                return match column.refusal(role) {
                    None => Ok(Some(place)),
                    Some(why) => Err(format!("column `{}` {why}", column.name)),
                };
            }
            (Some((_, first)), Some((_, second))) => {
                return Err(format!(
                    "columns `{}` and `{}` could both be {}; rename one, or name the right one",
                    first.name,
                    second.name,
                    role.name()
                ));
            }
            (None, _) => {}
        }
    }
    Ok(None)
}

/// The complaint about a required role without a column.
fn missing(role: Role, is_left_out: bool) -> String {
    if is_left_out {
        return format!("{} ({}) can't be left out", role.name(), role.meaning());
    }
    let usual: Vec<&str> = role.usual_names().iter().take(4).copied().collect();
    format!("no column is {} ({}): none has a usual name such as {}", role.name(), role.meaning(), usual.join(", "))
}

/// The error text for a header: what is `wrong`, the columns that there are, and a `--columns` that fixes it.
fn explain(
    path: &Path,
    header: &[Column],
    kind: Kind,
    names: &ColumnNames,
    chosen: &[ChosenColumn],
    wrong: &[(Role, String)],
) -> String {
    let mut proposal = Proposal::new(header, kind, names, chosen);
    let mut lines = String::new();
    for role in kind.roles().iter().copied() {
        let Some((_, words)) = wrong.iter().find(|(own, _)| *own == role) else {
            proposal.keep(role, chosen);
            continue;
        };
        lines.push_str(&format!("\n  {words}."));
        if let Some(name) = proposal.add(role) {
            lines.push_str(&format!(" The nearest is `{name}`."));
        }
    }
    let columns: Vec<String> = header.iter().map(|column| format!("`{}`", column.name)).collect();
    let delimiter = if header.len() == 1 {
        " A header of one column often means another delimiter: comma, semicolon and tab are read."
    } else {
        ""
    };
    let open = if proposal.has_placeholder {
        format!(", with a column's name in place of {PLACEHOLDER}")
    } else {
        String::new()
    };
    format!(
        "{}: line 1, the header, doesn't say enough of the {}:{lines}\n  The columns are {}.{delimiter}\n  \
         Say which is which{open}: --columns {}",
        path.display(),
        kind.name(),
        columns.join(", "),
        proposal.parts.join(",")
    )
}

/// A `--columns` that fixes a header.
struct Proposal<'file> {
    kind: Kind,
    names: &'file ColumnNames,
    /// The names of the columns that have no role yet.
    unused: Vec<&'file str>,
    /// Its parts, such as `user=reader`.
    parts: Vec<String>,
    /// Whether a part has a [`PLACEHOLDER`].
    has_placeholder: bool,
}

impl<'file> Proposal<'file> {
    /// Begins with the parts of `names` that are about the other file or about both.
    fn new(header: &'file [Column], kind: Kind, names: &'file ColumnNames, chosen: &[ChosenColumn]) -> Self {
        let is_unused = |(place, column): &(usize, &Column)| {
            column.unreadable.is_none() && !column.list && !chosen.iter().any(|taken| taken.place == *place)
        };
        let unused = header.iter().enumerate().filter(is_unused).map(|(_, column)| column.name.as_str());
        let unused = unused.filter(|name| !name.is_empty()).collect();
        let of_other_file = names
            .iter()
            .filter(|named| named.kind.is_some_and(|own| own != kind) || !kind.roles().contains(&named.role));
        let of_both = names.iter().find(|named| named.kind.is_none() && named.role == Role::Item);
        let parts = of_other_file.chain(of_both).map(ToString::to_string).collect();
        Self { kind, names, unused, parts, has_placeholder: false }
    }

    /// Whether `names` has one name for this role in both files. Only the item's id is in both.
    fn is_shared(&self, role: Role) -> bool {
        role == Role::Item && self.names.iter().any(|named| named.kind.is_none() && named.role == role)
    }

    /// Keeps the name that was given for a role, if one was.
    fn keep(&mut self, role: Role, chosen: &[ChosenColumn]) {
        if let Some(column) = chosen.iter().find(|column| column.role == role)
            && self.names.get(self.kind, role).is_some()
            && !self.is_shared(role)
        {
            self.parts.push(format!("{}={}", role.name(), column.name));
        }
    }

    /// Adds the unused column that is nearest to the name given for a role or to its usual names, or a placeholder.
    fn add(&mut self, role: Role) -> Option<&'file str> {
        let given = self.names.get(self.kind, role).filter(|name| !name.is_empty());
        let nearness = |column: &str| {
            let names = given.into_iter().chain(role.usual_names().iter().copied());
            names.map(|name| similarity(name, column)).fold(0.0, f64::max)
        };
        let best = self.unused.iter().copied().max_by(|left, right| nearness(left).total_cmp(&nearness(right)));
        let nearest = best.filter(|name| nearness(name) >= NEAR);
        let prefix = if self.is_shared(role) { format!("{}.", self.kind.name()) } else { String::new() };
        self.parts.push(format!("{prefix}{}={}", role.name(), nearest.unwrap_or(PLACEHOLDER)));
        match nearest {
            Some(name) => self.unused.retain(|other| *other != name),
            None => self.has_placeholder = true,
        }
        nearest
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn header(names: &[&str]) -> Vec<Column> {
        names.iter().map(|name| Column::plain(name)).collect()
    }

    fn found(names: &[&str], kind: Kind, given: &str) -> Result<String, String> {
        let chosen = choose(Path::new("r.csv"), &header(names), kind, &given.parse().unwrap());
        chosen.map(|chosen| chosen.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn usual_names_are_known_however_they_are_written() {
        assert_eq!(
            found(&["User ID", "ISBN-13", "Stars", "date", "note"], Kind::Ratings, "").unwrap(),
            "user=User ID, item=ISBN-13, rating=Stars, time=date"
        );
        assert_eq!(found(&["id", "Name", "Tags"], Kind::Items, "").unwrap(), "item=id, title=Name, categories=Tags");
        // A rating's own id is no item's.
        assert!(found(&["id", "user"], Kind::Ratings, "").is_err());
    }

    #[test]
    fn given_names_override_usual_ones() {
        let names = ["userId", "reader", "book", "isbn", "rating"];
        assert_eq!(found(&names, Kind::Ratings, "user=reader,item=isbn,rating=").unwrap(), "user=reader, item=isbn");
        // A name for one file overrides a name for both.
        assert_eq!(
            found(&names, Kind::Ratings, "item=book,ratings.item=isbn").unwrap(),
            "user=userId, item=isbn, rating=rating"
        );
    }

    #[test]
    fn all_defects_are_listed_with_the_text_that_fixes_them() {
        let refusal = found(&["reeder", "isbn", "start"], Kind::Ratings, "rating=stars").unwrap_err();
        for part in
            ["line 1", "no column is user", "no column `stars`", "nearest is `start`", "`reeder`, `isbn`, `start`"]
        {
            assert!(refusal.contains(part), "{part}: {refusal}");
        }
        assert!(refusal.ends_with("--columns user=reeder,rating=start"), "{refusal}");
        let twice = found(&["user", "user", "item"], Kind::Ratings, "").unwrap_err();
        assert!(twice.contains("could both be user"), "{twice}");
    }

    /// The name of the item's id in both files stays, and the proposal is for the file that lacks it.
    #[test]
    fn a_proposal_keeps_the_names_of_the_other_file() {
        let refusal = found(&["user", "isbm"], Kind::Ratings, "item=isbn,title=name").unwrap_err();
        assert!(refusal.ends_with("--columns title=name,item=isbn,ratings.item=isbm"), "{refusal}");
    }

    /// None of the columns is like any name of an id or a title, and `ratings` has the letters of `asin` in their
    /// order.
    #[test]
    fn no_column_is_guessed_if_none_is_near() {
        assert_eq!(
            found(&["shelf", "heading", "genres", "ratings"], Kind::Items, "").unwrap_err(),
            "r.csv: line 1, the header, doesn't say enough of the items:\n  \
             no column is item (the item's id): none has a usual name such as movieid, itemid, item, movie.\n  \
             no column is title (what the item is called): none has a usual name such as title, name, booktitle, \
             movietitle.\n  \
             The columns are `shelf`, `heading`, `genres`, `ratings`.\n  \
             Say which is which, with a column's name in place of COLUMN: --columns item=COLUMN,title=COLUMN"
        );
    }
}
