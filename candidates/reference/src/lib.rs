//! The embedded candidate: a small, correct reverse proxy.
