//! The CPA mock against recordings of the real one: one trial for each line of `cpa.jsonl`.

mod given;
mod write;

use libtest_mimic::Trial;

use super::recording::Recording;

pub(crate) fn trials() -> Vec<Trial> {
    let recordings = Recording::all(include_str!("../exchanges/cpa.jsonl"));
    recordings.into_iter().map(trial).collect()
}

fn trial(recording: Recording) -> Trial {
    let name = crate::trial_name(&recording.id);
    Trial::test(name, move || crate::block_on(given::replay(&recording)))
}
