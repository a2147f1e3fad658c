//! Runs of scenarios that pass, fail, hang, panic and kill, against the relay.

use std::time::Duration;

use proxyproof_harness::{
    Ask, Checks, Code, Feature, HarnessError, Level, Patience, Protocol, Scenario, StageUse,
    Verdict,
    candidate::{KnownGap, ListenerKind, Occurrence},
    suite::{Filter, Outcome, Plan, PlanError, Selection, Sink, Suite, SuiteResult},
};

use crate::{candidates, trials::run};

const BROKEN: Code = Code::new("trial.broken", "a promise is broken", "somebody is sad");

const PASSES: Scenario = Scenario {
    id: "trial/passes",
    claim: "it passes",
    why: "it should",
    asks: "client ──► candidate ──► cpa",
    level: Level::Required,
    protocols: &[Protocol::H1, Protocol::ChainH1],
    needs: &[],
    site: &[],
    stage: StageUse::Shared,
    findings: &[BROKEN],
    breaks: &[],
    run: |ask, checks| Box::pin(arrives(ask, checks)),
};

const PASSES_ON_ITS_OWN: Scenario = Scenario {
    id: "trial/passes_on_its_own",
    stage: StageUse::Own(|stage| stage),
    ..PASSES
};

const FAILS: Scenario = Scenario {
    id: "trial/fails",
    protocols: &[Protocol::H1],
    run: |ask, checks| Box::pin(finds(ask, checks)),
    ..PASSES
};

const OBSERVES: Scenario = Scenario {
    id: "trial/observes",
    level: Level::Observed,
    ..FAILS
};

const NEEDS_MORE: Scenario = Scenario {
    id: "trial/needs_more",
    needs: &[Feature::ExtendedConnect, Feature::Reload],
    site: &[],
    ..FAILS
};

const SPEAKS_H2: Scenario = Scenario {
    id: "trial/speaks_h2",
    protocols: &[Protocol::H2],
    ..FAILS
};

const PUSHES_UNLISTED: Scenario = Scenario {
    id: "trial/pushes_unlisted",
    findings: &[],
    ..FAILS
};

const PANICS: Scenario = Scenario {
    id: "trial/panics",
    protocols: &[Protocol::H1],
    run: |_, _| Box::pin(async { panic!("no way") }),
    ..PASSES
};

const HANGS: Scenario = Scenario {
    id: "trial/hangs",
    protocols: &[Protocol::H1],
    run: |_, _| Box::pin(hangs()),
    ..PASSES
};

const KILLS: Scenario = Scenario {
    id: "trial/kills",
    protocols: &[Protocol::H1],
    run: |ask, checks| Box::pin(kills(ask, checks)),
    ..PASSES
};

async fn arrives(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let seen = ask.exchange(ask.get("/healthz")).await?;
    checks.arrived_at(&seen, "cpa", BROKEN);
    Ok(())
}

async fn finds(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let seen = ask.exchange(ask.get("/healthz")).await?;
    checks.status(&seen, 418, BROKEN);
    Ok(())
}

async fn hangs() -> Result<(), HarnessError> {
    let long = Patience::new("long", Duration::from_secs(60));
    long.within("a miracle", std::future::pending::<()>())
        .await?;
    Ok(())
}

async fn kills(ask: &Ask<'_>, checks: &mut Checks) -> Result<(), HarnessError> {
    let seen = ask.exchange(ask.get("/die")).await?;
    checks.arrived_at(&seen, "cpa", BROKEN);
    Ok(())
}

fn plan(scenarios: &[&'static Scenario]) -> Plan {
    Plan::of(scenarios, &Selection::default()).expect("there are scenarios")
}

fn asked(scenarios: &[&'static Scenario]) -> SuiteResult {
    let (candidate, deployment) = (candidates::relay("serve"), candidates::deployment());
    let plan = plan(scenarios);
    run(Suite::new(&plan, &candidate, &deployment).run(&mut [], std::future::pending()))
        .expect("it starts")
}

fn of<'r>(result: &'r SuiteResult, scenario: &Scenario) -> &'r Outcome {
    let outcome = result
        .scenarios
        .iter()
        .find(|outcome| outcome.id == scenario.id);
    outcome.expect("every scenario has an outcome")
}

