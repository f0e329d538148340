//! Reads CSV as a stream: comma, semicolon or tab, quoted fields, any line breaks, and the line of each defect.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use super::columns::Column;
use super::problems::{Problems, quoted};
use super::row::{MAX_COLUMNS, TableSummary};
use crate::files::{self, READ_REMEDY};

/// The delimiters that are recognised.
const DELIMITERS: [u8; 3] = *b",;\t";

/// Bytes at the start of a file that show its kind.
const START: usize = 4096;

/// The longest field in bytes. A longer one is half a file behind a quote that was never closed.
const MAX_FIELD: usize = 100_000;

/// A CSV file whose header was read.
pub(crate) struct CsvTable {
    path: PathBuf,
    reader: csv::Reader<WatchedFile>,
    delimiter: u8,
    /// Whether lines end in CR LF. The parser then takes the LF for a part of the next row.
    is_crlf: bool,
    columns: Vec<Column>,
}

impl CsvTable {
    /// Opens a file and reads its header. Names are trimmed, and a byte order mark isn't part of the first.
    ///
    /// # Errors
    /// A file that can't be read, is empty, or isn't text in UTF-8, with its likely kind.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let shown = path.display();
        let place = || format!("{shown} can't be read. {READ_REMEDY}");
        let mut file = File::open(path).with_context(place)?;
        let mut start = Vec::with_capacity(START);
        Read::by_ref(&mut file).take(START as u64).read_to_end(&mut start).with_context(place)?;
        ensure!(!start.is_empty(), "{shown} is empty. Fetch it again: it needs a header and one row a line.");
        if let Some(words) = wrong_kind(&start) {
            bail!("{shown} {words}");
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
        // The hash covers the three bytes of the mark, but no field has them.
        let mark = start.len() - text.len();
        let mut watched = WatchedFile::new(file, start, delimiter);
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
        // Only a header that swallowed all that follows makes the parser read past the end.
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

    /// Calls `each` with every row's line and its fields at `places`. A row that isn't like the header goes to
    /// `problems`.
    ///
    /// # Errors
    /// A file that stops being readable, and one without rows.
    pub(crate) fn read(
        mut self,
        places: &[usize],
        problems: &mut Problems,
        mut each: impl FnMut(u32, &[&str], &mut Problems),
    ) -> Result<TableSummary> {
        let mut record = csv::ByteRecord::new();
        let mut rows = 0;
        loop {
            let more = self.reader.read_byte_record(&mut record).with_context(|| {
                let shown = self.path.display();
                format!("{shown} can't be read on after {rows} rows. Check the disk, or fetch the file again.")
            })?;
            if !more {
                break;
            }
            rows += 1;
            let watched = self.reader.get_ref();
            if watched.ended && watched.quotes.open().is_some() {
                // The row swallowed the rest of the file. Any other complaint about it would mislead.
                break;
            }
            let line = self.line_of(&record);
            if let Some(fields) = self.fields(&record, line, places, problems) {
                each(line, fields.get(..places.len()).unwrap_or(&fields), problems);
            }
        }
        self.finish(rows, problems)
    }

    /// Whether the row that was just read ends with the file, without a line break.
    fn is_cut_off(&self) -> bool {
        let watched = self.reader.get_ref();
        watched.ended && !watched.ends_with_break
    }

    /// The first line of the record that was just read. The parser knows its position after the record; its position
    /// before the record doesn't count blank lines in between.
    fn line_of(&self, record: &csv::ByteRecord) -> u32 {
        let breaks_after = u64::from(!self.is_crlf && !self.is_cut_off());
        let within = record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
        let line = self.reader.position().line().saturating_sub(breaks_after + within);
        u32::try_from(line).unwrap_or(u32::MAX)
    }

    /// A record's texts at `places`, or nothing if the record is wrong. Its defects go to `problems`.
    fn fields<'record>(
        &self,
        record: &'record csv::ByteRecord,
        line: u32,
        places: &[usize],
        problems: &mut Problems,
    ) -> Option<[&'record str; MAX_COLUMNS]> {
        let width = self.columns.len();
        if record.len() != width {
            problems.row(line, || describe_width(record, width, self.delimiter, self.is_cut_off()));
            return None;
        }
        let mut fields = [""; MAX_COLUMNS];
        let mut sound = true;
        for (slot, place) in fields.iter_mut().zip(places) {
            match text_of(record.get(*place).unwrap_or_default()) {
                Ok(text) => *slot = text,
                Err((text, words)) => {
                    let column = self.columns.get(*place).map_or("", |column| column.name.as_str());
                    problems.value(line, column, &text, words);
                    sound = false;
                }
            }
        }
        sound.then_some(fields)
    }

