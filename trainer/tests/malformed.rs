//! Over a hundred defects of CSV and Parquet files. Each is rejected with its file, its place and a remedy, without a
//! panic.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, StructArray,
};
use arrow_schema::{DataType, Field};
use parquet::arrow::ArrowWriter;
use trainer::data::{Dataset, Layout};

const ITEMS: &str =
    "isbn,title,subjects,year\nA1,First Book,Crime|History,1994\nB2,Second Book,Poetry,2001\nC3,Third Book,,\n";
const RATINGS: &str = "reader,isbn,stars,date\nanna,A1,4.5,2020-01-02\nanna,B2,3,2020-01-03\nben,C3,,2020-02-01\n";

/// The error of reading two files, given by name and content.
fn refusal(items: (&str, &[u8]), ratings: (&str, &[u8]), columns: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let put = |(name, bytes): (&str, &[u8])| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let layout = Layout { columns: columns.parse().unwrap(), ..Layout::default() };
    match Dataset::read_own(&put(items), &[put(ratings)], &layout) {
        Ok(dataset) => panic!("{} ratings were read of {:?}", dataset.ratings(), String::from_utf8_lossy(ratings.1)),
        Err(error) => format!("{error:#}"),
    }
}

fn assert_says(what: &str, message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{what}: {part:?} isn't in\n{message}");
    }
}

/// A bad third line between good ones.
fn with_row(good: &str, row: &[u8]) -> Vec<u8> {
    let lines: Vec<&str> = good.split_inclusive('\n').collect();
    [lines[0].as_bytes(), lines[1].as_bytes(), row, b"\n", lines[3].as_bytes()].concat()
}

const POINT: &str = "Write a point in place of the comma";
const DIGITS: &str = "Write it in digits";
const OUTSIDE: &str = "Correct or remove the row, or give another --scale";
const TIME: &str = "Write seconds or milliseconds since 1970, or a date";
const ID: &str = "Add it, or remove the row";

/// A defect's name, the bad row, and the parts of the error.
type BadRow = (&'static str, &'static [u8], &'static [&'static str]);

