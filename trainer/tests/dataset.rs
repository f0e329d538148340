//! Wrong data are rejected with their file, their line and a remedy. Nothing is dropped silently.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::Path;

use trainer::data::Dataset;
use watchnext::catalog::MovieId;

const MOVIES: &str = "movieId,title,genres\n1,Toy Story (1995),Adventure|Animation\n6,Heat (1995),Action|Crime\n\
                      7,\"Sabrina, The (1995)\",(no genres listed)\n";
const RATINGS: &str = "userId,movieId,rating,timestamp\n1,1,4.0,964982703\n1,6,4.5,964982224\n2,6,3.0,964982224\n";

fn read(movies: &str, ratings: &str) -> anyhow::Result<Dataset> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("movies.csv"), movies).unwrap();
    std::fs::write(folder.path().join("ratings.csv"), ratings).unwrap();
    Dataset::read(folder.path(), &[])
}

/// The data set with a further file of these ratings.
fn read_with_more(rows: &str) -> Dataset {
    let folder = tempfile::tempdir().unwrap();
    let more = folder.path().join("more.csv");
    std::fs::write(folder.path().join("movies.csv"), MOVIES).unwrap();
    std::fs::write(folder.path().join("ratings.csv"), RATINGS).unwrap();
    std::fs::write(&more, format!("userId,movieId,rating,timestamp\n{rows}")).unwrap();
    Dataset::read(folder.path(), &[more]).unwrap()
}

/// An error's message with all its causes.
fn refusal(movies: &str, ratings: &str) -> String {
    format!("{:#}", read(movies, ratings).unwrap_err())
}

#[test]
fn a_good_data_set_is_read_in_time_order_over_the_rated_movies() {
    let dataset = read(MOVIES, RATINGS).unwrap();
    let titles: Vec<&str> = dataset.catalog.movies().iter().map(|movie| movie.title.as_str()).collect();
    // Sabrina has no rating and so no row in any table.
    assert_eq!(titles, ["Toy Story", "Heat"]);
    assert_eq!(dataset.catalog.genres(), ["Action", "Adventure", "Animation", "Crime"]);
    assert_eq!(dataset.catalog.movies()[1].ratings, 2);
    let times: Vec<i64> = dataset.users[0].events.iter().map(|event| event.timestamp).collect();
    assert_eq!(times, [964_982_224, 964_982_703]);
    assert_eq!(dataset.sources[1].rows, 3);
}

#[test]
fn equal_times_keep_the_order_of_the_file() {
    let ratings = "userId,movieId,rating,timestamp\n1,7,4.0,5\n1,1,4.0,5\n1,6,4.0,5\n";
    let dataset = read(MOVIES, ratings).unwrap();
    let ids: Vec<MovieId> =
        dataset.users[0].events.iter().map(|event| dataset.catalog.movie(event.movie).unwrap().id).collect();
    assert_eq!(ids, [7, 1, 6].map(MovieId));
}

#[test]
fn more_ratings_of_the_same_catalogue_join() {
    let dataset = read_with_more("100001,7,5.0,1\n");
    assert_eq!((dataset.users.len(), dataset.catalog.len(), dataset.ratings()), (3, 3, 4));
    assert_eq!(dataset.catalog.movies()[2].title, "The Sabrina");
}

/// The further file has a user of the folder's own file, who stays one, and a stranger with the smallest id.
#[test]
fn users_of_further_files_come_after_the_folders_own() {
    let dataset = read_with_more("0,7,5.0,1\n2,7,5.0,1\n");
    assert_eq!(dataset.users.iter().map(|user| user.id).collect::<Vec<_>>(), [1, 2, 0]);
    assert_eq!((dataset.main_users, dataset.users[1].events.len()), (2, 2));
}

