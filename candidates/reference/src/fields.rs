//! Which fields of a message are whose (RFC 9110 sections 7.6.1 and 5.1).

/// What becomes of a request field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is passed on as it is.
    Pass,
    /// Cookies are joined where HTTP/2 split them (RFC 9113 section 8.2.3).
    Cookie,
    /// The proxy writes its own.
    Host,
    /// The proxy frames the body anew.
    Framing,
    /// It concerns this connection only.
    HopByHop,
    /// It concerns this connection, and decides about an upgrade.
    Upgrade,
    /// It concerns this connection, but trailers are asked for on the next one too.
    Te,
    /// It is passed on while the upstream is asked.
    Expect,
    /// The proxy writes its own; a client's would name another client.
    Identity,
    /// A client's would be taken by an upstream for an address, a URL or a method of the proxy's.
    Spoofable,
    /// Programs behind CGI-like interfaces cannot tell it from the same name with hyphens.
    Underscore,
}

/// What becomes of the request field with this lower-case name.
pub(crate) fn fate(name: &str) -> Fate {
    match name.len() {
        2 if name == "te" => Fate::Te,
        4 if name == "host" => Fate::Host,
        5 if name == "proxy" => Fate::Spoofable,
        6 if name == "cookie" => Fate::Cookie,
        6 if name == "expect" => Fate::Expect,
        7 if name == "upgrade" => Fate::Upgrade,
        9 if name == "forwarded" || name == "x-real-ip" => Fate::Identity,
        10 if matches!(name, "connection" | "keep-alive") => Fate::HopByHop,
        11 if name == "x-client-ip" => Fate::Spoofable,
        13 if name == "x-http-method" => Fate::Spoofable,
        14 if name == "content-length" => Fate::Framing,
        14 if matches!(name, "true-client-ip" | "x-original-url" | "x-original-uri") => {
            Fate::Spoofable
        }
        14 if name == "http2-settings" => Fate::HopByHop,
        13 if matches!(name, "x-rewrite-url" | "x-forwarded-ip") => Fate::Spoofable,
        15 if matches!(name, "x-forwarded-for") => Fate::Identity,
        15 if matches!(name, "x-original-host" | "x-proxyuser-ip") => Fate::Spoofable,
        16 if matches!(name, "x-forwarded-host" | "x-forwarded-port") => Fate::Identity,
        16 if matches!(name, "cf-connecting-ip" | "fastly-client-ip") => Fate::Spoofable,
        16 if name == "proxy-connection" => Fate::HopByHop,
        17 if name == "x-forwarded-proto" => Fate::Identity,
        17 if name == "transfer-encoding" => Fate::Framing,
        17 if name == "x-method-override" => Fate::Spoofable,
        19 if name == "proxy-authorization" => Fate::HopByHop,
        _ if name.starts_with("x-forwarded") => Fate::Spoofable,
        _ if matches!(
            name,
            "cf-connecting-ipv6"
                | "x-cluster-client-ip"
                | "x-http-method-override"
                | "x-azure-clientip"
                | "x-appengine-user-ip"
                | "x-envoy-external-address"
                | "x-envoy-original-path"
                | "x-http-destinationurl"
        ) =>
        {
            Fate::Spoofable
        }
        _ if memchr::memchr(b'_', name.as_bytes()).is_some() => Fate::Underscore,
        _ => Fate::Pass,
    }
}

/// Whether a response field concerns the upstream's connection only; framing, Connection and Upgrade aside.
///
/// `X-Accel-*` are orders to NGINX: an upstream that relays answers of others must not give any to a proxy.
pub(crate) fn is_hop_by_hop_of_response(name: &str) -> bool {
    matches!(name, "keep-alive" | "proxy-connection" | "te") || name.starts_with("x-accel-")
}

/// Whether Connection cannot strip the field: it is meant for the last recipient (RFC 9110 section 7.6.1).
pub(crate) fn is_end_to_end(name: &str) -> bool {
    name.starts_with("content-")
        || name.starts_with("sec-websocket-")
        || name.starts_with("x-") && matches!(name, "x-api-key" | "x-goog-api-key")
        || matches!(
            name,
            "accept"
                | "authorization"
                | "cache-control"
                | "cookie"
                | "date"
                | "etag"
                | "host"
                | "location"
                | "origin"
                | "set-cookie"
                | "user-agent"
                | "vary"
        )
}

/// The members of a comma-separated list.
pub(crate) fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|&byte| byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|token| !token.is_empty())
}

/// Whether a comma-separated list has this member, whatever its case.
pub(crate) fn has_token(value: &[u8], wanted: &[u8]) -> bool {
    tokens(value).any(|token| token.eq_ignore_ascii_case(wanted))
}
