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
    crate::block_on(async move {
        let state = State::of(&recording).await?;
        recording.replay(state.address(), &state.addresses()).await
    })
}
