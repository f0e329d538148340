//! Reads sequences and splits them by leave-one-out: a user's last movie is for the test, the one before it for the
//! validation, and the rest trains. Published figures on MovieLens 1M use this split (Kang and McAuley, *Self-Attentive
//! Sequential Recommendation*, ICDM 2018).

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use watchnext::bundle::sha256_hex;

/// The file in a folder of sequences.
pub const SEQUENCES_FILE: &str = "sequences.txt";

/// The fewest movies of a user. Two of them are kept back.
const LEAST_MOVIES: usize = 4;

/// One user's movies in the order of watching, as places in [`Sequences::movies`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSequence {
    /// The user's id in the file.
    pub id: u32,
    /// At least four movies, each once.
    pub watched: Vec<u32>,
}

/// The movie that a model has to predict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The last movie but one, for all choices.
    Validation,
    /// The last movie, for the final figures alone.
    Test,
}

impl UserSequence {
    /// The movies that train.
    pub fn training(&self) -> &[u32] {
        self.before(2)
    }

    /// The movies before the target, and the target.
    pub fn question(&self, target: Target) -> (&[u32], u32) {
        let kept_back = match target {
            Target::Validation => 2,
            Target::Test => 1,
        };
        let history = self.before(kept_back);
        (history, self.watched.get(history.len()).copied().unwrap_or_default())
    }

    fn before(&self, kept_back: usize) -> &[u32] {
        self.watched.get(..self.watched.len().saturating_sub(kept_back)).unwrap_or_default()
    }
}

/// All users' sequences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequences {
    /// The movies' ids in the file, in ascending order. Elsewhere, a movie is its place in this list.
    pub movies: Vec<u32>,
    /// The users in the file's order.
    pub users: Vec<UserSequence>,
    /// The SHA-256 of the file.
    pub sha256: String,
}

impl Sequences {
    /// Reads a file of lines `userId movieId movieId …`, or the [`SEQUENCES_FILE`] of a folder. A user's movies are in
    /// the order of watching.
    ///
    /// # Errors
    /// The line and the column of a word that isn't a number, of a duplicate user or movie, and of a user with fewer
    /// than four movies; and a file without users.
    pub fn read(path: &Path) -> Result<Self> {
        let file: PathBuf = if path.is_dir() { path.join(SEQUENCES_FILE) } else { path.to_owned() };
        let place = || {
            format!("{} can't be read. Give a file of lines \"userId movieId movieId …\" with --data.", file.display())
        };
        let text = fs::read_to_string(&file).with_context(place)?;
        Self::parse(&text).with_context(|| format!("{} can't be used", file.display()))
    }

    /// As [`Sequences::read`], from a file's text.
    ///
    /// # Errors
    /// As [`Sequences::read`].
    pub fn parse(text: &str) -> Result<Self> {
        let mut lines_of_users: HashMap<u32, usize> = HashMap::new();
        let mut users: Vec<UserSequence> = Vec::new();
        for (line, text) in text.lines().enumerate().map(|(at, text)| (at + 1, text)) {
            if text.trim().is_empty() {
                continue;
            }
            let ids: Vec<u32> = ids(text).with_context(|| format!("line {line}"))?;
            let Some((user, watched)) = ids.split_first() else { continue };
            if let Some(earlier) = lines_of_users.insert(*user, line) {
                bail!("line {line}: the user {user} is in line {earlier} too. Write a user's movies in one line.");
            }
            let found = watched.len();
            ensure!(
                found >= LEAST_MOVIES,
                "line {line}: the user {user} has {found} movies, and {LEAST_MOVIES} are the fewest, because two are \
                 kept back. Leave the user out."
            );
            let mut columns: HashMap<u32, usize> = HashMap::with_capacity(found);
            for (column, movie) in watched.iter().enumerate().map(|(at, movie)| (at + 2, movie)) {
                if let Some(earlier) = columns.insert(*movie, column) {
                    bail!(
                        "line {line}: the movie {movie} is in the columns {earlier} and {column}, but a watched \
                         movie can't be a target. Keep the first."
                    );
                }
            }
            users.push(UserSequence { id: *user, watched: watched.to_vec() });
        }
        ensure!(!users.is_empty(), "it has no user. Write lines \"userId movieId movieId …\".");
        let mut movies: Vec<u32> = users.iter().flat_map(|user| user.watched.iter().copied()).collect();
        movies.sort_unstable();
        movies.dedup();
        for movie in users.iter_mut().flat_map(|user| &mut user.watched) {
            let place = movies.binary_search(movie).ok().context("a movie that isn't in its own list")?;
            *movie = u32::try_from(place)?;
        }
        Ok(Self { movies, users, sha256: sha256_hex(text.as_bytes()) })
    }

    /// The number of movies, which are a model's classes.
    pub const fn len(&self) -> usize {
        self.movies.len()
    }

    /// Whether there are no movies, which can't be after reading a file.
    pub const fn is_empty(&self) -> bool {
        self.movies.is_empty()
    }

    /// Each user's history and target.
    pub fn questions(&self, target: Target) -> Vec<(&[u32], u32)> {
        self.users.iter().map(|user| user.question(target)).collect()
    }
}

/// A line's numbers.
fn ids(text: &str) -> Result<Vec<u32>> {
    let word = |(at, word): (usize, &str)| {
        word.parse().with_context(|| {
            format!("column {}: {word:?} isn't an id. Write a whole number from 0 to 4294967295", at + 1)
        })
    };
    text.split_whitespace().enumerate().map(word).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn refusal(text: &str) -> String {
        format!("{:#}", Sequences::parse(text).unwrap_err())
    }

    #[test]
    fn the_last_two_movies_are_kept_back_and_the_tests_history_includes_the_validations() {
        let sequences = Sequences::parse("7 30 10 20 50\n\n3 20 30 10 40 50\n").unwrap();
        assert_eq!(sequences.movies, [10, 20, 30, 40, 50]);
        let user = &sequences.users[0];
        assert_eq!((user.id, user.training()), (7, [2, 0].as_slice()));
        assert_eq!(user.question(Target::Validation), ([2, 0].as_slice(), 1));
        assert_eq!(user.question(Target::Test), ([2, 0, 1].as_slice(), 4));
    }

    #[test]
    fn errors_give_the_line_and_the_column() {
        assert!(refusal("1 10 20 30 40\n2 10 x 30 40").contains("line 2: column 3: \"x\""));
        assert!(refusal("1 10 20 30 40\n\n1 10 20 30 40").contains("line 3: the user 1 is in line 1 too"));
        assert!(refusal("1 10 20 30").contains("has 3 movies"));
        assert!(refusal("1 10 20 10 40").contains("the movie 10 is in the columns 2 and 4"));
        assert!(refusal("1 10 -20 30 40").contains("column 3"));
        assert!(refusal(" \n").contains("no user"));
        let missing = Sequences::read(Path::new("no/such/file")).unwrap_err().to_string();
        assert!(missing.contains("--data"), "{missing}");
    }
}
