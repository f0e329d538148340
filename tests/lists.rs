//! Lists of watched movies from elsewhere: every form, every defect, and arbitrary bytes.
#![cfg(not(target_arch = "wasm32"))]
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use std::time::{Duration, Instant};

use proptest::prelude::*;
use watchnext::catalog::{Catalog, Movie, MovieId};
use watchnext::links::Links;
use watchnext::lists::{ListFormat, MAX_LIST_BYTES, MAX_LIST_ROWS, MatchedBy, UnmatchedReason, WatchedList};

/// Id, title, year and IMDb's number. Lists and catalogues disagree about remakes, second titles, articles, a title
/// twice in a year, a movie without a year, and series.
const MOVIES: [(u32, &str, Option<u16>, u32); 13] = [
    (6, "Heat", Some(1995), 113_277),
    (9001, "Heat", Some(1986), 93_164),
    (2571, "The Matrix", Some(1999), 133_093),
    (6016, "City of God (Cidade de Deus)", Some(2002), 317_248),
    (47, "Seven (a.k.a. Se7en)", Some(1995), 114_369),
    (4973, "Amelie (Le Fabuleux destin d'Amélie Poulain)", Some(2001), 211_915),
    (838, "Emma", Some(1996), 116_191),
    (26_958, "Emma", Some(1996), 118_308),
    (1, "Toy Story", Some(1995), 114_709),
    (3785, "Crouching, Hidden", Some(2000), 0),
    (500, "Voyage", None, 0),
    (7, "Planet Earth", Some(2006), 795_176),
    (8, "The Fast and the Furious", Some(2001), 232_500),
];

fn catalog() -> Catalog {
    let movie = |(id, title, year, _): (u32, &str, Option<u16>, u32)| Movie {
        id: MovieId(id),
        key: None,
        title: title.to_owned(),
        year,
        genres: vec![],
        ratings: 1,
    };
    Catalog::new(vec![], MOVIES.map(movie).to_vec()).unwrap()
}

fn links() -> Links {
    Links::new(MOVIES.map(|movie| movie.3).to_vec(), vec![0; MOVIES.len()], &catalog()).unwrap()
}

fn read(text: impl AsRef<[u8]>) -> WatchedList {
    WatchedList::read(text.as_ref(), &catalog(), Some(&links())).unwrap()
}

type Found = (u32, Option<f32>, MatchedBy);

fn matched(list: &WatchedList) -> Vec<Found> {
    let id = |index| catalog().movie(index).unwrap().id.0;
    list.matched.iter().map(|found| (id(found.movie), found.rating.map(|rating| rating.stars()), found.by)).collect()
}

/// The rows that lead to no movie, with the reason in one word.
fn unmatched(list: &WatchedList) -> Vec<(usize, &'static str)> {
    let word = |reason: &UnmatchedReason| match reason {
        UnmatchedReason::NotInCatalog => "unknown",
        UnmatchedReason::Ambiguous => "ambiguous",
        UnmatchedReason::NotAMovie => "no movie",
        UnmatchedReason::Invalid { .. } => "invalid",
    };
    list.unmatched.iter().map(|row| (row.row, word(&row.reason))).collect()
}

fn detail(list: &WatchedList, at: usize) -> &str {
    match &list.unmatched[at].reason {
        UnmatchedReason::Invalid { detail } => detail,
        _ => "",
    }
}

fn refusal(bytes: &[u8]) -> String {
    let error = WatchedList::read(bytes, &catalog(), None).unwrap_err();
    assert_eq!(error.code(), "list-invalid");
    error.to_string()
}

use MatchedBy::{Id, Imdb, Title};

const WATCHED: &str = "Date,Name,Year,Letterboxd URI\n\
    2021-03-05,The Matrix,1999,https://boxd.it/2a1m\n\
    2021-03-04,Heat,1995,https://boxd.it/2bd8\n\
    2021-03-04,\"Crouching, Hidden\",2000,https://boxd.it/x\n\
    2021-03-06,Somewhere Else,1999,https://boxd.it/y\n";

const RATINGS: &str = "Date,Name,Year,Letterboxd URI,Rating\n\
    2021-03-04,Heat,1995,https://boxd.it/2bd8,4.5\n\
    2021-03-05,The Matrix,1999,https://boxd.it/2a1m,\n\
    2021-03-05,Toy Story,1995,https://boxd.it/z,0.5\n";

