//! Where a site of a configuration listens.

use std::collections::BTreeMap;

use proxyproof_oracle::conf::{Directive, Word};

use super::site::Sites;
use super::source::Source;
use super::{OwnConfiguration, address, has};
use crate::deployment::{Deployment, Front, ProxyProtocol, PublishedListener};
use crate::error::HarnessError;
use crate::protocol::Protocol;

impl OwnConfiguration {
    /// Puts the deployment behind this front, with the listeners of its first server that has locations.
    ///
    /// # Errors
    /// [`HarnessError::Document`] where that server waits for a PROXY header that no such front sends, or has no listener.
    pub fn stand_behind(
        &self,
        front: Front,
        deployment: &mut Deployment,
    ) -> Result<(), HarnessError> {
        if front == Front::Tunnel {
            deployment.put_behind(front, false);
            return Ok(());
        }
        let ways = self.ways_in(deployment);
        let ends_tls = front == Front::None && ways.iter().any(WayIn::ends_tls);
        let open = with_or_without_tls(&ways, ends_tls);
        if let Some(way) = open.iter().find(|way| way.wants_header()) {
            let message = format!("`--front {}` sends no PROXY header", front.name());
            return Err(way
                .source
                .at(way.place(), message)
                .help("`--front tunnel` does, and so does the deployment without any --front")
                .into());
        }
        let listeners: BTreeMap<Protocol, PublishedListener> = of_protocols(&open).collect();
        if listeners.is_empty() {
            let wanted = match front {
                Front::Tls => "without TLS, since the front ends it",
                _ => "that clients could ask",
            };
            let message = format!("no server with locations has a listener {wanted}");
            return Err(self.main.lacks(message).into());
        }
        deployment.listeners = listeners;
        deployment.put_behind(front, ends_tls);
        Ok(())
    }

    /// Where the deployment's first server with locations listens, over TCP.
    pub(super) fn ways_in(&self, deployment: &Deployment) -> Vec<WayIn<'_>> {
        let sites = Sites::of(self, deployment);
        let mut ways = Vec::new();
        let mut server = None;
        let mut anywhere = false;
        self.walk(&mut |source, above, directive| {
            let site = above.iter().find(|parent| sites.is_site(parent));
            anywhere |=
                is_http2_on(directive) && above.last().is_some_and(|parent| parent.is("http"));
            let Some(site) = site else {
                return;
            };
            let here = (source.origin.as_str(), site.span().start);
            let is_way_in = directive.is("listen")
                && !directive.arguments().is_empty()
                && !has(directive, "quic");
            if *server.get_or_insert(here) == here && is_way_in {
                let server_wide = site.children().iter().any(is_http2_on);
                ways.push(WayIn {
                    source,
                    http_two: server_wide || has(directive, "http2"),
                    listen: directive.clone(),
                });
            }
        });
        // `http2 on` of NGINX 1.25.1 is for every protocol that a listener can tell apart: with TLS by ALPN.
        for way in &mut ways {
            way.http_two |= anywhere && way.ends_tls();
        }
        ways
    }
}

/// A listener of a site, as written.
pub(super) struct WayIn<'s> {
    source: &'s Source,
    /// With an address.
    listen: Directive,
    http_two: bool,
}

impl WayIn<'_> {
    fn place(&self) -> &Word {
        &self.listen.arguments()[0]
    }

    pub(super) fn ends_tls(&self) -> bool {
        has(&self.listen, "ssl")
    }

    fn wants_header(&self) -> bool {
        has(&self.listen, "proxy_protocol")
    }
}

fn with_or_without_tls<'w, 's>(ways: &'w [WayIn<'s>], ends_tls: bool) -> Vec<&'w WayIn<'s>> {
    let wanted = ways.iter().filter(|way| way.ends_tls() == ends_tls);
    wanted.collect()
}

/// The first listener of each protocol; behind TLS one may serve both, and ALPN chooses.
fn of_protocols(ways: &[&WayIn<'_>]) -> impl Iterator<Item = (Protocol, PublishedListener)> {
    // The parameter `http2` leaves no HTTP/1.1 to a listener without TLS; the directive does.
    let h1 = ways
        .iter()
        .find(|way| way.ends_tls() || !has(&way.listen, "http2"));
    let h2 = ways.iter().find(|way| way.http_two);
    let listener = |way: &&WayIn| PublishedListener {
        address: address(&way.place().text()),
        proxy_protocol: match way.wants_header() {
            true => ProxyProtocol::V1,
            false => ProxyProtocol::None,
        },
        tls: way.ends_tls(),
    };
    [
        (Protocol::H1, h1.map(listener)),
        (Protocol::H2, h2.map(listener)),
    ]
    .into_iter()
    .filter_map(|(protocol, listener)| Some((protocol, listener?)))
}

fn is_http2_on(directive: &Directive) -> bool {
    directive.is("http2") && has(directive, "on")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listeners_of_a_site_that_ends_tls() {
        let text = "server { listen 80; return 301 https://$host$request_uri; } \
                    server { listen 80; listen 443 ssl; http2 on; location / { } } server { listen 444 ssl; location / { } }";
        let own = OwnConfiguration::of_text(text);
        let mut deployment = Deployment::cpa_two_hosts();
        own.stand_behind(Front::None, &mut deployment).unwrap();
        let listening: Vec<_> = deployment.listeners.values().collect();
        assert_eq!(listening.len(), 2);
        for listener in listening {
            assert_eq!((&*listener.address, listener.tls), ("0.0.0.0:443", true));
        }
        own.stand_behind(Front::Tls, &mut deployment).unwrap();
        for protocol in Protocol::DIRECT {
            assert_eq!(deployment.listeners[&protocol].address, "0.0.0.0:80");
        }
    }
}
