//! The files that a bundle may hold.

use std::fmt;

use serde::Serialize;

/// The purpose of a file of a bundle. The order is that of the names, in which a manifest lists its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The movies; see [`crate::catalog`].
    Catalog,
    /// The movies' numbers elsewhere; see [`crate::links`].
    Links,
    /// The movies' places on the map; see [`crate::map`].
    Map,
    /// The movies' embeddings; see [`super::MovieEmbeddings`].
    Movies,
    /// The model of the second stage; see [`crate::ranker`].
    Ranker,
    /// The training states; see [`crate::states`].
    States,
    /// The ranker's tables about each movie; see [`crate::traits`].
    Traits,
    /// The model of the first stage; see [`crate::model`].
    UserTower,
}

impl Role {
    /// All roles, in order.
    pub const ALL: [Self; 8] = [
        Self::Catalog,
        Self::Links,
        Self::Map,
        Self::Movies,
        Self::Ranker,
        Self::States,
        Self::Traits,
        Self::UserTower,
    ];

    /// The role's name in manifests and errors.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Links => "links",
            Self::Map => "map",
            Self::Movies => "movies",
            Self::Ranker => "ranker",
            Self::States => "states",
            Self::Traits => "traits",
            Self::UserTower => "user_tower",
        }
    }

    /// The role of this name, `None` if it is no role's.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// The name that the trainer gives the file.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Catalog => "catalog.json",
            Self::Links => "links.json",
            Self::Map => "map.safetensors",
            Self::Movies => "movies.safetensors",
            Self::Ranker => "ranker.onnx",
            Self::States => "states.safetensors",
            Self::Traits => "traits.safetensors",
            Self::UserTower => "user_tower.onnx",
        }
    }

    /// Whether every bundle has the file. Suggestions can do without the others.
    pub const fn is_required(self) -> bool {
        matches!(self, Self::Catalog | Self::Movies | Self::UserTower)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn roles_go_by_one_name_everywhere_and_in_its_order() {
        let names = Role::ALL.map(Role::as_str);
        assert!(names.is_sorted() && Role::ALL.is_sorted());
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
            assert_eq!(Role::from_name(&role.to_string()), Some(role));
            assert!(role.file_name().starts_with(role.as_str()));
        }
        assert_eq!(Role::from_name("posters"), None);
    }
}
