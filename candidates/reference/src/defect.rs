//! Deliberate bugs, switched on by name, so that a scenario can be shown to fail.
//!
//! Each sits at the place where the correct behaviour lives and asks [`Defects::has`] there. Bugs that hyper makes
//! impossible (Content-Length beside chunked passed on, obs-fold, a malformed chunk, connection fields on HTTP/2) have no entry.

use std::fmt;
use std::str::FromStr;

/// Declares the enum once, so that a variant, its configuration name and its sentence cannot drift apart.
macro_rules! defects {
    ($($variant:ident $name:literal $sentence:literal,)+) => {
        /// A deliberate bug of the reference proxy.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Defect {
            $(#[doc = $sentence] $variant,)+
        }

        impl Defect {
            /// Every defect, in the order of the topics.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name under which a configuration switches it on, in snake_case.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// One sentence on what the proxy does wrong.
            #[must_use]
            pub const fn describe(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)+ }
            }
        }
    };
}

defects! {
    // Everything.
    AnswerBadGateway "answer_bad_gateway" "Every request is answered with 502, and none is forwarded.",
    // Routing.
    FirstPrefixWins "first_prefix_wins" "Of the prefixes that match, the first in alphabetical order wins, not the longest.",
    IgnoreExact "ignore_exact" "Exact locations are never matched.",
    ExactAsPrefix "exact_as_prefix" "An exact location also matches every path that begins with it.",
    QueryBreaksExact "query_breaks_exact" "The query takes part in the match, so an exact location with a query is missed.",
    IgnorePathCase "ignore_path_case" "Paths are matched without regard to case.",
    NoPercentDecoding "no_percent_decoding" "Percent escapes are not decoded before matching.",
    DecodeTwice "decode_twice" "Percent escapes are decoded twice before matching.",
    EncodedSlashIsPlain "encoded_slash_is_plain" "`%2f` does not count as a slash when matching.",
    NoDotResolving "no_dot_resolving" "Dot segments are not resolved before matching.",
    NoSlashMerging "no_slash_merging" "Repeated slashes are not merged before matching.",
    LookAlikePrefix "look_alike_prefix" "A prefix location that ends in a slash matches without it, so look-alike paths match.",
    SlashRedirectInternal "slash_redirect_internal" "A path that lacks the final slash of its location is redirected to the listener's own host and port.",
    SlashRedirectDropsQuery "slash_redirect_drops_query" "A path that lacks the final slash is redirected without its query.",
    ForwardNormalisedTarget "forward_normalised_target" "The decoded and resolved path is forwarded, not the target as it came.",
    StripQuery "strip_query" "The query is not forwarded.",
    SwapUpstreams "swap_upstreams" "The first two upstreams are mistaken for each other.",
    ServeAboveRoot "serve_above_root" "A path that climbs above the root is served instead of refused.",
    ServeNul "serve_nul" "`%00` in a path is served instead of refused.",
    ServeBadEscape "serve_bad_escape" "A malformed percent escape is repaired and served instead of refused.",
    StripPathParameters "strip_path_parameters" "What follows a semicolon in a segment is not part of the path, as in some Java programs.",
    ForwardAbsoluteForm "forward_absolute_form" "A target in absolute form keeps its scheme and authority upstream.",
    // Client identity and other request fields.
    AppendForwardedFor "append_forwarded_for" "The client's own X-Forwarded-For is kept and the address appended.",
    NoForwardedFor "no_forwarded_for" "X-Forwarded-For is not sent.",
    KeepRealIp "keep_real_ip" "A client's own X-Real-IP is passed on instead of the address.",
    NoRealIp "no_real_ip" "X-Real-IP is not sent.",
    KeepForwarded "keep_forwarded" "A client's own Forwarded is kept and the element appended.",
    NoForwardedProto "no_forwarded_proto" "X-Forwarded-Proto is not sent.",
    PlainForwardedProto "plain_forwarded_proto" "X-Forwarded-Proto says http, as the listener has no TLS.",
    KeepForwardedHost "keep_forwarded_host" "A client's own X-Forwarded-Host is passed on.",
    ListenerForwardedPort "listener_forwarded_port" "X-Forwarded-Port is the listener's port, not 443.",
    PassUnderscoreFields "pass_underscore_fields" "Fields with an underscore in the name pass.",
    KeepSpoofableFields "keep_spoofable_fields" "Fields that claim an address, a URL or a method for the client pass.",
    PassProxyField "pass_proxy_field" "A field named Proxy passes.",
    TrustUnknown "trust_unknown" "PROXY UNKNOWN and LOCAL are served with the address of the tunnel, so that a client looks local.",
    AcceptLoopbackClaim "accept_loopback_claim" "A PROXY header that claims a loopback address is served.",
    IgnoreProxyAddress "ignore_proxy_address" "The address in the PROXY header is ignored and the peer's used.",
    MixIdentities "mix_identities" "A pooled connection goes on naming the first client that used it.",
    FirstRequestIdentityOnly "first_request_identity_only" "Only the first request of a client connection carries the client's address.",
    RefuseProxyV2 "refuse_proxy_v2" "PROXY protocol version 2 is refused.",
    OneSegmentProxyHeader "one_segment_proxy_header" "A PROXY header that arrives in more than one read is refused.",
    OptionalProxyHeader "optional_proxy_header" "A connection without a PROXY header is served with the peer's address.",
    LenientProxyHeader "lenient_proxy_header" "A malformed PROXY header line is skipped and the connection served with the peer's address.",
    HopByHopForwarded "hop_by_hop_forwarded" "Hop-by-hop request fields are passed upstream.",
    ListedFieldsForwarded "listed_fields_forwarded" "Fields that Connection lists are passed upstream.",
    ConnectionStripsIdentity "connection_strips_identity" "A client can strip the proxy's own fields by listing them in Connection.",
    DropAuthorization "drop_authorization" "Authorization is not forwarded.",
    DropApiKey "drop_api_key" "X-Api-Key and X-Goog-Api-Key are not forwarded.",
    DropCustomFields "drop_custom_fields" "Fields that are not registered, such as Anthropic-Version and OpenAI-Beta, are not forwarded.",
    DropOrigin "drop_origin" "Origin is not forwarded.",
    MisjoinCookies "misjoin_cookies" "Cookie fields are joined with a comma.",
    DropRepeatedFields "drop_repeated_fields" "Of a repeated request field only the last line is forwarded.",
    DropAcceptEncoding "drop_accept_encoding" "Accept-Encoding is not forwarded.",
    DropRange "drop_range" "Range and the conditional fields are not forwarded.",
    DropContentType "drop_content_type" "Content-Type of a request is not forwarded.",
    HopByHopAnswered "hop_by_hop_answered" "Fields that the upstream's Connection lists, and Keep-Alive, reach the client.",
    // Host.
    ServeUnknownHost "serve_unknown_host" "A host that is not the deployment's is served.",
    UpstreamHost "upstream_host" "Host is the upstream's name.",
    KeepHostPort "keep_host_port" "Host keeps the port that the client sent.",
    ClientHost "client_host" "Host is passed on as the client wrote it.",
    IgnoreHostMismatch "ignore_host_mismatch" "Of two differing hosts in one request one is checked and the other passed on.",
    // Responses and streams.
    HoldHead "hold_head" "The head of a response is held until the first byte of its body.",
    BufferResponse "buffer_response" "A response is collected whole before it is sent.",
    StreamEventsOnly "stream_events_only" "A response whose media type is not plainly `text/event-stream` is collected whole before it is sent.",
    HoldPartialEvents "hold_partial_events" "Response bytes are held until an empty line ends them.",
    CoalesceEvents "coalesce_events" "Response bytes are held until 4 KiB are together or the response ends.",
    CompressEvents "compress_events" "An event stream is sent gzip-encoded to clients that accept it.",
    DropComments "drop_comments" "Comment lines of an event stream are dropped.",
    LoseLastEvent "lose_last_event" "The closing event of a stream is lost, or its last piece if the end follows at once.",
    TruncationEndsCleanly "truncation_ends_cleanly" "A response that the upstream cuts ends as if it were complete.",
    UnboundedBuffer "unbounded_buffer" "A response is read as fast as the upstream writes it, whatever the client takes.",
    CorruptResponse "corrupt_response" "One byte of a response beyond 64 KiB is changed.",
    DropCacheControl "drop_cache_control" "Cache-Control of a response is dropped.",
    RewriteContentType "rewrite_content_type" "Content-Type of a response becomes application/octet-stream.",
    DropResponseTrailers "drop_response_trailers" "Trailers of a response are dropped.",
    JoinSetCookie "join_set_cookie" "Set-Cookie fields are joined into one.",
    DropRetryAfter "drop_retry_after" "Retry-After is dropped.",
    ReplaceErrors "replace_errors" "Error answers of an upstream are replaced by the proxy's own.",
    RewriteLocation "rewrite_location" "Location of an upstream is rewritten to the listener's host and port.",
    HonourAccelBuffering "honour_accel_buffering" "X-Accel-Buffering: yes in a response makes the proxy collect it whole.",
    ObeyAccelRedirect "obey_accel_redirect" "X-Accel-Redirect in a response makes the proxy look for that path in its own files, where there is none.",
    SmallResponseHead "small_response_head" "A response head of more than 4 KiB is refused.",
    SwallowLength "swallow_length" "Content-Length of a response is dropped, so it is sent chunked.",
    AnswerPreflight "answer_preflight" "OPTIONS is answered by the proxy and never forwarded.",
    // Uploads.
    BufferRequest "buffer_request" "A request body is collected whole before the upstream hears of it.",
    DropRequestTrailers "drop_request_trailers" "Trailers of a request are dropped.",
    NoLengthLimit "no_length_limit" "A Content-Length beyond the limit is forwarded.",
    NoChunkedLimit "no_chunked_limit" "A body of unknown length is forwarded beyond the limit.",
    LateLengthRefusal "late_length_refusal" "A Content-Length beyond the limit is refused only after the whole body was read.",
    LowBodyLimit "low_body_limit" "The body limit is 1 MiB, whatever the configuration says.",
    RefuseAndReset "refuse_and_reset" "A refused upload is answered and the connection reset, so that a sending client loses the answer.",
    HoldEarlyAnswer "hold_early_answer" "An answer that comes while the upload still runs is held until the upload ends.",
    IgnoreExpect "ignore_expect" "Expect: 100-continue is never answered with 100.",
    CorruptUpload "corrupt_upload" "One byte of an upload beyond 64 KiB is changed.",
    ChunkEmptyBody "chunk_empty_body" "A request without a body is sent with an empty chunked one.",
    LengthAsChunked "length_as_chunked" "A body with Content-Length is sent chunked.",
    // WebSocket.
    UpgradeAnyToken "upgrade_any_token" "Whatever a client asks to upgrade to is upgraded.",
    NeverUpgrade "never_upgrade" "Upgrade is not forwarded, so WebSocket is impossible.",
    UpgradeAlways "upgrade_always" "Every request asks the upstream for an upgrade.",
    LoseEarlyFrames "lose_early_frames" "Frames that arrive together with a handshake are lost.",
    DropExtensions "drop_extensions" "Sec-WebSocket-Extensions is not forwarded.",
    DropSubprotocol "drop_subprotocol" "Sec-WebSocket-Protocol is not forwarded.",
    CutOnClose "cut_on_close" "A Close frame is not passed on; the connections are cut.",
    LoseCloseReason "lose_close_reason" "The code of a Close frame becomes 1000 and its reason is lost.",
    LimitMessage "limit_message" "A WebSocket frame of more than 64 KiB cuts the connection.",
    SwallowPings "swallow_pings" "Ping frames are not passed on.",
    CorruptFrames "corrupt_frames" "One byte of what is tunnelled beyond 64 KiB is changed.",
    HideExtendedConnect "hide_extended_connect" "Extended CONNECT is not offered on HTTP/2.",
    RefuseExtendedConnect "refuse_extended_connect" "Extended CONNECT is offered on HTTP/2 and then refused.",
    UpgradeRefusalLost "upgrade_refusal_lost" "An upstream's refusal of an upgrade becomes 502.",
    UpgradeFailureIsBadRequest "upgrade_failure_is_bad_request" "An upgrade that the upstream leaves without an answer becomes 400.",
    // Upstream connections.
    ConnectionPerRequest "connection_per_request" "Every request opens a connection of its own.",
    SendConnectionClose "send_connection_close" "Every request asks the upstream to close, as the published configuration does.",
    RetryPost "retry_post" "A POST whose connection dies is sent again.",
    RetryTwice "retry_twice" "A request whose fresh connection dies before an answer is sent again, whatever the method.",
    NeverRetry "never_retry" "A request on a pooled connection that died meanwhile is not sent again.",
    NoFailover "no_failover" "A server of a group that refuses connections costs the request whose turn it has.",
    BackupNeverUsed "backup_never_used" "A backup server gets nothing while no other server can be reached.",
    BackupShares "backup_shares" "A backup server takes its turn with the others.",
    UpstreamDownIsOk "upstream_down_is_ok" "An upstream that cannot be reached is answered with 200.",
    LeakUpstreamAddress "leak_upstream_address" "The answer to a failed upstream names its address.",
    SmallPool "small_pool" "No more than one idle connection to an upstream is kept.",
    OnePool "one_pool" "Idle connections of all upstreams are kept in one pool.",
    KeepLeftover "keep_leftover" "A connection is used again though bytes beyond its response were read.",
    ReuseAfterAbort "reuse_after_abort" "A connection is used again though its response was not read to the end.",
    FailureSpreads "failure_spreads" "For a second after one upstream failed, requests to the others fail too.",
    EjectAfterErrors "eject_after_errors" "For two seconds after an upstream answered 500 to 504 it is not tried.",
    MarkDown "mark_down" "For two seconds after a failure an upstream is not tried.",
    UpstreamHttp10 "upstream_http10" "Requests go upstream as HTTP/1.0.",
    SerialUpstream "serial_upstream" "One request at a time goes to an upstream; the others wait.",
    // Aborts.
    IgnoreClientAbort "ignore_client_abort" "An upstream that has not answered yet is not told that the client is gone.",
    IgnoreStreamAbort "ignore_stream_abort" "An upstream that streams is not told that the client is gone.",
    CompleteAbortedUpload "complete_aborted_upload" "An upload that the client aborts is completed upstream as if it were whole.",
    IgnoreUploadAbort "ignore_upload_abort" "An upstream that reads an upload is not told that the client is gone.",
    IgnoreTunnelAbort "ignore_tunnel_abort" "The other end of a tunnel is not told that one end is gone.",
    ResetKillsConnection "reset_kills_connection" "A reset stream takes the whole HTTP/2 connection with it.",
    // HTTP.
    RelayBlindly "relay_blindly" "What comes on the HTTP/1.1 listener is passed to the first upstream byte for byte, unread.",
    RepairHeads "repair_heads" "A malformed request head is repaired and served instead of refused.",
    OneSegmentHead "one_segment_head" "A request head that arrives in more than one segment is refused.",
    GarbageKills "garbage_kills" "A connection that does not begin with a request ends all connections.",
    ForwardTrace "forward_trace" "TRACE is forwarded.",
    HeadAsGet "head_as_get" "HEAD is forwarded as GET.",
    MethodAsPost "method_as_post" "Methods other than GET, HEAD and OPTIONS are forwarded as POST.",
    CloseEveryConnection "close_every_connection" "A client connection is closed after every response.",
    SmallRequestHead "small_request_head" "A request head of more than 4 KiB is refused.",
    SwallowInterim "swallow_interim" "103 Early Hints are not passed on.",
    RewriteReason "rewrite_reason" "The status of an answer becomes 200 where the upstream said 201 to 299.",
    // Lifecycle.
    DropOnTerminate "drop_on_terminate" "SIGTERM cuts what is in flight.",
    IgnoreTerminate "ignore_terminate" "SIGTERM is ignored while a connection is open, idle ones included.",
    DropOnReload "drop_on_reload" "SIGHUP cuts what is in flight.",
    IgnoreReload "ignore_reload" "SIGHUP changes nothing.",
    BadReloadKills "bad_reload_kills" "SIGHUP with a broken configuration stops the proxy.",
}

