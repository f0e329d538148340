//! Your own catalogue: any items in CSV or Parquet, with text for ids, without ratings, without times.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, GzipLevel, ZstdLevel};
use parquet::file::properties::WriterProperties;
use trainer::data::{Dataset, Layout, Times};
use watchnext::catalog::MovieId;

const ITEMS: &str = "isbn,title,subjects,year\n9783000000019,\"First, the Book\",Crime|History,1994\n\
    9783000000026,Unread Book,Crime,2000\n9783000000033,Second Book (1st ed.),Poetry,2001\n\
    9783000000040,Third Book,,\n";
const RATINGS: &str = "reader,isbn,stars,date\nanna,9783000000019,4.5,2020-01-02\n\
    anna,9783000000033,3,2019-12-31T23:59:59Z\n\
    ben,9783000000040,,2020-02-01\n";

fn read_as(items: (&str, &str), ratings: &[(&str, &str)], layout: &Layout) -> anyhow::Result<Dataset> {
    let folder = tempfile::tempdir().unwrap();
    let put = |(name, text): (&str, &str)| -> PathBuf {
        std::fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name)
    };
    let ratings: Vec<PathBuf> = ratings.iter().copied().map(put).collect();
    Dataset::read_own(&put(items), &ratings, layout)
}

fn read(ratings: &str, layout: &Layout) -> Dataset {
    read_as(("items.csv", ITEMS), &[("ratings.csv", ratings)], layout).unwrap()
}

/// A user's events: keys with stars.
fn events(dataset: &Dataset, user: usize) -> Vec<(&str, Option<f32>)> {
    let shown = |event: &trainer::data::Event| {
        let key = dataset.catalog.movie(event.movie).unwrap().key.as_deref().unwrap();
        (key, event.rating.map(|rating| rating.stars()))
    };
    dataset.users[user].events.iter().map(shown).collect()
}

#[test]
fn ids_of_text_are_numbered_and_kept_as_keys() {
    let dataset = read(RATINGS, &Layout::default());
    let catalog = &dataset.catalog;
    // The unread book has a number and no row.
    assert_eq!(catalog.movies().iter().map(|movie| movie.id).collect::<Vec<_>>(), [1, 3, 4].map(MovieId));
    assert_eq!(catalog.by_key("9783000000040"), catalog.index_of(MovieId(4)));
    assert_eq!(catalog.by_key("9783000000026"), None);
    let titles: Vec<&str> = catalog.movies().iter().map(|movie| movie.title.as_str()).collect();
    // Where a column has the year, parentheses and commas belong to the title.
    assert_eq!(titles, ["First, the Book", "Second Book (1st ed.)", "Third Book"]);
    assert_eq!(catalog.movies().iter().map(|movie| movie.year).collect::<Vec<_>>(), [Some(1994), Some(2001), None]);
    assert_eq!(catalog.genres(), ["Crime", "History", "Poetry"]);
    // In time order, which isn't the file's; a missing rating is a click and counts as a like.
    assert_eq!(events(&dataset, 0), [("9783000000033", Some(3.0)), ("9783000000019", Some(4.5))]);
    assert_eq!(events(&dataset, 1), [("9783000000040", None)]);
    assert!(dataset.users[1].events[0].liked());
    assert_eq!((dataset.users[0].id, dataset.users[1].id, dataset.main_users), (1, 2, 2));
    assert_eq!(dataset.times, Times::Known);
}

#[test]
fn ids_of_numbers_stay() {
    let items = "itemId,title\n70,A (1990)\n5,\"B, The\"\n";
    let ratings = "userId,itemId,rating\n30,70,4\n4,5,4\n4,70,1\n";
    let dataset = read_as(("items.csv", items), &[("ratings.csv", ratings)], &Layout::default()).unwrap();
    let catalog = &dataset.catalog;
    assert_eq!(
        catalog.movies().iter().map(|movie| (movie.id.0, movie.key.as_deref())).collect::<Vec<_>>(),
        [(5, None), (70, None)]
    );
    // Without a column of years they are read from the titles, as MovieLens writes them.
    assert_eq!((catalog.movies()[0].title.as_str(), catalog.movies()[1].year), ("The B", Some(1990)));
    assert_eq!(dataset.users.iter().map(|user| user.id).collect::<Vec<_>>(), [4, 30]);
}

