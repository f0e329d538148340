//! Which column of a file is what: named with `--columns`, or known by its usual name.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use anyhow::{Result, bail};

use super::problems::quoted;

/// What a column can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Who rated.
    User,
    /// What was rated: the item's id, in both files.
    Item,
    /// How it was liked.
    Rating,
    /// When.
    Time,
    /// What the item is called.
    Title,
    /// The item's categories, parted by a separator.
    Categories,
    /// The year in which the item came out.
    Year,
}

/// Which of the two kinds of files a column is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One item a row.
    Items,
    /// One rating a row.
    Ratings,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::User, Self::Item, Self::Rating, Self::Time, Self::Title, Self::Categories, Self::Year];

    /// What `--columns` calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Item => "item",
            Self::Rating => "rating",
            Self::Time => "time",
            Self::Title => "title",
            Self::Categories => "categories",
            Self::Year => "year",
        }
    }

    /// What it is, in words.
    const fn meaning(self) -> &'static str {
        match self {
            Self::User => "who rated",
            Self::Item => "the item's id",
            Self::Rating => "how it was liked",
            Self::Time => "when",
            Self::Title => "what the item is called",
            Self::Categories => "its categories",
            Self::Year => "the year it came out",
        }
    }

    /// The columns' usual names, small and without signs, the likeliest first.
    const fn usual(self) -> &'static [&'static str] {
        match self {
            Self::User => &[
                "userid",
                "user",
                "uid",
                "readerid",
                "reader",
                "customerid",
                "customer",
                "visitorid",
                "visitor",
                "memberid",
                "member",
                "reviewerid",
            ],
            Self::Item => &[
                "movieid",
                "itemid",
                "item",
                "movie",
                "bookid",
                "book",
                "isbn13",
                "isbn",
                "asin",
                "productid",
                "product",
                "filmid",
                "film",
                "recipeid",
                "recipe",
                "id",
            ],
            Self::Rating => &["rating", "stars", "score", "bookrating", "overall", "grade"],
            Self::Time => &["timestamp", "time", "date", "datetime", "ratedat", "createdat"],
            Self::Title => &["title", "name", "booktitle", "movietitle"],
            Self::Categories => &["genres", "genre", "categories", "category", "tags", "subjects"],
            Self::Year => &["year", "releaseyear", "publicationyear", "yearofpublication"],
        }
    }
}

impl Kind {
    /// The columns that such a file may have.
    pub(crate) const fn roles(self) -> &'static [Role] {
        match self {
            Self::Items => &[Role::Item, Role::Title, Role::Categories, Role::Year],
            Self::Ratings => &[Role::User, Role::Item, Role::Rating, Role::Time],
        }
    }

    /// The columns that such a file can't do without.
    const fn needed(self) -> &'static [Role] {
        match self {
            Self::Items => &[Role::Item, Role::Title],
            Self::Ratings => &[Role::User, Role::Item],
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Items => "items",
            Self::Ratings => "ratings",
        }
    }
}

/// One column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    /// Its name in the header.
    pub(crate) name: String,
    /// What keeps it from being read as one value a row, if something does: that it is a struct, say.
    pub(crate) unreadable: Option<String>,
    /// Whether it holds a list of texts a row, which categories may be.
    pub(crate) list: bool,
}

impl Column {
    /// A column of single values.
    pub(crate) fn plain(name: &str) -> Self {
        Self { name: name.to_owned(), unreadable: None, list: false }
    }

    /// Why it can't be this, if it can't.
    fn refusal(&self, role: Role) -> Option<&str> {
        let list =
            (self.list && role != Role::Categories).then_some("holds a list in each row where one value is needed");
        self.unreadable.as_deref().or(list)
    }
}

/// What `--columns` says: `user=reader,item=isbn`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnNames(Vec<Named>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    /// In which of the files; both, if it isn't said.
    kind: Option<Kind>,
    role: Role,
    /// Empty for a role that no column has.
    column: String,
}

impl ColumnNames {
    /// Says that a file's `role` is in `column`; with an empty name, that it has no such column.
    pub fn name(&mut self, kind: Option<Kind>, role: Role, column: &str) {
        self.0.push(Named { kind, role, column: column.to_owned() });
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn of(&self, kind: Kind, role: Role) -> Option<&str> {
        let fits = |named: &&Named| named.role == role && named.kind.is_none_or(|own| own == kind);
        // What is said of one file goes before what is said of both.
        let own = self.0.iter().filter(fits).max_by_key(|named| named.kind.is_some());
        own.map(|named| named.column.as_str())
    }
}

impl fmt::Display for ColumnNames {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.iter().map(Named::to_string).collect::<Vec<_>>().join(","))
    }
}

