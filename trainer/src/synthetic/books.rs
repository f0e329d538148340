//! Made-up books and their readers: a catalogue of items other than movies, with a known answer.
//!
//! Every reader has one of eight tastes and reads that taste's books, now and then another's. Nothing in an item
//! tells its taste: titles, categories and years are random. After clicks on one taste's books, the suggestions must
//! be of that taste, and only the readings show which books those are.
//!
//! The data differ from MovieLens in everything that your own catalogue may: the ids are text (ISBN-13), ratings go
//! from 1 to 10, many rows have none, times are dates, and the ratings come in CSV and again in Parquet.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use arrow_array::types::Date32Type;
use arrow_array::{ArrayRef, Date32Array, RecordBatch, StringArray, UInt8Array};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::config::{CONFIG_FILE, config_text};
use crate::files::WRITE_REMEDY;

/// How many tastes there are.
pub const TASTES: usize = 8;

/// How often a reader strays into another taste.
const STRAY: f64 = 0.08;

/// How often a reader doesn't rate a book.
const UNRATED: f64 = 0.4;

/// Rows in a batch of the Parquet file.
const BATCH: usize = 1 << 16;

/// Batches in a row group of the Parquet file.
const BATCHES_IN_GROUP: usize = 4;

/// The possible days of a reading, counted from 1970.
const DAYS: std::ops::Range<i32> = 16_436..19_700;

const CATEGORIES: [&str; 10] =
    ["Adventure", "Biography", "Cookery", "Crime", "Essays", "Fantasy", "History", "Nature", "Poetry", "Travel"];

const FIRST_WORDS: [&str; 32] = [
    "Amber",
    "Borrowed",
    "Brittle",
    "Copper",
    "Distant",
    "Drowsy",
    "Early",
    "Faithful",
    "Foggy",
    "Forgotten",
    "Gentle",
    "Green",
    "Half-Told",
    "Hollow",
    "Idle",
    "Ivory",
    "Last",
    "Lesser",
    "Lost",
    "Narrow",
    "Paper",
    "Patient",
    "Quiet",
    "Restless",
    "Salted",
    "Second",
    "Slow",
    "Tangled",
    "Unwritten",
    "Wandering",
    "Wild",
    "Winter",
];

const SECOND_WORDS: [&str; 40] = [
    "Almanac",
    "Apprentice",
    "Archive",
    "Bakery",
    "Beekeeper",
    "Bridge",
    "Cartographer",
    "Chapel",
    "Clockmaker",
    "Coast",
    "Cupboard",
    "Daughter",
    "Dictionary",
    "Ferry",
    "Forest",
    "Gardener",
    "Glacier",
    "Harvest",
    "House",
    "Island",
    "Kitchen",
    "Lamplighter",
    "Library",
    "Lighthouse",
    "Meadow",
    "Messenger",
    "Mill",
    "Museum",
    "Orchard",
    "Painter",
    "Passenger",
    "Piano",
    "Quarry",
    "River",
    "Sailor",
    "Song",
    "Summer",
    "Tailor",
    "Valley",
    "Winter",
];

const LAST_WORDS: [&str; 36] = [
    "Ashford",
    "Autumn",
    "Bells",
    "Calder Bay",
    "Candles",
    "Dust",
    "Elmwood",
    "Feathers",
    "Fennmark",
    "Gulls",
    "Hail",
    "Harrow Hill",
    "Ink",
    "June",
    "Keld",
    "Lavender",
    "Marrow Street",
    "Mist",
    "Needles",
    "Nettles",
    "Oakhaven",
    "Pebbles",
    "Quince",
    "Rain",
    "Reeds",
    "Rowan",
    "Salt",
    "Shadows",
    "Silk",
    "Snow",
    "Tarn",
    "Thistle",
    "Tin",
    "Umber",
    "Wells",
    "Yarrow",
];

/// As many books as there are titles.
const MOST_BOOKS: usize = FIRST_WORDS.len() * SECOND_WORDS.len() * LAST_WORDS.len();

/// How many books and readers to make up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookConfig {
    /// Readers, an equal number of each taste.
    pub readers: usize,
    /// Books.
    pub books: usize,
    /// Books that a reader has read, on average. A reader has read from half to one and a half times as many.
    pub each: usize,
    /// The seed of all random numbers.
    pub seed: u64,
}

impl Default for BookConfig {
    fn default() -> Self {
        Self { readers: 800, books: 480, each: 24, seed: 1 }
    }
}

impl BookConfig {
    /// Refuses numbers that no such readers can have.
    fn check(&self) -> Result<()> {
        let least = TASTES * 10;
        ensure!(
            (least..=MOST_BOOKS).contains(&self.books),
            "--books is a number from {least} to {MOST_BOOKS}, so that each taste has ten books and titles are unique"
        );
        let most = self.books / TASTES / 2;
        ensure!(
            (2..=most).contains(&self.each),
            "--each is a number from 2 to {most}, half of the books of a taste when there are {} books",
            self.books
        );
        ensure!(self.readers >= 10, "--readers is at least 10, so that some can be held out");
        Ok(())
    }
}

