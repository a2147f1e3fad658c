//! Who may manage: CPA's evaluation order, one answer at a time.

use std::net::IpAddr;

use serde_json::json;
use tokio::time::Instant;

use super::ban::{BanTable, banned_message};
use crate::upstream::cpa::api_key::without_bearer;
use crate::upstream::cpa::client_address::is_local;
use crate::upstream::cpa::go_json::go_json;

/// Whether management answers clients that are not local (CPA's `remote-management.allow-remote`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AllowRemote {
    /// Only 127.0.0.1 and ::1, as CPA sees its client, may manage.
    #[default]
    No,
    /// Any client with the key may manage.
    Yes,
}

/// Why management is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Too many failures; holds CPA's sentence.
    Banned(String),
    /// The client is not local, and remote management is off.
    Remote,
    /// No key was sent. Counts as a failure.
    KeyMissing,
    /// The key is wrong. Counts as a failure.
    KeyInvalid,
}

impl Refusal {
    /// The status of the HTTP answer.
    pub(crate) const fn status(&self) -> u16 {
        match self {
            Self::Banned(_) | Self::Remote => 403,
            Self::KeyMissing | Self::KeyInvalid => 401,
        }
    }

    /// The sentence in the answer.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Banned(message) => message,
            Self::Remote => "remote management disabled",
            Self::KeyMissing => "missing management key",
            Self::KeyInvalid => "invalid management key",
        }
    }

    /// The body of the HTTP answer.
    pub(crate) fn body(&self) -> String {
        go_json(&json!({"error": self.message()}))
    }
}

/// Decides about one attempt from `address` with `key` (empty: none was sent), and keeps the count.
pub(crate) fn admit(
    bans: &mut BanTable,
    secret: &str,
    allow_remote: AllowRemote,
    address: IpAddr,
    key: &str,
    now: Instant,
) -> Result<(), Refusal> {
    if let Some(remaining) = bans.remaining(address, now) {
        return Err(Refusal::Banned(banned_message(remaining)));
    }
    if allow_remote == AllowRemote::No && !is_local(address) {
        return Err(Refusal::Remote);
    }
    if key.is_empty() {
        bans.fail(address, now);
        return Err(Refusal::KeyMissing);
    }
    if key != secret {
        bans.fail(address, now);
        return Err(Refusal::KeyInvalid);
    }
    bans.succeed(address);
    Ok(())
}

/// The key of a request: `Authorization` (its `Bearer` optional), else `X-Management-Key`.
pub(crate) fn presented_key<'a>(
    authorization: Option<&'a str>,
    x_management_key: Option<&'a str>,
) -> &'a str {
    match authorization {
        Some(value) if !value.is_empty() => without_bearer(value),
        _ => x_management_key.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const REMOTE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7));

    #[test]
    fn a_ban_outlasts_the_right_key() {
        let mut bans = BanTable::default();
        let now = Instant::now();
        for _ in 0..5 {
            let refused = admit(&mut bans, "key", AllowRemote::No, LOCAL, "", now);
            assert_eq!(refused, Err(Refusal::KeyMissing));
        }
        let refused = admit(&mut bans, "key", AllowRemote::No, LOCAL, "key", now).unwrap_err();
        assert_eq!(refused.status(), 403);
        assert_eq!(
            refused.body(),
            r#"{"error":"IP banned due to too many failed attempts. Try again in 30m0s"}"#
        );
    }

    #[test]
    fn a_remote_client_is_refused_before_its_key_is_looked_at() {
        let mut bans = BanTable::default();
        let now = Instant::now();
        for _ in 0..9 {
            let refused = admit(&mut bans, "key", AllowRemote::No, REMOTE, "nope", now);
            assert_eq!(refused, Err(Refusal::Remote));
        }
        assert_eq!(
            admit(&mut bans, "key", AllowRemote::Yes, REMOTE, "key", now),
            Ok(())
        );
    }

    #[test]
    fn authorization_wins_over_the_other_field() {
        assert_eq!(presented_key(Some("Bearer nope"), Some("key")), "nope");
        assert_eq!(presented_key(Some("key"), None), "key");
        assert_eq!(presented_key(None, Some("key")), "key");
    }
}
