//! The scripts an upstream was given, by probe id.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::probe_id::ProbeId;
use crate::script::Script;

/// Scripts by probe id, and the one for everybody else.
#[derive(Debug, Default)]
pub(crate) struct Scripts {
    given: Mutex<Given>,
    /// How many there are, so that an upstream without scripts takes no lock.
    count: AtomicUsize,
}

#[derive(Debug, Default)]
struct Given {
    by_probe: HashMap<ProbeId, VecDeque<Arc<Script>>>,
    order: VecDeque<ProbeId>,
    otherwise: Option<Arc<Script>>,
}

impl Scripts {
    pub(crate) fn add(&self, probe: ProbeId, script: Script) {
        let mut given = self.given();
        if given.order.len() == SCRIPTS_KEPT {
            let oldest = given.order.pop_front();
            oldest.and_then(|oldest| given.by_probe.remove(&oldest));
        }
        if !given.by_probe.contains_key(&probe) {
            given.order.push_back(probe);
        }
        given
            .by_probe
            .entry(probe)
            .or_default()
            .push_back(Arc::new(script));
        self.recount(&given);
    }

    pub(crate) fn set_default(&self, script: Option<Script>) {
        let mut given = self.given();
        given.otherwise = script.map(Arc::new);
        self.recount(&given);
    }

    /// The script for a request of this probe: one after the other, the last one for all that follow.
    pub(crate) fn find(&self, probe: Option<ProbeId>) -> Option<Arc<Script>> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut given = self.given();
        let scripts = probe.and_then(|probe| given.by_probe.get_mut(&probe));
        match scripts {
            Some(scripts) if scripts.len() > 1 => scripts.pop_front(),
            Some(scripts) => scripts.front().cloned(),
            None => given.otherwise.clone(),
        }
    }

    fn recount(&self, given: &Given) {
        let count = given.by_probe.len() + usize::from(given.otherwise.is_some());
        self.count.store(count, Ordering::Release);
    }

    fn given(&self) -> MutexGuard<'_, Given> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// More scripts than any suite has in flight: older ones are forgotten.
const SCRIPTS_KEPT: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_after_the_other_and_the_last_one_stays() {
        let scripts = Scripts::default();
        let probe = ProbeId::fresh();
        assert!(scripts.find(Some(probe)).is_none());
        scripts.add(probe, Script::new().fin());
        scripts.add(probe, Script::new().rst());
        let found = || format!("{:?}", scripts.find(Some(probe)).unwrap());
        assert!(found().contains("Fin"));
        assert!(found().contains("Reset"));
        assert!(found().contains("Reset"));
        assert!(scripts.find(Some(ProbeId::fresh())).is_none());
        scripts.set_default(Some(Script::new()));
        assert!(scripts.find(None).is_some());
        scripts.set_default(None);
        assert!(scripts.find(None).is_none());
    }
}
