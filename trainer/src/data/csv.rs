//! Reading CSV as a stream: comma, semicolon or tab, quoted fields, any line breaks, and the line of whatever is wrong.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use super::columns::Column;
use super::problems::{Problems, quoted};
use super::row::{MOST_COLUMNS, Read as TableRead};
use crate::files;

/// What may stand between two fields.
const DELIMITERS: [u8; 3] = *b",;\t";

/// Bytes of the start of a file by which it is told what it is.
const START: usize = 4096;

/// The longest field that is believed: a longer one is half a file behind a quote that was never closed.
const LONGEST_FIELD: usize = 100_000;

/// A CSV file with its header read.
pub(crate) struct CsvTable {
    path: PathBuf,
    reader: csv::Reader<Watched>,
    delimiter: u8,
    /// Whether lines end in a carriage return and a line feed, of which the parser takes the second for the next row's.
    is_crlf: bool,
    columns: Vec<Column>,
}

impl CsvTable {
    /// Opens a file and reads its header. Names are trimmed, and a byte order mark is no part of the first.
    ///
    /// # Errors
    /// A file that can't be read, is empty, or isn't text in UTF-8, each with what it seems to be.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let shown = path.display();
        let mut file =
            File::open(path).with_context(|| format!("{shown} can't be read. Check the path and the rights."))?;
        let mut start = Vec::with_capacity(START);
        let place = || format!("{shown} can't be read. Check the path and the rights.");
        Read::by_ref(&mut file).take(START as u64).read_to_end(&mut start).with_context(place)?;
        ensure!(!start.is_empty(), "{shown} is empty. Fetch it again: it needs a header and one row a line.");
        if let Some(what) = foreign(&start) {
            bail!("{shown} {what}");
        }
        let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start);
        let first_line =
            text.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
        ensure!(
            first_line.get(..4).is_none_or(|line| !line.eq_ignore_ascii_case(b"sep=")),
            "{shown}: line 1 is a note to a spreadsheet ({}), not a header. Remove that line.",
            quoted(String::from_utf8_lossy(first_line).trim())
        );
        let delimiter = delimiter(first_line);
        let is_crlf = text.split(|byte| *byte == b'\n').next().is_some_and(|line| line.ends_with(b"\r"));
        // The mark's three bytes belong to the file and its hash, and to no field.
        let mark = start.len() - text.len();
        let mut watched = Watched::new(file, start, delimiter);
        io::copy(&mut Read::by_ref(&mut watched).take(mark as u64), &mut io::sink()).with_context(place)?;
        watched.quotes = Quotes::default();
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .buffer_capacity(1 << 16)
            .from_reader(watched);
        let mut header = csv::ByteRecord::new();
        reader.read_byte_record(&mut header).with_context(|| format!("{shown}: the header isn't readable"))?;
        let mut columns = Vec::new();
        for name in &header {
            let name = std::str::from_utf8(name).ok().map(str::trim).with_context(|| {
                let seen = String::from_utf8_lossy(name);
                format!("{shown}: line 1: the column name {} {NOT_UTF8}", quoted(&seen))
            })?;
            columns.push(Column::plain(name));
        }
        // Only a header that swallowed all that follows makes the parser ask for more than there is.
        ensure!(
            !reader.get_ref().ended || reader.get_ref().quotes.open().is_none(),
            "{shown}: line 1: a quote is opened in the header and never closed. Close or remove it."
        );
        Ok(Self { path: path.to_owned(), reader, delimiter, is_crlf, columns })
    }

    /// The columns in the header's order.
    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Gives every row's fields at `places` to `each`, with its line; a row that isn't like the header goes to `problems`.
    ///
    /// # Errors
    /// A file that stops being readable, and one without rows.
    pub(crate) fn read(
        mut self,
        places: &[usize],
        problems: &mut Problems,
        mut each: impl FnMut(u32, &[&str], &mut Problems),
    ) -> Result<TableRead> {
        let shown = self.path.display();
        let width = self.columns.len();
        let mut record = csv::ByteRecord::new();
        let mut rows = 0;
        loop {
            let more = self.reader.read_byte_record(&mut record).with_context(|| {
                format!("{shown} can't be read on after {rows} rows. Check the disk, or fetch the file again.")
            })?;
            if !more {
                break;
            }
            rows += 1;
            let watched = self.reader.get_ref();
            // A row that the end of the file ends, and no line break.
            let is_last = watched.ended && !watched.ends_with_break;
            let breaks_after = u64::from(!self.is_crlf && !is_last);
            let within = record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
            // The parser says where it is after the row, and before it only without what is blank between rows.
            let line = self.reader.position().line().saturating_sub(breaks_after + within);
            let line = u32::try_from(line).unwrap_or(u32::MAX);
            if watched.ended && watched.quotes.open().is_some() {
                // It swallowed the rest of the file, so that whatever else is said of this row would mislead.
                break;
            }
            if record.len() != width {
                problems.row(line, || ragged(&record, width, self.delimiter, is_last));
                continue;
            }
            let mut fields = [""; MOST_COLUMNS];
            let mut sound = true;
            for (slot, place) in fields.iter_mut().zip(places) {
                let bytes = record.get(*place).unwrap_or_default();
                let column = || self.columns.get(*place).map_or("", |column| column.name.as_str());
                match std::str::from_utf8(bytes) {
                    Ok(text) if text.contains('\0') => {
                        problems.value(
                            line,
                            column(),
                            text,
                            "holds a NUL byte. The file is damaged, or no text: write it again.",
                        );
                        sound = false;
                    }
                    Ok(text) if text.len() > LONGEST_FIELD => {
                        problems.value(
                            line,
                            column(),
                            text,
                            "is longer than any field can be. A quote may be open: close it.",
                        );
                        sound = false;
                    }
                    Ok(text) => *slot = text,
                    Err(_) => {
                        problems.value(line, column(), &String::from_utf8_lossy(bytes), NOT_UTF8);
                        sound = false;
                    }
                }
            }
            if sound {
                each(line, fields.get(..places.len()).unwrap_or(&fields), problems);
            }
        }
        // The parser may stop before the end of a file that ends in blank lines, which the hash is of as well.
        io::copy(self.reader.get_mut(), &mut io::sink())
            .with_context(|| format!("{shown} can't be read to its end"))?;
        let watched = self.reader.into_inner();
        let quotes = &watched.quotes;
        if let Some(line) = quotes.open() {
            problems.row(line, || {
                ": a quote is opened here and never closed. Close it, or double it if it is part of the text."
                    .to_owned()
            });
        }
        for line in &quotes.stray {
            problems.row(*line, || {
                ": something stands after a closing quote. A quote within a quoted field is written twice (\"\")."
                    .to_owned()
            });
        }
        ensure!(rows > 0, "{shown} has a header and no rows. Fetch it again, or write a row a line below the header.");
        Ok(TableRead { rows, sha256: files::hex(&watched.hash.finalize()) })
    }
}

