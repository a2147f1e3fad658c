//! One scenario on one stage: shared, shared with those that get errors, or started for it alone.

use std::time::Instant;

use super::{
    attempt::Attempt,
    control::{Control, Verified},
    plan::Asked,
    shared::Death,
};
use crate::{
    candidate::Feature,
    check::THE_CANDIDATE_DIED,
    finding::Finding,
    patience::Patience,
    stage::{RunningStage, Stage},
};

/// What fails may have failed because the candidate died: its end is known then before anybody is judged.
pub(super) async fn on_a_shared(stage: &RunningStage, asked: Asked, patience: Patience) -> Attempt {
    let attempt = Attempt::on(stage, asked, patience).await;
    if !attempt.is_clean() {
        stage.hear_of_a_death(asked.protocol).await;
    }
    attempt
}

/// Who kills the candidate here is found by what the stage says then: few use it. Where others had the upstream taken out of
/// service, it is asked again on a stage of its own; what is not reached there either, was its own errors' doing.
pub(super) async fn on_one_with_errors(
    shared: &RunningStage,
    own: Stage,
    asked: Asked,
    patience: Patience,
    control: Option<Control>,
) -> Attempt {
    let mut attempt = on_a_shared(shared, asked, patience).await;
    if let Some(death) = Death::on(shared) {
        attempt.findings.push(died(Some(&death), ""));
        return attempt;
    }
    let Some(control) = control else {
        return attempt;
    };
    if is_answered(&control, shared, patience).await {
        return attempt;
    }
    let started = Instant::now();
    let own = match own.start().await {
        Ok(stage) => stage,
        Err(error) => return Attempt::without_stage(&error, started.elapsed()),
    };
    let mut attempt = Attempt::on(&own, asked, patience).await;
    if !is_answered(&control, &own, patience).await {
        attempt
            .findings
            .retain(|finding| !finding.arrived.is_empty());
        attempt.skipped = Some(OUT_OF_SERVICE.to_owned());
    }
    // How a candidate stops is asked elsewhere.
    let _ = own.stop().await;
    attempt
}

async fn is_answered(control: &Control, stage: &RunningStage, patience: Patience) -> bool {
    let verified = control.ask_again(stage, patience).await;
    verified.attempt.is_clean()
}

const OUT_OF_SERVICE: &str =
    "errors took the upstream out of service: upstream/errors_eject_nobody";

/// Starts its stage, asks the control there first, and stops the stage.
pub(super) async fn on_its_own(
    stage: Stage,
    asked: Asked,
    patience: Patience,
    control: Option<Control>,
) -> (Attempt, Option<Verified>) {
    let started = Instant::now();
    let stage = match stage.start().await {
        Ok(stage) => stage,
        Err(error) => return (Attempt::without_stage(&error, started.elapsed()), None),
    };
    if let Some(control) = control {
        let verified = control.ask_again(&stage, patience).await;
        if !verified.attempt.is_clean() {
            let mut attempt = Attempt::clean();
            attempt.skipped = Some(control.reason_to_skip());
            return (attempt, Some(verified));
        }
    }
    let mut attempt = Attempt::on(&stage, asked, patience).await;
    let about_its_end = [Feature::Reload, Feature::Drain];
    let about_its_end = about_its_end
        .iter()
        .any(|one| asked.scenario.needs.contains(one));
    if !about_its_end && let Some(death) = Death::on(&stage) {
        attempt.findings.push(died(Some(&death), ""));
    }
    // A candidate that is gone by then cannot be stopped, and a finding says so.
    if let Err(error) = stage.stop().await
        && attempt.findings.is_empty()
    {
        attempt.broken.get_or_insert_with(|| error.in_full());
    }
    (attempt, None)
}

/// The finding of a scenario under which the candidate died.
pub(super) fn died(death: Option<&Death>, circumstances: &str) -> Finding {
    let (ending, words) = match death {
        Some(death) => (death.ending.as_str(), death.words.join("\n")),
        None => ("unknown ending", String::new()),
    };
    THE_CANDIDATE_DIED
        .finding()
        .expected("a candidate that goes on serving")
        .observed(format!("its process ended ({ending}){circumstances}\n{words}").trim_end())
}
