use super::listener::Transport;
use super::reader::{Reader, name, place};
use super::regex::{Regex, RegexCase};
use super::server::{DefaultServer, Listen, Protocol, ProxyProtocol, ServerName};
use super::site::SiteProblem;
use crate::conf::Found;

impl<'a> Reader<'a> {
    pub(super) fn listen(&mut self, found: Found<'a>) -> Option<Listen> {
        let Some((first, parameters)) = found.directive.arguments().split_first() else {
            self.error(
                place(found),
                SiteProblem::Arguments {
                    directive: name(found),
                },
            );
            return None;
        };
        let says = |word: &[u8]| parameters.iter().any(|parameter| parameter.value() == word);
        if let Some(strange) = parameters
            .iter()
            .find(|word| !is_listen_parameter(word.value()))
        {
            let problem = SiteProblem::Word {
                what: "parameter",
                word: strange.text().into_owned(),
                directive: "listen".into(),
            };
            self.error(place(found), problem);
        }
        Some(Listen {
            address: Listen::address(&first.text()),
            default: match says(b"default_server") || says(b"default") {
                true => DefaultServer::Said,
                false => DefaultServer::Unsaid,
            },
            protocol: if says(b"http2") {
                Protocol::Http2
            } else {
                Protocol::Http1
            },
            tls: says(b"ssl"),
            http2_parameter: says(b"http2"),
            transport: match says(b"quic") {
                true => Transport::Quic,
                false => Transport::Stream,
            },
            proxy_protocol: match says(b"proxy_protocol") {
                true => ProxyProtocol::Required,
                false => ProxyProtocol::Off,
            },
            place: Some(place(found)),
        })
    }

    pub(super) fn names(&mut self, found: Found<'a>, names: &mut Vec<ServerName>) {
        for word in found.directive.arguments() {
            let text = word.text();
            let lower = text.to_ascii_lowercase();
            names.push(match lower.as_str() {
                _ if text.starts_with('~') => {
                    match Regex::new(&word.value()[1..], RegexCase::Ignored) {
                        Ok(regex) => ServerName::Regex(regex),
                        Err(error) => {
                            self.error(place(found), error.into());
                            continue;
                        }
                    }
                }
                any if any.starts_with("*.") => ServerName::EndsWith(any[1..].to_owned()),
                domain if domain.starts_with('.') => ServerName::Domain(domain.to_owned()),
                begin if begin.ends_with(".*") => {
                    ServerName::BeginsWith(begin[..begin.len() - 1].to_owned())
                }
                _ => ServerName::Exact(lower),
            });
        }
    }
}

/// What NGINX 1.22.1 and 1.31.3 take after the address of a `listen`.
fn is_listen_parameter(word: &[u8]) -> bool {
    const FLAGS: [&str; 12] = [
        "default",
        "default_server",
        "ssl",
        "http2",
        "quic",
        "spdy",
        "proxy_protocol",
        "bind",
        "deferred",
        "reuseport",
        "multipath",
        "http3",
    ];
    const VALUES: [&str; 8] = [
        "backlog=",
        "rcvbuf=",
        "sndbuf=",
        "accept_filter=",
        "setfib=",
        "fastopen=",
        "ipv6only=",
        "so_keepalive=",
    ];
    let is_value = VALUES
        .iter()
        .any(|value| word.starts_with(value.as_bytes()));
    is_value || FLAGS.iter().any(|flag| flag.as_bytes() == word)
}

/// `*:80`, what a server without `listen` gets when NGINX is started by root.
pub(super) fn implied_listen() -> Listen {
    Listen {
        address: "*:80".to_owned(),
        default: DefaultServer::Unsaid,
        protocol: Protocol::Http1,
        tls: false,
        http2_parameter: false,
        transport: Transport::Stream,
        proxy_protocol: ProxyProtocol::Off,
        place: None,
    }
}
