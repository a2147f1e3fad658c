//! Probes against peers made by hand, without a candidate.

mod chain;
mod h1;
mod h2;
mod peer;
mod raw;
mod websocket;
