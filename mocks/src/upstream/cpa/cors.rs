//! The CORS fields that CPA puts on every answer of its router (redirects of a trailing slash and `101` excepted).

/// The four fields, in the order in which Go writes them.
pub(crate) const CORS: [(&str, &str); 4] = [
    ("Access-Control-Allow-Headers", "*"),
    (
        "Access-Control-Allow-Methods",
        "GET, POST, PUT, PATCH, DELETE, OPTIONS",
    ),
    ("Access-Control-Allow-Origin", "*"),
    (
        "Access-Control-Expose-Headers",
        "X-CPA-TRACE-ID, X-CPA-VERSION, X-CPA-COMMIT, X-CPA-BUILD-DATE, X-CPA-SUPPORT-PLUGIN, \
         X-CPA-HOME-VERSION, X-CPA-HOME-BUILD-DATE, X-SERVER-VERSION, X-SERVER-BUILD-DATE, Location, \
         Retry-After, X-Request-Id, OpenAI-Request-Id",
    ),
];
