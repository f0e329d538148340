//! A column as the header of its file describes it.

use super::role::Role;

/// One column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    /// Its name in the header.
    pub(crate) name: String,
    /// Why it can't be read as one value a row, if it can't: it is a struct, say.
    pub(crate) unreadable: Option<String>,
    /// Whether each row holds a list of texts, as categories may.
    pub(crate) list: bool,
}

impl Column {
    /// A column of single values.
    pub(crate) fn plain(name: &str) -> Self {
        Self { name: name.to_owned(), unreadable: None, list: false }
    }

    /// Why the column can't have this role, if it can't.
    pub(super) fn refusal(&self, role: Role) -> Option<&str> {
        let list =
            (self.list && role != Role::Categories).then_some("holds a list in each row where one value is needed");
        self.unreadable.as_deref().or(list)
    }
}
