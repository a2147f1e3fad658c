//! The proxy as a process, between raw sockets: every test orders its events by what the other end has seen.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod rig;

mod aborts;
mod forwarding;
mod http2;
mod identity;
mod lifecycle;
mod pooling;
mod routing;
mod streaming;
mod tls;
mod uploads;
mod websocket;

/// Not a test of its own: the process that the other tests start.
#[test]
fn serve() {
    if let Some(path) = std::env::var_os(rig::CONFIGURATION) {
        proxyproof_reference::run(path.as_ref()).expect("the tests write right configurations");
    }
}