const BAD_RATINGS: &[BadRow] = &[
    // Ids.
    ("no user", b",B2,3,2020-01-03", &["column `reader`", ID]),
    ("a user of blanks", b"   ,B2,3,2020-01-03", &["column `reader`", ID]),
    ("no item", b"anna,,3,2020-01-03", &["column `isbn`", ID]),
    ("nothing at all", b",,,", &["column `reader`", "And line 3, column `isbn`", ID]),
    (
        "an item that isn't there",
        b"anna,Z9,3,2020-01-03",
        &["column `isbn`", "`Z9`", "isn't in items.csv", "Add it there"],
    ),
    ("an item in small letters", b"anna,b2,3,2020-01-03", &["column `isbn`", "`b2`", "isn't in items.csv"]),
    ("an item as a spreadsheet guards it", b"anna,'B2,3,2020-01-03", &["column `isbn`", "`'B2`", "isn't in items.csv"]),
    ("an item as a number", b"anna,2,3,2020-01-03", &["column `isbn`", "isn't in items.csv"]),
    ("an id over two lines", b"\"an\nna\",B2,3,2020-01-03", &["column `reader`", "several lines", "quote"]),
    ("an id with a bell", b"an\x07na,B2,3,2020-01-03", &["column `reader`", "invisible characters"]),
    // Bytes.
    ("a NUL byte", b"an\0na,B2,3,2020-01-03", &["column `reader`", "NUL", "write it again"]),
    ("Latin-1", b"Andr\xe9,B2,3,2020-01-03", &["column `reader`", "Latin-1", "iconv"]),
    ("half a letter of UTF-8", b"anna\xc3,B2,3,2020-01-03", &["column `reader`", "UTF-8", "iconv"]),
    ("a surrogate", b"anna,B2\xed\xa0\x80,3,2020-01-03", &["column `isbn`", "UTF-8", "iconv"]),
    // Ratings.
    ("a rating as a word", b"anna,B2,three,2020-01-03", &["column `stars`", "`three`", DIGITS]),
    ("stars as signs", "anna,B2,★★★,2020-01-03".as_bytes(), &["column `stars`", "`★★★`", DIGITS]),
    ("a rating of five", b"anna,B2,4/5,2020-01-03", &["column `stars`", "`4/5`", DIGITS]),
    ("a rating in percent", b"anna,B2,80%,2020-01-03", &["column `stars`", "`80%`", DIGITS]),
    ("two points", b"anna,B2,4.5.1,2020-01-03", &["column `stars`", DIGITS]),
    ("hexadecimal", b"anna,B2,0x4,2020-01-03", &["column `stars`", DIGITS]),
    ("two numbers", b"anna,B2,4 5,2020-01-03", &["column `stars`", DIGITS]),
    ("NULL", b"anna,B2,NULL,2020-01-03", &["column `stars`", "`NULL`", DIGITS]),
    ("a comma for a point", b"anna,B2,\"4,5\",2020-01-03", &["column `stars`", "`4,5`", POINT]),
    ("NaN", b"anna,B2,NaN,2020-01-03", &["column `stars`", "outside 0.5 to 5", OUTSIDE]),
    ("infinity", b"anna,B2,inf,2020-01-03", &["column `stars`", "outside 0.5 to 5", OUTSIDE]),
    ("its negative", b"anna,B2,-Infinity,2020-01-03", &["column `stars`", "outside 0.5 to 5", OUTSIDE]),
    ("more than a float holds", b"anna,B2,1e40,2020-01-03", &["column `stars`", "outside 0.5 to 5", OUTSIDE]),
    ("a little too much", b"anna,B2,5.01,2020-01-03", &["column `stars`", "`5.01`", OUTSIDE]),
    ("a little too little", b"anna,B2,0.49,2020-01-03", &["column `stars`", "`0.49`", "add --scale 0..5"]),
    ("nought", b"anna,B2,0,2020-01-03", &["column `stars`", "`0`", "add --scale 0..5"]),
    ("of ten", b"anna,B2,9.5,2020-01-03", &["column `stars`", "`9.5`", "add --scale 1..10"]),
    ("of a hundred", b"anna,B2,87,2020-01-03", &["column `stars`", "`87`", "add --scale 1..100"]),
    ("a negative one", b"anna,B2,-7,2020-01-03", &["column `stars`", "`-7`", "add --scale -10..10"]),
    ("a time in its place", b"anna,B2,1577923200,2020-01-03", &["column `stars`", "outside 0.5 to 5", OUTSIDE]),
    // Times.
    ("no time", b"anna,B2,3,", &["column `date`", TIME]),
    ("a word", b"anna,B2,3,yesterday", &["column `date`", "`yesterday`", TIME]),
    ("a German date", b"anna,B2,3,03.01.2020", &["column `date`", TIME]),
    ("an American date", b"anna,B2,3,01/03/2020", &["column `date`", TIME]),
    ("a date without its noughts", b"anna,B2,3,2020-1-3", &["column `date`", TIME]),
    ("a date in words", b"anna,B2,3,3 January 2020", &["column `date`", TIME]),
    ("a thirteenth month", b"anna,B2,3,2020-13-01", &["column `date`", TIME]),
    ("a thirtieth of February", b"anna,B2,3,2020-02-30", &["column `date`", TIME]),
    ("a 25th hour", b"anna,B2,3,2020-01-03T25:00:00", &["column `date`", TIME]),
    ("a date with an end", b"anna,B2,3,2020-01-03 to 2020-01-04", &["column `date`", TIME]),
    ("a fraction of a second", b"anna,B2,3,1577923200.5", &["column `date`", TIME]),
    ("a time that is none", b"anna,B2,3,NaN", &["column `date`", TIME]),
    ("the year 5138", b"anna,B2,3,99999999999", &["column `date`", "of the year 5138", TIME]),
    ("microseconds", b"anna,B2,3,1577923200000000", &["column `date`", TIME]),
    ("nanoseconds", b"anna,B2,3,1577923200000000000", &["column `date`", TIME]),
    ("more than a number holds", b"anna,B2,3,99999999999999999999999", &["column `date`", TIME]),
    ("a date of the far future", b"anna,B2,3,2250-01-01", &["column `date`", "of the year 2250", TIME]),
    ("a date beyond the clock", b"anna,B2,3,9999-12-31", &["column `date`", TIME]),
    // Fields.
    ("a field too few", b"anna,B2,3", &["has 3 fields where the header has 4", "Add the missing fields"]),
    ("a field too many", b"anna,B2,3,2020-01-03,x", &["has 5 fields where the header has 4", "in quotes"]),
    ("a comma at the end", b"anna,B2,3,2020-01-03,", &["has 5 fields", "remove the extra fields"]),
    ("one field", b"anna", &["has 1 field where", "Add the missing fields"]),
    ("a decimal comma that parts", b"anna,B2,4,5,2020-01-03", &["has 5 fields", "in quotes"]),
    ("semicolons", b"anna;B2;3;2020-01-03", &["split by semicolons, the header by commas", "use one of them"]),
    ("tabs", b"anna\tB2\t3\t2020-01-03", &["split by tabs, the header by commas", "use one of them"]),
    ("a comment", b"# from here on of 2020", &["has 1 field where", "remove the row"]),
    // Quotes.
    ("a quote that stays open", b"anna,\"B2,3,2020-01-03", &["a quote is opened here and never closed", "Close it"]),
    ("one in the last column", b"anna,B2,3,\"2020-01-03", &["a quote is opened here and never closed", "Close it"]),
    ("one in the first column", b"\"anna,B2,3,2020-01-03", &["a quote is opened here and never closed", "Close it"]),
    ("something after a quote", b"anna,\"B2\"x,3,2020-01-03", &["text follows a closing quote", "written twice"]),
    // Twice.
    ("a duplicate rating", b"anna,A1,2,2021-01-02", &["user anna has item A1 twice", "before in line 2", "Remove one"]),
];

