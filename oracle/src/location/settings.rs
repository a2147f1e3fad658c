use std::collections::BTreeMap;

use super::place::Place;

/// What a server or location takes over from the blocks around it, as far as it bears on routing.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Bytes of the longest request line: the larger of `client_header_buffer_size` and the size in
    /// `large_client_header_buffers`.
    pub(crate) line_limit: usize,
    /// Status codes that lead to another page, and where that is said.
    pub(crate) error_pages: BTreeMap<u16, Place>,
    /// Directives that may answer before the upstream is asked, by name.
    pub(crate) gates: BTreeMap<String, Place>,
}

/// `large_client_header_buffers 4 8k`, NGINX's default.
pub(crate) const LINE_LIMIT: usize = 8192;

/// Directives of the access phase and before, which may refuse a request wherever it is routed.
pub(crate) const GATES: [&str; 12] = [
    "allow",
    "deny",
    "auth_basic",
    "auth_request",
    "auth_jwt",
    "limit_req",
    "limit_conn",
    "access_by_lua_block",
    "access_by_lua_file",
    "access_by_lua",
    "js_access",
    "limit_except",
];

impl Default for Settings {
    fn default() -> Self {
        Self {
            line_limit: LINE_LIMIT,
            error_pages: BTreeMap::new(),
            gates: BTreeMap::new(),
        }
    }
}
