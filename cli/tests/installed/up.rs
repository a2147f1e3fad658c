//! `up`: the curls that it prints, in a shell as a user would run them.

use std::process::Command;

use crate::invocation::text_of;
use crate::printed_curls;

pub(crate) fn printed_curls_succeed_with_the_embedded_proxy() {
    printed_curls::are_answered(&["up"], in_a_shell);
}

pub(crate) fn printed_curls_succeed_with_the_published_configuration() {
    printed_curls::are_answered(&["up", "nginx"], in_a_shell);
}

pub(crate) fn printed_curls_succeed_with_the_corrected_configuration() {
    printed_curls::are_answered(&["up", "nginx-corrected"], in_a_shell);
}

pub(crate) fn printed_curls_succeed_with_a_proxy_that_serves_one_host() {
    printed_curls::are_answered(&["up", "candidates/cautious"], in_a_shell);
}

pub(crate) fn printed_curls_succeed_with_another_domain() {
    for candidate in ["candidates/cautious", "reference"] {
        let arguments = ["up", candidate, "--domain", "ai.example.net"];
        printed_curls::are_answered(&arguments, in_a_shell);
    }
}

fn in_a_shell(line: &str) -> Result<(), String> {
    let line = format!("{line} --fail --max-time 30");
    let output = Command::new("/bin/sh").args(["-c", &line]).output();
    let output = output.expect("a shell starts");
    if output.status.success() && !output.stdout.is_empty() {
        Ok(())
    } else {
        Err(format!("{line}\n{}", text_of(&output)))
    }
}