/// One book.
struct Book {
    isbn: String,
    title: String,
    categories: String,
    year: u16,
    taste: usize,
}

/// One reader's row.
struct Reading<'books> {
    reader: usize,
    book: &'books Book,
    stars: Option<u8>,
    day: i32,
}

/// Writes `items.csv`, `ratings.csv`, the same ratings as `ratings.parquet`, `groups.csv` with each book's taste, and a
/// configuration to train with. Returns the number of ratings.
///
/// # Errors
/// Numbers that no such readers can have, and a folder that can't be written to.
pub fn write(folder: &Path, config: &BookConfig) -> Result<usize> {
    config.check()?;
    let place = || format!("the books can't be written to {}. {WRITE_REMEDY}", folder.display());
    fs::create_dir_all(folder).with_context(place)?;
    let books = books(config.books, &mut ChaCha8Rng::seed_from_u64(config.seed));
    write_items(folder, &books).with_context(place)?;
    let count = write_ratings(folder, &books, config).with_context(place)?;
    let text = config_text("items.csv", "ratings.parquet").replace("# scale = \"1..10\"", "scale = \"1..10\"");
    fs::write(folder.join(CONFIG_FILE), text).with_context(place)?;
    Ok(count)
}

/// Writes `items.csv` and `groups.csv`.
fn write_items(folder: &Path, books: &[Book]) -> Result<()> {
    let mut items = String::from("isbn,title,subjects,year\n");
    let mut groups = String::from("isbn,group\n");
    for Book { isbn, title, categories, year, taste } in books {
        items.push_str(&format!("{isbn},{title},{categories},{year}\n"));
        groups.push_str(&format!("{isbn},{}\n", taste + 1));
    }
    fs::write(folder.join("items.csv"), items)?;
    Ok(fs::write(folder.join("groups.csv"), groups)?)
}

/// Writes `ratings.csv` and `ratings.parquet`, and returns the number of ratings.
fn write_ratings(folder: &Path, books: &[Book], config: &BookConfig) -> Result<usize> {
    let mut csv = BufWriter::new(File::create(folder.join("ratings.csv"))?);
    let mut parquet = ParquetFile::create(&folder.join("ratings.parquet"))?;
    csv.write_all(b"reader,isbn,stars,date\n")?;
    let shelves = Shelves::new(books);
    let mut count = 0;
    for reader in 0..config.readers {
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
        rng.set_stream(1 + reader as u64);
        for reading in shelves.readings(reader, config.each, &mut rng) {
            let stars = reading.stars.map_or_else(String::new, |stars| stars.to_string());
            let (name, day) = (reader_name(reading.reader), iso_date(reading.day)?);
            writeln!(csv, "{name},{},{stars},{day}", reading.book.isbn)?;
            parquet.push(&reading)?;
            count += 1;
        }
    }
    csv.flush()?;
    parquet.finish()?;
    Ok(count)
}

fn reader_name(reader: usize) -> String {
    format!("reader-{:05}", reader + 1)
}

fn books(count: usize, rng: &mut ChaCha8Rng) -> Vec<Book> {
    // Shuffled, so that a book's place in the file says nothing of its taste.
    let mut tastes: Vec<usize> = (0..count).map(|book| book % TASTES).collect();
    tastes.shuffle(rng);
    let book = |(number, taste): (usize, usize)| {
        // Every other book has two categories.
        let categories: Vec<&str> = CATEGORIES.sample(rng, 1 + number % 2).copied().collect();
        let (isbn, title, year) = (isbn(number), title(number), rng.random_range(1950..2015));
        Book { isbn, title, categories: categories.join("|"), year, taste }
    };
    (0..count).zip(tastes).map(book).collect()
}

