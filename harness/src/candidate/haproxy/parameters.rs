//! What stands behind the address of a `bind` or a `server`, as far as it leads off the stage.

/// What the private copy has in the place of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Left as it is, with its value, which may look like another parameter.
    Kept,
    /// Left out.
    Dropped,
    /// With the stage's certificate for its value.
    Certificate,
}

/// A parameter: its name, how many values follow, and what becomes of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) values: usize,
    pub(super) fate: Fate,
}

const fn kept(name: &'static str) -> Parameter {
    Parameter {
        name,
        values: 1,
        fate: Fate::Kept,
    }
}

const fn dropped(name: &'static str, values: usize) -> Parameter {
    Parameter {
        name,
        values,
        fate: Fate::Dropped,
    }
}

const fn certificate(name: &'static str) -> Parameter {
    Parameter {
        name,
        values: 1,
        fate: Fate::Certificate,
    }
}

/// Of a `bind`: certificates are the stage's, and neither another interface, another network nor another owner of a socket
/// is asked for. What holds of an IPv6 address alone is of no use to the copy's.
pub(super) const OF_BIND: &[Parameter] = &[
    certificate("crt"),
    certificate("crt-list"),
    certificate("ca-file"),
    certificate("ca-verify-file"),
    dropped("acme", 1),
    dropped("ca-sign-file", 1),
    dropped("ca-sign-pass", 1),
    dropped("crl-file", 1),
    dropped("ech", 1),
    dropped("generate-certificates", 0),
    dropped("gid", 1),
    dropped("group", 1),
    dropped("interface", 1),
    dropped("mode", 1),
    dropped("namespace", 1),
    dropped("nbconn", 1),
    dropped("ocsp-update", 1),
    dropped("tls-ticket-keys", 1),
    dropped("transparent", 0),
    dropped("uid", 1),
    dropped("user", 1),
    dropped("v4v6", 0),
    dropped("v6only", 0),
    kept("alpn"),
    kept("ciphers"),
    kept("ciphersuites"),
    kept("curves"),
    kept("id"),
    kept("guid"),
    kept("name"),
    kept("npn"),
];

/// Of a `server`: it is asked, and checked, at its own address alone, from wherever the system likes, and no name server
/// is asked for it.
pub(super) const OF_SERVER: &[Parameter] = &[
    certificate("crt"),
    dropped("addr", 1),
    dropped("agent-addr", 1),
    dropped("agent-check", 0),
    dropped("agent-inter", 1),
    dropped("agent-port", 1),
    dropped("agent-send", 1),
    dropped("check-via-socks4", 0),
    dropped("init-addr", 1),
    dropped("interface", 1),
    dropped("namespace", 1),
    dropped("port", 1),
    dropped("resolve-net", 1),
    dropped("resolve-opts", 1),
    dropped("resolve-prefer", 1),
    dropped("resolvers", 1),
    dropped("socks4", 1),
    dropped("source", 1),
    dropped("usesrc", 1),
    kept("alpn"),
    kept("check-alpn"),
    kept("check-sni"),
    kept("ciphers"),
    kept("ciphersuites"),
    kept("cookie"),
    kept("curves"),
    kept("guid"),
    kept("id"),
    kept("redir"),
    kept("sni"),
    kept("track"),
    kept("verifyhost"),
];

/// Of a check that says itself where it connects: to the server that it checks.
pub(super) const OF_CHECK: &[Parameter] = &[
    dropped("addr", 1),
    dropped("port", 1),
    dropped("via-socks4", 0),
    kept("alpn"),
    kept("comment"),
    kept("proto"),
    kept("sni"),
];
