//! What the file promises, with its lines: sizes, times, WebSockets, hosts.

use proxyproof_oracle::location::LocationId;
use proxyproof_oracle::setting::Effective;
use proxyproof_oracle::upstream::Scheme;

use super::reading::{Reading, ways};
use super::routes::proxied;
use super::upstreams::FoundUpstream;
use crate::deployment::Deployment;
use crate::kind::{EndpointRequest, Kind, Purpose};
use crate::promise::{Promise, Source};

impl Reading<'_> {
    /// Puts sizes and times into the deployment, and says what was concluded.
    pub(super) fn promise(&self, deployment: &mut Deployment) -> Vec<String> {
        let mut conclusions = Vec::new();
        let written = self.promise_size(deployment);
        if let Some(body) = deployment.request_body() {
            let asked = size(body.value);
            conclusions.push(match written {
                Some(own) if own.value == 0 => {
                    format!("bodies of any size ({}), asked up to {asked}", own.source)
                }
                Some(own) if own.value > body.value => format!(
                    "bodies up to {} ({}), asked up to {asked}",
                    size(own.value),
                    own.source
                ),
                _ => format!("bodies up to {asked} ({})", body.source),
            });
        }
        let timeout = self.location_of(deployment, Purpose::Stream);
        let timeout = self.in_force(timeout, "proxy_read_timeout");
        let own = self.promised(&timeout, |one| one.time(self.version()));
        let of_kind = deployment.read_timeout();
        deployment.limits.read_timeout = stricter(own, of_kind.as_ref());
        if let Some(silence) = deployment.read_timeout() {
            let seconds = silence.value.as_secs();
            conclusions.push(format!("silences up to {seconds} s ({})", silence.source));
        }
        conclusions.push(match deployment.endpoint(Purpose::WebSocket) {
            Some(socket) => {
                let source = deployment.upstreams[&socket.upstream].wants_websockets();
                format!("WebSockets at {} ({source})", socket.target)
            }
            None => "WebSockets: nothing in the file shows them".to_owned(),
        });
        conclusions
    }

    /// What the file says of sizes is what is asked, as far as a question can be that long; the result is what it says.
    fn promise_size(&self, deployment: &mut Deployment) -> Option<Promise<u64>> {
        let location = self.location_of(deployment, Purpose::Upload);
        let setting = self.in_force(location, "client_max_body_size");
        let own = self.promised(&setting, |one| one.bytes(self.version()));
        // 0 is no limit.
        let limit = own.clone().filter(|own| own.value > 0);
        deployment.limits.refuse_larger = limit.as_ref().is_some_and(|own| own.value <= MOST);
        let of_kind = deployment.request_body();
        let limit = limit.map(|own| Promise {
            value: own.value.min(MOST),
            ..own
        });
        deployment.limits.request_body = stricter(limit, of_kind.as_ref());
        own
    }

    /// What the file itself says, with its line.
    fn promised<T>(
        &self,
        effective: &Effective<'_>,
        value: impl Fn(&Effective<'_>) -> Option<T>,
    ) -> Option<Promise<T>> {
        let place = effective.setting()?.place;
        Some(Promise {
            value: value(effective)?,
            source: Source::File(self.line(place)),
        })
    }

    /// The location that serves the usual request for a purpose.
    fn location_of(&self, deployment: &Deployment, purpose: Purpose) -> Option<LocationId> {
        let endpoint = deployment.endpoint(purpose)?;
        self.site().decide(&self.get(&endpoint.target)).location
    }

    /// WebSockets where a location passes `Upgrade` on.
    pub(super) fn add_websocket(&self, deployment: &mut Deployment, one: &FoundUpstream) {
        let shown = one.locations.iter().find_map(|location| {
            let place = self.field(*location, "Upgrade")?.place?;
            Some((*location, Source::File(self.line(place))))
        });
        let Some((location, source)) = shown else {
            return;
        };
        let reached = deployment.endpoints(Purpose::WebSocket).into_iter();
        let mut reached = reached.filter(|endpoint| endpoint.upstream == one.name);
        let is_reached = reached.any(|endpoint| {
            let served = self.site().decide(&self.get(&endpoint.target)).location;
            served.is_some_and(|served| self.field(served, "Upgrade").is_some())
        });
        // A program that is known has its own, or none, whatever passes on the way to it.
        let is_known = ![Kind::UNKNOWN, "web"].contains(&one.published.kind.name.as_str());
        let path = match is_known {
            true => None,
            false => self.path_below(location),
        };
        let Some(upstream) = deployment.upstreams.get_mut(&one.name) else {
            return;
        };
        if is_reached {
            upstream.websocket = Some(source);
        } else if let Some(path) = path {
            let request = EndpointRequest::parse(&format!("GET {path}"));
            upstream
                .endpoints
                .insert(Purpose::WebSocket, request.into_iter().collect());
            upstream.websocket = Some(source);
        }
    }

    /// A path that this location takes, as the upstream sees it.
    fn path_below(&self, location: LocationId) -> Option<String> {
        let table = &self.site().servers[self.server].table;
        let text = &table.location(location).notation.text;
        let text = String::from_utf8(text.clone()).ok()?;
        let paths = [format!("{text}v1/realtime"), text];
        paths.into_iter().find_map(|path| {
            let decision = self.site().decide(&self.get(&path));
            let is_taken = decision.location == Some(location);
            is_taken.then(|| proxied(decision)).flatten()
        })
    }

    /// What `set` gives a variable in a location or around it, where that is the same for every request.
    fn constant(&self, location: LocationId, variable: &str) -> Option<String> {
        let site = self.site();
        let mut blocks = [Some(location), None].into_iter();
        blocks.find_map(|location| {
            let mut settings = site.settings_in(self.scope(location)).iter();
            let set = settings.find(|setting| {
                let name = setting.argument(0).unwrap_or_default();
                setting.name == "set" && name.strip_prefix('$') == Some(variable)
            })?;
            set.argument(1).filter(|value| !value.contains('$'))
        })
    }

    /// The Host that an upstream is to see, where the file gives it one of its own: a name that is written, or, over TLS and
    /// without a word, the name of the server.
    pub(super) fn host_at(&self, one: &FoundUpstream) -> Option<String> {
        let location = *one.locations.first()?;
        match self.field(location, "Host") {
            Some(field) => {
                let value = String::from_utf8(field.value).ok()?;
                let value = match value.strip_prefix('$') {
                    Some("proxy_host") => {
                        let mut ways = ways(self.site(), self.server).into_iter();
                        ways.find(|(id, _)| *id == location)?.1.upstream
                    }
                    Some(variable) => self.constant(location, variable)?,
                    None => value,
                };
                let is_own = !value.contains('$') && value != self.host;
                is_own.then_some(value)
            }
            None => {
                let mut ways = ways(self.site(), self.server).into_iter();
                let (_, destination) = ways.find(|(id, _)| *id == location)?;
                let is_name = destination
                    .upstream
                    .bytes()
                    .any(|byte| byte.is_ascii_alphabetic());
                (destination.scheme == Scheme::Https && is_name).then_some(destination.upstream)
            }
        }
    }
}

/// What the file says, unless it is less than its kind needs: that is needed all the same.
fn stricter<T: Ord + Copy>(
    own: Option<Promise<T>>,
    of_kind: Option<&Promise<T>>,
) -> Option<Promise<T>> {
    own.filter(|own| of_kind.is_none_or(|kind| own.value >= kind.value))
}

fn size(bytes: u64) -> String {
    match bytes {
        bytes if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        bytes if bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        bytes => format!("{bytes} bytes"),
    }
}

/// What an upload of a scenario has at most, in bytes.
const MOST: u64 = 100 << 20;
