use std::collections::BTreeMap;

use super::span::Span;

/// A template of NGINX's image (`/etc/nginx/templates/*.template`) with its variables replaced.
///
/// As in the image, only names that are defined are replaced, in `$NAME` and `${NAME}` alike; all other text with a
/// `$` is NGINX's own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Substituted {
    /// The configuration.
    pub text: Vec<u8>,
    /// Names that look like a variable of the environment (capital letters) and are not defined, each once, with the
    /// first place in the template.
    pub undefined: Vec<(String, Span)>,
    /// Where stretches of the text come from: its offset, that in the template, and whether the stretch is a value.
    pieces: Vec<(usize, usize, Origin)>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Origin {
    Template,
    Value,
}

impl Substituted {
    /// Replaces the variables of a template.
    pub fn of(template: &[u8], values: &BTreeMap<String, String>) -> Self {
        let mut substituted = Self {
            text: Vec::with_capacity(template.len()),
            undefined: Vec::new(),
            pieces: vec![(0, 0, Origin::Template)],
        };
        let mut at = 0;
        while at < template.len() {
            let Some((name, end)) = variable(template, at) else {
                substituted.text.push(template[at]);
                at += 1;
                continue;
            };
            match values.get(&name) {
                Some(value) => {
                    let start = substituted.text.len();
                    substituted.pieces.push((start, at, Origin::Value));
                    substituted.text.extend_from_slice(value.as_bytes());
                    let after = substituted.text.len();
                    substituted.pieces.push((after, end, Origin::Template));
                }
                None => {
                    substituted.note(name, Span::new(at, end));
                    substituted.text.extend_from_slice(&template[at..end]);
                }
            }
            at = end;
        }
        substituted
    }

    /// The offset in the template that an offset of the text comes from; for a value, the variable.
    pub fn origin(&self, offset: u32) -> u32 {
        let offset = offset as usize;
        let known = self.pieces.partition_point(|(start, ..)| *start <= offset);
        let (start, origin, kind) = self.pieces[known.saturating_sub(1)];
        let at = match kind {
            Origin::Template => origin + (offset - start),
            Origin::Value => origin,
        };
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    fn note(&mut self, name: String, span: Span) {
        let is_capital =
            |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let looks_so =
            name.bytes().all(is_capital) && name.bytes().any(|byte| byte.is_ascii_uppercase());
        if looks_so && !self.undefined.iter().any(|(known, _)| *known == name) {
            self.undefined.push((name, span));
        }
    }
}

/// The name after a `$`, with or without braces, and the offset behind it.
fn variable(text: &[u8], at: usize) -> Option<(String, usize)> {
    let rest = text[at..].strip_prefix(b"$")?;
    let (name, after) = match rest.strip_prefix(b"{") {
        Some(inside) => (name(inside), 1),
        None => (name(rest), 0),
    };
    let closes = after == 0 || rest.get(1 + name.len()) == Some(&b'}');
    let end = at + 1 + name.len() + 2 * after;
    let is_name = name.first().is_some_and(|byte| !byte.is_ascii_digit());
    (is_name && closes).then(|| (String::from_utf8_lossy(name).into_owned(), end))
}

fn name(text: &[u8]) -> &[u8] {
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    &text[..text.iter().take_while(is_name).count()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        pairs.collect()
    }

    #[test]
    fn only_defined_names_are_replaced() {
        let template = b"listen ${PORT}; proxy_pass http://$HOST$request_uri; server_name ${NAME}; x $1 ${; $host;";
        let substituted = Substituted::of(
            template,
            &values(&[("PORT", "8080"), ("HOST", "gw"), ("x", "y")]),
        );
        let text = String::from_utf8(substituted.text).unwrap();
        assert_eq!(
            text,
            "listen 8080; proxy_pass http://gw$request_uri; server_name ${NAME}; x $1 ${; $host;"
        );
        let names: Vec<_> = substituted
            .undefined
            .iter()
            .map(|(name, _)| &**name)
            .collect();
        assert_eq!(names, ["NAME"]);
    }

    #[test]
    fn places_lead_back_to_the_template() {
        let template = "a $LONG_NAME_OF_IT b\nc;";
        let substituted =
            Substituted::of(template.as_bytes(), &values(&[("LONG_NAME_OF_IT", "x\ny")]));
        let text = String::from_utf8(substituted.text.clone()).unwrap();
        for word in ["a", " b", "c;"] {
            let offset = u32::try_from(text.find(word).unwrap()).unwrap();
            assert_eq!(
                substituted.origin(offset) as usize,
                template.find(word).unwrap()
            );
        }
        assert_eq!(substituted.origin(4), 2);
    }
}