#[test]
fn wrong_rows_of_ratings() {
    let long = format!("{},B2,3,2020-01-03", "x".repeat(300));
    let long: (_, _, &[&str]) =
        ("an id as long as a text", long.as_bytes(), &["column `reader`", "too long for an id", "--columns"]);
    assert!(BAD_RATINGS.len() >= 64, "{}", BAD_RATINGS.len());
    for (what, row, parts) in BAD_RATINGS.iter().copied().chain([long]) {
        let message = refusal(("items.csv", ITEMS.as_bytes()), ("ratings.csv", &with_row(RATINGS, row)), "");
        assert_says(what, &message, &[&["ratings.csv: line 3"], parts].concat());
    }
}

#[test]
fn wrong_rows_of_items() {
    let cases: &[BadRow] = &[
        ("no id", b",Another,Crime,1990", &["column `isbn`", ID]),
        ("no title", b"D4,,Crime,1990", &["column `title`", "the title is empty", "Give it one"]),
        ("a title of blanks", b"D4,\"  \",Crime,1990", &["column `title`", "the title is empty"]),
        (
            "a duplicate id",
            b"A1,Another,Crime,1990",
            &["column `isbn`", "occurs twice, before in line 2", "Remove one"],
        ),
        ("a year that isn't sure", b"D4,Another,Crime,199x", &["column `year`", "`199x`", "or leave it empty"]),
        ("a negative year", b"D4,Another,Crime,-50", &["column `year`", "`-50`"]),
        ("a year of the far future", b"D4,Another,Crime,9999", &["column `year`", "`9999`"]),
        ("a date for a year", b"D4,Another,Crime,1990-05-01", &["column `year`", "Write it in digits (1994)"]),
        ("half a year", b"D4,Another,Crime,1990.5", &["column `year`"]),
        ("the year nought", b"D4,Another,Crime,0", &["column `year`"]),
        (
            "a title with a comma",
            b"D4,Another, Later,Crime,1990",
            &["has 5 fields where the header has 4", "in quotes"],
        ),
        ("a title with a quote that stays open", b"D4,\"Another,Crime,1990", &["never closed", "double it"]),
        (
            "a title with bare quotes",
            b"D4,\"An \"other\" one\",Crime,1990",
            &["text follows a closing quote", "written twice"],
        ),
        ("a title in Latin-1", b"D4,Caf\xe9,Crime,1990", &["column `title`", "Latin-1", "iconv"]),
        ("a title with a NUL byte", b"D4,Ano\0ther,Crime,1990", &["column `title`", "NUL"]),
    ];
    for (what, row, parts) in cases {
        let message = refusal(("items.csv", &with_row(ITEMS, row)), ("ratings.csv", RATINGS.as_bytes()), "");
        assert_says(what, &message, &[&["items.csv: line 3"], *parts].concat());
    }
    let categories: String = (0..1100).map(|number| format!("tag {number}|")).collect();
    let many = format!("isbn,title,subjects\nA1,First,{categories}\nB2,Second,\nC3,Third,\n");
    let message = refusal(("items.csv", many.as_bytes()), ("ratings.csv", RATINGS.as_bytes()), "");
    assert_says(
        "too many categories",
        &message,
        &["1100 different categories", "--columns categories=", "--separator"],
    );
}

