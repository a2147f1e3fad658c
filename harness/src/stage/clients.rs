//! What a stage is told when real clients use it instead of probes: [`Clients`].

use std::net::IpAddr;

use proxyproof_mocks::upstream::cpa::AllowRemote;

/// The front takes connections without a PROXY header, on a port of its own without TLS too, takes the server name
/// `localhost` and none for the API host, listens on `::1` where there is one, and has a certificate for loopback; the
/// gallery's candidates serve the hosts `localhost`, `127.0.0.1` and `[::1]`.
#[derive(Clone, Debug)]
pub struct Clients {
    /// The address that clients on loopback are reported under: a right proxy may refuse one that claims to be local.
    pub address: IpAddr,
    /// The front's port for TLS; 0 for an ephemeral one.
    pub port: u16,
    /// The API host in place of the deployment's, in the candidate's own files too.
    pub domain: Option<String>,
    /// Whether clients that are not local may manage CPA.
    pub allow_remote: AllowRemote,
}

impl Clients {
    /// The hosts by which clients that cannot override names ask.
    pub(super) const HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
}