#[test]
fn a_wrong_row_is_named_by_file_line_column_and_content() {
    let cases = [
        ("1,1,four,5", "column `rating`"),
        ("1,1,4.0", "line 3"),
        ("1,1,4.0,5,6", "line 3"),
        ("1,1,9.5,5", "outside 0.5 to 5"),
        ("1,1,NaN,5", "outside 0.5 to 5"),
        ("1,1,4.0,5.5", "column `timestamp`"),
        ("1,1,4.0,99999999999999999", "timestamp"),
        ("1,999,4.0,5", "movie 999 isn't in movies.csv"),
        ("-1,1,4.0,5", "column `userId`"),
        (",1,4.0,5", "column `userId`"),
    ];
    for (row, reason) in cases {
        let message = refusal(MOVIES, &format!("userId,movieId,rating,timestamp\n1,6,4.0,1\n{row}\n2,6,4.0,1\n"));
        assert!(message.contains("ratings.csv") && message.contains("line 3"), "{row}: {message}");
        assert!(message.contains(reason), "{row}: {message}");
    }
}

#[test]
fn a_duplicate_rating_names_both_lines() {
    let message = refusal(MOVIES, "userId,movieId,rating,timestamp\n1,6,4.0,1\n1,1,4.0,2\n1,6,2.0,3\n");
    assert!(message.contains("line 4") && message.contains("line 2") && message.contains("twice"), "{message}");
}

#[test]
fn wrong_movies_are_named_too() {
    let twice = refusal("movieId,title,genres\n1,A (1990),Drama\n1,B (1991),Drama\n", RATINGS);
    assert!(twice.contains("movies.csv: line 3") && twice.contains("twice"), "{twice}");
    let untitled = refusal("movieId,title,genres\n1,,Drama\n", RATINGS);
    assert!(untitled.contains("line 2") && untitled.contains("title is empty"), "{untitled}");
    let not_text = refusal("movieId,title,genres\n1,\"A\nB\" x\",Drama\n", RATINGS);
    assert!(not_text.contains("movies.csv"), "{not_text}");
}

#[test]
fn empty_files_and_other_tables_have_their_own_errors() {
    assert!(refusal("", RATINGS).contains("movies.csv is empty"));
    assert!(refusal(MOVIES, "").contains("ratings.csv is empty"));
    assert!(refusal(MOVIES, "userId,movieId,rating,timestamp\n").contains("no rows"));
    let page = refusal(MOVIES, "<!doctype html>\n<html>\n");
    assert!(page.contains("has no column `userId`") && page.contains("doctype"), "{page}");
    let tags = refusal(MOVIES, "userId,movieId,tag,timestamp\n1,1,funny,5\n");
    assert!(tags.contains("has no column `rating`"), "{tags}");
}

#[test]
fn bytes_that_are_not_text_are_an_error_with_a_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("movies.csv"), [MOVIES.as_bytes(), b"9,\xff\xfe (1990),Drama\n"].concat())
        .unwrap();
    std::fs::write(folder.path().join("ratings.csv"), RATINGS).unwrap();
    let message = format!("{:#}", Dataset::read(folder.path(), &[]).unwrap_err());
    assert!(message.contains("line 5"), "{message}");
}

#[test]
fn a_missing_folder_or_file_says_what_to_give() {
    let message = format!("{:#}", Dataset::read(Path::new("/no/such/folder"), &[]).unwrap_err());
    assert!(message.contains("--data"), "{message}");
    let folder = tempfile::tempdir().unwrap();
    let message = format!("{:#}", Dataset::read(folder.path(), &[]).unwrap_err());
    assert!(message.contains("movies.csv can't be read"), "{message}");
}

#[test]
fn carriage_returns_quotes_and_a_byte_order_mark_are_read() {
    let movies = format!("\u{feff}{}", MOVIES.replace('\n', "\r\n"));
    let dataset = read(&movies, &RATINGS.replace('\n', "\r\n")).unwrap();
    assert_eq!(dataset.ratings(), 3);
}