impl fmt::Display for Defect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Defect {
    type Err = UnknownDefect;

    fn from_str(name: &str) -> Result<Self, UnknownDefect> {
        let known = Self::ALL
            .iter()
            .copied()
            .find(|defect| defect.name() == name);
        known.ok_or_else(|| UnknownDefect {
            name: name.to_owned(),
        })
    }
}

/// A name that no defect has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown defect `{name}`")]
pub struct UnknownDefect {
    /// The name that was asked for.
    pub name: String,
}

/// The defects that a configuration switches on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Defects([u64; WORDS]);

impl Defects {
    /// Whether the defect is on; one load and a test, as it is asked on every request.
    #[inline]
    pub(crate) const fn has(self, defect: Defect) -> bool {
        let bit = defect as usize;
        self.0[bit / 64] & (1 << (bit % 64)) != 0
    }

    /// Switches a defect on.
    pub(crate) const fn insert(&mut self, defect: Defect) {
        let bit = defect as usize;
        self.0[bit / 64] |= 1 << (bit % 64);
    }

    /// Switches a defect off.
    pub(crate) const fn remove(&mut self, defect: Defect) {
        let bit = defect as usize;
        self.0[bit / 64] &= !(1 << (bit % 64));
    }

    /// Whether any defect is on.
    pub(crate) fn any(self) -> bool {
        self != Self::default()
    }
}

