//! `run caddy --config`: a Caddyfile of the user's.

use crate::invocation::{Invocation, assert_told};

/// Only Caddy can say what a Caddyfile means.
macro_rules! with_caddy {
    ($($name:ident: $file:literal $($more:literal)*;)+) => {
        $(
            pub(crate) fn $name() {
                let arguments = ["run", "caddy", "--config", concat!("caddyfile/", $file), $($more),*];
                assert_told!(Invocation::new(&arguments));
            }
        )+
    };
}

with_caddy! {
    the_most_usual_one: "ordinary.Caddyfile" "--front" "none" "-f" "streaming/one_event_at_a_time" "-f" "websocket/messages";
    its_listener_in_another_spelling: "ordinary.Caddyfile" "--front" "none" "--listen" "h2=[::]:443" "-f" "http/pipelined_in_order";
    one_that_ends_tls_behind_a_tunnel: "ordinary.Caddyfile";
    one_that_ends_tls_behind_a_front_that_does: "ordinary.Caddyfile" "--front" "tls";
    a_plain_one_among_others: "plain.Caddyfile" "--front" "tls" "-f" "streaming/one_event_at_a_time";
    a_destination_that_a_request_decides: "request_decides.Caddyfile" "--front" "none";
    a_directive_that_caddy_does_not_know: "unknown_directive.Caddyfile" "--front" "none";
    a_site_of_other_programs: "elsewhere.Caddyfile" "--front" "none";
}
