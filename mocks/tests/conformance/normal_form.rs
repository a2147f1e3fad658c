//! What of an exchange has to be the same in every run: masked as `exchanges/README.md` says, lengths following.

use std::sync::LazyLock;

use bytes::BytesMut;
use proxyproof_mocks::wire::resp::Reply;
use proxyproof_mocks::wire::websocket::take_frame;
use regex::bytes::{Captures, Regex};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::recording::Addresses;

/// The bytes of one direction as text, one line a line, chunk, frame or reply; equal for exchanges that are the same.
///
/// This run's addresses are replaced by the recorded ones.
pub(crate) fn normal_form(bytes: &[u8], methods: &[String], addresses: &Addresses) -> String {
    let mut form = Form {
        text: String::new(),
        addresses,
    };
    let mut rest = bytes;
    let mut methods = methods.iter();
    while rest.starts_with(b"HTTP/") {
        rest = match rest.windows(4).position(|four| four == b"\r\n\r\n") {
            Some(end) => {
                let (head, after) = rest.split_at(end + 4);
                let interim = head.starts_with(b"HTTP/1.1 100");
                let method = if interim { None } else { methods.next() };
                form.answer(head, after, method.map_or("GET", String::as_str))
            }
            None => break,
        };
    }
    if rest.first().is_some_and(|byte| b"+-:$*".contains(byte)) {
        rest = form.replies(rest);
    }
    let rest = form.masked(rest);
    form.line("", &rest);
    form.text
}

struct Form<'a> {
    text: String,
    addresses: &'a Addresses,
}

impl Form<'_> {
    /// Adds an answer's head and body; what follows it.
    fn answer<'b>(&mut self, head: &[u8], after: &'b [u8], method: &str) -> &'b [u8] {
        let length = field(head, "content-length").and_then(|value| value.parse().ok());
        let chunked = field(head, "transfer-encoding").is_some();
        if head.starts_with(b"HTTP/1.1 101") {
            self.head(head, None);
            return self.frames(after);
        }
        if method == "HEAD" {
            self.head(head, None);
            return after;
        }
        if chunked {
            self.head(head, None);
            return self.chunks(after);
        }
        let (body, rest) = match length {
            Some(length) if length <= after.len() => after.split_at(length),
            Some(_) => (after, &[][..]),
            None if head.starts_with(b"HTTP/1.1 100") || head.starts_with(b"HTTP/1.1 204") => {
                (&[][..], after)
            }
            None if field(head, "connection") == Some("close".to_owned()) => (after, &[][..]),
            None => (&[][..], after),
        };
        let right = length == Some(body.len());
        let body = self.masked(body);
        self.head(head, right.then_some(body.len()));
        self.line("body", &body);
        rest
    }

    fn head(&mut self, head: &[u8], length: Option<usize>) {
        let head = self.masked(head);
        for line in head.split_inclusive(|&byte| byte == b'\n') {
            match length {
                Some(length) if line.starts_with(b"Content-Length: ") => {
                    self.line(
                        "head",
                        format!("Content-Length: {length} as masked\r\n").as_bytes(),
                    );
                }
                _ => self.line("head", line),
            }
        }
    }

    fn chunks<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let mut rest = bytes;
        while let Some(feed) = rest.iter().position(|&byte| byte == b'\n') {
            let size = std::str::from_utf8(&rest[..feed])
                .unwrap_or_default()
                .trim_end();
            let Ok(size) = usize::from_str_radix(size, 16) else {
                break;
            };
            let Some(data) = rest.get(feed + 1..feed + 1 + size + 2) else {
                break;
            };
            rest = &rest[feed + 1 + size + 2..];
            let data = self.masked(&data[..size]);
            self.line(&format!("chunk of {:x} as masked", data.len()), &data);
            if size == 0 {
                break;
            }
        }
        rest
    }

    fn frames<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let mut buffer = BytesMut::from(bytes);
        while let Ok(Some(frame)) = take_frame(&mut buffer, 1 << 30) {
            let kind = format!(
                "frame {:?} last={} reserved={} masked={}",
                frame.opcode,
                frame.last,
                frame.reserved,
                frame.mask.is_some()
            );
            self.line(&kind, &self.masked(&frame.payload));
        }
        &bytes[bytes.len() - buffer.len()..]
    }

    fn replies<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let mut buffer = BytesMut::from(bytes);
        while let Ok(Some(reply)) = Reply::take(&mut buffer) {
            self.reply(&reply, "");
        }
        &bytes[bytes.len() - buffer.len()..]
    }

    fn reply(&mut self, reply: &Reply, indent: &str) {
        match reply {
            Reply::Simple(text) => self.line(&format!("{indent}simple"), text),
            Reply::Error(text) => self.line(&format!("{indent}error"), &self.masked(text)),
            Reply::Integer(number) => {
                self.line(&format!("{indent}integer"), number.to_string().as_bytes())
            }
            Reply::Bulk(None) => self.line(&format!("{indent}null"), b""),
            Reply::Bulk(Some(bytes)) => self.line(&format!("{indent}bulk"), &self.masked(bytes)),
            Reply::Array(None) => self.line(&format!("{indent}null array"), b""),
            Reply::Array(Some(replies)) => {
                self.line(
                    &format!("{indent}array"),
                    replies.len().to_string().as_bytes(),
                );
                let indent = format!("{indent}  ");
                replies.iter().for_each(|reply| self.reply(reply, &indent));
            }
        }
    }

    fn masked(&self, bytes: &[u8]) -> Vec<u8> {
        masked(&self.addresses.recorded(bytes))
    }

    fn line(&mut self, kind: &str, bytes: &[u8]) {
        if !(kind.is_empty() && bytes.is_empty()) {
            self.text
                .push_str(&format!("{kind}| {}\n", bytes.escape_ascii()));
        }
    }
}