const DIARY: &str = "Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date\n\
    2021-03-09,Heat,1995,https://boxd.it/1,3,,\"cinema, late\",2021-01-02\n\
    2021-03-09,The Matrix,1999,https://boxd.it/2,5,,,2020-12-31\n\
    2021-03-10,Heat,1995,https://boxd.it/3,4,Yes,,2021-02-03\n\
    2021-03-11,Heat,1995,https://boxd.it/4,,Yes,,2021-03-01\n";

const IMDB: &str = "Const,Your Rating,Date Rated,Title,Original Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,\
    Genres,Num Votes,Release Date,Directors\n\
    tt0113277,9,2020-05-01,Heat,Heat,https://www.imdb.com/title/tt0113277,Movie,8.3,170,1995,\
    \"Action, Crime\",700000,1995-12-15,Michael Mann\n\
    tt9999999,10,2019-05-01,A City,Cidade de Deus,https://x,Movie,8.6,130,2002,Crime,1,2002-08-30,\n\
    tt0903747,8,2019-06-01,Breaking Bad,Breaking Bad,https://x,TV Series,9.5,45,2008,Crime,1,2008-01-20,\n\
    tt0795176,8,2019-07-01,Planet Earth,Planet Earth,https://x,TV Mini Series,9.4,538,2006,Documentary,1,2006-12-10,\n";

const MOVIELENS: &str = "movie_id,imdb_id,tmdb_id,rating,average_rating,title\n\
    6,0113277,949,4.5,3.9,Heat (1995)\n\
    2571,133093,603,5.0,4.2,\"Matrix, The (1999)\"\n\
    77777,0,0,3.0,3.5,Seven (1995)\n\
    77778,0,0,3.0,3.5,Nowhere (1997)\n";

const DATASET: &str = "userId,movieId,rating,timestamp\n\
    5,2571,3.0,964982700\n\
    5,6,4.0,964982703\n\
    5,424242,4.0,964982704\n\
    5,47,5.0,900000000\n";

const OWN: &str = "movieId,imdbId,title,year,rating\r\n\
    6,tt0113277,Heat,1995,4.5\r\n\
    ,,The Matrix,1999,\r\n\
    ,tt0114709,,,5\r\n\
    500,,Voyage,,2\r\n";

#[test]
fn letterboxd_gives_movies_in_the_order_of_their_dates() {
    let list = read(WATCHED);
    assert_eq!((list.format, list.rows), (ListFormat::LetterboxdWatched, 4));
    assert_eq!(matched(&list), [(6, None, Title), (3785, None, Title), (2571, None, Title)]);
    assert_eq!(unmatched(&list), [(5, "unknown")]);
    assert_eq!((list.unmatched[0].title.as_deref(), list.unmatched[0].year), (Some("Somewhere Else"), Some(1999)));
    let list = read(RATINGS);
    assert_eq!(list.format, ListFormat::LetterboxdRatings);
    assert_eq!(matched(&list), [(6, Some(4.5), Title), (2571, None, Title), (1, Some(0.5), Title)]);
}

/// The date of a diary's entry isn't the day of watching. The last rating counts, although the last entry has none.
#[test]
fn a_movie_of_the_diary_is_at_its_last_place_with_its_last_rating() {
    let list = read(DIARY);
    assert_eq!((list.format, list.rows), (ListFormat::LetterboxdDiary, 4));
    assert_eq!(matched(&list), [(2571, Some(5.0), Title), (6, Some(4.0), Title)]);
}

#[test]
fn imdb_is_matched_by_number_then_by_either_title() {
    let list = read(IMDB);
    assert_eq!((list.format, list.rows), (ListFormat::Imdb, 4));
    assert_eq!(matched(&list), [(6016, Some(5.0), Title), (7, Some(4.0), Imdb), (6, Some(4.5), Imdb)]);
    assert_eq!(unmatched(&list), [(4, "no movie")]);
    // Without links, movies are found by title, and the series isn't found.
    let list = WatchedList::read(IMDB.as_bytes(), &catalog(), None).unwrap();
    assert_eq!(matched(&list), [(6016, Some(5.0), Title), (6, Some(4.5), Title)]);
    assert_eq!(unmatched(&list), [(4, "no movie"), (5, "no movie")]);
}

