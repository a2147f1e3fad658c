//! What needs more than Rust and a C compiler: proxies that are installed, curl, a container engine with an image.
//!
//! A test whose need is missing is ignored, and says so; with `CI=true` it fails.

mod attach;
mod bench;
mod caddyfile;
mod container;
mod faults;
mod init;
mod need;
mod own;
mod sites;
mod up;

#[path = "../command/invocation.rs"]
#[expect(dead_code, reason = "the target `command` uses the rest")]
mod invocation;
#[path = "../command/load.rs"]
mod load;
#[path = "../command/printed_curls.rs"]
mod printed_curls;

use std::{env, process::ExitCode};

use libtest_mimic::{Arguments, Trial};

use self::need::Need;

/// Tests by their names, and what they all need.
type Tests = (&'static [Need], Vec<(&'static str, fn())>);

macro_rules! tests {
    ($needs:expr, $($test:path),+ $(,)?) => {
        (&$needs, vec![$((stringify!($test), $test as fn())),+])
    };
}

fn main() -> ExitCode {
    let everything = env::var("CI").is_ok_and(|value| value == "true");
    let mut trials = Vec::new();
    for (needs, tests) in all() {
        let missing = needs.iter().find_map(|need| need.missing());
        for (name, run) in tests {
            trials.push(match missing.clone() {
                None => Trial::test(name, move || {
                    run();
                    Ok(())
                }),
                Some(why) => Trial::test(name, {
                    let why = why.clone();
                    move || Err(why.into())
                })
                .with_kind(why)
                .with_ignored_flag(!everything),
            });
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn all() -> [Tests; 7] {
    const NGINX: Need = Need::Candidate("nginx");
    const HAPROXY: Need = Need::Candidate("haproxy");
    [
        tests![
            [NGINX],
            faults::one_upstream_of_a_deployment,
            faults::one_upstream_of_a_file,
            faults::a_late_head,
            faults::a_late_head_after_blanks,
            faults::a_body_of_the_limit_that_is_collected_first,
            faults::a_larger_limit,
            faults::a_handshake_in_http_1_0,
            faults::the_usage_service_alone,
            faults::an_address_that_is_replaced,
            attach::nothing_but_mocks_and_probes_is_started,
            bench::every_kind_of_load_is_answered,
            init::a_folder_that_runs_by_itself,
            own::the_published_one_does_not_load,
            own::the_published_one_with_maps,
            own::as_pasted_from_the_web,
            own::the_corrected_one,
            own::a_whole_tree,
            own::an_include_that_listens,
            own::one_that_ends_tls,
            own::one_behind_a_server_that_ends_tls,
            own::other_sites_of_the_same_server,
            own::destinations_in_variables_and_a_rate_limit,
            own::a_directive_without_its_end,
            own::a_directive_that_nginx_does_not_know,
            own::other_kinds_of_addresses,
            own::secrets_reach_no_report,
            own::the_real_proxy_agrees_with_the_rules_on_it,
            own::the_whole_suite_on_one_that_ends_tls,
            own::routes_of_one_that_ends_tls_are_compared,
            sites::litellm_on_several_servers,
            sites::cpa_beside_a_stream_block,
            sites::the_output_of_nginx,
            sites::a_template_of_the_image,
            sites::a_name_of_compose,
            sites::a_name_without_a_port,
            sites::a_chat_page,
            sites::a_relay_behind_others,
            sites::an_api_below_a_path,
            sites::pages_and_an_api,
            sites::upstreams_of_a_map,
            sites::a_pool_and_a_server_for_others,
            sites::a_provider_over_tls,
            sites::two_gateways_in_one_file,
            sites::a_port_for_each_program,
            sites::one_of_several_sites,
            sites::a_location_in_another,
            sites::a_gate_in_front,
            sites::keys_that_nginx_asks_for,
            sites::an_office_alone,
            sites::directives_that_this_nginx_lacks,
            sites::a_module_that_is_not_there,
            sites::zones_and_parameters_of_other_files,
            sites::destinations_in_parts,
            sites::pages_in_php,
            sites::filters_and_a_cache,
            sites::preflights_answered_by_the_proxy,
            sites::nothing_but_a_destination,
            sites::fields_dropped_by_a_location,
            sites::http2_of_a_later_release,
            sites::a_map_that_was_forgotten,
            sites::the_whole_suite_on_what_is_right,
        ],
        tests![
            [HAPROXY],
            faults::a_check_that_haproxy_makes,
            own::another_proxys_own,
            own::a_member_of_the_gallery_without_a_tunnel,
        ],
        tests![
            [Need::Candidate("caddy")],
            faults::a_second_request_that_is_the_clients_next,
            faults::the_same_with_a_field_more,
            faults::a_fault_of_the_users_file,
            faults::an_address_for_a_host,
            faults::a_check_that_caddy_makes,
            faults::errors_that_take_an_upstream_out_of_service,
            caddyfile::the_most_usual_one,
            caddyfile::its_listener_in_another_spelling,
            caddyfile::one_that_ends_tls_behind_a_tunnel,
            caddyfile::one_that_ends_tls_behind_a_front_that_does,
            caddyfile::a_plain_one_among_others,
            caddyfile::a_destination_that_a_request_decides,
            caddyfile::a_directive_that_caddy_does_not_know,
            caddyfile::a_site_of_other_programs,
        ],
        tests![
            [Need::Curl],
            up::printed_curls_succeed_with_the_embedded_proxy,
            up::printed_curls_succeed_with_a_proxy_that_serves_one_host,
            up::printed_curls_succeed_with_another_domain,
        ],
        tests![
            [Need::Curl, NGINX],
            up::printed_curls_succeed_with_the_published_configuration,
            up::printed_curls_succeed_with_the_corrected_configuration,
        ],
        tests![
            [Need::Image(container::NGINX)],
            container::the_suite_passes_in_a_container,
            container::a_killed_command_leaves_no_container,
            container::a_program_that_is_not_in_the_image,
        ],
        tests![
            [Need::Image(container::HAPROXY)],
            container::haproxy_in_a_container,
        ],
    ]
}