/// What a field is that isn't UTF-8, and how to mend it.
const NOT_UTF8: &str = "isn't UTF-8 but perhaps Latin-1 or Windows-1252. Save the file as UTF-8: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW.";

/// What a row is that hasn't the header's number of fields.
fn ragged(record: &csv::ByteRecord, width: usize, delimiter: u8, last: bool) -> String {
    let bytes: Vec<u8> = record.iter().collect::<Vec<_>>().join(&delimiter);
    let text = String::from_utf8_lossy(&bytes);
    let other = DELIMITERS
        .into_iter()
        .filter(|other| *other != delimiter)
        .find(|other| record.len() == 1 && bytes.iter().filter(|byte| *byte == other).count() + 1 == width);
    let remedy = if let Some(other) = other {
        format!(" It is parted by {}, the header by {}: use one of them throughout.", named(other), named(delimiter))
    } else if last {
        " It is the last and ends without a line break, so the file seems cut off: fetch it again.".to_owned()
    } else if text.contains('\n') {
        " It goes over several lines, so a quote may be open: close it.".to_owned()
    } else if record.len() > width {
        format!(" Put a field that holds {} in quotes, or remove what is too much.", named(delimiter))
    } else {
        " Add what is missing, or remove the row.".to_owned()
    };
    format!(
        " has {} field{} where the header has {width}; it reads {}.{remedy}",
        record.len(),
        if record.len() == 1 { "" } else { "s" },
        quoted(&text)
    )
}

const fn named(delimiter: u8) -> &'static str {
    match delimiter {
        b';' => "semicolons",
        b'\t' => "tabs",
        _ => "commas",
    }
}

/// What stands most often between the header's names, outside of quotes; the first of those that tie.
fn delimiter(line: &[u8]) -> u8 {
    let count = |delimiter: &u8| {
        let mut in_quotes = false;
        line.iter()
            .filter(|byte| {
                in_quotes ^= **byte == b'"';
                !in_quotes && *byte == delimiter
            })
            .count()
    };
    DELIMITERS.into_iter().rev().max_by_key(count).unwrap_or(b',')
}