/// The title of a book, another for each.
fn title(number: usize) -> String {
    // A step that is coprime to the number of titles visits each of them once.
    let title = number * 7919 % MOST_BOOKS;
    let word = |words: &[&'static str], at: usize| words.get(at % words.len()).copied().unwrap_or_default();
    let (first, rest) = (title % FIRST_WORDS.len(), title / FIRST_WORDS.len());
    format!(
        "The {} {} of {}",
        word(&FIRST_WORDS, first),
        word(&SECOND_WORDS, rest),
        word(&LAST_WORDS, rest / SECOND_WORDS.len())
    )
}

/// An ISBN of 13 digits. The last checks the others.
fn isbn(number: usize) -> String {
    let start = format!("978{:09}", 100_000_000 + number * 97);
    let digits = start.bytes().map(|digit| usize::from(digit - b'0'));
    let sum: usize = digits.enumerate().map(|(at, digit)| digit * if at % 2 == 0 { 1 } else { 3 }).sum();
    format!("{start}{}", (10 - sum % 10) % 10)
}

/// Each taste's books, with the running sum of their fame.
struct Shelves<'books> {
    tastes: Vec<Vec<(&'books Book, f64)>>,
}

impl<'books> Shelves<'books> {
    fn new(books: &'books [Book]) -> Self {
        let mut tastes: Vec<Vec<(&Book, f64)>> = vec![Vec::new(); TASTES];
        for book in books {
            let Some(shelf) = tastes.get_mut(book.taste) else { continue };
            let before = shelf.last().map_or(0.0, |(_, sum)| *sum);
            let fame = 1.0 / (shelf.len() as f64 + 5.0).sqrt();
            shelf.push((book, before + fame));
        }
        Self { tastes }
    }

    /// Draws a book of a taste, the famous ones more often.
    fn draw(&self, taste: usize, rng: &mut ChaCha8Rng) -> Option<&'books Book> {
        let shelf = self.tastes.get(taste)?;
        let (_, all) = shelf.last()?;
        let drawn = rng.random_range(0.0..*all);
        shelf.get(shelf.partition_point(|(_, sum)| *sum <= drawn)).map(|(book, _)| *book)
    }

    /// A reader's books, in the order of the days.
    fn readings(&self, reader: usize, each: usize, rng: &mut ChaCha8Rng) -> Vec<Reading<'books>> {
        let own = reader % TASTES;
        let count = rng.random_range(each.div_ceil(2)..=each + each / 2);
        let mut day = rng.random_range(DAYS.start..DAYS.end - 400);
        let mut read = BTreeSet::new();
        let mut readings = Vec::with_capacity(count);
        while readings.len() < count {
            let strays = rng.random_bool(STRAY);
            let taste = if strays { (own + rng.random_range(1..TASTES)) % TASTES } else { own };
            let Some(book) = self.draw(taste, rng) else { break };
            if !read.insert(&book.isbn) {
                continue;
            }
            let rating = if strays { rng.random_range(1..=6) } else { rng.random_range(7..=10) };
            let stars = (!rng.random_bool(UNRATED)).then_some(rating);
            readings.push(Reading { reader, book, stars, day });
            day = (day + rng.random_range(0..8)).min(DAYS.end - 1);
        }
        readings
    }
}

/// A day, counted from 1970, as ISO 8601 writes it.
fn iso_date(day: i32) -> Result<String> {
    Ok(Date32Type::to_naive_date_opt(day).context("a day outside the calendar")?.to_string())
}

/// A Parquet file of ratings under construction, with a batch of it in memory.
struct ParquetFile {
    writer: ArrowWriter<File>,
    schema: Arc<Schema>,
    readers: Vec<String>,
    books: Vec<String>,
    stars: Vec<Option<u8>>,
    days: Vec<i32>,
    batches: usize,
}

impl ParquetFile {
    fn create(path: &Path) -> Result<Self> {
        let field = |name: &str, kind: DataType, nullable: bool| Field::new(name, kind, nullable);
        let schema = Arc::new(Schema::new(vec![
            field("reader", DataType::Utf8, false),
            field("isbn", DataType::Utf8, false),
            field("stars", DataType::UInt8, true),
            field("date", DataType::Date32, false),
        ]));
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let writer = ArrowWriter::try_new(File::create(path)?, Arc::clone(&schema), Some(properties))?;
        let (readers, books, stars, days) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Ok(Self { writer, schema, readers, books, stars, days, batches: 0 })
    }

    fn push(&mut self, reading: &Reading<'_>) -> Result<()> {
        self.readers.push(reader_name(reading.reader));
        self.books.push(reading.book.isbn.clone());
        self.stars.push(reading.stars);
        self.days.push(reading.day);
        if self.days.len() == BATCH { self.write_batch() } else { Ok(()) }
    }

    fn write_batch(&mut self) -> Result<()> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(std::mem::take(&mut self.readers))),
            Arc::new(StringArray::from(std::mem::take(&mut self.books))),
            Arc::new(UInt8Array::from(std::mem::take(&mut self.stars))),
            Arc::new(Date32Array::from(std::mem::take(&mut self.days))),
        ];
        self.writer.write(&RecordBatch::try_new(Arc::clone(&self.schema), columns)?)?;
        self.batches += 1;
        if self.batches.is_multiple_of(BATCHES_IN_GROUP) {
            self.writer.flush()?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        self.write_batch()?;
        self.writer.close()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn days_are_dates_and_isbns_check() {
        let dates = [0, 11_016, 19_782, 16_436].map(|day| iso_date(day).unwrap());
        assert_eq!(dates, ["1970-01-01", "2000-02-29", "2024-02-29", "2015-01-01"]);
        for number in [0, 1, 7, 479, 19_999] {
            let isbn = isbn(number);
            let digits = isbn.bytes().map(|digit| u32::from(digit - b'0'));
            let sum: u32 = digits.zip([1, 3].into_iter().cycle()).map(|(digit, weight)| digit * weight).sum();
            assert_eq!((isbn.len(), sum % 10), (13, 0), "{isbn}");
        }
    }

    #[test]
    fn every_book_has_a_title_of_its_own() {
        let books = books(20_000, &mut ChaCha8Rng::seed_from_u64(1));
        let titles: BTreeSet<&str> = books.iter().map(|book| book.title.as_str()).collect();
        let isbns: BTreeSet<&str> = books.iter().map(|book| book.isbn.as_str()).collect();
        assert_eq!((titles.len(), isbns.len()), (20_000, 20_000));
    }
}