impl fmt::Display for Named {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, role, column } = self;
        let file = kind.map_or_else(String::new, |kind| format!("{}.", kind.name()));
        write!(formatter, "{file}{}={column}", role.name())
    }
}

impl FromStr for ColumnNames {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut names = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let Some((role, column)) = part.split_once('=') else {
                bail!("{} isn't of the form ROLE=COLUMN, such as user=reader", quoted(part));
            };
            let (kind, role) = match role.trim().split_once('.') {
                Some(("items", role)) => (Some(Kind::Items), role),
                Some(("ratings", role)) => (Some(Kind::Ratings), role),
                Some((other, _)) => bail!("there is no file {}; before the dot stands items or ratings", quoted(other)),
                None => (None, role.trim()),
            };
            let Some(role) = Role::ALL.into_iter().find(|known| known.name() == role) else {
                let known = Role::ALL.map(Role::name);
                let nearest = nearest(role, known).map_or_else(String::new, |name| format!(" Did you mean {name}?"));
                bail!("there is no role {}; the roles are {}.{nearest}", quoted(role), known.join(", "));
            };
            if let Some(kind) = kind
                && !kind.roles().contains(&role)
            {
                bail!("{} isn't a column of {}, so {} says nothing", role.name(), kind.name(), quoted(part));
            }
            if names.0.iter().any(|named| (named.kind, named.role) == (kind, role)) {
                bail!("{} is named twice", role.name());
            }
            names.name(kind, role, column.trim());
        }
        Ok(names)
    }
}

/// The places of a file's columns by role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen(Vec<(Role, usize, String)>);

impl Chosen {
    /// The columns' places in the header.
    pub(crate) fn places(&self) -> Vec<usize> {
        self.0.iter().map(|(_, place, _)| *place).collect()
    }

    /// Where a role's value stands among those of [`places`](Self::places).
    pub(crate) fn slot(&self, role: Role) -> Option<usize> {
        self.0.iter().position(|(own, ..)| *own == role)
    }

    /// What the header calls a role's column.
    pub(crate) fn column(&self, role: Role) -> &str {
        self.0.iter().find(|(own, ..)| *own == role).map_or(role.name(), |(_, _, name)| name)
    }

    /// `user=reader, item=isbn`.
    pub(crate) fn in_words(&self) -> String {
        self.0.iter().map(|(role, _, name)| format!("{}={name}", role.name())).collect::<Vec<_>>().join(", ")
    }
}

/// MovieLens's own columns, all of which must be there.
pub(crate) fn movielens(path: &Path, header: &[Column], kind: Kind) -> Result<Chosen> {
    let columns: &[(Role, &str)] = match kind {
        Kind::Items => &[(Role::Item, "movieId"), (Role::Title, "title"), (Role::Categories, "genres")],
        Kind::Ratings => {
            &[(Role::User, "userId"), (Role::Item, "movieId"), (Role::Rating, "rating"), (Role::Time, "timestamp")]
        }
    };
    exactly(path, header, &columns.iter().map(|(_, name)| *name).collect::<Vec<_>>()).map(|places| {
        Chosen(columns.iter().zip(places).map(|((role, name), place)| (*role, place, (*name).to_owned())).collect())
    })
}

/// The places of columns with these very names.
///
/// # Errors
/// Those that are missing, with the header.
pub(crate) fn exactly(path: &Path, header: &[Column], names: &[&str]) -> Result<Vec<usize>> {
    let place =
        |name: &&str| header.iter().position(|column| column.name == **name && column.refusal(Role::Item).is_none());
    let missing: Vec<String> =
        names.iter().filter(|name| place(name).is_none()).map(|name| format!("`{name}`")).collect();
    if !missing.is_empty() {
        bail!(
            "{}: line 1 has no column {}; it reads {}. The columns needed are {}, as in MovieLens's files. Another catalogue is \
             named with --items and --columns.",
            path.display(),
            missing.join(" and no column "),
            quoted(&header.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(",")),
            names.join(", ")
        );
    }
    Ok(names.iter().filter_map(place).collect())
}

