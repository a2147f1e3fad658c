//! The suite's run on a candidate.

use proxyproof_harness::{
    Candidate, Deployment, Level,
    suite::{Filter, Plan, Selection, Suite, SuiteResult},
};

/// Asks this candidate on this site what these filters mean; everything, if there are none.
pub(crate) fn ask_of(
    candidate: &Candidate,
    deployment: &Deployment,
    filters: &[String],
) -> Result<SuiteResult, String> {
    let filters = filters.iter().map(|filter| Filter::new(filter)).collect();
    let selection = Selection {
        filters,
        level: Some(Level::Observed),
    };
    let plan =
        Plan::of(&proxyproof_scenarios::all(), &selection).map_err(|error| error.to_string())?;
    let suite = Suite::new(&plan, candidate, deployment);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime
        .block_on(suite.run(&mut [], std::future::pending()))
        .map_err(|error| error.in_full())
}
