//! A deployment as the text that is read as the same one.

use std::fmt::Write as _;
use std::time::Duration;

use super::{
    ANY_UPSTREAM, Deployment, Destination, ProxyProtocol, PublishedUpstream, RequestBody, Route,
};
use crate::kind::{EndpointRequest, Entry, Purpose};
use crate::promise::Source;

impl Deployment {
    /// Its TOML: what was concluded from a file as comments, then every key that is not as it would be without a word.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        for conclusion in &self.conclusions {
            line(&mut text, format_args!("# {conclusion}"));
        }
        line(&mut text, format_args!("name = {}", quoted(&self.name)));
        line(&mut text, format_args!("about = {}", quoted(&self.about)));
        line(
            &mut text,
            format_args!("front = {}", quoted(self.front.name())),
        );
        self.write_hosts(&mut text);
        self.write_listeners(&mut text);
        for (name, upstream) in &self.upstreams {
            write_upstream(&mut text, name, upstream);
        }
        for route in &self.routes {
            write_route(&mut text, route);
        }
        self.write_limits(&mut text);
        line(&mut text, format_args!("\n[identity]"));
        line(
            &mut text,
            format_args!("scheme = {}", quoted(&self.identity.scheme)),
        );
        line(&mut text, format_args!("port = {}", self.identity.port));
        if !self.identity.trusted.is_empty() {
            let trusted = self.identity.trusted.iter().map(ToString::to_string);
            line(&mut text, format_args!("trusted = {}", list(trusted)));
        }
        for fallback in &self.fallbacks {
            line(&mut text, format_args!("\n[[fallback]]"));
            for (key, value) in [
                ("name", &fallback.name),
                ("alpn", &fallback.alpn),
                ("path", &fallback.path),
                ("dest", &fallback.dest),
            ] {
                if !value.is_empty() {
                    line(&mut text, format_args!("{key} = {}", quoted(value)));
                }
            }
            line(&mut text, format_args!("xver = {}", fallback.xver));
        }
        text
    }

    fn write_hosts(&self, text: &mut String) {
        line(text, format_args!("\n[hosts]"));
        line(text, format_args!("api = {}", quoted(&self.hosts.api)));
        if let Some(tunnel) = &self.hosts.tunnel {
            line(text, format_args!("tunnel = {}", quoted(tunnel)));
        }
        let others = match &self.hosts.others_refused {
            None => "any",
            Some(Source::GoodPractice) => "recommended",
            Some(_) => "refused",
        };
        line(text, format_args!("others = {}", quoted(others)));
    }

    fn write_listeners(&self, text: &mut String) {
        for (protocol, listener) in &self.listeners {
            line(text, format_args!("\n[[listener]]"));
            line(
                text,
                format_args!("address = {}", quoted(&listener.address)),
            );
            line(text, format_args!("protocol = {}", quoted(protocol.name())));
            if listener.tls {
                line(text, format_args!("tls = true"));
            }
            let header = match listener.proxy_protocol {
                ProxyProtocol::None => continue,
                ProxyProtocol::V1 => "v1",
                ProxyProtocol::V2 => "v2",
            };
            line(text, format_args!("proxy_protocol = {}", quoted(header)));
        }
    }

    fn write_limits(&self, text: &mut String) {
        let limits = &self.limits;
        line(text, format_args!("\n[limits]"));
        if let Some(body) = &limits.request_body {
            line(text, format_args!("request_body = \"{}\"", body.value));
        }
        if limits.refuse_larger {
            line(text, format_args!("refuse_larger = true"));
        }
        let times = [
            ("read_timeout", &limits.read_timeout),
            ("send_timeout", &limits.send_timeout),
        ];
        for (key, time) in times {
            if let Some(time) = time {
                line(text, format_args!("{key} = \"{}\"", written(time.value)));
            }
        }
    }
}

