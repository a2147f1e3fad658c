//! Making a disagreement small: the target first, then the locations.

use proxyproof_oracle::location::Request;
use proxyproof_oracle::routes::match_target;

use super::disagreement::{Disagreement, curl};
use super::observed::Observed;
use super::rig::{Loaded, Rig};
use super::subject::Subject;
use crate::error::HarnessError;
use crate::protocol::Protocol;

/// A table, a target and a listener that disagree.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) subject: Subject,
    pub(super) target: Vec<u8>,
    pub(super) protocol: Protocol,
    pub(super) observed: Observed,
}

impl Found {
    /// Shrinks what is loaded at present; `None` if it does not happen again.
    pub(super) async fn shrink(mut self, rig: &mut Rig) -> Result<Option<Self>, HarnessError> {
        let Some(again) = self.disagrees(rig, &self.subject, &self.target).await else {
            return Ok(None);
        };
        self.observed = again;
        self.shrink_target(rig).await;
        self.shrink_table(rig).await?;
        self.shrink_target(rig).await;
        Ok(Some(self))
    }

    /// Takes bytes away, in ever smaller pieces, then makes the rest plain.
    async fn shrink_target(&mut self, rig: &Rig) {
        let mut size = self.target.len().div_ceil(2);
        while size > 0 {
            let mut at = 0;
            while at < self.target.len() {
                let mut shorter = self.target.clone();
                shorter.drain(at..(at + size).min(self.target.len()));
                if !self.accept(rig, shorter).await {
                    at += size;
                }
            }
            size /= 2;
        }
        for at in 0..self.target.len().min(PLAIN_AT_MOST) {
            if !b"/a".contains(&self.target[at]) {
                let mut plainer = self.target.clone();
                plainer[at] = b'a';
                self.accept(rig, plainer).await;
            }
        }
    }

    async fn accept(&mut self, rig: &Rig, target: Vec<u8>) -> bool {
        match self.disagrees(rig, &self.subject, &target).await {
            Some(observed) => {
                (self.target, self.observed) = (target, observed);
                true
            }
            None => false,
        }
    }

    /// Takes locations away, one by one, as long as one can go.
    async fn shrink_table(&mut self, rig: &mut Rig) -> Result<(), HarnessError> {
        let mut skipped = 0;
        for _ in 0..RELOADS_AT_MOST {
            // The last ones first: what is inside a location stands behind it, and a removal moves nothing before it.
            let smaller = self.subject.smaller();
            let Some(subject) = smaller
                .len()
                .checked_sub(skipped + 1)
                .map(|at| smaller[at].clone())
            else {
                break;
            };
            match rig.load(&subject).await? {
                Loaded::Serving => {}
                Loaded::Refused(_) => {
                    skipped += 1;
                    continue;
                }
            }
            match self.disagrees(rig, &subject, &self.target).await {
                Some(observed) => (self.subject, self.observed) = (subject, observed),
                None => skipped += 1,
            }
        }
        rig.load(&self.subject).await?;
        Ok(())
    }

    async fn disagrees(&self, rig: &Rig, subject: &Subject, target: &[u8]) -> Option<Observed> {
        let config = subject.config().ok()?;
        let mut lane = rig.lane(self.protocol);
        let said = config.site.decide(&request(rig, &lane, target));
        let observed = lane.ask(target).await;
        let agrees = said
            .gates
            .is_empty()
            .then(|| observed.agrees(&said.answer, &config.site))??;
        (!agrees).then_some(observed)
    }

    /// As it is reported.
    pub(super) fn told(&self, rig: &Rig, shrunk: bool) -> Disagreement {
        let config = self.subject.config().ok();
        let lane = rig.lane(self.protocol);
        let request = request(rig, &lane, &self.target);
        let deployment = rig.stage().deployment();
        Disagreement {
            protocol: self.protocol,
            target: proxyproof_oracle::Printable(&self.target).to_string(),
            configuration: self.subject.text.clone(),
            curl: curl(&self.target, self.protocol, deployment),
            said: config.as_ref().map_or_else(String::new, |config| {
                config.site.decide(&request).answer.to_string()
            }),
            why: config
                .as_ref()
                .map_or_else(Vec::new, |config| match_target(config, &request).why),
            observed: Disagreement::seen(&self.observed),
            shrunk,
        }
    }
}

/// What the oracle is asked for a target on a lane.
pub(super) fn request(rig: &Rig, lane: &super::lane::Lane, target: &[u8]) -> Request {
    Request {
        host: Some(rig.stage().deployment().hosts.api.clone()),
        protocol: lane.spoken(),
        version: rig.version,
        ..Request::get(target)
    }
}

/// Longer targets are long for a reason that a plain byte does not change.
const PLAIN_AT_MOST: usize = 64;
/// A bound for configurations with hundreds of locations; a reload takes some 20 ms.
const RELOADS_AT_MOST: usize = 300;
