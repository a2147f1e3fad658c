//! Who may ask: the management key as a bearer token.

use crate::upstream::Request;

/// Whether the request carries this key: the scheme in any case, the value exact, nothing but `Authorization`.
pub(super) fn carries(request: &Request, key: &str) -> bool {
    let Some(field) = request.first("Authorization") else {
        return false;
    };
    let field = field.trim();
    let scheme = field
        .get(..BEARER.len())
        .filter(|scheme| scheme.eq_ignore_ascii_case(BEARER));
    !key.is_empty() && scheme.is_some() && field[BEARER.len()..].trim() == key
}

const BEARER: &str = "Bearer ";
