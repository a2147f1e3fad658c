//! The names a certificate is for: common name and DNS subject alternative names (RFC 5280 sections 4.1.2.6 and 4.2.1.6).
//!
//! rustls checks names but does not list them, and the tunnel server compares the strings themselves, so this walks the few DER elements needed.

/// Common name first, then the DNS names in order, without repeats; `None` if this is no certificate.
pub(super) fn names_of(certificate: &[u8]) -> Option<Vec<String>> {
    let (outer, _) = Element::read(certificate)?;
    let (to_be_signed, _) = Element::read(outer.content)?;
    let mut names = Vec::new();
    // version [0], serial, signature, issuer, validity, subject, key, then extensions [3].
    let fields: Vec<Element<'_>> = Elements(to_be_signed.content).collect();
    let offset = usize::from(fields.first()?.tag == VERSION);
    common_names(fields.get(4 + offset)?.content, &mut names);
    if let Some(extensions) = fields.iter().find(|field| field.tag == EXTENSIONS) {
        alternative_names(extensions.content, &mut names);
    }
    Some(names)
}

fn common_names(subject: &[u8], names: &mut Vec<String>) {
    let attributes = Elements(subject).flat_map(|set| Elements(set.content));
    for attribute in attributes {
        let mut parts = Elements(attribute.content);
        if let (Some(kind), Some(value)) = (parts.next(), parts.next())
            && kind.content == COMMON_NAME
        {
            remember(value.content, names);
        }
    }
}

fn alternative_names(extensions: &[u8], names: &mut Vec<String>) {
    let each = Elements(extensions).flat_map(|list| Elements(list.content));
    for extension in each {
        let parts: Vec<Element<'_>> = Elements(extension.content).collect();
        // identifier, critical (optional), value in an octet string.
        if let (Some(kind), Some(value)) = (parts.first(), parts.last())
            && kind.content == SUBJECT_ALTERNATIVE_NAME
        {
            let general = Elements(value.content).flat_map(|list| Elements(list.content));
            general
                .filter(|name| name.tag == DNS_NAME)
                .for_each(|name| remember(name.content, names));
        }
    }
}

fn remember(name: &[u8], names: &mut Vec<String>) {
    let name = String::from_utf8_lossy(name).into_owned();
    if !names.contains(&name) {
        names.push(name);
    }
}

/// One DER element: a tag and its content.
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
}

impl<'a> Element<'a> {
    /// The first element of `der` and what follows it.
    fn read(der: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&tag, rest) = der.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        if first & LONG_FORM != 0 {
            let (bytes, after) = rest.split_at_checked(usize::from(first & !LONG_FORM))?;
            length = bytes.iter().try_fold(0_usize, |sum, &byte| {
                sum.checked_mul(256)?.checked_add(byte.into())
            })?;
            rest = after;
        }
        let (content, rest) = rest.split_at_checked(length)?;
        Some((Self { tag, content }, rest))
    }
}

/// The elements of a sequence's content, as far as they can be read.
struct Elements<'a>(&'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let (element, rest) = Element::read(self.0)?;
        self.0 = rest;
        Some(element)
    }
}

const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;
const LONG_FORM: u8 = 0x80;
/// 2.5.4.3
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 2.5.29.17
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 0x11];

#[cfg(test)]
mod tests {
    use super::names_of;

    #[test]
    fn garbage_is_no_certificate() {
        assert_eq!(names_of(b""), None);
        assert_eq!(names_of(&[0x30, 0x82, 0xff]), None);
        assert_eq!(names_of(&[0x30, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1]), None);
    }
}
