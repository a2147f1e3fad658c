//! The target as the upstream gets it.

use std::borrow::Cow;

use http::request::Parts;

use crate::defect::{Defect, Defects};
use crate::location::Location;
use crate::replacement::Escapes;

/// What stands in the request line in the place of the client's target; `None` where that goes on as it came.
pub(crate) fn forwarded(
    parts: &Parts,
    path_and_query: &str,
    normalised: &[u8],
    location: &Location,
    defects: Defects,
) -> Option<Cow<'static, [u8]>> {
    if location.owner.replace.is_none() && !defects.any() {
        return None;
    }
    let query = path_and_query.find('?').unwrap_or(path_and_query.len());
    let (path, query) = path_and_query.split_at(query);
    let replaced = location.replaced(normalised, Escapes::of(path.as_bytes()));
    if defects.any() {
        let path = replaced.as_deref().unwrap_or(path.as_bytes());
        return Some(distorted(parts, (path, query), normalised, defects));
    }
    replaced.map(|path| Cow::Owned([&path, query.as_bytes()].concat()))
}

/// What a defect puts into the request line.
fn distorted(
    parts: &Parts,
    (path, query): (&[u8], &str),
    normalised: &[u8],
    defects: Defects,
) -> Cow<'static, [u8]> {
    let query = if defects.has(Defect::StripQuery) {
        ""
    } else {
        query
    };
    let path = if defects.has(Defect::ForwardNormalisedTarget) {
        normalised
    } else {
        path
    };
    let path = match defects.has(Defect::ServeBadEscape) {
        true => Cow::Owned(with_good_escapes(path)),
        false => Cow::Borrowed(path),
    };
    let prefix = match (parts.uri.scheme_str(), parts.uri.authority()) {
        (Some(scheme), Some(authority)) if defects.has(Defect::ForwardAbsoluteForm) => {
            format!("{scheme}://{authority}")
        }
        _ => String::new(),
    };
    Cow::Owned([prefix.as_bytes(), &path, query.as_bytes()].concat())
}

/// A path whose percent signs all begin an escape.
fn with_good_escapes(path: &[u8]) -> Vec<u8> {
    let begins_escape = |at: usize| {
        path.get(at + 1..at + 3)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let repaired = path.iter().enumerate().flat_map(|(at, byte)| match byte {
        b'%' if !begins_escape(at) => b"%25".iter(),
        _ => std::slice::from_ref(byte).iter(),
    });
    repaired.copied().collect()
}