/// Which column of the header is what, by `names` first and by the usual names otherwise.
///
/// # Errors
/// Everything that is wrong with the header at once, with the columns that there are, the nearest names, and the text for
/// `--columns` that would mend it.
pub(crate) fn choose(path: &Path, header: &[Column], kind: Kind, names: &ColumnNames) -> Result<Chosen> {
    let mut chosen: Vec<(Role, usize, String)> = Vec::new();
    let mut wrong: Vec<(Role, String)> = Vec::new();
    for role in kind.roles().iter().copied() {
        let needed = kind.needed().contains(&role);
        match names.of(kind, role) {
            // Said to have none.
            Some("") if !needed => {}
            Some("") => wrong.push((role, format!("{} ({}) can't be left out", role.name(), role.meaning()))),
            Some(name) => {
                let mut places = header.iter().enumerate().filter(|(_, column)| column.name == name);
                match (places.next(), places.next()) {
                    (Some((place, column)), None) => match column.refusal(role) {
                        None => chosen.push((role, place, name.to_owned())),
                        Some(why) => wrong.push((role, format!("column `{name}`, named for {}, {why}", role.name()))),
                    },
                    (Some(_), Some(_)) => wrong.push((
                        role,
                        format!(
                            "column `{name}`, named for {}, stands twice in the header; rename one of them",
                            role.name()
                        ),
                    )),
                    (None, _) => {
                        wrong.push((role, format!("there is no column `{name}`, which is named for {}", role.name())));
                    }
                }
            }
            None => match usual(header, kind, role) {
                Usual::Found(place, name) => chosen.push((role, place, name)),
                Usual::Nothing if needed => wrong.push((
                    role,
                    format!(
                        "no column is {} ({}): none has a usual name such as {}",
                        role.name(),
                        role.meaning(),
                        role.usual().iter().take(4).copied().collect::<Vec<_>>().join(", ")
                    ),
                )),
                Usual::Nothing => {}
                Usual::Wrong(words) => wrong.push((role, words)),
            },
        }
    }
    for (at, (role, place, name)) in chosen.iter().enumerate() {
        if let Some((other, ..)) = chosen.iter().take(at).find(|(_, before, _)| before == place) {
            wrong.push((*role, format!("column `{name}` is taken for {} and for {}", other.name(), role.name())));
        }
    }
    if wrong.is_empty() {
        return Ok(Chosen(chosen));
    }
    bail!("{}", explained(path, header, kind, names, &chosen, &wrong))
}

/// A role's column by its usual names.
enum Usual {
    Found(usize, String),
    Nothing,
    Wrong(String),
}

fn usual(header: &[Column], kind: Kind, role: Role) -> Usual {
    for name in role.usual() {
        // In a table of ratings `id` is the rating's own.
        if *name == "id" && kind == Kind::Ratings {
            continue;
        }
        let mut places = header.iter().enumerate().filter(|(_, column)| plain(&column.name) == *name);
        match (places.next(), places.next()) {
            (Some((place, column)), None) => {
                return match column.refusal(role) {
                    None => Usual::Found(place, column.name.clone()),
                    Some(why) => Usual::Wrong(format!("column `{}` {why}", column.name)),
                };
            }
            (Some((_, first)), Some((_, second))) => {
                return Usual::Wrong(format!(
                    "columns `{}` and `{}` could both be {}; rename one, or say which it is",
                    first.name,
                    second.name,
                    role.name()
                ));
            }
            (None, _) => {}
        }
    }
    Usual::Nothing
}

fn explained(
    path: &Path,
    header: &[Column],
    kind: Kind,
    names: &ColumnNames,
    chosen: &[(Role, usize, String)],
    wrong: &[(Role, String)],
) -> String {
    let mut free: Vec<&str> = header
        .iter()
        .enumerate()
        .filter(|(place, column)| {
            column.unreadable.is_none() && !column.list && !chosen.iter().any(|(_, taken, _)| taken == place)
        })
        .map(|(_, column)| column.name.as_str())
        .filter(|name| !name.is_empty())
        .collect();
    // What is said of the other file stays said.
    let of_other = |named: &&Named| named.kind.is_some_and(|own| own != kind) || !kind.roles().contains(&named.role);
    let mut mended: Vec<String> = names.0.iter().filter(of_other).map(Named::to_string).collect();
    let shared =
        |role: Role| role == Role::Item && names.0.iter().any(|named| named.kind.is_none() && named.role == role);
    if let Some(named) = names.0.iter().find(|named| named.kind.is_none() && shared(named.role)) {
        mended.push(named.to_string());
    }
    let prefix = |role: Role| if shared(role) { format!("{}.", kind.name()) } else { String::new() };
    let mut lines = String::new();
    let mut is_open = false;
    for role in kind.roles() {
        let Some((_, words)) = wrong.iter().find(|(own, _)| own == role) else {
            if let Some((_, _, name)) = chosen.iter().find(|(own, ..)| own == role)
                && names.of(kind, *role).is_some()
                && !shared(*role)
            {
                mended.push(format!("{}={name}", role.name()));
            }
            continue;
        };
        let asked = names.of(kind, *role).filter(|name| !name.is_empty());
        let likeness = |column: &str| {
            let usual = role.usual().iter().copied().map(|name| alike(name, column));
            asked.into_iter().map(|name| alike(name, column)).chain(usual).fold(0.0, f64::max)
        };
        let best = free.iter().copied().max_by(|left, right| likeness(left).total_cmp(&likeness(right)));
        lines.push_str(&format!("\n  {words}."));
        match best.filter(|name| likeness(name) >= NEAR) {
            Some(name) => {
                lines.push_str(&format!(" The nearest is `{name}`."));
                mended.push(format!("{}{}={name}", prefix(*role), role.name()));
                free.retain(|other| *other != name);
            }
            None => {
                is_open = true;
                mended.push(format!("{}{}={OPEN}", prefix(*role), role.name()));
            }
        }
    }
    let columns: Vec<String> = header.iter().map(|column| format!("`{}`", column.name)).collect();
    let delimiter = if header.len() == 1 {
        " A header of one column often means another delimiter: comma, semicolon and tab are read."
    } else {
        ""
    };
    let open = if is_open { format!(", with a column's name in place of {OPEN}") } else { String::new() };
    format!(
        "{}: line 1, the header, doesn't say enough of the {}:{lines}\n  The columns are {}.{delimiter}\n  Say which is which{open}: --columns {}",
        path.display(),
        kind.name(),
        columns.join(", "),
        mended.join(",")
    )
}

