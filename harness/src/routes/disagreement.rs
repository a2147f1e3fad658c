//! A disagreement between candidate and oracle, as small as it could be made.

use std::fmt::Write;

use proxyproof_oracle::Printable;
use serde::Serialize;

use super::observed::Observed;
use crate::deployment::{Deployment, ProxyProtocol};
use crate::protocol::Protocol;

/// One target that goes elsewhere than the oracle says.
#[derive(Clone, Debug, Serialize)]
pub struct Disagreement {
    /// The listener it was seen at.
    pub protocol: Protocol,
    /// The target; bytes that are not printable ASCII as `\xNN`.
    pub target: String,
    /// The configuration, ready to paste into `http { … }` or, where it is a whole one, to load.
    pub configuration: String,
    /// One line for a shell that asks the same.
    pub curl: String,
    /// What the oracle says.
    pub said: String,
    /// Why it does.
    pub why: Vec<String>,
    /// What the candidate did.
    pub observed: String,
    /// Whether it was made smaller, or the trial was stopped before that.
    pub shrunk: bool,
}

impl Disagreement {
    /// What was observed, in words.
    pub(super) fn seen(observed: &Observed) -> String {
        observed.to_string()
    }

    /// For a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("✗ {}   {}\n", self.target, self.protocol);
        let _ = writeln!(text, "    oracle     {}", self.said);
        for why in self.why.iter() {
            let _ = writeln!(text, "               {why}");
        }
        let _ = writeln!(text, "    candidate  {}", self.observed);
        let _ = writeln!(text, "\n  {}\n", self.curl);
        for line in self.configuration.lines() {
            let _ = writeln!(text, "  {line}");
        }
        text
    }
}

/// A line for a shell that sends exactly this target.
pub(super) fn curl(target: &[u8], protocol: Protocol, deployment: &Deployment) -> String {
    let listener = &deployment.listeners[&protocol.listener()];
    let version = match protocol.listener() {
        // The stage's certificate is not there any more: any will do.
        Protocol::H2 if listener.tls => "--insecure --http2",
        _ if listener.tls => "--insecure --http1.1",
        Protocol::H2 => "--http2-prior-knowledge",
        _ => "--http1.1",
    };
    let scheme = if listener.tls { "https" } else { "http" };
    let header = match listener.proxy_protocol {
        ProxyProtocol::None => "",
        ProxyProtocol::V1 | ProxyProtocol::V2 => " --haproxy-protocol",
    };
    let start = format!(
        "curl -sig --path-as-is {version}{header} -H 'Host: {}'",
        deployment.hosts.api
    );
    let is_plain = |byte: &u8| (0x21..0x7f).contains(byte) && !b"'#\\".contains(byte);
    match target.starts_with(b"/") && target.iter().all(is_plain) {
        true => format!(
            "{start} '{scheme}://{}{}'",
            listener.address,
            Printable(target)
        ),
        false => format!(
            "{start} --request-target {} {scheme}://{}/",
            shell(target),
            listener.address
        ),
    }
}

/// Any bytes as one word of bash.
fn shell(bytes: &[u8]) -> String {
    let mut word = "$'".to_owned();
    for byte in bytes {
        match byte {
            b'\'' | b'\\' => word.extend(['\\', char::from(*byte)]),
            0x20..=0x7e => word.push(char::from(*byte)),
            _ => {
                let _ = write!(word, "\\x{byte:02x}");
            }
        }
    }
    word.push('\'');
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_target_is_one_line() {
        let deployment = Deployment::cpa_two_hosts();
        let line = |target: &[u8]| curl(target, Protocol::H1, &deployment);
        assert!(line(b"//a/..%2f?x").ends_with("'http://127.0.0.1:8003//a/..%2f?x'"));
        assert!(
            line(b"/a#'\xe9").contains("--request-target $'/a#\\'\\xe9' http://127.0.0.1:8003/")
        );
    }
}