    /// Reads the file to its end and complains about its quotes.
    fn finish(mut self, rows: usize, problems: &mut Problems) -> Result<TableSummary> {
        let shown = self.path.display();
        // The parser may stop before blank lines at the end, which the hash covers too.
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
                ": text follows a closing quote. A quote within a quoted field is written twice (\"\").".to_owned()
            });
        }
        ensure!(rows > 0, "{shown} has a header and no rows. Fetch it again, or write a row a line below the header.");
        Ok(TableSummary { rows, sha256: files::hex(&watched.hash.finalize()) })
    }
}

/// A field's text, or a damaged field's text and its defect.
fn text_of(field: &[u8]) -> Result<&str, (std::borrow::Cow<'_, str>, &'static str)> {
    match std::str::from_utf8(field) {
        Ok(text) if text.contains('\0') => {
            Err((text.into(), "holds a NUL byte. The file is damaged, or isn't text: write it again."))
        }
        Ok(text) if text.len() > MAX_FIELD => {
            Err((text.into(), "is longer than any field can be. A quote may be open: close it."))
        }
        Ok(text) => Ok(text),
        Err(_) => Err((String::from_utf8_lossy(field), NOT_UTF8)),
    }
}

/// The complaint about a field that isn't UTF-8.
const NOT_UTF8: &str = "isn't UTF-8 but perhaps Latin-1 or Windows-1252. \
     Save the file as UTF-8: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW.";

/// The complaint about a row that doesn't have the header's number of fields.
fn describe_width(record: &csv::ByteRecord, width: usize, delimiter: u8, is_cut_off: bool) -> String {
    let bytes: Vec<u8> = record.iter().collect::<Vec<_>>().join(&delimiter);
    let text = String::from_utf8_lossy(&bytes);
    let other = DELIMITERS
        .into_iter()
        .filter(|other| *other != delimiter)
        .find(|other| record.len() == 1 && bytes.iter().filter(|byte| *byte == other).count() + 1 == width);
    let name = delimiter_name(delimiter);
    let remedy = if let Some(other) = other {
        format!(" It is split by {}, the header by {name}: use one of them throughout.", delimiter_name(other))
    } else if is_cut_off {
        " It is the last and ends without a line break, so the file seems cut off: fetch it again.".to_owned()
    } else if text.contains('\n') {
        " It goes over several lines, so a quote may be open: close it.".to_owned()
    } else if record.len() > width {
        format!(" Put a field that holds {name} in quotes, or remove the extra fields.")
    } else {
        " Add the missing fields, or remove the row.".to_owned()
    };
    format!(
        " has {} field{} where the header has {width}; it reads {}.{remedy}",
        record.len(),
        if record.len() == 1 { "" } else { "s" },
        quoted(&text)
    )
}

const fn delimiter_name(delimiter: u8) -> &'static str {
    match delimiter {
        b';' => "semicolons",
        b'\t' => "tabs",
        _ => "commas",
    }
}

/// The delimiter that is most frequent in the header outside of quotes. Of those that tie, it is the first.
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

