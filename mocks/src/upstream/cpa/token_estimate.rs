//! CPA's estimate of how many tokens a prompt has, where no provider counts them.

use serde_json::Value;

/// Tokens of a conversation: roles and texts on a line each, counted as a tokenizer of English would about do it.
pub(crate) fn estimated_tokens(request: &Value) -> u64 {
    let mut lines = Vec::new();
    for message in messages(request) {
        lines.extend(message["role"].as_str().map(str::to_owned));
        collect_texts(&message["content"], &mut lines);
        collect_texts(&message["parts"], &mut lines);
    }
    count(&lines.join("\n"))
}

fn messages(request: &Value) -> impl Iterator<Item = &Value> {
    ["messages", "contents"]
        .into_iter()
        .filter_map(|name| request[name].as_array())
        .flatten()
}

fn collect_texts(content: &Value, lines: &mut Vec<String>) {
    match content {
        Value::String(text) => lines.push(text.clone()),
        Value::Array(parts) => {
            for part in parts {
                lines.extend(part["text"].as_str().map(str::to_owned));
            }
        }
        _ => {}
    }
}

/// One for each started eight letters of a word, each mark and each line end.
fn count(text: &str) -> u64 {
    let mut tokens = 0;
    let mut letters = 0_u64;
    for character in text.chars() {
        if character.is_alphanumeric() {
            letters += 1;
            continue;
        }
        tokens += letters.div_ceil(LETTERS_OF_A_TOKEN);
        letters = 0;
        tokens += u64::from(character != ' ');
    }
    tokens + letters.div_ceil(LETTERS_OF_A_TOKEN)
}

const LETTERS_OF_A_TOKEN: u64 = 8;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_greeting_is_role_line_end_and_word() {
        let request = json!({"messages": [{"role": "user", "content": "hi"}]});
        assert_eq!(estimated_tokens(&request), 3);
        let request = json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]});
        assert_eq!(estimated_tokens(&request), 3);
        assert_eq!(estimated_tokens(&json!({"messages": []})), 0);
    }
}
