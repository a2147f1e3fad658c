use std::fmt;
use std::ops::Range;

/// A stretch of a file: byte offsets, the end not included.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes from `start` up to, not including, `end`.
    ///
    /// Files above 4 GiB do not occur: offsets are 32 bits, and saturate.
    pub fn new(start: usize, end: usize) -> Self {
        let narrow = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self {
            start: narrow(start),
            end: narrow(end.max(start)),
        }
    }

    /// The empty stretch at `offset`: a place between two bytes.
    pub fn at(offset: usize) -> Self {
        Self::new(offset, offset)
    }

    /// The smallest stretch that covers both.
    pub fn to(self, other: Self) -> Self {
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether it is a place between two bytes.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The offsets as a range, to index bytes with.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A line and a column, as editors count them: both from 1, columns in characters.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Position {
    /// Line, from 1; lines end at LF, as NGINX counts them.
    pub line: u32,
    /// Column, from 1, in characters of UTF-8; a byte that is not UTF-8 counts as one.
    pub column: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Where each line of a text begins.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    /// Reads the text once.
    pub fn new(text: &[u8]) -> Self {
        let after_each = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let starts = std::iter::once(0)
            .chain(after_each.map(|(at, _)| Span::at(at + 1).start))
            .collect();
        Self { starts }
    }

    /// The line of an offset, from 1, without looking at the text.
    pub fn line(&self, offset: u32) -> u32 {
        let line = self.starts.partition_point(|start| *start <= offset);
        u32::try_from(line).unwrap_or(u32::MAX)
    }

    /// Line and column of an offset in the text it was made of.
    pub fn position(&self, text: &[u8], offset: u32) -> Position {
        let line = self.line(offset);
        let start = self.starts[line as usize - 1] as usize;
        let end = (offset as usize).min(text.len());
        let characters = String::from_utf8_lossy(&text[start.min(end)..end])
            .chars()
            .count();
        Position {
            line,
            column: u32::try_from(characters + 1).unwrap_or(u32::MAX),
        }
    }

    /// The stretch of a line (from 1) without its line end; empty beyond the last.
    pub fn line_span(&self, text: &[u8], line: u32) -> Span {
        let Some(start) = self.starts.get(line as usize - 1) else {
            return Span::at(text.len());
        };
        let end = self
            .starts
            .get(line as usize)
            .map_or(text.len(), |next| *next as usize - 1);
        let end = match text[*start as usize..end].last() {
            Some(b'\r') => end - 1,
            _ => end,
        };
        Span::new(*start as usize, end)
    }
}