#[test]
fn an_older_export_of_imdb_is_read() {
    let text = b"\"position\",\"const\",\"created\",\"Title\",\"Title type\",\"You rated\",\"Year\"\n\
        \"1\",\"tt0\",\"2011-05-01\",\"Le fabuleux destin d'Am\xe9lie Poulain\",\"Feature Film\",\"7\",\"2001\"\n";
    let list = read(text);
    assert_eq!((list.format, matched(&list)), (ListFormat::Imdb, vec![(4973, Some(3.5), Title)]));
}

#[test]
fn movielens_is_matched_by_number_id_and_title() {
    let list = read(MOVIELENS);
    assert_eq!((list.format, list.rows), (ListFormat::Movielens, 4));
    assert_eq!(matched(&list), [(6, Some(4.5), Imdb), (2571, Some(5.0), Imdb), (47, Some(3.0), Title)]);
    assert_eq!(unmatched(&list), [(5, "unknown")]);
    assert_eq!((list.unmatched[0].title.as_deref(), list.unmatched[0].year), (Some("Nowhere"), Some(1997)));
    let list = WatchedList::read(MOVIELENS.as_bytes(), &catalog(), None).unwrap();
    assert_eq!(matched(&list), [(6, Some(4.5), Id), (2571, Some(5.0), Id), (47, Some(3.0), Title)]);
}

#[test]
fn a_data_set_of_one_user_is_read_in_the_order_of_its_times() {
    let list = read(DATASET);
    assert_eq!((list.format, list.rows), (ListFormat::MovielensDataset, 4));
    assert_eq!(matched(&list), [(47, Some(5.0), Id), (2571, Some(3.0), Id), (6, Some(4.0), Id)]);
    assert_eq!(unmatched(&list), [(4, "unknown")]);
}

#[test]
fn a_data_set_of_several_users_says_how_to_mend_it() {
    let message = refusal(format!("{DATASET}6,1,4.0,964982703\n").as_bytes());
    assert!(
        message.contains("several users") && message.contains("line 6") && message.contains("one userId"),
        "{message}"
    );
}

#[test]
fn our_own_list_may_lack_any_number() {
    let list = read(OWN);
    assert_eq!((list.format, list.rows), (ListFormat::Watchnext, 4));
    let expected = [(6, Some(4.5), Imdb), (2571, None, Title), (1, Some(5.0), Imdb), (500, Some(2.0), Id)];
    assert_eq!(matched(&list), expected);
}

/// The same list in each way that a spreadsheet may write it.
#[test]
fn spreadsheets_may_have_rewritten_the_file() {
    let plain = read(RATINGS);
    let variants = [
        RATINGS.replace('\n', "\r\n"),
        format!("\u{feff}{RATINGS}"),
        RATINGS.replace(',', ";").replace("4.5", "4,5"),
        RATINGS.replace(',', "\t"),
        RATINGS.replace("Letterboxd URI", "letterboxd_uri").replace("Name", " NAME "),
        RATINGS.replace('\n', "\n\n,,,,\n"),
        RATINGS.trim_end().to_owned(),
        RATINGS.replace("Heat", "\"Heat\"").replace("Date", "\"Date\""),
    ];
    for text in variants {
        let list = read(&text);
        assert_eq!((list.rows, matched(&list)), (3, matched(&plain)), "{text:?}");
        assert!(list.unmatched.is_empty());
    }
}

#[test]
fn quoted_cells_may_hold_line_ends() {
    let text = DIARY.replace("cinema, late", "cinema,\r\n\"\"late\"\"\n");
    let list = read(format!("{text}2021-01-01,Nowhere,1990,x,,,,2021-01-01\n"));
    assert_eq!(matched(&list), matched(&read(DIARY)));
    // The line after four rows. One of them takes three lines.
    assert_eq!(unmatched(&list), [(8, "unknown")]);
}

