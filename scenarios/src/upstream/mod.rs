//! How the candidate treats the programs behind it.

mod abandoned_answer;
mod backup_in_reserve;
mod bytes_past_length;
mod connections_reused;
mod dies_before_head;
mod down_is_502;
mod error_statuses_pass;
mod errors_eject_nobody;
mod failure_names_no_address;
mod garbage_answer;
mod get_survives_stale_connection;
mod group_fails_over;
mod http_1_1;
mod no_crosstalk;
mod parallel_bounded;
mod post_never_repeated;
mod recovers;
mod sliced;
mod stall_is_isolated;

use proxyproof_harness::Scenario;

/// In report order.
pub(crate) const SCENARIOS: &[&Scenario] = &[
    &connections_reused::SCENARIO,
    &parallel_bounded::SCENARIO,
    &http_1_1::SCENARIO,
    &no_crosstalk::SCENARIO,
    &down_is_502::SCENARIO,
    &failure_names_no_address::SCENARIO,
    &recovers::SCENARIO,
    &group_fails_over::SCENARIO,
    &backup_in_reserve::SCENARIO,
    &dies_before_head::SCENARIO,
    &post_never_repeated::SCENARIO,
    &get_survives_stale_connection::SCENARIO,
    &garbage_answer::SCENARIO,
    &bytes_past_length::SCENARIO,
    &abandoned_answer::SCENARIO,
    &stall_is_isolated::SCENARIO,
    &error_statuses_pass::SCENARIO,
    &errors_eject_nobody::SCENARIO,
    &sliced::SCENARIO,
];
