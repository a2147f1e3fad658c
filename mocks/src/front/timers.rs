//! How long the front waits, with the real program's defaults.

use std::time::Duration;

/// How long the front waits for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrontTimers {
    /// From accept to the first decrypted bytes, TLS handshake included.
    pub handshake: Duration,
    /// Without a byte either way while both directions are open (`connIdle`). Looked at once a period, so that it ends a
    /// connection after once to twice this time.
    pub idle: Duration,
    /// The same, once the destination has ended its side (`uplinkOnly`).
    pub uplink_only: Duration,
    /// The same, once the client has ended its side (`downlinkOnly`).
    pub downlink_only: Duration,
}

impl Default for FrontTimers {
    /// 60 s, 300 s, 1 s and 1 s, as measured.
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(60),
            idle: Duration::from_secs(300),
            uplink_only: Duration::from_secs(1),
            downlink_only: Duration::from_secs(1),
        }
    }
}