/// Title, year, and the movie that they lead to.
#[test]
fn titles_are_matched_whatever_their_writing() {
    let cases = [
        ("heat", "1986", Some(9001)),
        // One year off, if only one movie fits.
        ("Heat", "1987", Some(9001)),
        ("The Matrix", "1998", Some(2571)),
        ("Heat", "1990", None),
        ("Matrix", "1999", Some(2571)),
        ("\"Matrix, The\"", "1999", Some(2571)),
        ("Cidade de Deus", "2002", Some(6016)),
        ("City of God (Cidade de Deus)", "2002", Some(6016)),
        ("Se7en", "1995", Some(47)),
        ("Amélie", "2001", Some(4973)),
        ("Le fabuleux destin d’Amelie Poulain", "2001", Some(4973)),
        ("The Fast & the Furious", "2001", Some(8)),
        // Without a year on one side, if only one movie fits.
        ("Voyage", "1993", Some(500)),
        ("Voyage", "", Some(500)),
        ("Seven", "", Some(47)),
        ("!!!", "1995", None),
    ];
    for (title, year, id) in cases {
        let list = read(format!("Date,Name,Year,Letterboxd URI\n2021-03-04,{title},{year},x\n"));
        let found: Vec<u32> = matched(&list).iter().map(|found| found.0).collect();
        assert_eq!(found, id.into_iter().collect::<Vec<u32>>(), "{title} ({year})");
        assert_eq!(list.unmatched.len(), usize::from(id.is_none()));
    }
    for (title, year) in [("Emma", "1996"), ("Emma", "1995"), ("Heat", "")] {
        let list = read(format!("Date,Name,Year,Letterboxd URI\n2021-03-04,{title},{year},x\n"));
        assert_eq!(unmatched(&list), [(2, "ambiguous")], "{title} ({year})");
    }
}

/// One bad row of each kind between two good ones.
#[test]
fn a_bad_row_is_told_and_costs_no_other() {
    let cases = [
        ("2021-03-04,Seven,1995,x,6", "outside the scale of 0.5 to 5"),
        ("2021-03-04,Seven,1995,x,0", "outside the scale"),
        ("2021-03-04,Seven,1995,x,NaN", "outside the scale"),
        ("2021-03-04,Seven,1995,x,great", "`great`"),
        ("2021-03-04,Seven,19x5,x,3", "isn't a year"),
        ("2021-03-04,,1995,x,3", "neither a title"),
        ("2021-03-04,Seven", "2 cells where the header has 5"),
        ("2021-03-04,Seven, and more,1995,x,3", "6 cells"),
        ("2021-03-04,\"Seven,1995,x,3", "quotation mark"),
    ];
    for (row, reason) in cases {
        let list = read(format!(
            "Date,Name,Year,Letterboxd URI,Rating\n2021-03-03,Heat,1995,x,4\n{row}\n2021-03-05,Toy Story,1995,x,5\n"
        ));
        assert_eq!(list.rows, 3, "{row}");
        assert_eq!(matched(&list), [(6, Some(4.0), Title), (1, Some(5.0), Title)], "{row}");
        assert_eq!(unmatched(&list), [(3, "invalid")], "{row}");
        assert!(detail(&list, 0).contains(reason), "{row}: {}", detail(&list, 0));
    }
    let list = read(IMDB.replace(",9,2020", ",11,2020").replace(",10,2019", ",0,2019"));
    assert_eq!(unmatched(&list), [(2, "invalid"), (3, "invalid"), (4, "no movie")]);
    assert!(detail(&list, 0).contains("1 to 10"));
}

#[test]
fn a_file_that_is_no_list_is_refused_with_the_remedy() {
    assert!(refusal(b"").contains("no columns"));
    assert!(refusal(b"\n\n \n").contains("Letterboxd's watched.csv"));
    assert!(refusal(b"PK\x03\x04\0\0").contains("isn't text"));
    let message = refusal(b"movieId,title,genres\n1,Toy Story (1995),Comedy\n");
    assert!(message.contains("`movieId`, `title`, `genres`") && message.contains("IMDb"), "{message}");
    let message = refusal(b"one;two;three\n1;2;3\n");
    assert!(message.contains("`one`, `two`, `three`"), "{message}");
    assert!(refusal("x".repeat(1_000_000).as_bytes()).len() < 1_000);
    assert!(refusal(b"Date,Name,Year,Letterboxd URI\n").contains("no rows"));
    assert!(refusal(&vec![b'a'; MAX_LIST_BYTES + 1]).contains("10 MB"));
    let rows = "5,1,3,1\n".repeat(MAX_LIST_ROWS + 1);
    assert!(refusal(format!("userId,movieId,rating,timestamp\n{rows}").as_bytes()).contains("200000 rows"));
}