/// The same rows with other delimiters, line breaks and marks.
#[test]
fn one_table_may_be_written_in_many_ways() {
    let expected = read(RATINGS, &Layout::default());
    let same = |name: &str, ratings: String, layout: &Layout| {
        let found = read_as(("items.csv", ITEMS), &[(name, &ratings)], layout).unwrap();
        assert_eq!(
            (&found.users, found.catalog.to_json().unwrap()),
            (&expected.users, expected.catalog.to_json().unwrap()),
            "{name}"
        );
    };
    let plain = Layout::default();
    same("semicolons.csv", RATINGS.replace(',', ";"), &plain);
    same("tabs.tsv", RATINGS.replace(',', "\t"), &plain);
    same("windows.csv", format!("\u{feff}{}", RATINGS.replace('\n', "\r\n")), &plain);
    same("unended.csv", RATINGS.trim_end().to_owned(), &plain);
    same("spaced.csv", RATINGS.replace(",9", ", 9"), &plain);
    same("blank.csv", RATINGS.replace('\n', "\n\n"), &plain);
    same("quoted.csv", RATINGS.replace("anna", "\"anna\""), &plain);
    let columns = |text: &str| Layout { columns: text.parse().unwrap(), ..Layout::default() };
    same(
        "named.csv",
        RATINGS.replacen("reader,isbn,stars,date", "wer,was,wie,wann", 1),
        &columns("user=wer,ratings.item=was,rating=wie,time=wann"),
    );
    same(
        "unix.csv",
        RATINGS.replace("2020-01-02", "1577923200").replace("2019-12-31T23:59:59Z", "1577836799000"),
        &plain,
    );
    let (first, second) = RATINGS.split_at(RATINGS.find("ben").unwrap());
    let second = format!("date,isbn,stars,reader\n2020-02-01,{},,ben\n", second.split(',').nth(1).unwrap());
    let parted = read_as(("items.csv", ITEMS), &[("first.csv", first), ("second.csv", &second)], &plain).unwrap();
    assert_eq!((parted.users, parted.sources.len()), (expected.users, 3));
}

/// Lines are counted as an editor counts them, whatever the breaks and however many lines are blank or within quotes.
#[test]
fn lines_are_those_of_an_editor() {
    for breaks in ["\n", "\r\n"] {
        let text = "isbn,title\nA,\"two\nlines\"\n\n\nB,\nC,third\n".replace('\n', breaks);
        let message =
            read_as(("items.csv", &text), &[("ratings.csv", RATINGS)], &Layout::default()).unwrap_err().to_string();
        assert!(message.contains("line 6, column `title`"), "{breaks:?}: {message}");
    }
}

#[test]
fn scales_become_stars() {
    let ratings = RATINGS.replace("4.5", "-10").replace(",3,", ",4,");
    let dataset = read(&ratings, &Layout { scale: "-10..10".parse().unwrap(), ..Layout::default() });
    assert_eq!(events(&dataset, 0), [("9783000000033", Some(3.65)), ("9783000000019", Some(0.5))]);
}

#[test]
fn without_ratings_every_row_is_a_click() {
    for (ratings, columns) in
        [(RATINGS.to_owned(), "rating="), (RATINGS.replace("stars", "note").replace("4.5", "good"), "")]
    {
        let dataset = read(&ratings, &Layout { columns: columns.parse().unwrap(), ..Layout::default() });
        assert!(
            dataset.users.iter().flat_map(|user| &user.events).all(|event| event.rating.is_none() && event.liked())
        );
        assert!(!dataset.has_reactions() && dataset.rated() == 0);
        assert!(dataset.limitations()[0].contains("no ratings") && dataset.limitations()[0].contains("P3"));
    }
}

/// Thirty items in the order of their ids. The file's order counts only with --ordered.
#[test]
fn without_times_the_order_is_chance_or_the_files() {
    let items: String = (1..=30).map(|id| format!("{id},Item {id}\n")).collect();
    let ratings: String = (1..=30).map(|id| format!("7,{id},4\n8,{id},4\n")).collect();
    let (items, ratings) = (format!("id,title\n{items}"), format!("user,item,rating\n{ratings}"));
    let read = |ordered: bool| {
        let layout = Layout { ordered, ..Layout::default() };
        read_as(("items.csv", &items), &[("ratings.csv", &ratings)], &layout).unwrap()
    };
    let order = |dataset: &Dataset, user: usize| -> Vec<u32> {
        dataset.users[user].events.iter().map(|event| event.movie.get()).collect()
    };
    let (ordered, unordered) = (read(true), read(false));
    assert_eq!((ordered.times, unordered.times), (Times::Order, Times::Unknown));
    assert!(order(&ordered, 0).is_sorted() && order(&ordered, 1).is_sorted());
    assert!(!order(&unordered, 0).is_sorted() && order(&unordered, 0) != order(&unordered, 1));
    assert_eq!(order(&unordered, 0), order(&read(false), 0));
    assert!(ordered.has_order() && !unordered.has_order());
    assert!(unordered.limitations()[0].contains("P1") && unordered.limitations()[0].contains("--ordered"));
}

