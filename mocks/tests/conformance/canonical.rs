//! An answer with all that may differ between two runs masked, and its framing checked and made visible.

use crate::recording::Addresses;

/// The canonical form of the answers in `text`, with the recorded addresses in the place of this run's; two runs that are
/// alike have the same.
///
/// # Errors
/// If an answer is framed wrongly or not whole yet.
pub(crate) fn canonical(text: &str, addresses: &Addresses) -> Result<String, String> {
    let Some((head, rest)) = text.split_once("\r\n\r\n") else {
        return Ok(text.to_owned());
    };
    if !head.starts_with("HTTP/1.") {
        return Ok(text.to_owned());
    }
    let masked = addresses.recorded(&masked_head(head));
    if head.starts_with("HTTP/1.1 100 ") {
        return Ok(format!("{masked}\r\n\r\n{}", canonical(rest, addresses)?));
    }
    if field(head, "Transfer-Encoding") == Some("chunked") {
        let (chunks, rest) = chunks(rest, addresses)?;
        return Ok(format!(
            "{masked}\r\n\r\n{chunks}{}",
            canonical(rest, addresses)?
        ));
    }
    let Some(length) = field(head, "Content-Length") else {
        return Ok(format!("{masked}\r\n\r\n{rest}"));
    };
    if rest.is_empty() {
        // To HEAD, and of an empty body: the length itself counts.
        return Ok(format!("{masked}\r\n\r\n"));
    }
    let length: usize = length.parse().map_err(|_| format!("length {length}"))?;
    let (body, rest) = rest
        .split_at_checked(length)
        .ok_or("the body is not whole")?;
    let masked = masked.replace(
        &format!("Content-Length: {length}"),
        "Content-Length: [LENGTH]",
    );
    Ok(format!(
        "{masked}\r\n\r\n{}{}",
        masked_body(&addresses.recorded(body)),
        canonical(rest, addresses)?
    ))
}

/// A request with its Content-Length set right, after addresses in its body have changed it.
pub(crate) fn with_true_length(request: &str) -> String {
    let Some((head, body)) = request.split_once("\r\n\r\n") else {
        return request.to_owned();
    };
    match field(head, "Content-Length") {
        Some(length) if body.contains("127.0.0.1:") && head.contains("POST /setup") => {
            let (old, new) = (
                format!("Content-Length: {length}"),
                format!("Content-Length: {}", body.len()),
            );
            format!("{}\r\n\r\n{body}", head.replace(&old, &new))
        }
        _ => request.to_owned(),
    }
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.split("\r\n")
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn masked_head(head: &str) -> String {
    let lines = head.split("\r\n").map(|line| match line.split_once(": ") {
        Some((name @ ("Date" | "X-Cpa-Trace-Id"), _)) => format!("{name}: [MASKED]"),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\r\n")
}

/// The chunks, one a line, and what follows them.
fn chunks<'a>(mut rest: &'a str, addresses: &Addresses) -> Result<(String, &'a str), String> {
    let mut chunks = String::new();
    loop {
        let (size, after) = rest
            .split_once("\r\n")
            .ok_or("a chunk's size is not whole")?;
        let size = usize::from_str_radix(size, 16).map_err(|_| format!("chunk size {size:?}"))?;
        let (data, after) = after.split_at_checked(size).ok_or("a chunk is not whole")?;
        rest = after.strip_prefix("\r\n").ok_or("a chunk does not end")?;
        chunks.push_str(&format!(
            "[CHUNK]{}[END]\n",
            masked_body(&addresses.recorded(data))
        ));
        if size == 0 {
            return Ok((chunks, rest));
        }
    }
}

fn masked_body(body: &str) -> String {
    masked_values(&sorted_models(body))
}

/// A model list in the order of its ids: the program's own order is random.
fn sorted_models(body: &str) -> String {
    let Ok(mut value) = serde_json::from_str::<serde_json::Value>(body) else {
        return body.to_owned();
    };
    let Some(models) = value["data"]
        .as_array_mut()
        .filter(|_| body.contains(r#""object":"list""#))
    else {
        return body.to_owned();
    };
    models.sort_by_key(|model| model["id"].to_string());
    value.to_string()
}

/// Masks the values of fields that differ from run to run, in JSON and in JSON inside its strings.
fn masked_values(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("\":") {
        let (before, after) = rest.split_at(at + 2);
        masked.push_str(before);
        let name = before[..at]
            .trim_end_matches('\\')
            .rsplit('"')
            .next()
            .unwrap_or_default();
        rest = after;
        if differs(name) {
            rest = after_value(after);
            masked.push_str("[MASKED]");
        }
    }
    masked + rest
}

fn differs(name: &str) -> bool {
    let names = [
        "timestamp",
        "request_id",
        "auth_index",
        "created",
        "created_at",
    ];
    let ends = ["_ms", "Ms", "At", "_hash"];
    names.contains(&name) || ends.iter().any(|end| name.ends_with(end))
}

/// What follows a string, a number or a literal.
fn after_value(text: &str) -> &str {
    for quote in ["\\\"", "\""] {
        if let Some(inner) = text.strip_prefix(quote) {
            return inner.split_once(quote).map_or("", |(_, rest)| rest);
        }
    }
    text.trim_start_matches(|character: char| {
        character.is_ascii_alphanumeric() || "+-.".contains(character)
    })
}
