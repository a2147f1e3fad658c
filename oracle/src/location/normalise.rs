use super::refusal::Refusal;

/// Whether `//` becomes `/` before locations are compared (`merge_slashes`, on by default).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum MergeSlashes {
    /// It does.
    #[default]
    On,
    /// It does not.
    Off,
}

/// What NGINX makes of the path and query of a request target.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Normalised {
    /// The path that locations are compared with: decoded, without dot segments, slashes merged.
    pub path: Vec<u8>,
    /// What follows the first `?`, raw, up to `#`; `None` without a `?` or if nothing follows it.
    pub query: Option<Vec<u8>>,
    /// Whether the path held a `%XX`, so that NGINX escapes what it sends on after a rewrite.
    pub escapes: Escapes,
}

/// Whether a path held a `%XX` or `+` (NGINX escapes a rewritten path and captures only then).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Escapes {
    pub(crate) quoted: bool,
    pub(crate) plus: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Usual,
    Slash,
    Dot,
    DotDot,
}

/// The path of a target, as `ngx_http_parse_complex_uri` reads it (nginx 1.22.1 and 1.31.3 agree).
///
/// `target` begins with `/`, or with `?` where an absolute form has no path. For a path that needs nothing done the
/// result is the path itself, so it does not matter that NGINX skips the function then.
///
/// # Errors
///
/// What NGINX answers with 400.
pub fn normalise(target: &[u8], merge_slashes: MergeSlashes) -> Result<Normalised, Refusal> {
    let mut walk = Walk {
        path: Vec::with_capacity(target.len() + 1),
        state: State::Usual,
        merge_slashes,
        escapes: Escapes::default(),
    };
    if !target.starts_with(b"/") {
        walk.path.push(b'/');
    }
    let mut rest = target;
    while let [byte, tail @ ..] = rest {
        match byte {
            b'?' => return walk.finish(query(tail)),
            b'#' => return walk.finish(None),
            b'%' => rest = walk.escape(tail)?,
            byte => {
                walk.escapes.plus |= *byte == b'+';
                walk.byte(*byte)?;
                rest = tail;
            }
        }
    }
    walk.finish(None)
}

fn query(after: &[u8]) -> Option<Vec<u8>> {
    let end = after
        .iter()
        .position(|byte| *byte == b'#')
        .unwrap_or(after.len());
    (end > 0).then(|| after[..end].to_vec())
}

struct Walk {
    path: Vec<u8>,
    state: State,
    merge_slashes: MergeSlashes,
    escapes: Escapes,
}

impl Walk {
    /// One byte that stands for itself, or was decoded from `%XX`.
    fn byte(&mut self, byte: u8) -> Result<(), Refusal> {
        self.state = match (self.state, byte) {
            (State::Usual, b'/') => self.push(byte, State::Slash),
            (State::Slash, b'/') => match self.merge_slashes {
                MergeSlashes::On => State::Slash,
                MergeSlashes::Off => self.push(byte, State::Slash),
            },
            (State::Slash, b'.') => self.push(byte, State::Dot),
            (State::Dot, b'/') => {
                self.path.pop();
                State::Slash
            }
            (State::Dot, b'.') => self.push(byte, State::DotDot),
            (State::DotDot, b'/') => {
                self.leave_segment()?;
                State::Slash
            }
            _ => self.push(byte, State::Usual),
        };
        Ok(())
    }

    fn push(&mut self, byte: u8, next: State) -> State {
        self.path.push(byte);
        next
    }

    /// `%XX`: `%25`, `%23` and `%3F` are always text; the rest is what it decodes to, `/` and `.` included.
    fn escape<'a>(&mut self, after: &'a [u8]) -> Result<&'a [u8], Refusal> {
        self.escapes.quoted = true;
        let [high, low, rest @ ..] = after else {
            return Err(Refusal::Escape);
        };
        let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(Refusal::Escape);
        let decoded =
            u8::try_from(digit(*high)? * 16 + digit(*low)?).expect("two hexadecimal digits");
        match decoded {
            0 => return Err(Refusal::Nul),
            b'%' | b'#' | b'?' => self.state = self.push(decoded, State::Usual),
            _ => {
                self.escapes.plus |= decoded == b'+';
                self.byte(decoded)?;
            }
        }
        Ok(rest)
    }

    /// Takes `/segment/..` away up to the slash before the segment.
    fn leave_segment(&mut self) -> Result<(), Refusal> {
        let before = self.path.len().checked_sub(4).ok_or(Refusal::AboveRoot)?;
        let slash = self.path[..=before].iter().rposition(|byte| *byte == b'/');
        self.path.truncate(slash.ok_or(Refusal::AboveRoot)? + 1);
        Ok(())
    }

    fn finish(mut self, query: Option<Vec<u8>>) -> Result<Normalised, Refusal> {
        match self.state {
            State::Dot => {
                self.path.pop();
            }
            State::DotDot => self.leave_segment()?,
            _ => {}
        }
        Ok(Normalised {
            path: self.path,
            query,
            escapes: self.escapes,
        })
    }
}