pub(crate) fn every_verdict_is_reached_for_its_reason() {
    let result = asked(&[
        &PASSES,
        &PASSES_ON_ITS_OWN,
        &FAILS,
        &OBSERVES,
        &NEEDS_MORE,
        &SPEAKS_H2,
        &PANICS,
    ]);
    let verdicts: Vec<(&str, &str, Verdict)> = result
        .scenarios
        .iter()
        .map(|o| (o.id.as_str(), o.protocol.as_str(), o.verdict))
        .collect();
    assert_eq!(
        verdicts,
        [
            ("trial/passes", "h1", Verdict::Pass),
            ("trial/passes", "chain-h1", Verdict::Pass),
            ("trial/passes_on_its_own", "h1", Verdict::Pass),
            ("trial/passes_on_its_own", "chain-h1", Verdict::Pass),
            ("trial/fails", "h1", Verdict::Fail),
            ("trial/observes", "h1", Verdict::Pass),
            ("trial/needs_more", "h1", Verdict::Skipped),
            ("trial/speaks_h2", "h2", Verdict::Skipped),
            ("trial/panics", "h1", Verdict::Broken),
        ]
    );
    let [finding] = of(&result, &FAILS).findings.as_slice() else {
        panic!("one finding")
    };
    assert_eq!(
        (finding.expected.as_str(), finding.observed.as_str()),
        ("status 418", "status 200")
    );
    assert_eq!(finding.rerun, "proxyproof run relay -f trial/fails@h1");
    assert_eq!(of(&result, &OBSERVES).records["trial.broken"], "status 200");
    let reason = |scenario| of(&result, scenario).reason.as_deref();
    assert_eq!(reason(&NEEDS_MORE), Some("needs extended_connect, reload"));
    assert_eq!(reason(&SPEAKS_H2), Some("the site has no listener for h2"));
    assert_eq!(reason(&PANICS), Some("the scenario panicked: no way"));
}

pub(crate) fn a_scenario_that_overruns_says_what_it_waited_for() {
    let (candidate, deployment, plan) = (
        candidates::relay("serve"),
        candidates::deployment(),
        plan(&[&HANGS]),
    );
    let patience = Patience::new("scenario", Duration::from_millis(50));
    let suite = Suite::new(&plan, &candidate, &deployment).patience(patience);
    let result = run(suite.run(&mut [], std::future::pending())).expect("it starts");
    let outcome = of(&result, &HANGS);
    assert_eq!(outcome.verdict, Verdict::Broken);
    let reason = outcome.reason.as_deref().expect("a reason");
    assert!(reason.ends_with("it waited for a miracle"), "{reason}");
}

pub(crate) fn who_kills_the_candidate_is_found_among_others() {
    let result = asked(&[&PASSES, &KILLS, &FAILS]);
    let killer = of(&result, &KILLS);
    assert_eq!(killer.verdict, Verdict::Fail);
    let died = killer
        .findings
        .iter()
        .find(|finding| finding.code == "candidate.died");
    assert_eq!(
        died.expect("a finding").observed,
        "its process ended (exit code 7)\nthat was too much"
    );
    assert_eq!(of(&result, &PASSES).verdict, Verdict::Pass);
    let fails = of(&result, &FAILS);
    let codes: Vec<&str> = fails
        .findings
        .iter()
        .map(|finding| finding.code.as_str())
        .collect();
    assert_eq!(codes, ["trial.broken"]);
}

pub(crate) fn known_gaps_are_known_until_they_pass() {
    let mut candidate = candidates::relay("serve");
    let gap = |pattern: &str| KnownGap {
        pattern: pattern.to_owned(),
        finding: "trial.broken".to_owned(),
        reason: "it is a relay".to_owned(),
        occurrence: Occurrence::Always,
        listener: None,
    };
    let race = KnownGap {
        occurrence: Occurrence::Sometimes,
        ..gap("trial/pass*")
    };
    candidate.known = vec![
        gap("trial/f*"),
        gap("trial/passes@h1"),
        gap("trial/nobody_asks"),
        race,
        KnownGap {
            listener: Some(ListenerKind::Tls),
            ..gap("trial/passes@h*")
        },
    ];
    let (deployment, plan) = (candidates::deployment(), plan(&[&PASSES, &FAILS]));
    let result =
        run(Suite::new(&plan, &candidate, &deployment).run(&mut [], std::future::pending()));
    let result = result.expect("it starts");
    assert_eq!(of(&result, &FAILS).verdict, Verdict::Known);
    let stale: Vec<&str> = result
        .stale_gaps
        .iter()
        .map(|gap| gap.pattern.as_str())
        .collect();
    assert_eq!(stale, ["trial/passes@h1 trial.broken"]);
}