fn write_parquet(path: &Path, columns: Vec<(&str, ArrayRef)>, compression: Compression) {
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap();
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer =
        ArrowWriter::try_new(std::fs::File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// Ids as whole numbers and as floats (as pandas writes a column with gaps), users in a dictionary, times in
/// milliseconds, categories as lists, and a nested column that nobody needs.
#[test]
fn parquet_of_many_types_is_read() {
    let compressions = [
        Compression::SNAPPY,
        Compression::ZSTD(ZstdLevel::default()),
        Compression::GZIP(GzipLevel::default()),
        Compression::UNCOMPRESSED,
    ];
    for compression in compressions {
        let folder = tempfile::tempdir().unwrap();
        let (items, ratings) = (folder.path().join("items.parquet"), folder.path().join("ratings.pq"));
        let mut tags = ListBuilder::new(StringBuilder::new());
        tags.append_value([Some("Crime|Noir"), Some("Poetry")]);
        tags.append_null();
        tags.append_value::<[Option<&str>; 0], _>([]);
        let tags: ArrayRef = Arc::new(tags.finish());
        write_parquet(
            &items,
            vec![
                ("nested", Arc::clone(&tags)),
                ("Item ID", Arc::new(Int64Array::from(vec![10, 20, 30]))),
                ("Name", Arc::new(StringArray::from(vec!["A", "B", "C"]))),
                ("tags", tags),
                ("year", Arc::new(Float64Array::from(vec![Some(1990.0), None, Some(2001.0)]))),
            ],
            compression,
        );
        let users: DictionaryArray<Int32Type> = ["anna", "ben", "anna"].into_iter().collect();
        write_parquet(
            &ratings,
            vec![
                ("item_id", Arc::new(Float64Array::from(vec![30.0, 20.0, 10.0]))),
                ("score", Arc::new(Float64Array::from(vec![Some(4.5), None, Some(2.0)]))),
                ("user", Arc::new(users)),
                ("date", Arc::new(TimestampMillisecondArray::from(vec![2_000_500, 1_000_000, 1_000_000]))),
            ],
            compression,
        );
        let dataset = Dataset::read_own(&items, &[ratings], &Layout::default()).unwrap();
        assert_eq!(dataset.catalog.genres(), ["Crime", "Noir", "Poetry"]);
        assert_eq!(
            dataset.catalog.movies().iter().map(|movie| (movie.id.0, movie.year)).collect::<Vec<_>>(),
            [(10, Some(1990)), (20, None), (30, Some(2001))]
        );
        let anna: Vec<_> = dataset.users[0]
            .events
            .iter()
            .map(|event| (event.movie.get(), event.rating.map(|rating| rating.stars()), event.timestamp))
            .collect();
        assert_eq!(anna, [(0, Some(2.0), 1000), (2, Some(4.5), 2000)]);
        assert_eq!(dataset.users[1].events[0].rating, None);
        assert_eq!(
            dataset
                .sources
                .iter()
                .map(|source| (source.name.as_str(), source.rows, source.sha256.len()))
                .collect::<Vec<_>>(),
            [("items.parquet", 3, 64), ("ratings.pq", 3, 64)]
        );
    }
}

/// Ratings of a finished bundle's items are found by the catalogue's keys, and others are counted.
#[test]
fn a_file_of_unseen_users_is_read_by_keys() {
    let catalog = read(RATINGS, &Layout::default()).catalog;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("unseen.csv");
    std::fs::write(&path, format!("{RATINGS}cleo,9783000000026,3,2020-01-01\ncleo,9783000000019,3,2020-01-01\n"))
        .unwrap();
    let (users, left_out, times) = Dataset::read_users(&path, &catalog, Some(&Layout::default())).unwrap();
    assert_eq!((users.len(), left_out, times), (3, 1, Times::Known));
    assert_eq!(users[2].events.len(), 1);
}
