//! The value of `--columns`.

use std::fmt;
use std::str::FromStr;

use anyhow::{Result, bail};

use super::role::{Kind, Role};
use super::similarity::nearest_name;
use crate::data::problems::quoted;

/// The value of `--columns`, such as `user=reader,item=isbn`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnNames(Vec<NamedColumn>);

/// One part of `--columns`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedColumn {
    /// The file that it is about; both if none is given.
    pub(super) kind: Option<Kind>,
    /// The column's role.
    pub(super) role: Role,
    /// The column's name in the header; empty if no column has this role.
    pub(super) column: String,
}

impl ColumnNames {
    /// Gives `column` a role in one file, or in both. An empty name says that no column has the role.
    pub fn name(&mut self, kind: Option<Kind>, role: Role, column: &str) {
        self.0.push(NamedColumn { kind, role, column: column.to_owned() });
    }

    /// Whether no column is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name given for a role. A name for one file overrides a name for both.
    pub(super) fn get(&self, kind: Kind, role: Role) -> Option<&str> {
        let fits = |named: &&NamedColumn| named.role == role && named.kind.is_none_or(|own| own == kind);
        let own = self.0.iter().filter(fits).max_by_key(|named| named.kind.is_some());
        own.map(|named| named.column.as_str())
    }

    /// All parts, in the order in which they were given.
    pub(super) fn iter(&self) -> impl Iterator<Item = &NamedColumn> {
        self.0.iter()
    }
}

impl fmt::Display for ColumnNames {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.iter().map(NamedColumn::to_string).collect::<Vec<_>>().join(","))
    }
}

impl fmt::Display for NamedColumn {
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
                Some((other, _)) => bail!("there is no file {}; write items or ratings before the dot", quoted(other)),
                None => (None, role.trim()),
            };
            let Some(role) = Role::ALL.into_iter().find(|known| known.name() == role) else {
                let known = Role::ALL.map(Role::name);
                let nearest =
                    nearest_name(role, known).map_or_else(String::new, |name| format!(" Did you mean {name}?"));
                bail!("there is no role {}; the roles are {}.{nearest}", quoted(role), known.join(", "));
            };
            if let Some(kind) = kind
                && !kind.roles().contains(&role)
            {
                bail!("{} isn't a column of {}; remove {}", role.name(), kind.name(), quoted(part));
            }
            if names.iter().any(|named| (named.kind, named.role) == (kind, role)) {
                bail!("{} is named twice", role.name());
            }
            names.name(kind, role, column.trim());
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn wrong_names_are_refused() {
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
