//! Tells what a run found out. Every report is made from a [`SuiteResult`](crate::suite::SuiteResult) alone.
