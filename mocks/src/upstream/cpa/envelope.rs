//! How the frames of a stream are written for each API, and what comes after the last one.

use serde_json::json;

use super::plan::ClientApi;
use super::refusal::{Shape, claude_error, claude_type, from_sentence, openai_words};
use super::translation::{Breakdown, Frame};

/// A frame as CPA's handler for this API writes it: in so many calls, which shows in the chunks of a long one.
pub(crate) fn written(api: ClientApi, frame: &Frame) -> Vec<String> {
    match api {
        ClientApi::GeminiRaw => vec![frame.data.clone()],
        ClientApi::Gemini => vec!["data: ".to_owned(), frame.data.clone(), END.to_owned()],
        ClientApi::Responses => {
            let mut event = frame.sse();
            event.truncate(event.len() - END.len());
            vec![event, END.to_owned()]
        }
        _ => vec![frame.sse()],
    }
}

/// What ends a stream, each a chunk of its own: a terminal marker, or the news of its breakdown.
pub(crate) fn closing_frames(
    api: ClientApi,
    breakdown: Option<&Breakdown>,
    codex_client: bool,
) -> Vec<String> {
    match (api, breakdown) {
        (ClientApi::Chat | ClientApi::Completions, None) => vec!["data: [DONE]\n\n".to_owned()],
        (ClientApi::Responses, None) => vec!["\n".to_owned()],
        (_, None) => Vec::new(),
        (ClientApi::Responses, Some(breakdown)) if codex_client => {
            vec![response_failed(breakdown)]
        }
        (ClientApi::Responses, Some(breakdown)) => vec![response_error(breakdown)],
        (
            ClientApi::Messages,
            Some(Breakdown {
                status, message, ..
            }),
        ) => {
            let body = claude_error(claude_type(*status), message);
            vec![format!("event: error\ndata: {body}\n\n")]
        }
        (ClientApi::Gemini, Some(breakdown)) => {
            vec![format!(
                "event: error\ndata: {}\n\n",
                openai_body(breakdown)
            )]
        }
        (ClientApi::GeminiRaw, Some(breakdown)) => vec![openai_body(breakdown)],
        (_, Some(breakdown)) => vec![format!("data: {}\n\n", openai_body(breakdown))],
    }
}

fn openai_body(breakdown: &Breakdown) -> String {
    from_sentence(Shape::OpenAi, breakdown.status, &breakdown.message)
}

fn response_error(breakdown: &Breakdown) -> String {
    let data = json!({
        "type": "error",
        "code": code(breakdown),
        "message": breakdown.message,
        "sequence_number": 0,
    });
    format!("\nevent: error\ndata: {data}\n\n")
}

fn response_failed(breakdown: &Breakdown) -> String {
    let (kind, _) = openai_words(breakdown.status);
    let error = json!({"code": code(breakdown), "message": breakdown.message, "type": kind});
    let data = json!({
        "type": "response.failed",
        "sequence_number": 0,
        "response": {"status": "failed", "error": error},
    });
    format!("\nevent: response.failed\ndata: {data}\n\n")
}

fn code(breakdown: &Breakdown) -> &str {
    if let Some(code) = &breakdown.code {
        return code;
    }
    match breakdown.status {
        408 => "request_timeout",
        status => openai_words(status).1.unwrap_or("invalid_request_error"),
    }
}

const END: &str = "\n\n";