/// Machine words that hold one bit a defect.
const WORDS: usize = Defect::ALL.len().div_ceil(64);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{Defect, Defects};

    #[test]
    fn names_are_unique_and_come_back() {
        let names: BTreeSet<_> = Defect::ALL.iter().map(|defect| defect.name()).collect();
        assert_eq!(names.len(), Defect::ALL.len());
        for defect in Defect::ALL {
            assert_eq!(defect.name().parse(), Ok(*defect));
            assert!(defect.describe().ends_with('.'), "{defect}");
        }
    }

    #[test]
    fn every_defect_is_asked_about_where_the_correct_behaviour_lives() {
        let code = code_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
        for defect in Defect::ALL {
            assert!(
                code.contains(&format!("Defect::{defect:?}")),
                "nothing asks about `{defect}`"
            );
        }
    }

    /// All code of a folder but this file's.
    fn code_below(folder: &Path) -> String {
        let entries = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let code = entries
            .filter(|path| !path.ends_with("src/defect.rs"))
            .map(|path| match path.is_dir() {
                true => code_below(&path),
                false => std::fs::read_to_string(&path).unwrap(),
            });
        code.collect()
    }

    #[test]
    fn a_set_holds_exactly_what_was_inserted() {
        for &chosen in Defect::ALL {
            let mut defects = Defects::default();
            defects.insert(chosen);
            let on: Vec<_> = Defect::ALL
                .iter()
                .filter(|defect| defects.has(**defect))
                .collect();
            assert_eq!(on, [&chosen]);
        }
    }
}
