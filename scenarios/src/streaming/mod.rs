//! Answers that arrive while they are written.

mod accel_buffering_yes;
mod accept_encoding;
mod backpressure;
mod chat_completion;
mod clean_end;
mod close_delimited;
mod comments;
mod head_before_first_event;
mod json_keepalive;
mod large_event;
mod length_framed;
mod many_small_events;
mod media_types;
mod one_event_at_a_time;
mod one_slow_stream;
mod responses_turn;
mod split_event;
mod streams_in_parallel;
mod truncation_is_visible;

use proxyproof_harness::Scenario;

/// In report order.
pub(crate) const SCENARIOS: &[&Scenario] = &[
    &one_event_at_a_time::SCENARIO,
    &close_delimited::SCENARIO,
    &length_framed::SCENARIO,
    &head_before_first_event::SCENARIO,
    &comments::SCENARIO,
    &split_event::SCENARIO,
    &large_event::SCENARIO,
    &many_small_events::SCENARIO,
    &streams_in_parallel::SCENARIO,
    &one_slow_stream::SCENARIO,
    &backpressure::SCENARIO,
    &accept_encoding::SCENARIO,
    &media_types::SCENARIO,
    &accel_buffering_yes::SCENARIO,
    &json_keepalive::SCENARIO,
    &clean_end::SCENARIO,
    &truncation_is_visible::SCENARIO,
    &chat_completion::SCENARIO,
    &responses_turn::SCENARIO,
];
