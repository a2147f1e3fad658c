use std::process::Command;

use proptest::sample::select;
use proptest::test_runner::{Config as Cases, TestRunner};
use proxyproof_oracle::directive::{self, Context};

use super::running::{Installation, installation};

/// A directive may stand where the table says, and nowhere else; what this build does not know is not compared.
pub(crate) fn directives_stand_where_nginx_takes_them() {
    let names: Vec<&str> = directive::definitions().map(|row| row.name).collect();
    let contexts = Context::ALL.to_vec();
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().display().to_string();
    let file = folder.path().join("nginx.conf");
    let Installation { program, version } = installation().expect("it is installed");
    let cases = Cases {
        cases: 150,
        failure_persistence: None,
        ..Cases::default()
    };
    let outcome =
        TestRunner::new(cases).run(&(select(names), select(contexts)), |(name, context)| {
            std::fs::write(&file, text(name, context)).expect("written");
            let mut test = Command::new(&program);
            let said = test
                .args(["-t", "-p", &at, "-e", "stderr", "-c"])
                .arg(&file)
                .output();
            let said = String::from_utf8_lossy(&said.expect("it runs").stderr).into_owned();
            if !said.contains("unknown directive") {
                let is_refused =
                    said.contains(&format!("\"{name}\" directive is not allowed here"));
                let row = directive::definition_in(name, context);
                // What is newer may be there all the same, taken into a build of an older release.
                if row.is_none_or(|row| row.is_in(version)) {
                    assert_eq!(!is_refused, row.is_some(), "{name} in {context:?}: {said}");
                }
            }
            Ok(())
        });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// The directive without arguments in a block of that kind.
fn text(name: &str, context: Context) -> String {
    let inside = match context {
        Context::Main => return format!("{name}; events {{ }} http {{ }}"),
        Context::Events => return format!("events {{ {name}; }} http {{ }}"),
        Context::Http => format!("{name};"),
        Context::Server => format!("server {{ {name}; }}"),
        Context::Location => format!("server {{ location / {{ {name}; }} }}"),
        Context::If => format!("server {{ location / {{ if ($uri) {{ {name}; }} }} }}"),
        Context::ServerIf => format!("server {{ if ($uri) {{ {name}; }} }}"),
        Context::LimitExcept => {
            format!("server {{ location / {{ limit_except GET {{ {name}; }} }} }}")
        }
        Context::Upstream => format!("upstream u {{ {name}; }}"),
    };
    format!("events {{ }} http {{ {inside} }}")
}