/// Recognises a file that isn't text in UTF-8 by its first bytes. Returns its kind and the remedy.
fn wrong_kind(start: &[u8]) -> Option<&'static str> {
    let kinds: [(&[u8], &str); 8] = [
        (b"PAR1", "is a Parquet file by its first bytes, not text. Give it a name that ends in .parquet."),
        (b"\x1f\x8b", "is compressed by gzip. Unpack it first: gunzip FILE."),
        (b"PK\x03\x04", "is a ZIP archive or an Excel workbook. Unpack it, or export the sheet as CSV."),
        (b"\xd0\xcf\x11\xe0", "is an old Excel workbook. Export the sheet as CSV."),
        (b"\x28\xb5\x2f\xfd", "is compressed by Zstandard. Unpack it first: unzstd FILE."),
        (b"BZh", "is compressed by bzip2. Unpack it first: bunzip2 FILE."),
        (b"\xff\xfe", UTF16),
        (b"\xfe\xff", UTF16),
    ];
    if let Some((_, words)) = kinds.iter().find(|(magic, _)| start.starts_with(magic)) {
        return Some(words);
    }
    let beginning = start.get(..200).unwrap_or(start);
    if beginning.iter().filter(|byte| **byte == 0).count() * 4 > beginning.len() {
        return Some(UTF16);
    }
    if !start.contains(&b'\n') && start.contains(&b'\r') {
        return Some(
            "has line breaks of carriage returns alone. Write it with line feeds: tr '\\r' '\\n' < OLD > NEW.",
        );
    }
    start.trim_ascii().is_empty().then_some("holds nothing but blank lines. It needs a header and one row a line.")
}

const UTF16: &str = "is written in UTF-16, not in UTF-8. Save it as UTF-8: iconv -f UTF-16 -t UTF-8 OLD > NEW.";

/// A file on its way to the parser. It is hashed, and its quotes are followed: the parser doesn't report open ones.
struct WatchedFile {
    file: File,
    /// The bytes that were read to find out the file's kind.
    start: io::Cursor<Vec<u8>>,
    hash: Sha256,
    quotes: Quotes,
    delimiter: u8,
    /// Whether a read returned nothing.
    ended: bool,
    ends_with_break: bool,
}

impl WatchedFile {
    fn new(file: File, start: Vec<u8>, delimiter: u8) -> Self {
        let start = io::Cursor::new(start);
        let (hash, quotes) = (Sha256::new(), Quotes::default());
        Self { file, start, hash, quotes, delimiter, ended: false, ends_with_break: false }
    }
}

impl Read for WatchedFile {
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

/// The most lines with a stray quote that are kept.
const MAX_STRAY: usize = 8;

/// The position within a field, by the rules of RFC 4180.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Position {
    #[default]
    Start,
    Plain,
    Quoted,
    /// After a quote that closes the field or is half of a doubled one.
    Closed,
}

/// Follows the quotes of a file.
#[derive(Debug, Default)]
struct Quotes {
    position: Position,
    /// Line breaks so far.
    breaks: u32,
    /// The line in which the last quote was opened.
    opened: u32,
    /// The first lines in which text follows a closing quote.
    stray: Vec<u32>,
}

impl Quotes {
    fn follow(&mut self, bytes: &[u8], delimiter: u8) {
        for byte in bytes {
            let ends_field = matches!(byte, b'\n' | b'\r') || *byte == delimiter;
            self.position = match self.position {
                Position::Start if *byte == b'"' => {
                    self.opened = self.breaks + 1;
                    Position::Quoted
                }
                Position::Quoted if *byte == b'"' => Position::Closed,
                Position::Quoted => Position::Quoted,
                Position::Closed if *byte == b'"' => Position::Quoted,
                _ if ends_field => Position::Start,
                Position::Closed => {
                    if self.stray.len() < MAX_STRAY {
                        self.stray.push(self.breaks + 1);
                    }
                    Position::Plain
                }
                Position::Start | Position::Plain => Position::Plain,
            };
            self.breaks += u32::from(*byte == b'\n');
        }
    }

    /// The line of the open quote, if there is one.
    fn open(&self) -> Option<u32> {
        (self.position == Position::Quoted).then_some(self.opened)
    }
}
