//! Turns what came of asking into a verdict, by what the candidate's manifest says.

use super::{Outcome, attempt::Attempt, plan::Asked};
use crate::{
    candidate::{Candidate, Feature, KnownGap},
    deployment::{Deployment, Front, ProxyProtocol},
    level::Level,
    protocol::Protocol,
    verdict::Verdict,
};

/// What verdicts depend on besides what was seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judge<'a> {
    pub(crate) candidate: &'a Candidate,
    pub(crate) deployment: &'a Deployment,
    /// What asks everything again.
    pub(crate) command: &'a str,
}

impl Judge<'_> {
    /// Why this is not asked at all, if so: by the site, whatever its proxy could do, or by the candidate.
    pub(crate) fn reason_to_skip(&self, asked: Asked) -> Option<String> {
        if let Some(reason) = self.beyond_the_site(asked) {
            return Some(reason.to_owned());
        }
        let mut needs = asked.scenario.site.iter();
        if let Some(lacking) = needs.find_map(|need| need.lacking(self.deployment)) {
            return Some(lacking);
        }
        let needs: Vec<Feature> = std::iter::once(asked.protocol.spoken())
            .chain(self.ends_tls(asked).then_some(Feature::Tls))
            .chain(asked.scenario.needs.iter().copied())
            .collect();
        let lacking = self.candidate.lacks(&needs);
        let names: Vec<&str> = lacking.iter().map(|feature| feature.name()).collect();
        (!names.is_empty()).then(|| format!("needs {}", names.join(", ")))
    }

    /// Whether the candidate itself has to end TLS for this.
    fn ends_tls(&self, asked: Asked) -> bool {
        let listener = self.deployment.listeners.get(&asked.protocol.listener());
        listener.is_some_and(|listener| listener.tls)
    }

    /// What this asks for that the site was not made with, whatever its proxy could do.
    fn beyond_the_site(&self, asked: Asked) -> Option<&'static str> {
        let Deployment {
            front, listeners, ..
        } = self.deployment;
        if *front == Front::None && asked.protocol.is_chain() {
            return Some("nothing stands in front of the candidate");
        }
        let Some(listener) = listeners.get(&asked.protocol.listener()) else {
            return Some(match asked.protocol.listener() {
                Protocol::H2 => "the site has no listener for h2",
                _ => "the site has no listener for h1",
            });
        };
        if asked.protocol.is_chain() && !self.deployment.has_a_way_through_the_front() {
            return Some(
                "no `[[fallback]]` of the tunnel server leads to the site, and `front` is not \"none\"",
            );
        }
        let unnamed = listener.proxy_protocol == ProxyProtocol::None;
        let names_clients = [
            Feature::ProxyProtocolV1,
            Feature::ProxyProtocolV2,
            Feature::ProxyProtocolReassembly,
        ];
        let needs = &asked.scenario.needs;
        (unnamed && names_clients.iter().any(|feature| needs.contains(feature)))
            .then_some("no PROXY header comes to this site's listener")
    }

    /// The outcome of something that was not asked.
    pub(crate) fn skip(asked: Asked, reason: impl Into<String>) -> Outcome {
        Outcome {
            verdict: Verdict::Skipped,
            reason: Some(reason.into()),
            ..blank(asked)
        }
    }

    /// The outcome of one attempt.
    pub(crate) fn judge(&self, asked: Asked, attempt: Attempt) -> Outcome {
        let gap = self.gap_of(asked, &attempt);
        let level = asked.scenario.level_for(self.deployment);
        let (verdict, reason) = match (&attempt.broken, attempt.findings.is_empty(), gap) {
            (_, false, _) if level == Level::Observed => (Verdict::Pass, None),
            (_, false, Some(gap)) => (Verdict::Known, Some(gap.reason.clone())),
            (broken, false, None) => (Verdict::Fail, broken.clone()),
            (Some(broken), true, _) => (Verdict::Broken, Some(broken.clone())),
            (None, true, _) if attempt.skipped.is_some() => (Verdict::Skipped, attempt.skipped),
            (None, true, _) => (Verdict::Pass, None),
        };
        let mut outcome = Outcome {
            verdict,
            reason,
            duration_ms: u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
            findings: attempt.findings,
            records: attempt.records,
            level,
            ..blank(asked)
        };
        match level {
            Level::Observed => record_findings(&mut outcome),
            Level::Required | Level::Recommended => self.complete(&mut outcome, asked),
        }
        outcome
    }

    /// The gap that explains the first finding, where every finding has one: nobody knows of the others, nor of what could
    /// not be asked.
    fn gap_of(&self, asked: Asked, attempt: &Attempt) -> Option<&KnownGap> {
        let explains = |finding| {
            let mut gaps = self.candidate.known_gaps(asked.scenario.id, asked.protocol);
            gaps.find(|gap| gap.explains(finding))
        };
        let gaps: Option<Vec<&KnownGap>> = attempt.findings.iter().map(explains).collect();
        gaps.filter(|_| attempt.broken.is_none())?
            .into_iter()
            .next()
    }

    /// Adds to each finding what only the candidate's files can tell.
    fn complete(&self, outcome: &mut Outcome, asked: Asked) {
        for finding in &mut outcome.findings {
            finding.rerun = format!("{} -f {}", self.command, asked.name());
            let sent = finding.sent.as_ref().map(|sent| sent.text.as_str());
            let candidate = self.candidate;
            finding.hint = candidate.hint_for(&finding.code, sent, self.deployment);
        }
    }
}

/// What differs from one correct proxy to the next is a record, never a failure.
fn record_findings(outcome: &mut Outcome) {
    for finding in std::mem::take(&mut outcome.findings) {
        outcome.records.insert(finding.code, finding.observed);
    }
}

fn blank(asked: Asked) -> Outcome {
    Outcome {
        id: asked.scenario.id.to_owned(),
        claim: asked.scenario.claim.to_owned(),
        level: asked.scenario.level,
        protocol: asked.protocol.name().to_owned(),
        verdict: Verdict::Pass,
        reason: None,
        duration_ms: 0,
        findings: Vec::new(),
        records: std::collections::BTreeMap::new(),
        unstable: std::collections::BTreeMap::new(),
    }
}
