//! Holds back every piece.

use std::time::Duration;

use super::plan::Plan;

pub(super) fn plan(by: Duration, length: usize) -> Plan {
    Plan {
        wait: by,
        ..Plan::whole(length)
    }
}

/// Holds back.
#[expect(clippy::disallowed_methods, reason = "a delay is what this fault is")]
pub(super) async fn hold_back(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}
