//! From a file of separated values to text, and from text to records, each with its line.

use std::borrow::Cow;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::error::{Error, Result};

/// Windows-1252's characters from 0x80 to 0x9f, where Latin-1 has control characters.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž', '\u{fffd}', '\u{fffd}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}', 'ž', 'Ÿ',
];

/// How many times its own length of a file may be read again because of quotation marks that aren't closed.
const REREADS: usize = 4;

/// The text of a file without a byte order mark. A file that isn't UTF-8 is read as Windows-1252.
///
/// # Errors
/// [`Error::ListInvalid`] for a byte of 0, which no text has.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    if bytes.contains(&0) {
        let reason = "it isn't text in UTF-8 or Windows-1252. Export it as CSV, or save it as CSV in UTF-8".to_owned();
        return Err(Error::ListInvalid { reason });
    }
    let windows_character = |byte: &u8| {
        let special = usize::from(*byte).checked_sub(0x80).and_then(|at| WINDOWS_1252.get(at));
        special.copied().unwrap_or_else(|| char::from(*byte))
    };
    Ok(std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(windows_character).collect(), Cow::Borrowed))
}

/// The most cells of a record that are kept. No list has a tenth as many, while a hostile file may have ten million.
const MAX_CELLS: usize = 1_000;

/// One record.
#[derive(Debug)]
pub(super) struct Record {
    /// The line of the file in which it begins, from 1.
    pub(super) line: usize,
    /// Its first [`MAX_CELLS`] cells, trimmed; `None` if a quotation mark in its line is never closed.
    pub(super) cells: Option<Vec<String>>,
}

/// The records of a text, by RFC 4180. Quoted cells may contain delimiters, line ends and doubled quotation marks.
pub(super) struct Records<'text> {
    reader: Reader,
    delimiter: u8,
    rest: &'text [u8],
    line: usize,
    /// How many more bytes may be read twice, so that no file takes more than linear time.
    rereads: usize,
}

impl<'text> Records<'text> {
    pub(super) fn new(text: &'text str, delimiter: u8) -> Self {
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        Self { reader, delimiter, rest: text.as_bytes(), line: 1, rereads: REREADS * text.len() }
    }

    /// The next record that isn't blank, `None` at the end.
    ///
    /// A record of several lines must have `width` cells, and its quotations must end where cells do. If not, its first
    /// line counts as one with an unclosed quotation mark, so that it doesn't swallow the lines after it.
    pub(super) fn next(&mut self, width: Option<usize>) -> Option<Record> {
        loop {
            let blank = self.rest.iter().take_while(|byte| is_line_end(**byte)).count();
            self.advance(blank);
            if self.rest.is_empty() {
                return None;
            }
            let line = self.line;
            let (cells, len) = self.read();
            let read = self.rest.get(..len).unwrap_or_default();
            let first = read.iter().position(|byte| is_line_end(*byte)).unwrap_or(len);
            let has_more_lines = read.iter().skip(first).any(|byte| !is_line_end(*byte));
            let has_width = width.is_none_or(|width| width == cells.len());
            if has_more_lines && !(has_width && is_well_quoted(read, self.delimiter)) {
                let left = self.rereads.checked_sub(len);
                self.rereads = left.unwrap_or_default();
                self.advance(if left.is_some() { first } else { len });
                return Some(Record { line, cells: None });
            }
            self.advance(len);
            if cells.iter().any(|cell| !cell.is_empty()) {
                return Some(Record { line, cells: Some(cells) });
            }
        }
    }

