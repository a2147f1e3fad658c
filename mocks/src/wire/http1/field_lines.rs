//! Field lines of a head or of trailers, read as Go's `net/textproto` reads them (1.26).

use bytes::Bytes;

use super::rejection::Rejection;
use super::request_line::{find_byte, is_token};
use crate::ledger::Field;

/// A range of the head's bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

/// Where a field is; a folded value is kept joined.
#[derive(Clone, Debug)]
pub(crate) struct FieldSpan {
    name: Span,
    value: Span,
    joined: Option<Box<[u8]>>,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        let narrow = |place| u32::try_from(place).expect("a head is far below 4 GiB");
        Self {
            start: narrow(start),
            end: narrow(end),
        }
    }

    pub(crate) fn start(self) -> usize {
        self.start as usize
    }

    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start as usize..self.end as usize]
    }

    pub(crate) fn slice(self, bytes: &Bytes) -> Bytes {
        bytes.slice(self.start as usize..self.end as usize)
    }
}

impl FieldSpan {
    pub(crate) fn name<'h>(&self, head: &'h [u8]) -> &'h [u8] {
        self.name.of(head)
    }

    pub(crate) fn value<'h>(&'h self, head: &'h [u8]) -> &'h [u8] {
        self.joined
            .as_deref()
            .unwrap_or_else(|| self.value.of(head))
    }

    pub(crate) fn to_field(&self, head: &Bytes) -> Field {
        Field {
            name: self.name.slice(head),
            value: match &self.joined {
                Some(joined) => Bytes::copy_from_slice(joined),
                None => self.value.slice(head),
            },
        }
    }
}

/// Reads header or trailer field lines up to the end of `bytes` or an empty line.
pub(crate) fn parse_field_block(bytes: &Bytes) -> Result<Vec<Field>, Rejection> {
    let fields = parse_fields(bytes, Lines::of(bytes))?;
    Ok(fields.iter().map(|field| field.to_field(bytes)).collect())
}

/// The lines of a head, as ranges of it without their ends.
pub(crate) struct Lines<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Lines<'b> {
    pub(crate) fn of(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }
}

impl Iterator for Lines<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        let start = self.at;
        let feed = start + find_byte(b'\n', &self.bytes[start..])?;
        self.at = feed + 1;
        let line = without_cr(&self.bytes[start..feed]);
        Some(Span::new(start, start + line.len()))
    }
}

pub(crate) fn parse_fields(bytes: &Bytes, lines: Lines<'_>) -> Result<Vec<FieldSpan>, Rejection> {
    let mut fields: Vec<FieldSpan> = Vec::with_capacity(8);
    for line in lines {
        let text = line.of(bytes);
        if text.is_empty() {
            break;
        }
        if matches!(text[0], b' ' | b'\t') {
            let last = fields.last_mut().ok_or(Rejection::BadRequest)?;
            fold(last, bytes, text)?;
            continue;
        }
        fields.push(parse_field(bytes, line)?);
    }
    Ok(fields)
}

fn parse_field(bytes: &[u8], line: Span) -> Result<FieldSpan, Rejection> {
    let text = line.of(bytes);
    let start = line.start as usize;
    let colon = find_byte(b':', text).ok_or(Rejection::BadRequest)?;
    // A space within a name passes Go's reader and is refused by its server with a reason, see `check_fields`.
    let name_passes = |&byte: &u8| byte == b' ' || is_token(byte);
    if colon == 0 || !text[..colon].iter().all(name_passes) {
        return Err(Rejection::BadRequest);
    }
    let value = &text[colon + 1..];
    if !value.iter().all(|&byte| valid_in_value(byte)) {
        return Err(Rejection::BadRequest);
    }
    let lead = value.iter().take_while(|&&byte| is_blank(byte)).count();
    let value_start = start + colon + 1 + lead;
    let trimmed = trim_blanks(value);
    Ok(FieldSpan {
        name: Span::new(start, start + colon),
        value: Span::new(value_start, value_start + trimmed.len()),
        joined: None,
    })
}

fn fold(field: &mut FieldSpan, bytes: &[u8], line: &[u8]) -> Result<(), Rejection> {
    if !line.iter().all(|&byte| valid_in_value(byte)) {
        return Err(Rejection::BadRequest);
    }
    let joined = [field.value(bytes), b" ", trim_blanks(line)].concat();
    field.joined = Some(trim_blanks(&joined).into());
    Ok(())
}

pub(crate) fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn trim_blanks(text: &[u8]) -> &[u8] {
    let start = text
        .iter()
        .position(|&byte| !is_blank(byte))
        .unwrap_or(text.len());
    let end = text
        .iter()
        .rposition(|&byte| !is_blank(byte))
        .map_or(start, |last| last + 1);
    &text[start..end]
}

fn valid_in_value(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}
