//! The model against the NGINX of this machine: what it says is in force, and which requests it says arrive where.

mod arrivals;
mod running;
mod settings;
mod table;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let missing = running::installation().err();
    // Where everything has to be tested, a missing NGINX is an error.
    let everything = std::env::var("CI").is_ok_and(|value| value == "true");
    let trials: [(&str, fn()); 3] = [
        (
            "effective_settings_are_those_of_nginx",
            settings::effective_settings_are_those_of_nginx,
        ),
        (
            "requests_arrive_where_the_inverse_says",
            arrivals::requests_arrive_where_the_inverse_says,
        ),
        (
            "directives_stand_where_nginx_takes_them",
            table::directives_stand_where_nginx_takes_them,
        ),
    ];
    let trials = trials.into_iter().map(|(name, law)| {
        let name = match &missing {
            Some(reason) if !everything => format!("{name} ({reason})"),
            _ => name.to_owned(),
        };
        let trial = Trial::test(name, move || {
            law();
            Ok(())
        });
        trial.with_ignored_flag(missing.is_some() && !everything)
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}