/// What a file is instead of text in UTF-8, as its first bytes say, and what to do.
fn foreign(start: &[u8]) -> Option<&'static str> {
    let kinds: [(&[u8], &str); 8] = [
        (b"PAR1", "is a Parquet file by its first bytes, and no text. Give it a name that ends in .parquet."),
        (b"\x1f\x8b", "is compressed by gzip. Unpack it first: gunzip FILE."),
        (b"PK\x03\x04", "is a ZIP archive or an Excel workbook. Unpack it, or export the sheet as CSV."),
        (b"\xd0\xcf\x11\xe0", "is an old Excel workbook. Export the sheet as CSV."),
        (b"\x28\xb5\x2f\xfd", "is compressed by Zstandard. Unpack it first: unzstd FILE."),
        (b"BZh", "is compressed by bzip2. Unpack it first: bunzip2 FILE."),
        (b"\xff\xfe", UTF16),
        (b"\xfe\xff", UTF16),
    ];
    if let Some((_, what)) = kinds.iter().find(|(magic, _)| start.starts_with(magic)) {
        return Some(what);
    }
    let beginning = start.get(..200).unwrap_or(start);
    if beginning.iter().filter(|byte| **byte == 0).count() * 4 > beginning.len() {
        return Some(UTF16);
    }
    if !start.contains(&b'\n') && start.iter().filter(|byte| **byte == b'\r').count() > 0 {
        return Some(
            "has line breaks of carriage returns alone. Write it with line feeds: tr '\\r' '\\n' < OLD > NEW.",
        );
    }
    start.trim_ascii().is_empty().then_some("holds nothing but blank lines. It needs a header and one row a line.")
}

const UTF16: &str = "is written in UTF-16, not in UTF-8. Save it as UTF-8: iconv -f UTF-16 -t UTF-8 OLD > NEW.";

/// A file on its way to the parser, which says nothing of quotes that stay open: hashed, and its quotes followed.
struct Watched {
    file: File,
    /// What was read to see what the file is.
    start: io::Cursor<Vec<u8>>,
    hash: Sha256,
    quotes: Quotes,
    delimiter: u8,
    ended: bool,
    ends_with_break: bool,
}

impl Watched {
    fn new(file: File, start: Vec<u8>, delimiter: u8) -> Self {
        let start = io::Cursor::new(start);
        let (hash, quotes) = (Sha256::new(), Quotes::default());
        Self { file, start, hash, quotes, delimiter, ended: false, ends_with_break: false }
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut count = self.start.read(buffer)?;
        if count == 0 {
            count = self.file.read(buffer)?;
        }
        let new = buffer.get(..count).unwrap_or_default();
        self.ended = new.is_empty();
        if let Some(last) = new.last() {
            self.ends_with_break = matches!(last, b'\n' | b'\r');
        }
        self.hash.update(new);
        self.quotes.follow(new, self.delimiter);
        Ok(count)
    }
}

/// Where in a field the file is, by the rules of RFC 4180.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Place {
    #[default]
    Start,
    Plain,
    Quoted,
    /// After a quote that closes the field or is half of a doubled one.
    Closed,
}

#[derive(Debug, Default)]
struct Quotes {
    place: Place,
    /// Line breaks so far.
    breaks: u32,
    /// The line in which the last quote was opened.
    opened: u32,
    /// Lines in which something stands after a closing quote, the first few.
    stray: Vec<u32>,
}

impl Quotes {
    fn follow(&mut self, bytes: &[u8], delimiter: u8) {
        for byte in bytes {
            let breaks = matches!(byte, b'\n' | b'\r');
            let parts = breaks || *byte == delimiter;
            self.place = match self.place {
                Place::Start if *byte == b'"' => {
                    self.opened = self.breaks + 1;
                    Place::Quoted
                }
                Place::Quoted if *byte == b'"' => Place::Closed,
                Place::Quoted => Place::Quoted,
                Place::Closed if *byte == b'"' => Place::Quoted,
                _ if parts => Place::Start,
                Place::Closed => {
                    if self.stray.len() < 8 {
                        self.stray.push(self.breaks + 1);
                    }
                    Place::Plain
                }
                Place::Start | Place::Plain => Place::Plain,
            };
            self.breaks += u32::from(*byte == b'\n');
        }
    }

    /// The line of the quote that is open, if one is.
    fn open(&self) -> Option<u32> {
        (self.place == Place::Quoted).then_some(self.opened)
    }
}
