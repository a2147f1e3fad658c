/// A text with variables in it, as NGINX compiles one (`ngx_http_script_compile`).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Template {
    pub(crate) parts: Vec<Part>,
}

/// A piece of a [`Template`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Part {
    /// Itself.
    Text(Vec<u8>),
    /// `$name` or `${name}`.
    Variable(String),
    /// `$1` to `$9`.
    Capture(usize),
}

impl Template {
    /// Reads a text. A `$` that begins no variable is kept: NGINX refuses such a configuration.
    pub(crate) fn parse(text: &[u8]) -> Self {
        let mut parts = Vec::new();
        let mut literal = Vec::new();
        let mut rest = text;
        while let [first, tail @ ..] = rest {
            match variable(rest) {
                Some((part, after)) => {
                    if !literal.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut literal)));
                    }
                    parts.push(part);
                    rest = after;
                }
                None => {
                    literal.push(*first);
                    rest = tail;
                }
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Self { parts }
    }

    /// The text, if there is no variable in it.
    pub(crate) fn literal(&self) -> Option<&[u8]> {
        match self.parts.as_slice() {
            [] => Some(b""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }
}

impl Template {
    /// The text as it may be written.
    pub(crate) fn written(&self) -> Vec<u8> {
        written(&self.parts)
    }

    /// What stands before the first variable, its name, and what comes after it as it may be written.
    pub(crate) fn first_variable(&self) -> Option<(Vec<u8>, String, Vec<u8>)> {
        let is_text = |part: &Part| matches!(part, Part::Text(_));
        let at = self.parts.iter().position(|part| !is_text(part))?;
        let name = match &self.parts[at] {
            Part::Variable(name) => name.clone(),
            Part::Capture(number) => number.to_string(),
            Part::Text(_) => return None,
        };
        Some((
            written(&self.parts[..at]),
            name,
            written(&self.parts[at + 1..]),
        ))
    }
}

fn written(parts: &[Part]) -> Vec<u8> {
    let mut text = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        match part {
            Part::Text(literal) => text.extend_from_slice(literal),
            Part::Capture(group) => text.extend_from_slice(format!("${group}").as_bytes()),
            Part::Variable(name) => {
                let goes_on = match parts.get(number + 1) {
                    Some(Part::Text(next)) => next.first().is_some_and(is_name_byte),
                    _ => false,
                };
                let written = match goes_on {
                    true => format!("${{{name}}}"),
                    false => format!("${name}"),
                };
                text.extend_from_slice(written.as_bytes());
            }
        }
    }
    text
}

fn is_name_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_'
}

fn variable(text: &[u8]) -> Option<(Part, &[u8])> {
    let after = text.strip_prefix(b"$")?;
    if let [digit @ b'1'..=b'9', rest @ ..] = after {
        return Some((Part::Capture(usize::from(digit - b'0')), rest));
    }
    let (name, rest) = match after.strip_prefix(b"{") {
        Some(inside) => {
            let end = inside.iter().position(|byte| *byte == b'}')?;
            (&inside[..end], &inside[end + 1..])
        }
        None => after.split_at(after.iter().take_while(|byte| is_name_byte(byte)).count()),
    };
    let name = String::from_utf8_lossy(name).into_owned();
    (!name.is_empty()).then_some((Part::Variable(name), rest))
}
