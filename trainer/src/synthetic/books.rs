//! Made-up books and their readers: a catalogue that is no movies, whose answer is known.
//!
//! Every reader has one of eight tastes and reads that taste's books, now and then another's. Nothing in the items says which taste
//! a book is of: titles, categories and years are chance. Whoever clicks books of one taste must be suggested that taste's others, and
//! only who read what can tell. The ids are text (ISBN-13), the ratings on a scale of 1 to 10, many rows have none, times are dates, and the
//! ratings are in CSV and once more in Parquet: all that an own catalogue may differ in from MovieLens.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use arrow_array::{ArrayRef, Date32Array, RecordBatch, StringArray, UInt8Array};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::config::{CONFIG_FILE, config_text};

/// How many tastes there are.
pub const GROUPS: usize = 8;

/// How often a reader strays into another taste.
const STRAY: f64 = 0.08;

/// How often somebody reads a book and doesn't rate it.
const UNRATED: f64 = 0.4;

/// Rows of a Parquet file's batch.
const BATCH: usize = 1 << 16;

/// Batches of a row group.
const BATCHES_OF_GROUP: usize = 4;

/// Days since 1970 of the first and the last possible day.
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

/// How many books and readers there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookConfig {
    /// Readers, who take turns in their tastes.
    pub readers: usize,
    /// Books.
    pub books: usize,
    /// Books that a reader has read, on average; between half and one and a half times as many.
    pub each: usize,
    /// The seed of every random number.
    pub seed: u64,
}

impl Default for BookConfig {
    fn default() -> Self {
        Self { readers: 800, books: 480, each: 24, seed: 1 }
    }
}

/// One book.
struct Book {
    isbn: String,
    title: String,
    categories: String,
    year: u16,
    group: usize,
}

/// One reader's row.
struct Reading<'books> {
    reader: usize,
    book: &'books Book,
    stars: Option<u8>,
    day: i32,
}

/// Writes `items.csv`, `ratings.csv`, the same ratings as `ratings.parquet`, `groups.csv` with each book's taste, and a
/// configuration to train by. Returns how many ratings there are.
///
/// # Errors
/// Numbers that no such readers can have, and a folder that can't be written to.
pub fn write(folder: &Path, config: &BookConfig) -> Result<usize> {
    let most = FIRST_WORDS.len() * SECOND_WORDS.len() * LAST_WORDS.len();
    ensure!(
        (GROUPS * 10..=most).contains(&config.books),
        "--books is a number from {} to {most}, so that each taste has ten and each book a title",
        GROUPS * 10
    );
    ensure!(
        (2..=config.books / GROUPS / 2).contains(&config.each),
        "--each is a number from 2 to {}, half of what a taste has of {} books",
        config.books / GROUPS / 2,
        config.books
    );
    ensure!(config.readers >= 10, "--readers is at least 10, so that some can be held out");
    let place = || format!("the books can't be written to {}. Free the disk or mend the rights.", folder.display());
    fs::create_dir_all(folder).with_context(place)?;
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
    let books = books(config.books, &mut rng);
    let mut items = String::from("isbn,title,subjects,year\n");
    let mut groups = String::from("isbn,group\n");
    for Book { isbn, title, categories, year, group } in &books {
        items.push_str(&format!("{isbn},{title},{categories},{year}\n"));
        groups.push_str(&format!("{isbn},{}\n", group + 1));
    }
    fs::write(folder.join("items.csv"), items).with_context(place)?;
    fs::write(folder.join("groups.csv"), groups).with_context(place)?;
    let mut csv = BufWriter::new(File::create(folder.join("ratings.csv")).with_context(place)?);
    let mut parquet = ParquetFile::create(&folder.join("ratings.parquet")).with_context(place)?;
    csv.write_all(b"reader,isbn,stars,date\n").with_context(place)?;
    let shelves = Shelves::new(&books);
    let mut count = 0;
    for reader in 0..config.readers {
        let mut own = ChaCha8Rng::seed_from_u64(config.seed);
        own.set_stream(1 + reader as u64);
        for reading in shelves.readings(reader, config.each, &mut own) {
            let stars = reading.stars.map_or_else(String::new, |stars| stars.to_string());
            let (name, day) = (reader_name(reading.reader), iso_date(reading.day));
            writeln!(csv, "{name},{},{stars},{day}", reading.book.isbn).with_context(place)?;
            parquet.push(&reading).with_context(place)?;
            count += 1;
        }
    }
    csv.flush().with_context(place)?;
    parquet.finish().with_context(place)?;
    let text = config_text("items.csv", "ratings.parquet").replace("# scale = \"1..10\"", "scale = \"1..10\"");
    fs::write(folder.join(CONFIG_FILE), text).with_context(place)?;
    Ok(count)
}

