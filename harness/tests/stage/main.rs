//! Stages around candidates that behave, refuse, hang and die; and nothing of them is left behind.
//!
//! The candidates are this very executable, started again: see `relay.rs`.

mod candidates;
mod left_behind;
mod nginx;
mod probes;
mod reference;
mod relay;
mod suite;
mod trials;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use proxyproof_harness::stage::guard;

fn main() -> ExitCode {
    if let Some(ended) = guard::serve_if_asked() {
        return ended;
    }
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("__relay"), Some(file)) => relay::run(&file),
        (Some("__reference"), Some(_)) => reference::run(),
        (Some("__stage"), Some(folder)) => left_behind::stage_and_wait(&folder),
        _ => test(),
    }
}

fn test() -> ExitCode {
    let trials: [(&str, fn()); 28] = [
        (
            "a_request_arrives_through_the_candidate",
            trials::a_request_arrives_through_the_candidate,
        ),
        (
            "a_relay_can_stand_between",
            trials::a_relay_can_stand_between,
        ),
        (
            "a_refusal_is_told_in_the_candidates_words",
            trials::a_refusal_is_told_in_the_candidates_words,
        ),
        (
            "a_candidate_that_hangs_is_given_up",
            trials::a_candidate_that_hangs_is_given_up,
        ),
        (
            "another_program_on_the_port_is_not_the_candidate",
            trials::another_program_on_the_port_is_not_the_candidate,
        ),
        (
            "a_candidate_that_dies_is_noticed",
            trials::a_candidate_that_dies_is_noticed,
        ),
        (
            "a_taken_port_is_chosen_again",
            trials::a_taken_port_is_chosen_again,
        ),
        (
            "a_port_that_is_always_taken_is_told",
            trials::a_port_that_is_always_taken_is_told,
        ),
        (
            "a_wrong_template_is_told_at_its_place",
            trials::a_wrong_template_is_told_at_its_place,
        ),
        (
            "a_stopped_stage_leaves_nothing",
            left_behind::a_stopped_stage_leaves_nothing,
        ),
        (
            "a_dropped_stage_leaves_nothing",
            left_behind::a_dropped_stage_leaves_nothing,
        ),
        (
            "a_killed_harness_leaves_nothing",
            left_behind::a_killed_harness_leaves_nothing,
        ),
        (
            "a_kept_directory_stays",
            left_behind::a_kept_directory_stays,
        ),
        (
            "every_verdict_is_reached_for_its_reason",
            suite::every_verdict_is_reached_for_its_reason,
        ),
        (
            "a_scenario_that_overruns_says_what_it_waited_for",
            suite::a_scenario_that_overruns_says_what_it_waited_for,
        ),
        (
            "who_kills_the_candidate_is_found_among_others",
            suite::who_kills_the_candidate_is_found_among_others,
        ),
        (
            "known_gaps_are_known_until_they_pass",
            suite::known_gaps_are_known_until_they_pass,
        ),
        (
            "a_known_gap_is_about_its_finding_alone",
            suite::a_known_gap_is_about_its_finding_alone,
        ),
        (
            "a_code_that_is_not_listed_breaks_its_scenario",
            suite::a_code_that_is_not_listed_breaks_its_scenario,
        ),
        (
            "a_run_that_is_stopped_reports_what_it_has",
            suite::a_run_that_is_stopped_reports_what_it_has,
        ),
        (
            "rounds_are_counted_together",
            suite::rounds_are_counted_together,
        ),
        (
            "filters_mean_what_they_say",
            suite::filters_mean_what_they_say,
        ),
        ("the_reference_is_staged", reference::is_staged),
        ("probes_reach_both_ends", probes::reach_both_ends),
        (
            "nginx_is_staged_with_both_configurations",
            nginx::is_staged_with_both_configurations,
        ),
        (
            "nginx_agrees_with_the_oracle",
            nginx::agrees_with_the_oracle,
        ),
        (
            "nginx_disagreements_are_found_and_shrunk",
            nginx::disagreements_are_found_and_shrunk,
        ),
        (
            "nginx_lets_probes_reach_both_ends",
            probes::reach_both_ends_through_nginx,
        ),
    ];
    let missing = nginx::missing();
    let trials = trials.into_iter().map(|(name, run)| {
        let trial = Trial::test(name, move || {
            run();
            Ok(())
        });
        match &missing {
            Some(why) if name.starts_with("nginx") => trial.with_kind(why).with_ignored_flag(true),
            _ => trial,
        }
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}