/// A defect's name, the header, the value of `--columns`, and the parts of the error after the file and the line.
type BadHeader = (&'static str, &'static str, &'static str, &'static [&'static str]);

const BAD_HEADERS: &[BadHeader] = &[
    (
        "no user",
        "who,isbn,stars,date",
        "",
        &["no column is user", "`who`, `isbn`, `stars`, `date`", "--columns user=COLUMN"],
    ),
    ("no item", "reader,what,stars,date", "", &["no column is item", "--columns item=COLUMN"]),
    ("neither", "a,b,c,d", "", &["no column is user", "no column is item", "--columns user="]),
    ("a letter wrong", "reeder,isbn,stars,date", "", &["The nearest is `reeder`", "--columns user=reeder"]),
    ("no header", "anna,A1,4.5,2020-01-02", "", &["no column is user", "`anna`, `A1`"]),
    ("a duplicate name", "reader,reader,isbn,stars", "", &["could both be user", "rename one"]),
    (
        "a duplicate name that is given",
        "reader,a,isbn,a",
        "rating=a",
        &["`a`, named for rating, occurs twice", "rename"],
    ),
    (
        "a column that isn't there",
        "reader,isbn,stars,date",
        "rating=score",
        &["no column `score`", "nearest is", "--columns rating=stars"],
    ),
    (
        "several that aren't",
        "reader,isbn,stars,date",
        "user=x,ratings.item=y",
        &["no column `x`", "no column `y`", "--columns user="],
    ),
    ("a user who is left out", "reader,isbn,stars,date", "user=", &["user (who rated) can't be left out"]),
    (
        "one column for two",
        "reader,isbn,stars,date",
        "ratings.item=reader",
        &["`reader` is taken for user and for item"],
    ),
    ("pipes", "reader|isbn|stars|date", "", &["`reader|isbn|stars|date`", "another delimiter"]),
    ("a note to a spreadsheet", "sep=,\nreader,isbn,stars,date", "", &["a note to a spreadsheet", "Remove that line"]),
    ("a quote that stays open", "\"reader,isbn,stars,date", "", &["a quote is opened in the header"]),
    ("HTML", "<!doctype html><html><body>", "", &["doctype", "no column is user"]),
    ("JSON", "{\"reader\": \"anna\", \"isbn\": \"A1\"}", "", &["no column is user"]),
    (
        "three byte order marks; the parser skips two",
        "\u{feff}\u{feff}\u{feff}reader,isbn,stars,date",
        "user=reader",
        &["no column `reader`", "nearest"],
    ),
];

#[test]
fn wrong_headers() {
    let rows = "anna,A1,4.5,2020-01-02\n";
    for (what, header, columns, parts) in BAD_HEADERS {
        let text = format!("{header}\n{rows}");
        let message = refusal(("items.csv", ITEMS.as_bytes()), ("ratings.csv", text.as_bytes()), columns);
        assert_says(what, &message, &[&["ratings.csv: line 1"], *parts].concat());
    }
    for (what, header, parts) in [
        ("no title", "isbn,label,subjects,year", ["no column is title", "--columns title=COLUMN"]),
        ("no id", "key,title,subjects,year", ["no column is item", "--columns item=COLUMN"]),
        ("nothing left to take", "title", ["no column is item", "--columns item=COLUMN"]),
    ] {
        let message =
            refusal(("items.csv", format!("{header}\nA1\n").as_bytes()), ("ratings.csv", RATINGS.as_bytes()), "");
        assert_says(what, &message, &["items.csv: line 1", parts[0], parts[1]]);
    }
    let latin = refusal(("items.csv", b"isbn,t\xeftle\nA1,First\n"), ("ratings.csv", RATINGS.as_bytes()), "");
    assert_says("Latin-1", &latin, &["items.csv: line 1", "Latin-1", "iconv"]);
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

#[test]
fn files_that_are_not_csv() {
    let marked = |mark: &[u8], bytes: Vec<u8>| [mark, &bytes].concat();
    let cut = RATINGS.strip_suffix(",,2020-02-01\n").unwrap();
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        ("nothing", Vec::new(), &["is empty", "Fetch it again"]),
        ("blank lines", b"\n\n \n".to_vec(), &["nothing but blank lines"]),
        ("a header alone", b"reader,isbn,stars,date\n".to_vec(), &["a header and no rows"]),
        ("a header without a line break", b"reader,isbn,stars,date".to_vec(), &["a header and no rows"]),
        ("a byte order mark alone", b"\xef\xbb\xbf".to_vec(), &["ratings.csv"]),
        ("UTF-16, little first", marked(b"\xff\xfe", utf16(RATINGS, u16::to_le_bytes)), &["UTF-16", "iconv"]),
        ("UTF-16, large first", marked(b"\xfe\xff", utf16(RATINGS, u16::to_be_bytes)), &["UTF-16", "iconv"]),
        ("UTF-16 without a mark", utf16(RATINGS, u16::to_le_bytes), &["UTF-16", "iconv"]),
        ("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec(), &["gzip", "gunzip"]),
        ("Zstandard", b"\x28\xb5\x2f\xfd\x04\x58".to_vec(), &["Zstandard", "unzstd"]),
        ("bzip2", b"BZh91AY&SY".to_vec(), &["bzip2", "bunzip2"]),
        ("a workbook", b"PK\x03\x04\x14\0\x06\0".to_vec(), &["Excel", "export the sheet as CSV"]),
        ("an old workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(), &["old Excel", "as CSV"]),
        ("carriage returns alone", RATINGS.replace('\n', "\r").into_bytes(), &["carriage returns", "tr "]),
        ("Parquet", b"PAR1\x15\x04\x15".to_vec(), &["is a Parquet file", ".parquet"]),
        ("a file that is cut off", cut.as_bytes().to_vec(), &["line 4 has 2 fields", "cut off", "fetch it again"]),
    ];
    for (what, bytes, parts) in cases {
        let message = refusal(("items.csv", ITEMS.as_bytes()), ("ratings.csv", &bytes), "");
        assert_says(what, &message, &[&["ratings.csv"], parts].concat());
    }
    let folder = tempfile::tempdir().unwrap();
    let read = |items: &Path| Dataset::read_own(items, &[folder.path().join("r.csv")], &Layout::default()).unwrap_err();
    let (missing, directory) = (format!("{:#}", read(Path::new("/no/such.csv"))), format!("{:#}", read(folder.path())));
    assert_says("no file", &missing, &["/no/such.csv", "Check the path"]);
    assert_says("a folder", &directory, &["can't be read"]);
}

#[test]
fn many_wrong_rows_are_counted_and_the_first_shown() {
    let rows: String = (0..1000).map(|row| format!("anna,A1,bad,2020-01-0{}\n", row % 9 + 1)).collect();
    let text = format!("reader,isbn,stars,date\n{rows}");
    let message = refusal(("items.csv", ITEMS.as_bytes()), ("ratings.csv", text.as_bytes()), "");
    assert_says("a thousand", &message, &["1000 rows are wrong; the first 5", "line 2,", "line 6,"]);
    assert!(!message.contains("line 7,") && message.lines().count() < 9, "{message}");
}

/// In MovieLens's form, ids are numbers and every row has a rating and a time.
#[test]
fn wrong_rows_of_movielens() {
    let cases = [
        ("-1,1,4.0,5", "column `userId`"),
        ("4294967296,1,4.0,5", "column `userId`"),
        ("1.0,1,4.0,5", "column `userId`"),
        ("anna,1,4.0,5", "column `userId`"),
        ("1,-1,4.0,5", "column `movieId`"),
        ("1,99999999999,4.0,5", "column `movieId`"),
        ("1,tt0114709,4.0,5", "column `movieId`"),
        ("1,1,,5", "column `rating`"),
        ("1,1,4.0,", "column `timestamp`"),
    ];
    for (row, column) in cases {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("movies.csv"), "movieId,title,genres\n1,A (1990),Drama\n6,B (1991),Drama\n")
            .unwrap();
        let ratings = format!("userId,movieId,rating,timestamp\n1,6,4.0,1\n{row}\n2,6,4.0,1\n");
        std::fs::write(folder.path().join("ratings.csv"), ratings).unwrap();
        let message = format!("{:#}", Dataset::read(folder.path(), &[]).unwrap_err());
        assert_says(row, &message, &["ratings.csv: line 3", column, "emove"]);
    }
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn plain(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn readers() -> ArrayRef {
    plain(&["anna", "anna", "ben"])
}

fn books() -> ArrayRef {
    plain(&["A1", "B2", "C3"])
}

fn assert_refused(what: &str, ratings: &[u8], parts: &[&str]) {
    let message = refusal(("items.csv", ITEMS.as_bytes()), ("ratings.parquet", ratings), "");
    assert_says(what, &message, &[&["ratings.parquet"], parts].concat());
}

#[test]
fn files_that_are_not_whole_parquet() {
    let good = parquet(vec![("reader", readers()), ("isbn", books())]);
    let half = good.len() / 2;
    let cases: &[(&str, &[u8], &[&str])] = &[
        ("nothing", b"", &["is empty"]),
        ("CSV", RATINGS.as_bytes(), &["isn't Parquet by its first bytes", ".csv"]),
        ("cut in half", &good[..half], &["isn't a whole Parquet file", "Fetch or write it again"]),
        ("cut at the end", &good[..good.len() - 1], &["isn't a whole Parquet file"]),
        ("its magic alone", b"PAR1", &["isn't a whole Parquet file"]),
        ("a length of too much", b"PAR1\xff\xff\xff\xffPAR1", &["isn't a whole Parquet file"]),
        ("no rows", &parquet(vec![("reader", plain(&[])), ("isbn", plain(&[]))]), &["a schema and no rows"]),
    ];
    for (what, bytes, parts) in cases {
        assert_refused(what, bytes, parts);
    }
}

#[test]
fn wrong_columns_of_parquet() {
    let pair: ArrayRef =
        Arc::new(StructArray::from(vec![(Arc::new(Field::new("id", DataType::Utf8, true)), readers())]));
    let mut lists = ListBuilder::new(StringBuilder::new());
    for name in ["anna", "ben", "cleo"] {
        lists.append_value([Some(name)]);
    }
    let bytes: ArrayRef = Arc::new(BinaryArray::from(vec![&b"a"[..], b"\xff", b"b"]));
    let cases: [(&str, &str, ArrayRef, &[&str]); 4] = [
        ("a struct for a user", "reader", pair, &["`reader` is a struct", "plain values"]),
        ("a list for a user", "reader", Arc::new(lists.finish()), &["`reader` holds a list"]),
        ("no user", "who", readers(), &["no column is user", "--columns user=COLUMN"]),
        ("bytes that aren't text", "reader", bytes, &["column `reader`", "can't be read as text"]),
    ];
    for (what, name, users, parts) in cases {
        assert_refused(what, &parquet(vec![(name, users), ("isbn", books())]), parts);
    }
}

#[test]
fn wrong_values_of_parquet() {
    let with =
        |name: &'static str, array: ArrayRef| parquet(vec![("reader", readers()), ("isbn", books()), (name, array)]);
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        (
            "a user who is missing",
            parquet(vec![("reader", texts(&[Some("anna"), None, Some("ben")])), ("isbn", books())]),
            &["row 2, column `reader`", ID],
        ),
        (
            "a rating of yes",
            with("stars", Arc::new(BooleanArray::from(vec![true, false, true]))),
            &["row 1, column `stars`", DIGITS],
        ),
        (
            "ratings of ten",
            with("stars", Arc::new(Float64Array::from(vec![Some(3.0), Some(9.0), None]))),
            &["row 2, column `stars`", "`9`", "--scale 1..10"],
        ),
        (
            "a NaN",
            with("stars", Arc::new(Float64Array::from(vec![f64::NAN, 3.0, 3.0]))),
            &["row 1, column `stars`", OUTSIDE],
        ),
        (
            "a time of the far future",
            with("date", Arc::new(Int64Array::from(vec![1, 2, 99_999_999_999]))),
            &["row 3, column `date`", "of the year 5138"],
        ),
        (
            "a duplicate rating",
            parquet(vec![("reader", readers()), ("isbn", plain(&["A1", "A1", "C3"]))]),
            &["row 2: user anna has item A1 twice", "before in row 1"],
        ),
    ];
    for (what, bytes, parts) in cases {
        assert_refused(what, &bytes, parts);
    }
}

/// Every third byte of a small file is damaged in turn. Each file is read or rejected, and nothing panics.
#[test]
fn a_damaged_byte_of_parquet_is_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let items = folder.path().join("items.csv");
    std::fs::write(&items, ITEMS).unwrap();
    let good = parquet(vec![("reader", readers()), ("isbn", books())]);
    let path = folder.path().join("ratings.parquet");
    let mut refused = 0;
    for at in (0..good.len()).step_by(3) {
        let mut bytes = good.clone();
        bytes[at] ^= 0x55;
        std::fs::write(&path, &bytes).unwrap();
        refused += usize::from(Dataset::read_own(&items, std::slice::from_ref(&path), &Layout::default()).is_err());
    }
    assert!(refused > 20, "{refused} of {} were refused", good.len() / 3);
}
