//! How far a head is read that comes in pieces.

use super::field_lines::{Span, without_cr};
use super::rejection::Rejection;
use super::request_line::{find_byte, parse_request_line};
use super::target::Target;

/// How far a head is read that comes in pieces.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HeadScan {
    /// Where the first line that is not complete begins.
    line_start: usize,
    /// How far that line was searched for its end.
    searched: usize,
    lines: usize,
}

impl HeadScan {
    /// The length of a head that came at once; whether it is right is left to `RequestHead::parse`.
    pub(crate) fn at_once(&self, bytes: &[u8]) -> Option<usize> {
        if self.searched > 0 {
            return None;
        }
        let mut line_ends = memchr::memchr_iter(b'\n', bytes);
        line_ends.find_map(|feed| match bytes[feed + 1..] {
            [b'\n', ..] => Some(feed + 2),
            [b'\r', b'\n', ..] => Some(feed + 3),
            _ => None,
        })
    }

    /// Looks at what came since the last call; the length of the head once it is complete.
    ///
    /// Refuses as early as Go does: at the end of a line that cannot be part of a head.
    pub(crate) fn advance(&mut self, bytes: &[u8]) -> Result<Option<usize>, Rejection> {
        while let Some(feed) = find_byte(b'\n', &bytes[self.searched..]) {
            let end = self.searched + feed;
            let line = without_cr(&bytes[self.line_start..end]);
            self.check_line(line, bytes)?;
            self.lines += 1;
            self.line_start = end + 1;
            self.searched = end + 1;
            if line.is_empty() {
                return Ok(Some(end + 1));
            }
        }
        self.searched = bytes.len();
        Ok(None)
    }

    /// What Go says when no more of the head comes in time: it takes what there is of the last line for a whole one.
    pub(crate) fn give_up(&self, bytes: &[u8]) -> Result<(), Rejection> {
        let line = &bytes[self.line_start..];
        if line.is_empty() {
            Ok(())
        } else {
            self.check_partial_line(line)
        }
    }

    fn check_partial_line(&self, line: &[u8]) -> Result<(), Rejection> {
        let first = Self {
            lines: self.lines,
            ..Self::default()
        };
        first.check_line(line, line)
    }

    fn check_line(&self, line: &[u8], bytes: &[u8]) -> Result<(), Rejection> {
        let folds = matches!(line.first(), Some(b' ' | b'\t'));
        match self.lines {
            0 => {
                let whole = Span::new(0, line.len());
                let (method, target, _) = parse_request_line(bytes, whole)?;
                Target::parse(method.of(bytes), target.of(bytes))
                    .map(drop)
                    .ok_or(Rejection::BadRequest)
            }
            1 if folds => Err(Rejection::BadRequest),
            _ if !folds && !line.is_empty() && !line.contains(&b':') => Err(Rejection::BadRequest),
            _ => Ok(()),
        }
    }
}
