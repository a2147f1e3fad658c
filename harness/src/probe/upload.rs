//! How far the sending side of an exchange is: [`UploadState`].

use proxyproof_mocks::ledger::Field;

use super::error::ProbeError;
use super::outlet::Outlet;
use super::request::Payload;
use super::task::Task;

/// How far the sending side is.
#[derive(Debug)]
pub(crate) enum UploadState {
    /// The scenario writes.
    Streamed(Outlet, Vec<Field>),
    /// The body waits for `100 Continue`.
    Withheld(Outlet, Payload, Vec<Field>),
    /// A task writes a whole body.
    Sending(Task<(Outlet, Result<(), ProbeError>)>),
    /// Everything was sent, or the peer took no more.
    Done(Option<Outlet>),
}

impl UploadState {
    pub(crate) fn sending(mut outlet: Outlet, payload: Payload, trailers: Vec<Field>) -> Self {
        Self::Sending(Task::spawn(async move {
            let result = outlet.send(payload, &trailers).await;
            (outlet, result)
        }))
    }
}
