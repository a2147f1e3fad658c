//! What a site wants, with who says so: its deployment, the kinds of its programs, or good practice.

use std::time::Duration;

use super::{Deployment, PublishedUpstream};
use crate::kind::Purpose;
use crate::promise::{Promise, Source};

impl Deployment {
    /// The largest request body that has to pass, in bytes.
    #[must_use]
    pub fn request_body(&self) -> Option<Promise<u64>> {
        let of_kinds = self.of_kinds(Purpose::Upload, |upstream| {
            upstream.kind.limits.request_body
        });
        self.limits.request_body.clone().or(of_kinds)
    }

    /// How long an upstream may be silent before it answers, or between two pieces of an answer.
    #[must_use]
    pub fn read_timeout(&self) -> Option<Promise<Duration>> {
        let of_kinds = self.of_kinds(Purpose::Stream, |upstream| {
            upstream.kind.limits.read_timeout
        });
        self.limits.read_timeout.clone().or(of_kinds)
    }

    /// How long an upstream may take no byte.
    #[must_use]
    pub fn send_timeout(&self) -> Option<Promise<Duration>> {
        self.limits.send_timeout.clone()
    }

    /// The largest that the kinds of the upstreams want which serve a purpose.
    fn of_kinds<T: Copy + Ord>(
        &self,
        purpose: Purpose,
        value: impl Fn(&PublishedUpstream) -> Option<T>,
    ) -> Option<Promise<T>> {
        let endpoints = self.endpoints(purpose).into_iter();
        let wanted = endpoints.filter_map(|endpoint| {
            let upstream = self.upstreams.get(&endpoint.upstream)?;
            Some((value(upstream)?, &upstream.kind.name))
        });
        let (value, kind) = wanted.max_by_key(|(value, _)| *value)?;
        Some(Promise {
            value,
            source: Source::Kind(kind.clone()),
        })
    }
}

impl PublishedUpstream {
    /// How many idle connections the candidate may keep to it; 0 for a connection for each request.
    #[must_use]
    pub fn pool(&self) -> Promise<u32> {
        self.pool.clone().unwrap_or(Promise {
            value: USUAL_POOL,
            source: Source::GoodPractice,
        })
    }

    /// Who wants WebSockets of it, where it serves any.
    #[must_use]
    pub fn wants_websockets(&self) -> Source {
        let of_kind = self.kind.needs_websocket;
        let of_kind = of_kind.then(|| Source::Kind(self.kind.name.clone()));
        let said = self.websocket.clone().or(of_kind);
        said.unwrap_or(Source::GoodPractice)
    }
}

/// Whoever says nothing does not want a connection for each request; the published site has as many.
const USUAL_POOL: u32 = 32;
