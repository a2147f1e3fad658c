//! Falls silent, and keeps the connection open.

use super::plan::{Plan, Then};

pub(super) fn plan(after: u64, passed: u64, length: usize) -> Plan {
    Plan::until(after, passed, length, Then::Stall)
}
