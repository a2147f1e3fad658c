//! A prefix location asked for without its final slash.

use proxyproof_harness::deployment::Front;
use proxyproof_harness::{
    Answer, Ask, Break, Checks, Code, Deployment, Finding, HarnessError, Level, Protocol,
    RouteOwner, Scenario, Seen, SiteNeed, StageUse,
};

use crate::answer::answered;
use crate::destination::prefixes;

pub(crate) const SCENARIO: Scenario = Scenario {
    id: "routes/slash_redirect_public",
    claim: "a prefix asked for without its final slash is served, or redirected to where the client can go",
    why: "a redirect that names http and the proxy's own port downgrades to a loopback address: eneo#871, openremote#3289",
    asks: "client ── GET /usage-service?x=1 ──▶ candidate ── served by an upstream, or Location that is relative or on the public host, query kept",
    level: Level::Required,
    protocols: &Protocol::ALL,
    needs: &[],
    site: &[SiteNeed::PrefixRoute],
    stage: StageUse::Shared,
    findings: &[INTERNAL, QUERY_LOST],
    breaks: &[
        Break::new("slash_redirect_internal", INTERNAL.name),
        Break::new("slash_redirect_drops_query", QUERY_LOST.name),
    ],
    run: |ask, checks| Box::pin(run(ask, checks)),
};

const INTERNAL: Code = Code::new(
    "routes.slash_redirect_internal",
    "a slash redirect names http, or the port of the proxy's own listener",
    "the browser is sent to an address that only exists on the server; the credentials would go there in clear",
);

const QUERY_LOST: Code = Code::new(
    "routes.slash_redirect_drops_query",
    "a slash redirect loses the query",
    "what the link said is gone after the redirect",
);

async fn run(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let mut asked = false;
    for prefix in prefixes(ask) {
        let target = format!("{}?x=1", prefix.trim_end_matches('/'));
        if ask.deployment().owner(target.as_bytes()) == RouteOwner::Proxy {
            continue;
        }
        asked = true;
        checks.about(format!("GET {target}"));
        let seen = answered(ask, ask.get(target.clone())).await?;
        if let Ok(answer) = &seen.answer
            && (300..400).contains(&answer.status)
        {
            redirect(ask, checks, &seen, answer);
        } else if !(is_nobodys(ask, &prefix, &target) && answers(&seen, 404)) {
            checks.arrived_once(&seen, INTERNAL);
        }
    }
    if !asked {
        checks.skip("the proxy itself answers every prefix without its final slash");
    }
    Ok(())
}

/// Whether no other route takes the path: it is a part of the site by its redirect alone.
fn is_nobodys(ask: &Ask<'_>, prefix: &str, target: &str) -> bool {
    let mut others = ask.deployment().clone();
    others.routes.retain(|route| route.location.path != prefix);
    others.route(target.as_bytes()).is_none()
}

fn answers(seen: &Seen, status: u16) -> bool {
    seen.answer
        .as_ref()
        .is_ok_and(|answer| answer.status == status)
}

fn redirect(ask: &Ask<'_>, checks: &mut Checks, seen: &Seen, answer: &Answer) {
    let location = answer.field("Location").unwrap_or_default();
    let Deployment {
        identity, hosts, ..
    } = ask.deployment();
    let site = format!("{}://{}", identity.scheme, hosts.api);
    let mut public = vec![format!("{site}/")];
    if ask.deployment().front == Front::None {
        // Clients connect to the listener itself: on a stage that has a port of its own.
        let port = ask.stage().listener(ask.protocol()).port();
        public.push(format!("{site}:{port}/"));
    }
    let is_public = public.iter().any(|public| location.starts_with(public));
    checks.ensure(location.starts_with('/') || is_public, || {
        wrong(INTERNAL, seen, &location).expected(format!("Location: /… or {site}/…"))
    });
    checks.ensure(location.ends_with("?x=1"), || {
        wrong(QUERY_LOST, seen, &location).expected("Location: …?x=1")
    });
}

fn wrong(code: Code, seen: &Seen, location: &str) -> Finding {
    code.finding()
        .seen(seen)
        .focus(&["Location"])
        .observed(format!("Location: {location}"))
}