    /// The cells of the next record, and its length in bytes, at least 1.
    fn read(&mut self) -> (Vec<String>, usize) {
        self.reader.reset();
        let (mut text, mut ends) = (vec![0; 256], vec![0; 32]);
        let (mut len, mut text_len, mut cells) = (0, 0, 0);
        loop {
            let input = self.rest.get(len..).unwrap_or_default();
            let output = text.get_mut(text_len..).unwrap_or_default();
            let (result, read, written, ended) =
                self.reader.read_record(input, output, ends.get_mut(cells..).unwrap_or_default());
            (len, text_len, cells) = (len + read, text_len + written, cells + ended);
            match result {
                ReadRecordResult::OutputFull => text.resize(text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => ends.resize(ends.len() * 2, 0),
                // The next call gets no input, and returns the end of the last record.
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::Record | ReadRecordResult::End => break,
            }
        }
        let mut start = 0;
        let cell = |end: &usize| {
            let bytes = text.get(start..*end).unwrap_or_default();
            start = *end;
            String::from_utf8_lossy(bytes).trim().to_owned()
        };
        (ends.iter().take(cells.min(MAX_CELLS)).map(cell).collect(), len.max(1))
    }

    fn advance(&mut self, len: usize) {
        let bytes = self.rest.iter().zip(self.rest.iter().skip(1).map(Some).chain([None])).take(len);
        let is_end = |(byte, next): &(&u8, Option<&u8>)| **byte == b'\n' || (**byte == b'\r' && *next != Some(&b'\n'));
        self.line += bytes.filter(is_end).count();
        self.rest = self.rest.get(len..).unwrap_or_default();
    }
}

/// Whether each quotation of a record is closed, right before a delimiter or the record's end.
fn is_well_quoted(record: &[u8], delimiter: u8) -> bool {
    let mut bytes = record.iter().copied().peekable();
    let (mut is_quoted, mut is_at_start) = (false, true);
    while let Some(byte) = bytes.next() {
        if byte == b'"' && is_quoted {
            // A doubled mark is one mark of the cell.
            if bytes.next_if_eq(&b'"').is_none() {
                is_quoted = false;
                if bytes.peek().is_some_and(|next| *next != delimiter && !is_line_end(*next)) {
                    return false;
                }
            }
        } else if byte == b'"' && is_at_start {
            is_quoted = true;
        }
        is_at_start = byte == delimiter && !is_quoted;
    }
    !is_quoted
}

const fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn records(text: &str, width: usize) -> Vec<(usize, Option<Vec<String>>)> {
        let mut records = Records::new(text, b',');
        std::iter::from_fn(|| records.next(Some(width))).map(|record| (record.line, record.cells)).collect()
    }

    fn cells(cells: &[&str]) -> Option<Vec<String>> {
        Some(cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn records_have_the_line_that_they_begin_in() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["", "a,b", "", " , ", "\"c\"\"", "d,\",  e ", "f,g"].join(end);
            let quoted = format!("c\"{end}d,");
            let expected = [(2, cells(&["a", "b"])), (5, cells(&[&quoted, "e"])), (7, cells(&["f", "g"]))];
            assert_eq!(records(&text, 2), expected, "{end:?}");
        }
    }

    #[test]
    fn a_quotation_mark_that_is_not_closed_costs_its_line_alone() {
        let expected = [(1, cells(&["a", "b"])), (2, None), (3, cells(&["e", "f"])), (4, cells(&["g", "h"]))];
        assert_eq!(records("a,b\nc,\"d\ne,f\ng,h\n", 2), expected);
        // The next line's quotation mark closes it, and the cells are as many as they should be.
        let expected = [(1, None), (2, cells(&["e", "f", "y"])), (3, cells(&["g", "h", "z"]))];
        assert_eq!(records("c,\"d,x\ne,\"f\",y\ng,h,z", 3), expected);
        // Here the cells are too few.
        let expected = [(1, None), (2, cells(&["e", "f\""])), (3, cells(&["g", "h"]))];
        assert_eq!(records("\"c,d\ne,f\"\ng,h", 2), expected);
    }

    #[test]
    fn long_records_of_many_cells_are_read_whole() {
        let (cell, many) = ("x".repeat(5_000), "y,".repeat(300));
        let read = records(&format!("{cell},{many}{cell}\nz"), 302);
        let first = read.first().unwrap().1.clone().unwrap();
        assert_eq!((first.len(), first.first(), first.last()), (302, Some(&cell), Some(&cell)));
        assert_eq!(read.get(1), Some(&(2, cells(&["z"]))));
    }

    #[test]
    fn text_is_utf_8_or_windows_1252() {
        assert_eq!(decode("\u{feff}Amélie".as_bytes()).unwrap(), "Amélie");
        assert_eq!(decode(b"Am\xe9lie \x96 \x80\x81").unwrap(), "Amélie – €\u{fffd}");
        assert_eq!(decode(b"\xef\xbb\xbfAm\xe9lie").unwrap(), "Amélie");
        assert_eq!(decode(b"PK\x03\x04\x00").unwrap_err().code(), "list-invalid");
    }
}
