//! The media type Go gives an answer that names none.

/// What Go's `DetectContentType` says about text, HTML, XML and unknown bytes; images and archives, which no mock
/// sends without a type, count as unknown bytes here.
pub(crate) fn sniff(data: &[u8]) -> &'static str {
    let data = &data[..data.len().min(512)];
    let start = data.trim_ascii_start();
    if HTML.iter().any(|tag| begins_with_tag(start, tag)) {
        return "text/html; charset=utf-8";
    }
    if start.starts_with(b"<?xml") {
        return "text/xml; charset=utf-8";
    }
    let binary = |byte: &u8| matches!(byte, 0x00..=0x08 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    if data.iter().any(binary) {
        return "application/octet-stream";
    }
    "text/plain; charset=utf-8"
}

fn begins_with_tag(data: &[u8], tag: &[u8]) -> bool {
    let Some((start, rest)) = data.split_at_checked(tag.len()) else {
        return false;
    };
    start.eq_ignore_ascii_case(tag) && matches!(rest.first(), Some(b' ' | b'>'))
}

const HTML: &[&[u8]] = &[
    b"<!DOCTYPE HTML",
    b"<HTML",
    b"<HEAD",
    b"<SCRIPT",
    b"<IFRAME",
    b"<H1",
    b"<DIV",
    b"<FONT",
    b"<TABLE",
    b"<A",
    b"<STYLE",
    b"<TITLE",
    b"<B",
    b"<BODY",
    b"<BR",
    b"<P",
    b"<!--",
];