fn write_upstream(text: &mut String, name: &str, upstream: &PublishedUpstream) {
    line(text, format_args!("\n[upstream.{name}]"));
    line(text, format_args!("kind = {}", quoted(&upstream.kind.name)));
    let scheme = if upstream.tls { "https://" } else { "" };
    let addresses = |backup: bool| {
        let servers = upstream.servers.iter();
        let servers = servers.filter(move |server| server.backup == backup);
        servers.map(|server| format!("{scheme}{}", server.address))
    };
    line(text, format_args!("address = {}", list(addresses(false))));
    if addresses(true).next().is_some() {
        line(text, format_args!("backup = {}", list(addresses(true))));
    }
    if let Some(host) = &upstream.host {
        line(text, format_args!("host = {}", quoted(host)));
    }
    if let Some(pool) = &upstream.pool {
        line(text, format_args!("pool = {}", pool.value));
    }
    if !upstream.own_fields.is_empty() {
        let fields = list(upstream.own_fields.iter().cloned());
        line(text, format_args!("own_fields = {fields}"));
    }
    if !upstream.answered_methods.is_empty() {
        let methods = list(upstream.answered_methods.iter().cloned());
        line(text, format_args!("answered_methods = {methods}"));
    }
    let own = &upstream.client_address;
    if *own != upstream.kind.client_address {
        let entry = match own.entry {
            Entry::Leftmost => "leftmost",
            Entry::Rightmost => "rightmost",
            Entry::Whole => "whole",
        };
        line(text, format_args!("\n[upstream.{name}.client_address]"));
        line(
            text,
            format_args!("fields = {}", list(own.fields.iter().cloned())),
        );
        line(text, format_args!("entry = {}", quoted(entry)));
        line(
            text,
            format_args!("trusts_loopback = {}", own.trusts_loopback),
        );
    }
    write_endpoints(text, name, upstream);
    for stub in &upstream.stubs {
        line(text, format_args!("\n[[upstream.{name}.stub]]"));
        let request = format!("{} {}", stub.request.method, stub.request.path);
        line(text, format_args!("request = {}", quoted(&request)));
        line(text, format_args!("status = {}", stub.status));
        line(text, format_args!("body = {}", quoted(&stub.body)));
        for (field, value) in &stub.fields {
            line(
                text,
                format_args!("fields.{} = {}", quoted(field), quoted(value)),
            );
        }
    }
}

fn write_endpoints(text: &mut String, name: &str, upstream: &PublishedUpstream) {
    let mut endpoints = upstream.endpoints.clone();
    // What the file promises is more than what its kind may have.
    if upstream.websocket.is_some()
        && let Some(requests) = upstream.kind.endpoints.get(&Purpose::WebSocket)
    {
        let own = endpoints.entry(Purpose::WebSocket);
        own.or_insert_with(|| requests.clone());
    }
    if endpoints.is_empty() {
        return;
    }
    line(text, format_args!("\n[upstream.{name}.endpoints]"));
    for (purpose, requests) in &endpoints {
        let requests: Vec<String> = requests.iter().map(request).collect();
        line(
            text,
            format_args!("{} = [{}]", purpose.name(), requests.join(", ")),
        );
    }
}

fn request(request: &EndpointRequest) -> String {
    let text = quoted(&format!("{} {}", request.method, request.path));
    let usual = EndpointRequest::parse("GET /").map(|usual| usual.media);
    match usual.is_ok_and(|usual| usual == request.media) {
        true => text,
        false => format!("{{ request = {text}, media = {} }}", quoted(&request.media)),
    }
}

fn write_route(text: &mut String, route: &Route) {
    line(text, format_args!("\n[[route]]"));
    let location = route.location.to_string();
    line(text, format_args!("location = {}", quoted(&location)));
    match &route.to {
        Destination::Upstream(name) => line(text, format_args!("upstream = {}", quoted(name))),
        Destination::Any => line(text, format_args!("upstream = {}", quoted(ANY_UPSTREAM))),
        Destination::Proxy(answer) => {
            // Whatever it finds among its files is no upstream's either.
            let status = answer.status.unwrap_or(404);
            line(text, format_args!("status = {status}"));
            if let Some(to) = &answer.location {
                line(text, format_args!("redirect = {}", quoted(to)));
            }
        }
    }
    if let Some(replace) = &route.replace {
        line(text, format_args!("replace = {}", quoted(replace)));
    }
    if route.request_body == RequestBody::Streamed {
        line(text, format_args!("request_body = \"streamed\""));
    }
}

fn line(text: &mut String, written: std::fmt::Arguments<'_>) {
    // Nothing fails in a text.
    let _ = writeln!(text, "{written}");
}

/// A basic string of TOML: JSON's escapes are TOML's.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

pub(crate) fn list(texts: impl Iterator<Item = String>) -> String {
    let quoted: Vec<String> = texts.map(|text| quoted(&text)).collect();
    format!("[{}]", quoted.join(", "))
}

fn written(time: Duration) -> String {
    match time.subsec_millis() {
        0 => format!("{}s", time.as_secs()),
        _ => format!("{}ms", time.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_as_the_same() {
        for name in Deployment::EMBEDDED {
            let deployment = Deployment::named(name).unwrap();
            let text = deployment.to_toml();
            let read = Deployment::parse("written.toml", &text);
            assert_eq!(
                read.unwrap_or_else(|error| panic!("{error}\n{text}")),
                deployment
            );
        }
    }
}