pub(crate) fn a_known_gap_is_about_its_finding_alone() {
    let mut candidate = candidates::relay("serve");
    candidate.known = vec![KnownGap {
        pattern: "trial/*".to_owned(),
        finding: "trial.other".to_owned(),
        reason: "it is a relay".to_owned(),
        occurrence: Occurrence::Always,
        listener: None,
    }];
    let (deployment, plan) = (candidates::deployment(), plan(&[&FAILS]));
    let result =
        run(Suite::new(&plan, &candidate, &deployment).run(&mut [], std::future::pending()));
    let result = result.expect("it starts");
    assert_eq!(of(&result, &FAILS).verdict, Verdict::Fail);
    // It may show once this is mended.
    assert!(result.stale_gaps.is_empty());
}

pub(crate) fn a_code_that_is_not_listed_breaks_its_scenario() {
    let result = asked(&[&PUSHES_UNLISTED]);
    let reason = of(&result, &PUSHES_UNLISTED).reason.as_deref();
    assert_eq!(
        reason,
        Some("the scenario pushes `trial.broken`, which it does not list")
    );
}

pub(crate) fn a_run_that_is_stopped_reports_what_it_has() {
    struct StopAtFirst(Option<tokio::sync::oneshot::Sender<()>>);
    impl Sink for StopAtFirst {
        fn scenario_finished(&mut self, _outcome: &Outcome) {
            if let Some(stop) = self.0.take() {
                stop.send(()).expect("the run listens");
            }
        }
    }
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let mut sink = StopAtFirst(Some(stop));
    let (candidate, deployment) = (candidates::relay("serve"), candidates::deployment());
    let plan = plan(&[&FAILS, &HANGS]);
    let suite = Suite::new(&plan, &candidate, &deployment);
    let result = run(suite.run(&mut [&mut sink], async {
        let _ = stopped.await;
    }));
    let result = result.expect("it starts");
    assert!(result.interrupted);
    assert_eq!(of(&result, &FAILS).verdict, Verdict::Fail);
    assert_eq!(of(&result, &HANGS).verdict, Verdict::Skipped);
}

pub(crate) fn rounds_are_counted_together() {
    let (candidate, deployment) = (candidates::relay("serve"), candidates::deployment());
    let plan = plan(&[&PASSES, &FAILS]).rounds(3);
    let result =
        run(Suite::new(&plan, &candidate, &deployment).run(&mut [], std::future::pending()));
    let result = result.expect("it starts");
    assert_eq!(
        (
            result.rounds,
            result.scenarios.len(),
            result.summary.unstable
        ),
        (3, 3, 0)
    );
}

pub(crate) fn filters_mean_what_they_say() {
    let all: [&'static Scenario; 3] = [&PASSES, &PASSES_ON_ITS_OWN, &FAILS];
    let meant = |filters: &[&str], level| {
        let filters = filters.iter().map(|filter| Filter::new(filter)).collect();
        let plan = Plan::of(&all, &Selection { filters, level })?;
        Ok::<_, PlanError>(
            plan.asked()
                .iter()
                .map(|asked| asked.name())
                .collect::<Vec<_>>()
                .join(" "),
        )
    };
    for (filter, expected) in [
        ("trial/passes", "trial/passes@h1 trial/passes@chain-h1"),
        ("trial/passes@h1", "trial/passes@h1"),
        ("*_own@chain-*", "trial/passes_on_its_own@chain-h1"),
        (
            "asses_on",
            "trial/passes_on_its_own@h1 trial/passes_on_its_own@chain-h1",
        ),
        (
            "trial@h1",
            "trial/passes@h1 trial/passes_on_its_own@h1 trial/fails@h1",
        ),
        (
            "trial/",
            "trial/passes@h1 trial/passes@chain-h1 trial/passes_on_its_own@h1 trial/passes_on_its_own@chain-h1 trial/fails@h1",
        ),
    ] {
        assert_eq!(meant(&[filter], None).as_deref(), Ok(expected), "{filter}");
    }
    let both = meant(&["trial/fails", "trial/passes@h1"], None);
    assert_eq!(
        both.as_deref(),
        Ok("trial/passes@h1 trial/fails@h1"),
        "in the order of the list"
    );
    let nearest = Some("trial/fails");
    assert_eq!(
        meant(&["trail/fails"], None),
        Err(PlanError::FilterMatchesNothing {
            filter: "trail/fails".to_owned(),
            nearest
        })
    );
    assert_eq!(
        meant(&["trial/fails@h2"], None),
        Err(PlanError::FilterMatchesNothing {
            filter: "trial/fails@h2".to_owned(),
            nearest
        })
    );
}
