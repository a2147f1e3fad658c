//! The embedded candidate of a test executable: the executable itself, started again with a hidden argument.

mod serving;

use proxyproof_harness::{Candidate, Deployment, Scenario, suite::SuiteResult};

pub(crate) use self::serving::serve_if_asked;
use crate::asked::ask_of;

/// Asks the reference with these defects what these filters mean, on a site that has what they ask for.
pub(crate) fn ask(defects: &[&str], filters: &[String]) -> Result<SuiteResult, String> {
    let candidate = Candidate::named("reference").map_err(|error| error.in_full())?;
    let candidate = candidate.with_defects(defects.iter().copied());
    ask_of(&candidate, &site_for(filters)?, filters)
}

/// The first deployment that has what the scenarios of these names ask for.
fn site_for(names: &[String]) -> Result<Deployment, String> {
    let all = proxyproof_scenarios::all().into_iter();
    let asked: Vec<&Scenario> = all
        .filter(|scenario| names.iter().any(|name| name == scenario.id))
        .collect();
    for name in Deployment::EMBEDDED {
        let site = Deployment::named(name).map_err(|error| error.in_full())?;
        let mut needs = asked.iter().flat_map(|scenario| scenario.site);
        if needs.all(|need| need.lacking(&site).is_none()) {
            return Ok(site);
        }
    }
    Ok(Deployment::cpa_two_hosts())
}
