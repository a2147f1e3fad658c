//! To Anthropic's messages API.

use serde_json::{Value, json};

use super::frame::Frame;
use crate::upstream::cpa::go_json::go_json;
use crate::upstream::cpa::provider::{ChatEvent, Turn, Usage};

/// Makes messages of chat completions.
#[derive(Debug)]
pub(crate) struct MessagesFromChat<'a> {
    model: &'a str,
    id: &'a str,
    /// CPA's estimate of the prompt, for `message_start`.
    input_tokens: u64,
    open: Option<Block>,
    next_index: usize,
    arguments: String,
    finished: Option<&'static str>,
    stopped: bool,
}

/// The content block that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    Thinking(usize),
    Text(usize),
    Tool(usize),
}

impl Block {
    const fn index(self) -> usize {
        match self {
            Self::Thinking(index) | Self::Text(index) | Self::Tool(index) => index,
        }
    }
}

impl<'a> MessagesFromChat<'a> {
    pub(crate) const fn new(model: &'a str, id: &'a str, input_tokens: u64) -> Self {
        Self {
            model,
            id,
            input_tokens,
            open: None,
            next_index: 0,
            arguments: String::new(),
            finished: None,
            stopped: false,
        }
    }

    pub(crate) fn event(&mut self, event: &ChatEvent) -> Vec<Frame> {
        let mut frames = Vec::new();
        match event {
            ChatEvent::Role => frames.push(self.started()),
            ChatEvent::Reasoning(piece) => self.thinking(piece, &mut frames),
            ChatEvent::Text(piece) => self.text(piece, &mut frames),
            ChatEvent::CallStarted { id, name } => self.tool(id, name, &mut frames),
            ChatEvent::CallArguments(arguments) => self.arguments.push_str(arguments),
            ChatEvent::Finished { reason, usage } => self.finished(reason, *usage, &mut frames),
            ChatEvent::Done => self.done(&mut frames),
        }
        frames
    }

    fn started(&self) -> Frame {
        let usage = json!({"input_tokens": self.input_tokens, "output_tokens": 0});
        let message = json!({
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            "usage": usage,
        });
        frame(
            "message_start",
            &json!({"type": "message_start", "message": message}),
        )
    }

    fn thinking(&mut self, piece: &str, frames: &mut Vec<Frame>) {
        let index = match self.open {
            Some(Block::Thinking(index)) => index,
            _ => {
                self.close(frames);
                let index = self.take_index();
                self.open = Some(Block::Thinking(index));
                frames.push(block_start(
                    index,
                    &json!({"type": "thinking", "thinking": ""}),
                ));
                index
            }
        };
        frames.push(block_delta(
            index,
            &json!({"type": "thinking_delta", "thinking": piece}),
        ));
    }

    fn text(&mut self, piece: &str, frames: &mut Vec<Frame>) {
        let index = match self.open {
            Some(Block::Text(index)) => index,
            _ => {
                self.close(frames);
                let index = self.take_index();
                self.open = Some(Block::Text(index));
                frames.push(block_start(index, &json!({"type": "text", "text": ""})));
                index
            }
        };
        frames.push(block_delta(
            index,
            &json!({"type": "text_delta", "text": piece}),
        ));
    }

    fn tool(&mut self, id: &str, name: &str, frames: &mut Vec<Frame>) {
        self.close(frames);
        let index = self.take_index();
        self.open = Some(Block::Tool(index));
        frames.push(block_start(
            index,
            &json!({"type": "tool_use", "id": id, "name": name, "input": {}}),
        ));
    }

    fn finished(&mut self, reason: &str, usage: Usage, frames: &mut Vec<Frame>) {
        self.close(frames);
        let reason = stop_reason(reason);
        self.finished = Some(reason);
        let usage = json!({"input_tokens": usage.input, "output_tokens": usage.output});
        frames.push(message_delta(reason, &usage));
        self.stop(frames);
    }

    /// What `[DONE]` brings; after a finish, nothing.
    fn done(&mut self, frames: &mut Vec<Frame>) {
        self.close(frames);
        self.stop(frames);
    }

    fn stop(&mut self, frames: &mut Vec<Frame>) {
        if !self.stopped {
            self.stopped = true;
            frames.push(frame("message_stop", &json!({"type": "message_stop"})));
        }
    }

    /// Ends the open block; the arguments of a tool come whole, just before its end.
    fn close(&mut self, frames: &mut Vec<Frame>) {
        let Some(block) = self.open.take() else {
            return;
        };
        if let Block::Tool(index) = block
            && !self.arguments.is_empty()
        {
            let arguments = std::mem::take(&mut self.arguments);
            frames.push(block_delta(
                index,
                &json!({"type": "input_json_delta", "partial_json": arguments}),
            ));
        }
        frames.push(frame(
            "content_block_stop",
            &json!({"type": "content_block_stop", "index": block.index()}),
        ));
    }

    const fn take_index(&mut self) -> usize {
        let index = self.next_index;
        self.next_index += 1;
        index
    }
}

/// The message made of a whole turn of an OpenAI-style provider.
pub(crate) fn message_from_turn(model: &str, id: &str, turn: &Turn) -> Value {
    let mut content = Vec::new();
    if !turn.text.is_empty() {
        content.push(json!({"type": "text", "text": turn.whole_text()}));
    }
    if !turn.reasoning.is_empty() {
        content.push(json!({"type": "thinking", "thinking": turn.whole_reasoning()}));
    }
    if let Some(call) = &turn.call {
        let input: Value = serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({}));
        content.push(json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input}));
    }
    let reason = if turn.call.is_some() {
        "tool_use"
    } else {
        "end_turn"
    };
    json!({
        "id": id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": reason,
        "stop_sequence": null,
        "usage": {"input_tokens": turn.usage.input, "output_tokens": turn.usage.output},
    })
}

fn stop_reason(finish_reason: &str) -> &'static str {
    match finish_reason {
        "tool_calls" => "tool_use",
        "length" => "max_tokens",
        _ => "end_turn",
    }
}

/// A `message_delta` event.
pub(crate) fn message_delta(reason: &str, usage: &Value) -> Frame {
    let delta = json!({"stop_reason": reason, "stop_sequence": null});
    frame(
        "message_delta",
        &json!({"type": "message_delta", "delta": delta, "usage": usage}),
    )
}

/// A `content_block_start` event.
pub(crate) fn block_start(index: usize, block: &Value) -> Frame {
    frame(
        "content_block_start",
        &json!({"type": "content_block_start", "index": index, "content_block": block}),
    )
}

/// A `content_block_delta` event.
pub(crate) fn block_delta(index: usize, delta: &Value) -> Frame {
    frame(
        "content_block_delta",
        &json!({"type": "content_block_delta", "index": index, "delta": delta}),
    )
}

fn frame(event: &'static str, data: &Value) -> Frame {
    Frame::named(event, go_json(data))
}
