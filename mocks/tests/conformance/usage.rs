//! The usage service against recordings of the real one: one trial for each line of `usage.jsonl`.

mod state;

use libtest_mimic::{Failed, Trial};

use self::state::State;
use crate::recording::Recording;

pub(crate) fn trials() -> Vec<Trial> {
    let recordings = Recording::all(include_str!("../exchanges/usage.jsonl"));
    recordings
        .into_iter()
        .map(|recording| Trial::test(crate::trial_name(&recording.id), || run(recording)))
        .collect()
}

fn run(recording: Recording) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async move {
        let state = State::of(&recording).await?;
        recording.replay(state.address(), &state.addresses()).await
    })
}
