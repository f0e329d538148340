//! The roles that a column can have, and the names that are usual for each.

/// The role of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Who rated.
    User,
    /// The item's id, in both files.
    Item,
    /// The rating.
    Rating,
    /// When the item was rated.
    Time,
    /// The item's title.
    Title,
    /// The item's categories, with a separator between them.
    Categories,
    /// The year in which the item came out.
    Year,
}

/// The kind of a file.
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

    /// Its name in `--columns`.
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

    /// Its meaning, for a message.
    pub(super) const fn meaning(self) -> &'static str {
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

    /// Usual names of such a column in lower case and without punctuation, the likeliest first.
    #[rustfmt::skip]
    pub(super) const fn usual_names(self) -> &'static [&'static str] {
        match self {
            Self::User => &[
                "userid", "user", "uid", "readerid", "reader", "customerid", "customer", "visitorid", "visitor",
                "memberid", "member", "reviewerid",
            ],
            Self::Item => &[
                "movieid", "itemid", "item", "movie", "bookid", "book", "isbn13", "isbn", "asin", "productid",
                "product", "filmid", "film", "recipeid", "recipe", "id",
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
    /// The roles that the columns of such a file may have.
    pub(crate) const fn roles(self) -> &'static [Role] {
        match self {
            Self::Items => &[Role::Item, Role::Title, Role::Categories, Role::Year],
            Self::Ratings => &[Role::User, Role::Item, Role::Rating, Role::Time],
        }
    }

    /// The roles that such a file must have a column for.
    pub(super) const fn required(self) -> &'static [Role] {
        match self {
            Self::Items => &[Role::Item, Role::Title],
            Self::Ratings => &[Role::User, Role::Item],
        }
    }

    /// Its name in `--columns` and in messages.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Items => "items",
            Self::Ratings => "ratings",
        }
    }
}