/// Titles with as many nested parentheses as a file and a catalogue may have. Recursion would overflow the stack.
#[test]
fn titles_of_many_parentheses_do_no_harm() {
    let deep = format!("Deep{}{}", " (deep".repeat(200_000), ")".repeat(200_000));
    let list = read(format!("movie_id,imdb_id,rating,title\n1000,0,3,{deep} (1995)\n6,0,3,Heat (1995)\n"));
    assert_eq!((matched(&list), unmatched(&list)), (vec![(6, Some(3.0), Id)], vec![(2, "invalid")]));
    assert!(detail(&list, 0).contains("characters") && list.unmatched[0].title.is_none());
    let movie = Movie { id: MovieId(1), key: None, title: deep, year: Some(1995), genres: vec![], ratings: 1 };
    let catalog = Catalog::new(vec![], vec![movie]).unwrap();
    let text = b"Date,Name,Year,Letterboxd URI\n2021-03-04,Deep,1995,x\n";
    assert_eq!(WatchedList::read(text, &catalog, None).unwrap().matched.len(), 1);
}

/// Quadratic work would take minutes here.
#[test]
fn ten_thousand_rows_against_ten_thousand_movies_take_no_time() {
    let movie = |row: u32| Movie {
        id: MovieId(row),
        key: None,
        title: format!("The Number {row} (Le nombre {row})"),
        year: Some(1950 + (row % 70) as u16),
        genres: vec![],
        ratings: 1,
    };
    let catalog = Catalog::new(vec![], (0..10_000).map(movie).collect()).unwrap();
    let mut text = "Date,Name,Year,Letterboxd URI\n".to_owned();
    (0..10_000).for_each(|row| text.push_str(&format!("2021-03-04,Le nombre {row},{},x\n", 1950 + row % 70)));
    let started = Instant::now();
    let list = WatchedList::read(text.as_bytes(), &catalog, None).unwrap();
    assert_eq!(list.matched.len(), 10_000);
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

/// From every line on, the quotations go on to the end, so that reading each line to the end would take minutes.
#[test]
fn a_file_of_open_quotations_takes_linear_time() {
    let text = format!("{WATCHED}2021-03-04,\"{}", "b\",\"x\n".repeat(150_000));
    let started = Instant::now();
    let list = read(&text);
    assert_eq!(matched(&list), matched(&read(WATCHED)));
    assert!(list.unmatched.len() > 1);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

fn fixtures() -> [&'static str; 7] {
    [WATCHED, RATINGS, DIARY, IMDB, MOVIELENS, DATASET, OWN]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    /// Any bytes end in a list or in an error.
    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Err(error) = WatchedList::read(&bytes, &catalog(), Some(&links())) {
            prop_assert_eq!(error.code(), "list-invalid");
        }
    }

    /// Some bytes of the list are overwritten, dropped or doubled. Each row is matched or reported once, and none is
    /// lost.
    #[test]
    fn damaged_lists_do_no_harm(
        fixture in prop::sample::select(fixtures().to_vec()),
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), 0..3, prop::sample::select(b"\",;\n\r\t \xe90a".to_vec())),
            1..8,
        ),
    ) {
        let mut bytes = fixture.as_bytes().to_vec();
        for (place, kind, byte) in changes {
            let at = place.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        match WatchedList::read(&bytes, &catalog(), Some(&links())) {
            Ok(list) => {
                prop_assert!(list.matched.len() + list.unmatched.len() <= list.rows);
                let lines = 2 + bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count();
                prop_assert!(list.unmatched.windows(2).all(|pair| pair[0].row < pair[1].row));
                prop_assert!(list.unmatched.iter().all(|row| (2..=lines).contains(&row.row)));
                prop_assert!(list.matched.iter().all(|found| found.movie.as_usize() < MOVIES.len()));
            }
            Err(error) => prop_assert_eq!(error.code(), "list-invalid"),
        }
    }
}