/// What stands for a column's name where none is near: a guess would be pasted and believed.
const OPEN: &str = "COLUMN";

/// From here on two names are near enough to speak of it. At 0.7 four letters are near to any longer word that has them in some
/// order: `asin` to `ratings`.
const NEAR: f64 = 0.8;

/// The known name that is nearest to one that isn't, if any is near.
pub(crate) fn nearest<'known>(name: &str, known: impl IntoIterator<Item = &'known str>) -> Option<&'known str> {
    let best =
        known.into_iter().map(|known| (alike(known, name), known)).max_by(|left, right| left.0.total_cmp(&right.0));
    best.filter(|(likeness, _)| *likeness >= NEAR).map(|(_, name)| name)
}

/// How alike two names are, from 0 to 1; a name within the other counts as near.
fn alike(left: &str, right: &str) -> f64 {
    let (left, right) = (plain(left), plain(right));
    let within = left.len().min(right.len()) > 2 && (left.contains(&right) || right.contains(&left));
    strsim::jaro_winkler(&left, &right).max(if within { 0.9 } else { 0.0 })
}

/// A name without signs and capitals.
fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn header(names: &[&str]) -> Vec<Column> {
        names.iter().map(|name| Column::plain(name)).collect()
    }

    fn found(names: &[&str], kind: Kind, said: &str) -> Result<String, String> {
        let chosen = choose(Path::new("r.csv"), &header(names), kind, &said.parse().unwrap());
        chosen.map(|chosen| chosen.in_words()).map_err(|error| error.to_string())
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
    fn what_is_named_goes_before_what_is_usual() {
        let names = ["userId", "reader", "book", "isbn", "rating"];
        assert_eq!(found(&names, Kind::Ratings, "user=reader,item=isbn,rating=").unwrap(), "user=reader, item=isbn");
        // Of one file alone.
        assert_eq!(
            found(&names, Kind::Ratings, "item=book,ratings.item=isbn").unwrap(),
            "user=userId, item=isbn, rating=rating"
        );
    }

    #[test]
    fn all_that_is_wrong_is_said_with_the_mending_text() {
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

    /// None of the columns is like any name of an id or a title, and `ratings` has the letters of `asin` in their order.
    #[test]
    fn where_no_column_is_near_none_is_guessed() {
        assert_eq!(
            found(&["shelf", "heading", "genres", "ratings"], Kind::Items, "").unwrap_err(),
            "r.csv: line 1, the header, doesn't say enough of the items:\n  \
             no column is item (the item's id): none has a usual name such as movieid, itemid, item, movie.\n  \
             no column is title (what the item is called): none has a usual name such as title, name, booktitle, movietitle.\n  \
             The columns are `shelf`, `heading`, `genres`, `ratings`.\n  \
             Say which is which, with a column's name in place of COLUMN: --columns item=COLUMN,title=COLUMN"
        );
    }

    #[test]
    fn what_columns_can_not_say_is_refused() {
        let refusal = |text: &str| text.parse::<ColumnNames>().unwrap_err().to_string();
        assert!(refusal("user").contains("ROLE=COLUMN"));
        assert!(refusal("raiting=stars").contains("Did you mean rating?"));
        assert!(refusal("user=a,user=b").contains("twice"));
        assert!(refusal("items.user=a").contains("isn't a column of items"));
        assert!(refusal("movies.item=a").contains("no file `movies`"));
        let text = "user=reader,items.item=isbn,time=";
        assert_eq!(text.parse::<ColumnNames>().unwrap().to_string(), text);
    }
}