fn field(head: &[u8], name: &str) -> Option<String> {
    let head = String::from_utf8_lossy(head);
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.to_owned())
}

/// What differs from run to run replaced by a star, and a model list sorted.
fn masked(bytes: &[u8]) -> Vec<u8> {
    let mut text = sorted_models(bytes);
    for (pattern, star) in MASKS.iter() {
        text = pattern.replace_all(&text, star.as_bytes()).into_owned();
    }
    let kept = |found: &Captures<'_>| match &found[3] {
        b"1700000000" => found[0].to_vec(),
        _ => [&found[1], b"*"].concat(),
    };
    CREATED.replace_all(&text, kept).into_owned()
}

static MASKS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let mask = |(pattern, star)| (Regex::new(pattern).expect("a right pattern"), star);
    [
        (r"(?m)^(Date|X-Cpa-Trace-Id): [^\r\n]*", "$1: *"),
        // A quote is escaped where a record is a string within JSON.
        (r#"(\\*"(?:timestamp|startedAt|\w+_ms|\w+Ms|\w+At)\\*":)(?:\\*"[^"\\]*\\*"|-?[0-9][0-9.]*)"#, "$1*"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "*"),
        (r#"(\\*"(?:request_id|auth_index|\w+_hash)\\*":\\*")[0-9a-f]+"#, "$1*"),
        (r"Try again in [0-9hms.]+", "Try again in *"),
        // Go's wording of a connection error.
        (r#"\\"http://127\.0\.0\.1:[0-9]+[^"\\]*\\": [^"\\]*"#, "*"),
    ]
    .map(mask)
    .into()
});

static CREATED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(\\*"(created|created_at)\\*":)("[^"]*"|[0-9]+)"#).expect("a right pattern")
});

#[derive(Deserialize)]
struct ModelList<'a> {
    #[serde(borrow)]
    data: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    models: Option<Vec<&'a RawValue>>,
}

/// The program's own order of a model list is random.
fn sorted_models(bytes: &[u8]) -> Vec<u8> {
    let list = [&b"\"object\":\"model\""[..], b"supportedGenerationMethods"];
    let is_list = list
        .iter()
        .any(|mark| bytes.windows(mark.len()).any(|window| window == *mark));
    let text = match std::str::from_utf8(bytes) {
        Ok(text) if is_list => text,
        _ => return bytes.to_vec(),
    };
    let Ok(ModelList { data, models }) = serde_json::from_str(text) else {
        return bytes.to_vec();
    };
    let Some(models) = data.or(models) else {
        return bytes.to_vec();
    };
    let mut models: Vec<&str> = models.into_iter().map(RawValue::get).collect();
    let before = models.join(",");
    models.sort_unstable_by_key(|model| model.rsplit("\"id\":").next().map(str::to_owned));
    text.replacen(&before, &models.join(","), 1).into_bytes()
}