fn reader_name(reader: usize) -> String {
    format!("reader-{:05}", reader + 1)
}

fn books(count: usize, rng: &mut ChaCha8Rng) -> Vec<Book> {
    let most = FIRST_WORDS.len() * SECOND_WORDS.len() * LAST_WORDS.len();
    // The tastes are dealt out by chance, so that a book's place in the file says nothing of its taste.
    let mut groups: Vec<usize> = (0..count).map(|book| book % GROUPS).collect();
    groups.shuffle(rng);
    let book = |(number, group): (usize, usize)| {
        // Coprime to the number of titles, so that no two books have the same.
        let title = number * 7919 % most;
        let word = |words: &[&'static str], at: usize| words.get(at % words.len()).copied().unwrap_or_default();
        let (first, rest) = (title % FIRST_WORDS.len(), title / FIRST_WORDS.len());
        let title = format!(
            "The {} {} of {}",
            word(&FIRST_WORDS, first),
            word(&SECOND_WORDS, rest),
            word(&LAST_WORDS, rest / SECOND_WORDS.len())
        );
        let categories: Vec<&str> = CATEGORIES.sample(rng, rng_count(number)).copied().collect();
        Book { isbn: isbn(number), title, categories: categories.join("|"), year: rng.random_range(1950..2015), group }
    };
    (0..count).zip(groups).map(book).collect()
}

/// Every other book is of two categories.
const fn rng_count(number: usize) -> usize {
    1 + number % 2
}

/// An ISBN of thirteen digits whose last one checks the others.
fn isbn(number: usize) -> String {
    let start = format!("978{:09}", 100_000_000 + number * 97);
    let digits = start.bytes().map(|digit| usize::from(digit - b'0'));
    let sum: usize = digits.enumerate().map(|(at, digit)| digit * if at % 2 == 0 { 1 } else { 3 }).sum();
    format!("{start}{}", (10 - sum % 10) % 10)
}

/// Each taste's books, with the running sum of how well known they are.
struct Shelves<'books> {
    groups: Vec<Vec<(&'books Book, f64)>>,
}

impl<'books> Shelves<'books> {
    fn new(books: &'books [Book]) -> Self {
        let mut groups: Vec<Vec<(&Book, f64)>> = vec![Vec::new(); GROUPS];
        for book in books {
            let Some(group) = groups.get_mut(book.group) else { continue };
            let before = group.last().map_or(0.0, |(_, sum)| *sum);
            let known = 1.0 / (group.len() as f64 + 5.0).sqrt();
            group.push((book, before + known));
        }
        Self { groups }
    }

    fn draw(&self, group: usize, rng: &mut ChaCha8Rng) -> Option<&'books Book> {
        let shelf = self.groups.get(group)?;
        let (_, all) = shelf.last()?;
        let drawn = rng.random_range(0.0..*all);
        shelf.get(shelf.partition_point(|(_, sum)| *sum <= drawn)).map(|(book, _)| *book)
    }

    /// What a reader has read, in the order of the days.
    fn readings(&self, reader: usize, each: usize, rng: &mut ChaCha8Rng) -> Vec<Reading<'books>> {
        let taste = reader % GROUPS;
        let count = rng.random_range(each.div_ceil(2)..=each + each / 2);
        let mut day = rng.random_range(DAYS.start..DAYS.end - 400);
        let mut read = BTreeSet::new();
        let mut readings = Vec::with_capacity(count);
        while readings.len() < count {
            let strays = rng.random_bool(STRAY);
            let group = if strays { (taste + rng.random_range(1..GROUPS)) % GROUPS } else { taste };
            let Some(book) = self.draw(group, rng) else { break };
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

/// A day since 1970 as ISO 8601 writes it (Howard Hinnant's `civil_from_days`).
fn iso_date(day: i32) -> String {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i32::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A Parquet file of ratings under construction, a batch of it in memory.
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
        if self.batches.is_multiple_of(BATCHES_OF_GROUP) {
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
    use super::*;

    #[test]
    fn days_are_dates_and_isbns_check() {
        assert_eq!([0, 11_016, 19_782, 16_436].map(iso_date), ["1970-01-01", "2000-02-29", "2024-02-29", "2015-01-01"]);
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
